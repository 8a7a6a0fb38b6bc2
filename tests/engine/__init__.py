"""Tests of `gui.engine`, most of them through a real engine process."""
