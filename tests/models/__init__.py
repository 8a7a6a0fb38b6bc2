"""The item models."""
