"""What the library table says of a library."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt

from gui.models.library_table import LibraryTableModel, state_text
from gui.records.failure import Failure, FailureKind
from gui.records.library import LibraryState

from .makers import ModelTester, column_named, library

FAILURE = Failure(kind=FailureKind.DIED, message="The engine died.", hint="Look out.", detail="raw words")


def test_that_the_table_keeps_the_rules_of_item_models(qtmodeltester: ModelTester) -> None:
    model = LibraryTableModel(lambda _library: None)
    qtmodeltester.check(model)
    loading = library("a", LibraryState.LOADING)
    model.set_rows([loading, library("b")])
    model.update_row(replace(loading, state=LibraryState.FAILED, error=FAILURE))
    assert model.index(0, column_named(model, "State")).data() == "failed: engine died"


@pytest.mark.parametrize(
    ("state", "keys", "said"),
    [
        (LibraryState.NOT_LOADED, (), "not loaded"),
        (LibraryState.LOADING, (), "loading…"),
        (LibraryState.LOADED, (), "loaded, no devices"),
        (LibraryState.LOADED, ("k",), "loaded, 1 device"),
        (LibraryState.LOADED, ("k", "l", "m"), "loaded, 3 devices"),
        (LibraryState.UNREGISTERING, ("k",), "unregistering…"),
        (LibraryState.FAILED, (), "failed: "),
    ],
)
def test_that_the_state_is_told_in_words(state: LibraryState, keys: tuple[str, ...], said: str) -> None:
    assert state_text(library("a", state, device_keys=keys)) == said


def test_that_a_failure_is_told_by_its_kind_and_in_full_in_the_tip() -> None:
    model = LibraryTableModel(lambda _library: None)
    model.set_rows([library("a", LibraryState.FAILED, error=FAILURE)])
    index = model.index(0, column_named(model, "State"))
    assert index.data() == "failed: engine died"
    assert index.data(Qt.ItemDataRole.ToolTipRole) == "The engine died. Look out."


def test_that_the_file_shows_by_name_and_in_full_in_the_tip() -> None:
    model = LibraryTableModel(lambda _library: None)
    model.set_rows([library("a")])
    index = model.index(0, column_named(model, "File"))
    assert index.data() == "liba.so"
    assert index.data(Qt.ItemDataRole.ToolTipRole) == "/opt/eps/liba.so"
