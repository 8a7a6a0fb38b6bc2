"""The outputs of ORT's own CPU EP: computed once, kept, and compared with a trial's; with real models and sessions."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from gui.engine import ort, references
from gui.engine.cancellation import Cancellation
from gui.engine.comparing import Unreadable
from gui.engine.elements import ELEMENTS
from gui.engine.models import describe_model
from gui.engine.references import (
    REFERENCE,
    FirstOutputs,
    ReferenceOutputs,
    References,
    TooLargeError,
    check_outputs,
    kept_outputs,
    random_ops,
)
from gui.records.check import Agreement, CheckSettings, OutputCheck, Tolerance
from gui.records.library import CPU_EP_NAME
from gui.records.trial import Target, TrialSettings

from .onnx_models import WEIGHTS, external, identity, save, value
from .tiny_models import NEWEST, bytes_of, sequence_type, tensor_type

Feeds = dict[str, Any]
X: Feeds = {"x": np.arange(2048, dtype=np.float32)}


class Sessions:
    """Sees the sessions that are made meanwhile; they are real."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[weakref.ref[Any]] = []
        self.providers: list[Any] = []
        self.before: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None
        real = ort.InferenceSession

        def make(*arguments: Any, **named: Any) -> Any:
            self.before()
            session = real(*arguments, **named)
            self.made.append(weakref.ref(session))
            self.providers.append(session.get_providers())
            self.after()
            return session

        monkeypatch.setattr(ort, "InferenceSession", make)

    @property
    def count(self) -> int:
        return len(self.made)


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> Sessions:
    return Sessions(monkeypatch)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """y = x + w, with w in a file of its own."""
    WEIGHTS.tofile(tmp_path / "w.bin")
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "w"], ["y"])],
        "g",
        [value("x", "N")],
        [value("y", "N")],
        [external("w", "w.bin")],
    )
    return save(tmp_path / "m.onnx", graph)


def one_node(path: Path, op_type: str, inputs: dict[str, Any], output: Any, **attributes: Any) -> Path:
    """A model of one operator of the newest set."""
    domain = attributes.pop("domain", "")
    node = helper.make_node(op_type, list(inputs), ["y"], domain=domain, **attributes)
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_value_info(name, kind) for name, kind in inputs.items()],
        [helper.make_value_info("y", output)],
    )
    imports = [helper.make_opsetid("", 22), *([helper.make_opsetid(domain, 1)] if domain else [])]
    return save(path, graph, ir_version=10, opset_imports=imports)


def computed(kept: References, path: Path, feeds: Feeds = X, **sizes: int) -> ReferenceOutputs:
    return kept.outputs(describe_model(str(path)), feeds, sizes, Cancellation())


def checked(
    path: Path,
    outputs: list[Any],
    feeds: Feeds = X,
    *,
    settings: CheckSettings | None = None,
    types: tuple[str, ...] = ("tensor(float)",),
    cancellation: Cancellation | None = None,
    kept: References | None = None,
) -> OutputCheck:
    """What a trial whose first run gave these outputs is told."""
    settings = settings or CheckSettings()
    trial = TrialSettings(model_path=str(path), target=Target(device_keys=("some",)), check=settings)
    first = FirstOutputs.of(settings, ["y"], types, outputs)
    return check_outputs(trial, first, feeds, {}, kept or References(), cancellation or Cancellation())


def touch(path: Path) -> None:
    """Make a file look written to, however coarse the clock of its file system."""
    later = path.stat().st_mtime_ns + 5_000_000_000
    os.utime(path, ns=(later, later))


# ---- Computed, and once ----


def test_that_the_outputs_are_those_of_the_cpu_ep_alone(model: Path, sessions: Sessions) -> None:
    found = computed(References(), model)
    assert found.names == ("y",)
    np.testing.assert_array_equal(found.values[0], X["x"] + WEIGHTS)
    assert found.size_bytes == WEIGHTS.nbytes
    assert sessions.providers == [[CPU_EP_NAME]]


def test_that_the_session_is_gone_afterwards(model: Path, sessions: Sessions) -> None:
    found = computed(References(), model)
    assert sessions.made[0]() is None
    assert found.values[0].flags.owndata


def test_that_the_same_is_not_computed_again(model: Path, sessions: Sessions) -> None:
    kept = References()
    first = computed(kept, model)
    again = computed(kept, model, {"x": X["x"].copy()})
    assert again is first
    assert sessions.count == 1


def test_that_another_input_is_computed_anew(model: Path, sessions: Sessions) -> None:
    kept = References()
    computed(kept, model)
    changed = X["x"].copy()
    changed[-1] += 1
    found = computed(kept, model, {"x": changed})
    np.testing.assert_array_equal(found.values[0], changed + WEIGHTS)
    assert sessions.count == 2


def test_that_a_model_written_anew_is_computed_anew(model: Path, sessions: Sessions) -> None:
    kept = References()
    computed(kept, model)
    proto = onnx.load(model, load_external_data=False)
    proto.graph.node[0].op_type = "Sub"
    model.write_bytes(proto.SerializeToString())  # as many bytes as before
    touch(model)
    np.testing.assert_array_equal(computed(kept, model).values[0], X["x"] - WEIGHTS)
    assert sessions.count == 2


def test_that_weights_written_anew_are_computed_anew(model: Path, sessions: Sessions) -> None:
    kept = References()
    computed(kept, model)
    (WEIGHTS * 2).tofile(model.parent / "w.bin")
    touch(model.parent / "w.bin")
    np.testing.assert_array_equal(computed(kept, model).values[0], X["x"] + WEIGHTS * 2)
    assert sessions.count == 2


def test_that_sizes_of_free_dimensions_reach_the_session_and_tell_results_apart(
    model: Path, sessions: Sessions
) -> None:
    kept = References()
    computed(kept, model)
    computed(kept, model, N=2048)
    assert sessions.count == 2
    with pytest.raises(ort.ERRORS, match="invalid dimensions"):
        computed(kept, model, N=1)


@pytest.mark.parametrize(
    ("element", "one", "other"),
    [
        ("string", np.array(["a", "b"], object), np.array(["ab", ""], object)),
        ("int64", np.array([1, 2]), np.array([[1, 2]])),
        ("double", np.array([0.0]), np.array([-0.0])),
        ("bool", np.array([], np.bool_), np.array([[]], np.bool_)),
    ],
)
def test_that_inputs_that_differ_are_told_apart(
    tmp_path: Path, sessions: Sessions, element: str, one: Any, other: Any
) -> None:
    kind = helper.make_tensor_type_proto(ELEMENTS[element].onnx_number, None)
    path, kept = one_node(tmp_path / "m.onnx", "Identity", {"x": kind}, kind), References()
    for feed in (one, other, one, other):
        np.testing.assert_array_equal(computed(kept, path, {"x": feed}).values[0], feed)
    assert sessions.count == 2


def test_that_sequences_are_told_apart(tmp_path: Path, sessions: Sessions) -> None:
    kind = sequence_type(helper.make_tensor_type_proto(TensorProto.FLOAT, None))
    path, kept = one_node(tmp_path / "m.onnx", "Identity", {"x": kind}, kind), References()
    two, one = [np.ones(1, np.float32), np.ones(1, np.float32)], [np.ones(2, np.float32)]
    for feed in (two, one, two, one):
        (found,) = computed(kept, path, {"x": feed}).values
        assert [entry.tolist() for entry in found] == [entry.tolist() for entry in feed]
    assert sessions.count == 2


def test_that_values_which_numpy_lacks_are_told_apart(tmp_path: Path, sessions: Sessions) -> None:
    path = one_node(
        tmp_path / "m.onnx", "Cast", {"x": tensor_type("bfloat16", 2)}, tensor_type("float", 2), to=TensorProto.FLOAT
    )
    kept = References()
    for numbers in ([1, 2], [1, 3], [1, 2]):
        bits = np.array(numbers, ml_dtypes.bfloat16).view(np.uint16)
        feed = ort.OrtValue.ortvalue_from_numpy_with_onnx_type(bits, TensorProto.BFLOAT16)
        assert computed(kept, path, {"x": feed}).values[0].tolist() == numbers
    assert sessions.count == 2


# ---- How much is kept ----


def test_that_only_the_last_few_are_kept(model: Path, sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(references, "_MAX_KEPT", 2)
    kept, feeds = References(), [{"x": X["x"] + number} for number in range(3)]
    for number in (0, 1, 0, 2, 0):
        computed(kept, model, feeds[number])
    assert sessions.count == 3
    computed(kept, model, feeds[1])  # the one not used for longest went
    assert sessions.count == 4


def test_that_no_more_is_kept_than_there_is_room_for(
    model: Path, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, other = References(), {"x": X["x"] + 1}
    monkeypatch.setattr(references, "_MAX_KEPT_BYTES", 2 * WEIGHTS.nbytes - 1)
    for feeds in (X, other, other, X):
        computed(kept, model, feeds)
    assert sessions.count == 3
    monkeypatch.setattr(references, "_MAX_KEPT_BYTES", WEIGHTS.nbytes - 1)
    np.testing.assert_array_equal(computed(kept, model, other).values[0], other["x"] + WEIGHTS)
    np.testing.assert_array_equal(computed(kept, model, other).values[0], other["x"] + WEIGHTS)
    assert sessions.count == 5


def test_that_a_run_that_failed_is_not_kept(model: Path, sessions: Sessions) -> None:
    kept = References()
    for _attempt in range(2):
        with pytest.raises(ort.ERRORS):
            computed(kept, model, {"x": np.zeros(3, np.float32)})
    assert sessions.count == 2


# ---- Copies of outputs ----


@pytest.mark.parametrize("element", sorted(ELEMENTS))
def test_that_outputs_of_every_type_are_kept_and_compared(tmp_path: Path, element: str) -> None:
    known = ELEMENTS[element]
    kind = tensor_type(element, 2)
    if known.is_packed or element == "float8e8m0":
        source = "float" if known.is_float else "int8" if known.low < 0 else "uint8"
        path = one_node(
            tmp_path / "m.onnx", "Cast", {"x": tensor_type(source, 2)}, kind, to=ELEMENTS[element].onnx_number
        )
        proto = onnx.load(path)
        proto.opset_import[0].version, proto.ir_version = 25, 11
        path.write_bytes(proto.SerializeToString())
        feed: Any = np.ones(2, ELEMENTS[source].storage)
    else:
        path = one_node(tmp_path / "m.onnx", "Identity", {"x": kind}, kind)
        feed = np.array(["a", "b"], object) if known.is_text else np.ones(2, known.storage)
        if known.is_bits:
            feed = ort.OrtValue.ortvalue_from_numpy_with_onnx_type(feed, known.onnx_number)
    try:
        found = computed(References(), path, {"x": feed})
    except ort.ERRORS as error:
        if element in NEWEST:
            pytest.skip(f"this onnxruntime has no {element}: {error}")
        raise
    (array,) = found.values
    assert (array.dtype, array.shape) == (np.dtype(known.storage), (2,))
    same = checked(path, [array], {"x": feed}, types=(f"tensor({element})",))
    assert (same.agreement, same.note) == (Agreement.IDENTICAL, "")
    other = np.array(["a", "c"], object) if known.is_text else np.zeros(2, known.storage)
    assert checked(path, [other], {"x": feed}, types=(f"tensor({element})",)).agreement is Agreement.DIFFERENT


def test_that_what_is_kept_does_not_change_with_the_outputs() -> None:
    array, text = np.ones(2, np.float32), np.array(["a"], object)
    entries, pairs = [np.ones(2, np.float32)], {1: 0.5}
    source = np.ones(2, np.float32)
    bound = ort.OrtValue.ortvalue_from_numpy(source)
    kept = kept_outputs([array, text, entries, pairs, None, bound])
    array[:], text[:], entries[0][:], pairs[1] = 2, "b", 2, 2.0
    bound.update_inplace(np.full(2, 2, np.float32))
    assert np.frombuffer(bytes_of(bound), np.float32).tolist() == [2, 2]
    assert kept[0].tolist() == [1, 1]
    assert kept[1].tolist() == ["a"]
    assert kept[2][0].tolist() == [1, 1]
    assert kept[3] == {1: 0.5}
    assert kept[4] is None
    assert kept[5].tolist() == [1, 1]


def test_that_an_ort_value_that_cannot_be_read_is_kept_as_such(tmp_path: Path) -> None:
    kind = sequence_type(tensor_type("float", 1))
    path = one_node(tmp_path / "m.onnx", "SequenceConstruct", {"x": tensor_type("float", 1)}, kind)
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    value_of_x = ort.OrtValue.ortvalue_from_numpy(np.ones(1, np.float32))
    outputs = session.run_with_ort_values(["y"], {"x": value_of_x})
    assert kept_outputs(list(outputs)) == (
        Unreadable(reason="It cannot be compared: a seq(tensor(float)) cannot be read from an OrtValue."),
    )
    feeds = {"x": np.ones(1, np.float32)}
    found = checked(path, list(outputs), feeds, types=("seq(tensor(float))",))
    assert found.agreement is found.outputs[0].agreement is Agreement.NOT_CHECKED
    assert "cannot be read" in found.outputs[0].note


def test_that_outputs_that_are_too_large_are_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(references, "MAX_COMPARED_BYTES", 1 << 20)
    copies: list[Any] = []
    monkeypatch.setattr(references, "_copied", copies.append)
    half = np.zeros(1 << 19, np.uint8)
    for outputs in (
        [np.zeros((1 << 20) + 1, np.uint8)],
        [half, [half, np.zeros(1, np.uint8)]],
        [half, ort.OrtValue.ortvalue_from_numpy(half), np.zeros(1, np.uint8)],
        [np.array(["a"] * 20_000, object)],
    ):
        with pytest.raises(TooLargeError, match=r"^The outputs take 1 MiB; more than 1 MiB are not compared\.$"):
            kept_outputs(outputs)
    assert copies == []
    kept_outputs([half, half])
    assert len(copies) == 2


# ---- What a trial is told ----


def test_that_the_same_outputs_are_identical_and_the_reference_is_named(model: Path) -> None:
    found = checked(model, [X["x"] + WEIGHTS])
    assert found.agreement is Agreement.IDENTICAL
    assert [(entry.name, entry.type, entry.shape) for entry in found.outputs] == [("y", "tensor(float)", (2048,))]
    assert (found.reference, found.note) == (REFERENCE, "")


@pytest.mark.parametrize(
    ("factor", "agreement"), [(1 + 2**-20, Agreement.WITHIN), (1.1, Agreement.DIFFERENT), (-1, Agreement.DIFFERENT)]
)
def test_that_outputs_wrong_by_a_factor_are_seen(model: Path, factor: float, agreement: Agreement) -> None:
    found = checked(model, [((X["x"] + WEIGHTS) * factor).astype(np.float32)])
    assert found.agreement is agreement
    assert found.outputs[0].max_relative == pytest.approx(abs(factor - 1), rel=0.2)


def test_that_the_tolerances_of_the_trial_count(model: Path) -> None:
    settings = CheckSettings(tolerances=(Tolerance(type="float", absolute=0, relative=0.05),))
    assert checked(model, [(X["x"] + WEIGHTS) * 1.02], settings=settings).agreement is Agreement.WITHIN


def test_that_nothing_is_kept_or_run_when_it_is_switched_off(model: Path, sessions: Sessions) -> None:
    off = CheckSettings(enabled=False)
    assert FirstOutputs.of(off, ["y"], ["tensor(float)"], [X["x"]]) == FirstOutputs()
    found = checked(model, [X["x"]], settings=off)
    assert found == OutputCheck(agreement=Agreement.NOT_CHECKED, note="The comparison is switched off.")
    assert sessions.count == 0


def test_that_outputs_too_large_to_keep_are_told_without_a_run(
    model: Path, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(references, "MAX_COMPARED_BYTES", 100)
    found = checked(model, [X["x"]])
    assert found.agreement is Agreement.NOT_CHECKED
    assert "MiB are not compared" in found.note
    assert sessions.count == 0


def test_that_a_reference_too_large_to_keep_is_told(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(references, "MAX_COMPARED_BYTES", 100)
    found = checked(model, [np.zeros(1, np.float32)])
    assert (found.agreement, found.outputs) == (Agreement.NOT_CHECKED, ())
    assert "MiB are not compared" in found.note


def test_that_a_trial_stopped_before_is_not_compared(model: Path, sessions: Sessions) -> None:
    cancellation = Cancellation()
    cancellation.request()
    found = checked(model, [X["x"]], cancellation=cancellation)
    assert (found.agreement, found.note) == (
        Agreement.NOT_CHECKED,
        "It was stopped before the outputs were compared.",
    )
    assert sessions.count == 0


@pytest.mark.parametrize("moment", ["before", "after"])
def test_that_it_can_be_stopped_while_the_cpu_ep_loads_or_runs(model: Path, sessions: Sessions, moment: str) -> None:
    cancellation, kept = Cancellation(), References()
    setattr(sessions, moment, cancellation.request)
    found = checked(model, [X["x"] + WEIGHTS], cancellation=cancellation, kept=kept)
    assert found.note == "It was stopped before the outputs were compared."
    setattr(sessions, moment, lambda: None)
    before = sessions.count
    assert before == (moment == "after")
    assert checked(model, [X["x"] + WEIGHTS], kept=kept).agreement is Agreement.IDENTICAL
    assert sessions.count == before + 1  # what was stopped left nothing behind


def test_that_it_can_be_stopped_while_outputs_are_compared(model: Path, sessions: Sessions) -> None:
    kept = References()
    checked(model, [X["x"] + WEIGHTS], kept=kept)

    class Late(Cancellation):
        """Is asked to end once the comparison has begun."""

        asked = 0

        def is_requested(self) -> bool:
            self.asked += 1
            return self.asked > 1

    found = checked(model, [X["x"] + WEIGHTS], kept=kept, cancellation=Late())
    assert found.note == "It was stopped before the outputs were compared."
    assert sessions.count == 1


def test_that_what_the_cpu_ep_cannot_run_is_told_in_ort_s_words(tmp_path: Path) -> None:
    kind = tensor_type("float", 2)
    path = one_node(tmp_path / "m.onnx", "Mystery", {"x": kind}, kind, domain="my.domain")
    found = checked(path, [np.zeros(2, np.float32)], {"x": np.zeros(2, np.float32)})
    assert found.agreement is Agreement.NOT_CHECKED
    assert found.note.startswith("The CPU EP cannot run this model: ")
    assert "Mystery" in found.note
    assert "ONNXRuntimeError" not in found.note
    assert "\n" not in found.note
    assert found.note.endswith((".", "…"))


def test_that_a_model_that_is_gone_is_told(model: Path) -> None:
    model.unlink()
    found = checked(model, [X["x"]])
    assert found.note.startswith("The CPU EP cannot run this model: There is no file m.onnx")


def test_that_a_session_which_fails_leaves_no_session_behind(model: Path, sessions: Sessions) -> None:
    found = checked(model, [X["x"]], {"x": np.zeros(3, np.float32)})
    assert found.agreement is Agreement.NOT_CHECKED
    assert sessions.made[0]() is None


@pytest.mark.parametrize("embedded", [0, 1])
def test_that_a_model_compiled_for_another_ep_is_not_run(tmp_path: Path, sessions: Sessions, embedded: int) -> None:
    kind = tensor_type("float", 2)
    (tmp_path / "context.bin").write_bytes(b"made by an EP")
    path = one_node(
        tmp_path / "m.onnx",
        "EPContext",
        {"x": kind},
        kind,
        domain="com.microsoft",
        embed_mode=embedded,
        ep_cache_context="context.bin",
        source="QNN",
    )
    found = checked(path, [np.zeros(2, np.float32)], {"x": np.zeros(2, np.float32)})
    assert found.agreement is Agreement.NOT_CHECKED
    assert found.note.startswith("The model is compiled for QNN, so ORT's CPU EP cannot run it.")
    assert sessions.count == 0


# ---- Random numbers ----


@pytest.mark.parametrize(
    ("op_type", "attributes"),
    [
        ("RandomNormalLike", {}),
        ("RandomUniformLike", {"seed": 1.0}),
        ("Bernoulli", {}),
    ],
)
def test_that_a_model_that_draws_random_numbers_is_not_compared(
    tmp_path: Path, sessions: Sessions, op_type: str, attributes: dict[str, Any]
) -> None:
    kind = tensor_type("float", 2)
    path = one_node(tmp_path / "m.onnx", op_type, {"x": kind}, kind, **attributes)
    found = checked(path, [np.zeros(2, np.float32)], {"x": np.zeros(2, np.float32)})
    assert found == OutputCheck(
        agreement=Agreement.NOT_CHECKED, note=f"The model draws random numbers ({op_type}), so no two runs agree."
    )
    assert sessions.count == 0


def test_that_random_operators_are_found_in_subgraphs_and_only_onnx_s_own(tmp_path: Path) -> None:
    draw = helper.make_node("RandomNormal", [], ["z"], shape=[2])
    branches = [helper.make_graph([draw], name, [], [value("z", 2)]) for name in ("then", "else")]
    nodes = [
        helper.make_node("If", ["c"], ["z"], then_branch=branches[0], else_branch=branches[1]),
        helper.make_node("RandomUniform", ["x"], ["u"], domain="my.domain"),
        helper.make_node("Dropout", ["x"], ["d"]),
    ]
    condition = value("c", element=TensorProto.BOOL)
    graph = helper.make_graph(nodes, "g", [condition, value("x", 2)], [value("z", 2)])
    assert random_ops(describe_model(str(save(tmp_path / "m.onnx", graph)))) == ("RandomNormal",)


def test_that_a_model_without_them_draws_none_and_unknown_operators_are_passed_over(tmp_path: Path) -> None:
    description = describe_model(str(identity(tmp_path / "m.onnx", value("x", 2))))
    assert random_ops(description) == ()
    assert random_ops(replace(description, op_counts=None)) == ()
