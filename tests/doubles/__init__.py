"""Doubles for execution-provider libraries: a plugin EP that misbehaves as told, and files that only look like one."""
