"""How long 1,024 devices take: to fill the table, and to answer a keystroke in the filter.

`python -m tests.benchmarks.devices` registers 32 doubles with 4 factories of 8 devices each in a real engine, then
shows what it told in the real panel. Exits with 1 when a bound is broken: 100 ms to fill, 16 ms a keystroke (medians).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QTableView

from gui.panels.devices_panel import DevicesPanel
from gui.records.device import Device
from gui.state import State

from ..doubles.build import build_double, double_environment
from ..engine_process import EngineProcess

LIBRARIES, FACTORIES, DEVICES = 32, 4, 8
FILL_MS, KEYSTROKE_MS = 100.0, 16.0
TYPED = "npu double-17 0xd0b1"


def main() -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9)
    repeats = parser.parse_args().repeats
    devices = devices_of_a_real_engine()
    _application = QApplication(sys.argv[:1])
    state = State()
    panel = DevicesPanel(state, QAction())
    panel.resize(1200, 400)
    panel.show()
    QTest.qWaitForWindowExposed(panel)
    view, edit = panel.findChildren(QTableView)[0], panel.findChildren(QLineEdit)[0]
    fills: list[float] = []
    strokes: list[float] = []
    for _ in range(repeats):
        state.set_devices(())
        fills.append(milliseconds(lambda: state.set_devices(devices), view))
        strokes += [milliseconds(partial(QTest.keyClicks, edit, character), view) for character in TYPED]
        assert 0 < view.model().rowCount() < len(devices), "the filter is to leave some of them"
        strokes += [milliseconds(partial(QTest.keyClick, edit, Qt.Key.Key_Backspace), view) for _ in TYPED]
        assert view.model().rowCount() == len(devices)
    fill, stroke = statistics.median(fills), statistics.median(strokes)
    print(f"{len(devices)} devices, {repeats} repeats, {len(strokes)} keystrokes")
    print(f"fill      median {fill:6.1f} ms, longest {max(fills):6.1f} ms (bound {FILL_MS:g})")
    print(f"keystroke median {stroke:6.1f} ms, longest {max(strokes):6.1f} ms (bound {KEYSTROKE_MS:g})")
    return 0 if fill <= FILL_MS and stroke <= KEYSTROKE_MS else 1


def milliseconds(act: Callable[[], object], view: QTableView) -> float:
    """Return how long something takes, its painting included."""
    begin = time.perf_counter()
    act()
    view.viewport().repaint()
    return (time.perf_counter() - begin) * 1e3


def devices_of_a_real_engine() -> tuple[Device, ...]:
    """Return ORT's own device and 1,024 more."""
    # By the environment: the file name is part of the metadata, and would hold both types for every device.
    orders = double_environment(f"factories={FACTORIES},count={DEVICES},type=NPU+GPU")
    with tempfile.TemporaryDirectory() as folder, EngineProcess(orders) as engine:
        library = build_double(Path(folder))
        for number in range(LIBRARIES):
            inventory = engine.register(f"double-{number}", library)
    assert len(inventory.devices) == 1 + LIBRARIES * FACTORIES * DEVICES
    return inventory.devices


if __name__ == "__main__":
    sys.exit(main())
