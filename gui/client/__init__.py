"""The window's side of the engine: one child process, its requests and what comes back, as Qt signals."""
