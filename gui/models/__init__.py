"""Qt item models over records; their tests need no window."""
