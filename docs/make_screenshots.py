"""Makes the pictures of the README: drives the real window with a real engine, a real EP and a sample model.

Run `python docs/make_screenshots.py` with the test extra installed; where there is no screen, set
`QT_QPA_PLATFORM=offscreen`. It writes `docs/window-light.png`, `docs/comparison-light.png` and the same in dark, all
1280 by 800.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEventLoop, QSettings, QTimer, SignalInstance
from PySide6.QtWidgets import QApplication, QWidget

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from gui import theme  # noqa: E402
from gui.app import Explorer  # noqa: E402
from gui.records.comparison import DEFAULT_SECONDS, ComparisonCell, ComparisonPlan  # noqa: E402
from gui.records.library import CPU_EP_NAME, LibraryState  # noqa: E402
from gui.records.trial import StopRule, Target, TrialSettings  # noqa: E402
from gui.settings import ColorScheme, Settings  # noqa: E402

_LIMIT_MS = 60_000
_PAINT_MS = 1500


def main() -> int:
    """Make all pictures and return the exit code."""
    application = QApplication(sys.argv[:1])
    application.setQuitOnLastWindowClosed(False)
    for scheme in (ColorScheme.LIGHT, ColorScheme.DARK):
        theme.apply_color_scheme(scheme)
        with tempfile.TemporaryDirectory() as folder:
            os.environ["XDG_DATA_HOME"] = folder  # not among the user's own trials
            _pictures(Settings(QSettings(f"{folder}/settings.ini", QSettings.Format.IniFormat)), scheme.value)
    return 0


def _pictures(settings: Settings, scheme: str) -> None:
    """Load the ggml EP where it is installed, run the transformer on CPU and on it, then compare them."""
    model = ROOT / "resources" / "models" / "text_transformer.onnx"
    explorer = Explorer(settings, str(model))
    state, window = explorer.state, explorer.window
    explorer.start()
    _wait(state.model_changed, lambda: state.model is not None and state.model.description is not None)
    _wait(state.devices_changed, lambda: bool(state.devices))
    found = importlib.util.find_spec("onnxruntime_ggml")
    if found is not None and found.origin is not None:
        library = next((Path(found.origin).parent / "lib").glob("*onnxruntime_ggml.*"))
        explorer.libraries.add([("ggml", str(library))])
        _wait(state.libraries_changed, lambda: state.libraries[0].state is LibraryState.LOADED)
    for device in state.devices:
        state.select_devices((device.key,))
        window.actions_.run.trigger()
        _wait(state.trial_changed, lambda: state.trials[-1].exact is not None)
    _save(window, f"window-{scheme}.png")
    cells = tuple(
        ComparisonCell(
            label="CPU" if device.ep_name == CPU_EP_NAME else device.ep_name,
            target_text=device.ep_name,
            settings=TrialSettings(
                model_path=str(model),
                target=Target(device_keys=(device.key,)),
                stop_rule=StopRule(seconds=DEFAULT_SECONDS),
            ),
        )
        for device in state.devices
    )
    explorer.comparer.run(ComparisonPlan(cells=cells))
    _wait(state.comparison_changed, lambda: state.comparison is not None and not state.comparison.is_running)
    _save(window, f"comparison-{scheme}.png")
    loop = QEventLoop()
    explorer.client.closed.connect(loop.quit)
    window.close()
    loop.exec()


def _save(window: QWidget, name: str) -> None:
    """Save what is seen, once it has been painted."""
    loop = QEventLoop()
    QTimer.singleShot(_PAINT_MS, loop, loop.quit)
    loop.exec()
    window.grab().save(str(ROOT / "docs" / name))
    print(ROOT / "docs" / name)


def _wait(signal: SignalInstance, reached: Callable[[], bool]) -> None:
    """Wait until the signal finds it reached."""
    loop = QEventLoop()

    def look() -> None:
        if reached():
            loop.quit()

    signal.connect(look)
    QTimer.singleShot(_LIMIT_MS, loop, loop.quit)
    if not reached():
        loop.exec()
    signal.disconnect(look)
    if not reached():
        raise TimeoutError("the window did not get there")


if __name__ == "__main__":
    sys.exit(main())
