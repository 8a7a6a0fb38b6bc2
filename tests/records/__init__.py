"""Tests of `gui.records`: no Qt, no engine."""
