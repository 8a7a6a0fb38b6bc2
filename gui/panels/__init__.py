"""The panels of the main window. They show the state and ask by signals; charts alone import pyqtgraph."""
