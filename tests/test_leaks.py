"""Fifty engines that die leave nothing behind in the window's process."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import psutil
import pytest
from pytestqt.qtbot import QtBot

from gui.records.library import LibraryState

from .conftest import DoubleFactory
from .keepers import TIMEOUT_MS, Keepers, running_keepers

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="descriptors and memory are read from /proc")

_DEATHS = 50
_SETTLING = 10
"""After so many deaths whatever is made once is made."""
_MEMORY_BYTES = 4 << 20
"""Fragmentation of the heap; an engine that stayed would be fifty times as much, a kept record a tenth."""


def die_once(keepers: Keepers, name: str) -> None:
    number = len(keepers.deaths)
    keepers.libraries.load(name)
    keepers.wait_for_death(number + 1)
    assert keepers.library(name).state is LibraryState.FAILED


def test_that_fifty_deaths_cost_neither_descriptors_nor_memory_nor_zombies(
    qtbot: QtBot, tmp_path: Path, double_library: DoubleFactory
) -> None:
    with running_keepers(qtbot, tmp_path / "settings.ini") as keepers:
        keepers.add("good", double_library("count=2"))
        keepers.add("bad", double_library("devices=abort"))
        this = psutil.Process()
        for _ in range(_SETTLING - 1):
            die_once(keepers, "bad")
        qtbot.waitUntil(lambda: len(this.children()) == 1, timeout=TIMEOUT_MS)
        gc.collect()
        descriptors, memory, threads = this.num_fds(), this.memory_info().rss, this.num_threads()
        keepers.records.clear()
        for _ in range(_DEATHS):
            die_once(keepers, "bad")
        qtbot.waitUntil(lambda: len(this.children()) == 1, timeout=TIMEOUT_MS)
        keepers.records.clear()
        gc.collect()
        assert len(keepers.deaths) == _SETTLING + _DEATHS
        assert [child.pid for child in this.children()] == [keepers.client.process_id()]
        assert this.num_fds() <= descriptors  # fewer where what earlier tests left is closed meanwhile
        assert this.num_threads() <= threads
        assert this.memory_info().rss - memory < _MEMORY_BYTES
        assert keepers.library("good").state is LibraryState.LOADED
        assert keepers.owners() == [None, "good", "good"]
