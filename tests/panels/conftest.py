"""Panels beside a state without an engine, and their fonts and colours as tests leave them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QLocale
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from gui.settings import Settings
from gui.state import State

from ..keepers import open_settings


@pytest.fixture(autouse=True)
def _c_locale() -> Iterator[None]:
    before = QLocale()
    QLocale.setDefault(QLocale.c())
    yield
    QLocale.setDefault(before)


@pytest.fixture
def state(qapp: QApplication) -> State:
    """A state that nobody but the test changes."""
    return State()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings in a file of the test's own."""
    return open_settings(tmp_path / "settings.ini")


@pytest.fixture
def clipboard(qapp: QApplication) -> Iterator[None]:
    """An empty clipboard."""
    QGuiApplication.clipboard().clear()
    yield
    QGuiApplication.clipboard().clear()
