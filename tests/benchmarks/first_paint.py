"""What `start.py` starts: opens a window, takes the times of its start, ends it, and prints the times as JSON.

    python tests/benchmarks/first_paint.py bare|application

`bare` is the minimal script: an empty QMainWindow with one pyqtgraph PlotWidget. `application` is `main.py` as it is;
where it has looked whether everything is there and would import the window next, this comes in between to hear when
the window is shown. Times are `time.monotonic_ns`, which on Linux is the same for all processes.
"""

from __future__ import annotations

import time

_ENTERED_NS = time.monotonic_ns()

import json  # noqa: E402 the clock first
import sys  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import TYPE_CHECKING  # noqa: E402

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from gui.main_window import MainWindow

_TIMES_NS: dict[str, int] = {"entered": _ENTERED_NS}


def main() -> int:
    """Do what the argument asks for."""
    exit_code = _run_application() if sys.argv[1] == "application" else _run_bare()
    print(json.dumps(_TIMES_NS), flush=True)
    return exit_code


def stamp(name: str) -> None:
    """Take the time of something, when it happens for the first time."""
    _TIMES_NS.setdefault(name, time.monotonic_ns())


def _run_bare() -> int:
    import pyqtgraph as pg
    from PySide6.QtWidgets import QApplication, QMainWindow

    stamp("imported")
    application = QApplication(sys.argv[:1])
    window = QMainWindow()
    window.setCentralWidget(pg.PlotWidget())
    window.resize(1280, 800)
    stamp("made")
    window.show()
    _watch(window, window.close)
    return application.exec()


def _run_application() -> int:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    sys.argv[1:] = []
    import main as application
    from gui import preflight

    look = preflight.window_problem

    def look_and_import() -> str | None:
        problem = look()
        stamp("looked")
        if problem is None:
            import gui.app  # noqa: F401 what comes next in `main.py`, too
            from gui.main_window import MainWindow

            stamp("imported")
            _wrap_show(MainWindow)
        return problem

    preflight.window_problem = look_and_import
    return application.main()


def _wrap_show(window_type: type[MainWindow]) -> None:
    show = window_type.show

    def show_and_watch(window: MainWindow) -> None:
        state = window._state

        def on_devices() -> None:
            if state.devices:
                stamp("devices")
            close_when_done()

        def close_when_done() -> None:
            if "painted" in _TIMES_NS and "devices" in _TIMES_NS:
                window.close()

        stamp("made")
        state.engine_changed.connect(lambda: stamp("engine"))
        state.devices_changed.connect(on_devices)
        show(window)
        _watch(window, close_when_done)

    window_type.show = show_and_watch  # type: ignore[method-assign, assignment]


def _watch(window: QWidget, then: Callable[[], object]) -> None:
    """Stamp `painted` when the window just shown has been painted and given to the screen; then go on with `then`.

    A window is painted within the event that says it is exposed; what is posted meanwhile comes right after it.
    """
    from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt
    from PySide6.QtGui import QWindow

    stamp("shown")
    after = QEvent.Type(QEvent.registerEventType())
    handle = window.windowHandle()

    class Watcher(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 Qt's
            exposed = isinstance(watched, QWindow) and watched.isExposed()
            if exposed and event.type() in (QEvent.Type.Expose, QEvent.Type.Paint, QEvent.Type.UpdateRequest):
                self.post()
            return False

        def post(self) -> None:
            handle.removeEventFilter(self)
            stamp("exposed")
            QCoreApplication.postEvent(self, QEvent(after), Qt.EventPriority.HighEventPriority.value)

        def event(self, event: QEvent) -> bool:
            if event.type() == after:
                stamp("painted")
                then()
            return True

    watcher = Watcher(window)
    if handle.isExposed():  # painted while it was shown, as without a screen
        watcher.post()
    else:
        handle.installEventFilter(watcher)


if __name__ == "__main__":
    sys.exit(main())
