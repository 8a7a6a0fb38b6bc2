"""The store: one SQLite file in which every trial is kept, read and written by any number of windows."""
