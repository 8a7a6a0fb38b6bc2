"""The whole application, used through its widgets: real engine processes, real models, doubles of EP libraries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyqtgraph as pg
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLineEdit, QRadioButton, QSpinBox, QTableView
from pytestqt.qtbot import QtBot

from gui import theme
from gui.records.device import DeviceType
from gui.records.library import LibraryState
from gui.records.result import Outcome
from gui.records.trial import Policy
from gui.state import EngineStatus

from .conftest import ORT_VERSION, SAMPLE_MODELS, DoubleFactory
from .explorer import Session, running_explorer
from .finding import child, click_index, rows_of, shown_texts
from .keepers import TIMEOUT_MS, is_running

TINY = SAMPLE_MODELS / "tiny_mlp.onnx"


@pytest.fixture
def session(qtbot: QtBot, tmp_path: Path) -> Iterator[Session]:
    with running_explorer(qtbot, tmp_path) as session:
        yield session


@pytest.fixture
def adding(qtbot: QtBot, tmp_path: Path, add_model: Path) -> Iterator[Session]:
    """With the model that the double runs."""
    with running_explorer(qtbot, tmp_path, add_model) as session:
        yield session


def drawn(session: Session) -> int:
    """The last iteration in the chart; 0 for an empty one."""
    plot = child(session.explorer.window.latency_panel, pg.PlotWidget, "Latency over iteration")
    x, _ = plot.listDataItems()[0].getData()
    return 0 if x is None or not len(x) else int(x[-1])


def set_iterations(session: Session, count: int) -> None:
    session.open_page("Run")
    box = child(session.explorer.window.trial_panel, QSpinBox, "Iterations")
    box.setFocus()
    box.selectAll()
    session.qtbot.keyClicks(box, str(count))
    session.qtbot.keyClick(box, Qt.Key.Key_Return)


def choose_policy(session: Session, policy: Policy) -> None:
    combo = child(session.explorer.window.trial_panel, QComboBox, "Selection policy")
    combo.setCurrentIndex(combo.findText(policy.value))
    child(session.explorer.window.trial_panel, QRadioButton, "Policy").click()


def device_rows(session: Session) -> list[tuple[str, str]]:
    """EP name and library of each device in the table."""
    rows = rows_of(child(session.explorer.window.devices_panel, QTableView, "Devices").model())
    return [(row[0], row[1]) for row in rows]


# ---- The first start ----


def test_that_one_click_on_run_measures_a_sample_on_the_cpu_at_the_first_start(session: Session) -> None:
    assert session.state.model is not None
    assert Path(session.state.model.path) in theme.sample_models()
    assert [device.type for device in session.state.selected_devices] == [DeviceType.CPU]
    assert device_rows(session) == [("CPUExecutionProvider", "built in")]
    trial = session.run_trial()
    assert trial.outcome is Outcome.FINISHED
    assert len(trial.series) == 200
    measures = session.measures()
    assert measures["Samples"] == "200"
    assert measures["Ran on"] == "CPUExecutionProvider"
    assert all(measures[name].endswith("s") for name in ("Median", "p99", "Session creation", "First run"))
    assert drawn(session) == 200
    assert session.failure_boxes() == []


def test_that_the_first_start_leaves_no_sample_among_the_recent_models(session: Session, tmp_path: Path) -> None:
    assert session.explorer.window._settings.recent_models == ()


def test_that_run_waits_for_the_engine(qtbot: QtBot, tmp_path: Path) -> None:
    enabled: list[tuple[EngineStatus, bool]] = []
    with running_explorer(qtbot, tmp_path) as session:
        run = session.explorer.window.actions_.run
        run.changed.connect(lambda: enabled.append((session.state.engine_status, run.isEnabled())))
        session.explorer.window.actions_.restart_engine.trigger()
        qtbot.waitUntil(lambda: session.state.engine_status is EngineStatus.STARTING, timeout=TIMEOUT_MS)
        assert not run.isEnabled()
        assert "Getting ready…" in shown_texts(session.explorer.window.trial_panel)
        session.wait_until_ready()
        assert run.isEnabled()
    assert (EngineStatus.STARTING, True) not in enabled


def test_that_the_chart_grows_while_a_trial_runs(session: Session) -> None:
    set_iterations(session, 10_000_000)
    trial = session.start_trial()
    seen: list[int] = []
    for _ in range(3):
        before = drawn(session)
        session.qtbot.waitUntil(lambda before=before: drawn(session) > before, timeout=TIMEOUT_MS)  # type: ignore[misc]
        seen.append(drawn(session))
    assert seen == sorted(set(seen))
    assert "–" not in session.measures()["Median"]
    session.explorer.window.actions_.stop.trigger()
    session.wait_for_end(trial)
    assert trial.outcome is Outcome.STOPPED
    assert session.failure_boxes() == []
    assert session.measures()["Samples"] == str(len(trial.series))


def test_that_a_named_model_is_opened(adding: Session, add_model: Path) -> None:
    assert adding.state.model is not None
    assert adding.state.model.path == str(add_model)
    combo = child(adding.explorer.window.trial_panel, QComboBox, "Model")
    assert combo.currentText() == "add.onnx"
    adding.type_sizes("N", "3")
    trial = adding.run_trial()
    assert trial.outcome is Outcome.FINISHED
    assert trial.facts.outputs[0].shape == (3, 4)


# ---- Libraries ----


def test_that_a_library_is_added_run_on_and_unregistered(adding: Session, double_library: DoubleFactory) -> None:
    library = adding.add("good", double_library("name=GoodEp,count=2"))
    assert library.state is LibraryState.LOADED
    assert device_rows(adding) == [("CPUExecutionProvider", "built in"), ("GoodEp", "good"), ("GoodEp", "good")]
    adding.select_device_of("good")
    adding.run_trial()
    assert adding.measures()["Ran on"] == "GoodEp"
    adding.press(adding.library_button("good"))
    adding.wait_until_ready()
    assert adding.library("good").state is LibraryState.NOT_LOADED
    assert device_rows(adding) == [("CPUExecutionProvider", "built in")]
    assert adding.library_button("good").text() == "Load"
    adding.press(adding.library_button("good"))
    adding.wait_until_ready()
    assert len(device_rows(adding)) == 3


def test_that_a_graph_shared_by_two_eps_names_both(
    qtbot: QtBot, tmp_path: Path, tail_model: Path, double_library: DoubleFactory
) -> None:
    with running_explorer(qtbot, tmp_path, tail_model) as session:
        session.add("good", double_library("name=GoodEp"))
        session.select_device_of("good")
        session.run_trial()
        assert session.measures()["Ran on"] == "GoodEp 2/3, CPUExecutionProvider 1/3"


@pytest.mark.parametrize("policy", Policy)
def test_that_each_policy_runs(adding: Session, policy: Policy) -> None:
    choose_policy(adding, policy)
    set_iterations(adding, 5)
    trial = adding.run_trial()
    assert trial.failure is None
    assert trial.outcome is Outcome.FINISHED
    assert len(trial.series) == 5
    assert adding.measures()["Ran on"] == "CPUExecutionProvider"


@pytest.mark.skipif(ORT_VERSION < (1, 24), reason="EPs can make up hardware since ONNX Runtime 1.24")
def test_that_a_policy_finds_the_device_it_prefers(adding: Session, double_library: DoubleFactory) -> None:
    adding.add("npu", double_library("name=NpuEp,type=NPU"))
    choose_policy(adding, Policy.PREFER_NPU)
    adding.run_trial()
    assert adding.measures()["Ran on"] == "NpuEp"


# ---- What cannot be run ----


def test_that_devices_of_two_eps_are_no_target(adding: Session, double_library: DoubleFactory) -> None:
    adding.add("one", double_library("name=OneEp"))
    adding.select_device_of("one")
    adding.select_device_of(None, also=True)
    assert not adding.explorer.window.actions_.run.isEnabled()
    texts = shown_texts(adding.explorer.window.trial_panel)
    assert any("The selected devices belong to different EPs." in text for text in texts)
    adding.select_device_of("one")
    assert adding.explorer.window.actions_.run.isEnabled()


def test_that_an_option_without_a_key_is_no_trial(session: Session) -> None:
    session.open_page("EP options")
    view = child(session.explorer.window.trial_panel, QTableView, "EP options")
    click_index(session.qtbot, view, view.model().index(0, 1))
    (editor,) = view.viewport().findChildren(QLineEdit)
    session.qtbot.keyClicks(editor, "fast")
    session.explorer.window.actions_.run.trigger()
    assert session.state.trials == ()
    texts = shown_texts(session.explorer.window.trial_panel)
    assert any("“fast” has no key" in text for text in texts)
    assert not session.explorer.window.actions_.run.isEnabled()


def test_that_a_file_that_is_no_model_is_refused_in_the_chooser(session: Session, tmp_path: Path) -> None:
    model = tmp_path / "notes.onnx"
    model.write_text("These are notes.")
    session.explorer.window.open_model(str(model))
    session.wait_until_ready()
    assert session.failure_boxes() == [
        "notes.onnx is not an ONNX model. Choose a file that an ONNX exporter wrote, mostly one that ends in .onnx."
    ]
    assert not session.explorer.window.actions_.run.isEnabled()
    session.explorer.window.open_model(str(TINY))
    session.wait_until_ready()
    assert session.failure_boxes() == []
    assert session.explorer.window.actions_.run.isEnabled()


def test_that_missing_weights_are_named_in_the_chooser(session: Session, tmp_path: Path) -> None:
    import onnx

    model = onnx.load(str(TINY))
    onnx.save(model, str(tmp_path / "net.onnx"), save_as_external_data=True, location="net.bin", size_threshold=0)
    (tmp_path / "net.bin").unlink()
    session.explorer.window.open_model(str(tmp_path / "net.onnx"))
    session.wait_until_ready()
    (text,) = session.failure_boxes()
    assert text.startswith("The model's weights lie in net.bin, which is missing.")
    assert not session.explorer.window.actions_.run.isEnabled()


# ---- What is remembered ----


def test_that_choices_libraries_models_and_layout_are_back_at_the_next_start(
    qtbot: QtBot, tmp_path: Path, add_model: Path, double_library: DoubleFactory
) -> None:
    good, bad = double_library("name=GoodEp"), double_library("load=abort")
    with running_explorer(qtbot, tmp_path, add_model) as first:
        first.add("good", good)
        first.add("other", good)
        first.add("bad", bad)
        first.press(first.library_button("other"))
        first.wait_until_ready()
        first.select_device_of("good")
        set_iterations(first, 33)
        first.type_sizes("N", "5")
        first.explorer.window.resize(900, 760)
        first.run_trial()
    with running_explorer(qtbot, tmp_path) as second:
        window = second.explorer.window
        states = {library.name: library.state for library in second.state.libraries}
        loaded, not_loaded, failed = LibraryState.LOADED, LibraryState.NOT_LOADED, LibraryState.FAILED
        assert states == {"good": loaded, "other": not_loaded, "bad": failed}
        assert device_rows(second) == [("CPUExecutionProvider", "built in"), ("GoodEp", "good")]
        assert [device.library for device in second.state.selected_devices] == ["good"]
        second.open_page("Run")
        assert child(window.trial_panel, QSpinBox, "Iterations").value() == 33
        assert child(window.trial_panel, QLineEdit, "Size of N").text() == "5"
        combo = child(window.trial_panel, QComboBox, "Model")
        assert combo.currentData() == str(add_model)
        assert combo.findText("add.onnx") > 0
        assert window.height() == 760
        trial = second.run_trial()
        assert len(trial.series) == 33
        assert second.measures()["Ran on"] == "GoodEp"


def test_that_a_remembered_model_that_is_gone_gives_way_to_a_sample(
    qtbot: QtBot, tmp_path: Path, add_model: Path
) -> None:
    mine = tmp_path / "mine.onnx"
    mine.write_bytes(add_model.read_bytes())
    with running_explorer(qtbot, tmp_path, mine):
        pass
    mine.unlink()
    with running_explorer(qtbot, tmp_path) as second:
        assert second.state.model is not None
        assert Path(second.state.model.path) in theme.sample_models()
        combo = child(second.explorer.window.trial_panel, QComboBox, "Model")
        combo.activated.emit(combo.findText("mine.onnx"))  # what a click in the list emits
        second.wait_until_ready()
        assert second.failure_boxes()[0].startswith("There is no file mine.onnx")
        assert second.explorer.window._settings.recent_models == ()


# ---- The end ----


def test_that_closing_during_a_trial_ends_everything(qtbot: QtBot, tmp_path: Path) -> None:
    with running_explorer(qtbot, tmp_path) as session:
        set_iterations(session, 10_000_000)
        trial = session.start_trial()
        qtbot.waitUntil(lambda: len(trial.series) > 0, timeout=TIMEOUT_MS)
        process_id = session.explorer.client.process_id()
        assert is_running(process_id)
    assert not is_running(process_id)
    assert session.explorer.client.process_id() == 0


def test_that_closing_while_a_library_hangs_ends_everything(
    qtbot: QtBot, tmp_path: Path, double_library: DoubleFactory
) -> None:
    with running_explorer(qtbot, tmp_path) as session:
        session.explorer.window.add_libraries((str(double_library("devices=hang,trace=1")),))
        session.fill_dialog("hang")
        session.wait_for_log("double: devices")
        process_id = session.explorer.client.process_id()
    assert not is_running(process_id)
    # It may have been the library: the next start does not load it without asking.
    (remembered,) = session.explorer.window._settings.libraries
    assert remembered.library.killed_engine


def test_that_a_crash_of_the_window_is_told_at_the_next_start(qtbot: QtBot, tmp_path: Path) -> None:
    with running_explorer(qtbot, tmp_path) as first:
        assert first.explorer._crash_file is not None
        first.explorer._crash_file.write("Fatal Python error: Segmentation fault")
    with running_explorer(qtbot, tmp_path) as second:
        second.wait_for_log("The window crashed when it ran last:\nFatal Python error: Segmentation fault")
    with running_explorer(qtbot, tmp_path) as third:
        third.state.post("Hello.")
        third.wait_for_log("Hello.")
        assert not any("crashed when" in text for text in third.log_messages())
