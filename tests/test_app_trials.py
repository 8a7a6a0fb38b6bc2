"""Trials set up through the window, row by row: inputs, sizes, options, session, run control, compiling, set-ups."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFileDialog,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QSpinBox,
    QTableView,
    QTreeView,
)
from pytestqt.qtbot import QtBot

from gui.dialogs.input_source import InputSourceDialog
from gui.panels.compile_box import CompileBox
from gui.panels.setup_bar import SetupBar
from gui.records.failure import FailureKind
from gui.records.inputs import Fill, SourceKind
from gui.records.result import Outcome
from gui.records.trial import Binding, Ending, Optimization, Policy
from gui.trial_run import TrialRun

from .conftest import SAMPLE_MODELS, DoubleFactory
from .engine.test_compiler import quantised_model
from .explorer import Session, running_explorer
from .finding import child, click_index, rows_of, shown_texts
from .keepers import TIMEOUT_MS

TEXT_MODEL = SAMPLE_MODELS / "text_transformer.onnx"
IMAGE_MODEL = SAMPLE_MODELS / "image_classifier.onnx"
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def adding(qtbot: QtBot, tmp_path: Path, add_model: Path) -> Iterator[Session]:
    """With the model that the double runs."""
    with running_explorer(qtbot, tmp_path, add_model) as session:
        yield session


@pytest.fixture
def text(qtbot: QtBot, tmp_path: Path) -> Iterator[Session]:
    with running_explorer(qtbot, tmp_path, TEXT_MODEL) as session:
        qtbot.waitUntil(lambda: session.state.proposals is not None, timeout=TIMEOUT_MS)
        yield session


def edit_input(session: Session, name: str) -> InputSourceDialog:
    """Open the dialog of an input by a double click on its row."""
    view = child(session.explorer.window.trial_panel, QTableView, "Inputs")
    names = [row[0] for row in rows_of(view.model())]
    index = view.model().index(names.index(name), 0)
    click_index(session.qtbot, view, index)
    session.qtbot.mouseDClick(view.viewport(), LEFT, pos=view.visualRect(index).center())
    dialog = session.explorer.window.findChild(InputSourceDialog)
    assert dialog is not None
    return dialog


def accept(session: Session, dialog: InputSourceDialog) -> None:
    (box,) = dialog.findChildren(QDialogButtonBox)
    button = box.button(QDialogButtonBox.StandardButton.Ok)
    assert button.isEnabled(), shown_texts(dialog)
    with session.qtbot.waitSignal(dialog.source_chosen, timeout=TIMEOUT_MS):
        session.qtbot.mouseClick(button, LEFT)


def values_shown(session: Session) -> dict[str, str]:
    view = child(session.explorer.window.trial_panel, QTableView, "Inputs")
    return {row[0]: row[3] for row in rows_of(view.model())}


def drop(session: Session, *paths: Path) -> None:
    """Drop files on the window."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    window = session.explorer.window
    event = QDropEvent(QPointF(50, 50), Qt.DropAction.CopyAction, data, LEFT, Qt.KeyboardModifier.NoModifier)
    window.dropEvent(event)


def wait_for_all(session: Session, count: int) -> tuple[TrialRun, ...]:
    session.qtbot.waitUntil(
        lambda: len(session.state.trials) == count and not session.state.is_busy, timeout=TIMEOUT_MS
    )
    session.wait_until_ready()
    return session.state.trials


def answer_file_dialog(session: Session, path: Path) -> None:
    """Choose a file in the dialog that is open."""
    dialog = session.explorer.window.findChild(QFileDialog)
    assert dialog is not None
    dialog.fileSelected.emit(str(path))
    dialog.close()


def two_input_model(path: Path) -> Path:
    """Save z = a + b for a, b of [N, 2]."""
    shape = ["N", 2]
    graph = helper.make_graph(
        [helper.make_node("Add", ["a", "b"], ["z"])],
        "two",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("a", "b")],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, shape)],
    )
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)]), str(path))
    return path


# ---- Describe before running ----


def test_that_a_model_is_described_without_a_session(text: Session) -> None:
    text.open_page("Model")
    shown = " ".join(shown_texts(text.explorer.window.trial_panel))
    assert "79 nodes" in shown
    model = child(text.explorer.window.trial_panel, QTreeView, "What is known of the model").model()
    told: dict[str, dict[str, str]] = {}
    for row in range(model.rowCount()):
        group = model.index(row, 0)
        lines = [
            (model.index(n, 0, group).data(), model.index(n, 1, group).data()) for n in range(model.rowCount(group))
        ]
        told[str(group.data())] = {str(key): str(value) for key, value in lines}
    everything = {key: value for lines in told.values() for key, value in lines.items()}
    assert everything["MatMul"].isdigit(), told
    assert everything["ai.onnx"] == "17"
    assert "logits" in everything
    assert text.state.trials == ()


# ---- Inputs ----


def test_that_the_values_proposed_are_shown_with_their_reason_and_used(text: Session) -> None:
    shown = values_shown(text)
    assert shown["attention_mask"] == "automatic: ones"
    assert shown["input_ids"].startswith("automatic: integers 0 to ")
    trial = text.run_trial()
    facts = {fact.name: fact for fact in trial.facts.inputs}
    assert facts["attention_mask"].source.fill is Fill.ONES
    assert facts["input_ids"].source.fill is Fill.INTEGERS
    assert "Gather" in facts["input_ids"].reason


def test_that_an_input_is_filled_as_its_dialog_says(text: Session) -> None:
    dialog = edit_input(text, "attention_mask")
    child(dialog, QRadioButton, "Generated").click()
    fill = child(dialog, QComboBox, "Fill")
    fill.setCurrentIndex(fill.findText("zeros"))
    accept(text, dialog)
    assert values_shown(text)["attention_mask"] == "zeros"
    trial = text.run_trial()
    assert [fact.source.fill for fact in trial.facts.inputs if fact.name == "attention_mask"] == [Fill.ZEROS]


def test_that_files_dropped_on_the_window_become_inputs_and_give_the_sizes(qtbot: QtBot, tmp_path: Path) -> None:
    model = two_input_model(tmp_path / "two.onnx")
    np.save(tmp_path / "a.npy", np.arange(6, dtype=">f4").reshape(3, 2))
    np.savez(tmp_path / "rest.npz", b=np.asfortranarray(np.ones((3, 2), np.float32)))
    with running_explorer(qtbot, tmp_path, model) as session:
        drop(session, tmp_path / "a.npy", tmp_path / "rest.npz")
        assert values_shown(session) == {"a": "a.npy", "b": "rest.npz: b"}
        folder = tmp_path / "outputs"
        session.open_page("Run")
        session.type_into(QLineEdit, "Save the outputs", str(folder))
        trial = session.run_trial()
        assert trial.outcome is Outcome.FINISHED, trial.failure
        assert [(entry.name, entry.size) for entry in trial.facts.dimensions] == [("N", 3)]
        notes = {fact.name: fact.note for fact in trial.facts.inputs}
        assert "byte order" in notes["a"]
        tensor = onnx.load_tensor(str(folder / "output_0.pb"))
        np.testing.assert_array_equal(onnx.numpy_helper.to_array(tensor), np.arange(6).reshape(3, 2) + 1)
        session.type_sizes("N", "4")
        other = session.run_trial()
        assert other.failure is not None
        assert other.failure.kind is FailureKind.BAD_INPUT
        assert "N = 3" in other.failure.message
        assert "4 is chosen" in other.failure.message
        assert any("N = 3" in shown for shown in session.failure_boxes())


def test_that_a_wrong_type_is_told_with_expected_and_found_before_the_run(qtbot: QtBot, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((1, 2)))
    with running_explorer(qtbot, tmp_path, two_input_model(tmp_path / "two.onnx")) as session:
        drop(session, tmp_path / "a.npy")
        trial = session.run_trial()
        assert trial.failure is not None
        assert trial.failure.kind is FailureKind.BAD_INPUT
        assert "float" in trial.failure.message
        assert "float64" in trial.failure.message
        assert trial.facts.session_creation_ns is None


def test_that_an_image_becomes_an_input(qtbot: QtBot, tmp_path: Path) -> None:
    Image.effect_noise((40, 30), 60).convert("RGB").save(tmp_path / "cat.png")
    with running_explorer(qtbot, tmp_path, IMAGE_MODEL) as session:
        drop(session, tmp_path / "cat.png")
        (shown,) = values_shown(session).values()
        assert shown.startswith("cat.png")
        trial = session.run_trial()
        assert trial.outcome is Outcome.FINISHED, trial.failure
        (fact,) = trial.facts.inputs
        assert fact.source.kind is SourceKind.IMAGE
        assert "40x30 resized" in fact.note


def test_that_sequences_and_optionals_are_given_or_left_out(qtbot: QtBot, tmp_path: Path) -> None:
    tensor = helper.make_tensor_type_proto(TensorProto.FLOAT, [2])
    graph = helper.make_graph(
        [
            helper.make_node("SequenceLength", ["many"], ["count"]),
            helper.make_node("OptionalHasElement", ["perhaps"], ["there"]),
        ],
        "g",
        [
            helper.make_value_info("many", helper.make_sequence_type_proto(tensor)),
            helper.make_value_info("perhaps", helper.make_optional_type_proto(tensor)),
        ],
        [
            helper.make_tensor_value_info("count", TensorProto.INT64, []),
            helper.make_tensor_value_info("there", TensorProto.BOOL, []),
        ],
    )
    path, folder = tmp_path / "types.onnx", tmp_path / "outputs"
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 18)]), str(path))
    with running_explorer(qtbot, tmp_path, path) as session:
        dialog = edit_input(session, "many")
        child(dialog, QRadioButton, "Generated").click()
        child(dialog, QSpinBox, "Entries").setValue(3)
        accept(session, dialog)
        session.open_page("Run")
        session.type_into(QLineEdit, "Save the outputs", str(folder))
        found = []
        for left_out in (False, True):
            session.open_page("Inputs")
            if left_out:
                dialog = edit_input(session, "perhaps")
                child(dialog, QRadioButton, "Left out").click()
                accept(session, dialog)
            trial = session.run_trial()
            assert trial.outcome is Outcome.FINISHED, trial.failure
            tensors = (onnx.load_tensor(str(folder / f"output_{n}.pb")) for n in range(2))
            found.append([onnx.numpy_helper.to_array(tensor).item() for tensor in tensors])
        assert found == [[3, True], [3, False]]


def test_that_several_sizes_run_a_trial_each(text: Session) -> None:
    text.type_sizes("batch", "1, 2, 4")
    text.start_trial()
    trials = wait_for_all(text, 3)
    assert [trial.facts.outputs[0].shape[0] for trial in trials if trial.facts.outputs[0].shape] == [1, 2, 4]
    view = child(text.explorer.window.latency_panel, QTableView, "Trials of this sitting")
    assert [row[1] for row in rows_of(view.model())] == [
        "text_transformer",
        "text_transformer, batch = 2",
        "text_transformer, batch = 4",
    ]


# ---- Options ----


def type_option(session: Session, view: QTableView, row: int, text: str) -> None:
    """Type `key=value` into a row of a table of options."""
    view.setCurrentIndex(view.model().index(row, 0))
    view.edit(view.currentIndex())
    editors = [edit for edit in view.viewport().findChildren(QLineEdit) if edit.isVisible()]
    session.qtbot.keyClicks(editors[-1], text)
    session.qtbot.keyClick(editors[-1], Qt.Key.Key_Return)
    session.qtbot.waitUntil(lambda: view.state() is not QAbstractItemView.State.EditingState, timeout=TIMEOUT_MS)


def test_that_an_unknown_option_is_marked_and_passed_on(adding: Session, double_library: DoubleFactory) -> None:
    adding.add("double", double_library("option.speed=7"))
    adding.select_device_of("double")
    adding.open_page("EP options")
    view = child(adding.explorer.window.trial_panel, QTableView, "EP options")
    type_option(adding, view, 0, "made_up=1")
    type_option(adding, view, 1, "speed=9")
    notes = {row[0]: row[2] for row in rows_of(view.model())}
    assert "not checked" in notes["made_up"]
    assert "not checked" not in notes["speed"]
    trial = adding.run_trial()
    assert trial.settings.options == (("made_up", "1"), ("speed", "9"))


def test_that_a_second_ep_gets_what_the_first_leaves(adding: Session, double_library: DoubleFactory) -> None:
    adding.add("one", double_library("name=one,claim=Add"))
    adding.add("other", double_library("name=other,claim=Mul"))
    adding.select_device_of("one")
    adding.open_page("EP options")
    combo = child(adding.explorer.window.trial_panel, QComboBox, "Second EP")
    entry = next(combo.itemText(row) for row in range(combo.count()) if combo.itemText(row).startswith("other"))
    adding.choose("Second EP", entry)
    trial = adding.run_trial()
    assert trial.facts.placement is not None
    assert {part.ep_name: part.node_count for part in trial.facts.placement} == {"one": 1, "other": 1}
    assert trial.target_text == "one, then other"


def test_that_a_strict_trial_names_what_stands_in_its_way(
    qtbot: QtBot, tmp_path: Path, tail_model: Path, double_library: DoubleFactory
) -> None:
    with running_explorer(qtbot, tmp_path, tail_model) as session:
        session.add("double", double_library())
        session.select_device_of("double")
        session.open_page("Session")
        child(session.explorer.window.trial_panel, QCheckBox, "Strict").click()
        trial = session.run_trial()
        assert trial.failure is not None
        assert trial.failure.kind is FailureKind.FALLS_BACK
        assert any("Neg" in shown for shown in session.failure_boxes())
        session.select_device_of(None)
        assert "Strict" in str(session.explorer.window.trial_panel.problem())


def test_that_session_options_are_those_chosen(adding: Session, tmp_path: Path) -> None:
    adding.open_page("Session")
    panel = adding.explorer.window.trial_panel
    adding.choose("Optimisation level", "basic")
    adding.type_into(QSpinBox, "Intra-op threads", "1")
    saved = tmp_path / "optimised.onnx"
    adding.type_into(QLineEdit, "Save the optimised model", str(saved))
    child(panel, QCheckBox, "Memory arena").click()
    trial = adding.run_trial()
    assert trial.outcome is Outcome.FINISHED, trial.failure
    session = trial.settings.session
    assert (session.optimization, session.memory_arena, trial.settings.intra_op_threads) == (
        Optimization.BASIC,
        False,
        1,
    )
    assert trial.facts.saved_files == (str(saved),)
    assert saved.exists()


# ---- Run control ----


def test_that_a_trial_runs_until_its_median_is_stable(adding: Session, double_library: DoubleFactory) -> None:
    adding.add("double", double_library("delay_us=2000"))
    adding.select_device_of("double")
    adding.open_page("Run")
    adding.choose("What the trial stops after", "until stable")
    adding.type_into(QDoubleSpinBox, "Median within, percent", "25")
    adding.type_into(QDoubleSpinBox, "At most, seconds", "30")
    trial = adding.run_trial()
    assert trial.facts.ending is Ending.STABLE
    assert len(trial.series) >= 30


def test_that_callers_binding_and_pause_are_those_chosen(adding: Session) -> None:
    adding.open_page("Run")
    adding.type_into(QSpinBox, "Concurrent callers", "2")
    adding.type_into(QDoubleSpinBox, "Pause between runs", "1")
    adding.choose("Hand-over", "IO binding")
    adding.type_into(QSpinBox, "Iterations", "40")
    trial = adding.run_trial()
    settings = trial.settings
    assert (settings.callers, settings.pause_ms, settings.binding) == (2, 1, Binding.IO_BINDING)
    assert len(trial.series) == 40
    note = " ".join(shown_texts(adding.explorer.window.latency_panel))
    assert "2 callers" in note
    assert "IO binding" in note


def test_that_a_run_that_takes_too_long_fails_with_its_samples(adding: Session, double_library: DoubleFactory) -> None:
    adding.add("double", double_library("compute=hang,run_after=20"))
    adding.select_device_of("double")
    adding.open_page("Run")
    adding.type_into(QDoubleSpinBox, "Longest run", "0.5")
    trial = adding.run_trial()
    assert trial.failure is not None
    assert trial.failure.kind is FailureKind.TIMED_OUT
    assert len(trial.series) == 20 - 1 - 10
    assert adding.library("double").device_keys  # loaded again in a fresh engine


# ---- Compiling ----


def test_that_compiling_asks_for_a_file_and_says_what_came_of_it(
    adding: Session, double_library: DoubleFactory, tmp_path: Path
) -> None:
    adding.add("double", double_library("compile=error,text=no licence"))
    adding.select_device_of("double")
    window = adding.explorer.window
    adding.qtbot.mouseClick(child(window.trial_panel, QPushButton, "Compile…"), LEFT)
    answer_file_dialog(adding, tmp_path / "out.onnx")
    adding.qtbot.waitUntil(lambda: not adding.state.is_busy, timeout=TIMEOUT_MS)
    assert any("no licence" in shown for shown in adding.failures_in(window.trial_panel))
    box = window.findChild(CompileBox)
    assert box is not None
    box.dismissed.emit()
    assert not box.isVisible()


@pytest.mark.skipif(importlib.util.find_spec("onnxruntime_ep_webgpu") is None, reason="needs onnxruntime-ep-webgpu")
def test_that_a_virtual_device_compiles_and_its_abort_is_survived(qtbot: QtBot, tmp_path: Path) -> None:
    import onnxruntime_ep_webgpu

    with running_explorer(qtbot, tmp_path, SAMPLE_MODELS / "tiny_mlp.onnx") as session:
        session.add("gpu.virtual", Path(onnxruntime_ep_webgpu.get_library_path()))
        session.select_device_of("gpu.virtual")
        panel = session.explorer.window.trial_panel
        assert any(shown.startswith("This device is virtual") for shown in shown_texts(panel))
        session.qtbot.mouseClick(child(panel, QPushButton, "Compile…"), LEFT)
        answer_file_dialog(session, tmp_path / "out.onnx")
        session.qtbot.waitUntil(lambda: not session.state.is_busy, timeout=TIMEOUT_MS)
        compilation = session.state.compilation
        assert compilation is not None
        assert compilation.failure is not None
        assert compilation.failure.kind is FailureKind.DIED
        session.wait_until_ready()
        assert session.library("gpu.virtual").device_keys


@pytest.mark.skipif(importlib.util.find_spec("onnxruntime_qnn") is None, reason="needs onnxruntime-qnn")
def test_that_a_compiled_model_is_told_of_and_tried(qtbot: QtBot, tmp_path: Path) -> None:
    import onnxruntime_qnn

    with running_explorer(qtbot, tmp_path, quantised_model(tmp_path / "q.onnx")) as session:
        session.add("qnn", Path(onnxruntime_qnn.get_library_path()))
        session.select_device_of("qnn")
        session.open_page("EP options")
        panel = session.explorer.window.trial_panel
        view = child(panel, QTableView, "EP options")
        type_option(session, view, 0, f"backend_path={onnxruntime_qnn.get_qnn_htp_path()}")
        session.qtbot.mouseClick(child(panel, QPushButton, "Compile…"), LEFT)
        answer_file_dialog(session, tmp_path / "q_ctx.onnx")
        session.qtbot.waitUntil(lambda: not session.state.is_busy, timeout=TIMEOUT_MS)
        box = panel.compile_box
        assert any(shown.startswith("Compiled in ") for shown in shown_texts(box)), shown_texts(box)
        session.qtbot.mouseClick(child(box, QPushButton, "Use it"), LEFT)
        session.wait_until_ready()
        assert any("compiled for" in shown for shown in shown_texts(panel))
        trial = session.run_trial()
        assert trial.outcome is Outcome.FINISHED, trial.failure
        assert trial.facts.placement is not None
        assert "qnn" in [part.ep_name for part in trial.facts.placement]


# ---- Set-ups ----


def test_that_a_set_up_saved_and_dropped_runs_the_same_trial(
    adding: Session, double_library: DoubleFactory, tmp_path: Path
) -> None:
    adding.add("double", double_library())
    adding.select_device_of("double")
    adding.type_sizes("N", "3")
    adding.open_page("Run")
    adding.type_into(QSpinBox, "Iterations", "17")
    adding.explorer.window.actions_.save_setup.trigger()
    file = tmp_path / "trial.json"
    answer_file_dialog(adding, file)
    assert json.loads(file.read_text(encoding="utf-8"))["format"] == "ort-device-explorer set-up 1"
    adding.select_device_of(None)
    adding.type_sizes("N", "")
    adding.open_page("Run")
    adding.type_into(QSpinBox, "Iterations", "5")
    drop(adding, file)
    adding.wait_until_ready()
    trial = adding.run_trial()
    assert trial.devices[0].library == "double"
    assert len(trial.series) == 17
    assert trial.facts.dimensions[0].size == 3


def test_that_a_set_up_whose_library_is_not_loaded_says_so_and_loads_it_when_asked(
    adding: Session, double_library: DoubleFactory, tmp_path: Path
) -> None:
    adding.add("double", double_library())
    adding.select_device_of("double")
    file = tmp_path / "trial.json"
    adding.explorer.window.setups.save_as(str(file))
    adding.press(adding.library_button("double"))
    adding.wait_until_ready()
    adding.explorer.window.setups.open_path(str(file))
    adding.wait_until_ready()
    bar = adding.explorer.window.findChild(SetupBar)
    assert bar is not None
    adding.qtbot.waitUntil(bar.isVisible, timeout=TIMEOUT_MS)
    assert any("“double”" in shown for shown in shown_texts(bar))
    adding.qtbot.mouseClick(child(bar, QPushButton, "Load"), LEFT)
    adding.qtbot.waitUntil(lambda: not bar.isVisible(), timeout=TIMEOUT_MS)
    adding.wait_until_ready()
    assert [device.library for device in adding.state.selected_devices] == ["double"]
    assert adding.run_trial().outcome is Outcome.FINISHED


def test_that_a_set_up_whose_model_is_gone_says_which_and_keeps_the_rest(
    adding: Session, add_model: Path, tmp_path: Path
) -> None:
    model = tmp_path / "mine.onnx"
    model.write_bytes(add_model.read_bytes())
    adding.explorer.window.open_model(str(model))
    adding.wait_until_ready()
    adding.open_page("Run")
    adding.type_into(QSpinBox, "Iterations", "23")
    file = tmp_path / "trial.json"
    adding.explorer.window.setups.save_as(str(file))
    model.unlink()
    adding.type_into(QSpinBox, "Iterations", "5")
    adding.explorer.window.setups.open_path(str(file))
    adding.wait_until_ready()
    shown = " ".join(shown_texts(adding.explorer.window.trial_panel))
    assert "mine.onnx" in shown
    assert child(adding.explorer.window.trial_panel, QSpinBox, "Iterations").value() == 23
    adding.explorer.window.open_model(str(add_model))
    adding.wait_until_ready()
    assert len(adding.run_trial().series) == 23


def test_that_under_a_policy_options_name_their_ep(adding: Session, double_library: DoubleFactory) -> None:
    adding.add("double", double_library("name=good"))
    child(adding.explorer.window.trial_panel, QRadioButton, "Policy").click()
    adding.choose("Selection policy", Policy.PREFER_CPU.value)
    adding.open_page("EP options")
    view = child(adding.explorer.window.trial_panel, QTableView, "EP options")
    type_option(adding, view, 0, "ep.good.made_up=1")
    trial = adding.run_trial()
    assert trial.outcome is Outcome.FINISHED, trial.failure
    options = {entry.ep_name: dict(entry.options) for entry in trial.facts.provider_options}
    assert options["good"].get("made_up") == "1"
