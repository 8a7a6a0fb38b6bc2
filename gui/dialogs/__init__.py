"""Dialogs, where the user must decide."""
