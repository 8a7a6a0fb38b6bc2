"""Nodes that ORT's own record misses: when it is doubted, what a run under the profiler shows, and what a trial says.

The records of WebGPU are those of onnxruntime-ep-webgpu 0.4.0 on an NVIDIA H100 with onnxruntime 1.30; there ORT's log
told the same numbers of nodes as the profiler did: 16, 91 and 381.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

from gui.engine import ort, trial
from gui.engine.cancellation import Cancellation
from gui.engine.node_counts import better_of, count_nodes, is_doubtful
from gui.engine.references import References
from gui.engine.registry import Registry
from gui.engine.sessions import placement_of
from gui.engine.traces import nodes_that_ran
from gui.engine.trial import Trial, TrialListener
from gui.records.check import CheckSettings
from gui.records.failure import Failure
from gui.records.placement import (
    COUNTED_NOTE,
    NOT_COUNTED_NOTE,
    NodeGroup,
    OpCount,
    PlacedNodes,
    PlacementVerdict,
    judge_placement,
    verdict_text,
)
from gui.records.profile import FUSED
from gui.records.trial import Policy, Stage, StopRule, Target, TrialFacts, TrialSettings

from ..conftest import SAMPLE_MODELS
from ..engine_process import EngineProcess
from .conftest import Register, settings_for
from .fake_session import FakeSession
from .onnx_models import save, value

WEBGPU = "WebGpuExecutionProvider"
CPU = "CPUExecutionProvider"


def nodes(*groups: tuple[str, str, int]) -> PlacedNodes:
    """Nodes by EP, operator and number."""
    return PlacedNodes(
        groups=tuple(
            NodeGroup(ep_name=ep_name, op_type=op_type, domain="", names=tuple(f"{op_type}{n}" for n in range(count)))
            for ep_name, op_type, count in groups
        )
    )


def in_file(**counts: int) -> tuple[OpCount, ...]:
    return tuple(OpCount(op_type=op_type, count=count) for op_type, count in counts.items())


RESNET = in_file(Conv=53, Relu=49, Add=16, MaxPool=1, GlobalAveragePool=1, Flatten=1, Gemm=1)
VIT = in_file(Reshape=97, Transpose=49, Gemm=49, Mul=48, Add=37, LayerNormalization=25, Constant=500)
MATMULS = in_file(MatMul=8, Relu=8)


@pytest.mark.parametrize(
    ("record", "wanted", "op_counts"),
    [
        (nodes(), WEBGPU, MATMULS),
        (nodes((WEBGPU, "Transpose", 2)), WEBGPU, RESNET),
        (nodes((WEBGPU, "Transpose", 14), (WEBGPU, "Squeeze", 12)), WEBGPU, VIT),
        (nodes((CPU, "Det", 1)), WEBGPU, in_file(MatMul=3, Relu=1, Det=1, Add=1, Tanh=1)),
        (nodes(), "other", None),
    ],
    ids=["nothing", "Transposes", "few", "what the CPU got", "unknown model"],
)
def test_that_a_record_with_gaps_is_doubted(
    record: PlacedNodes, wanted: str, op_counts: tuple[OpCount, ...] | None
) -> None:
    assert is_doubtful(record, (wanted,), op_counts)


@pytest.mark.parametrize(
    ("record", "wanted", "op_counts"),
    [
        (nodes((CPU, "Conv", 53), (CPU, "Relu", 69)), "ggml", RESNET),  # it took none, and nothing is missing
        (nodes(("ggml", "Gemm", 49), ("ggml", "Reshape", 250)), "ggml", VIT),  # the rest was folded
        (nodes((CPU, "Gemm", 1)), CPU, VIT),
        (nodes(("ggml", "MatMul", 8), (CPU, "Relu", 8)), "ggml", MATMULS),
        (nodes((CPU, "Add", 1)), "ggml", in_file(Add=1, Constant=3, Identity=2)),
        (None, WEBGPU, MATMULS),
    ],
    ids=["none taken", "folded", "the CPU wanted", "part taken", "constants", "no record"],
)
def test_that_a_record_that_may_be_whole_is_not_doubted(
    record: PlacedNodes | None, wanted: str, op_counts: tuple[OpCount, ...]
) -> None:
    assert not is_doubtful(record, (wanted,), op_counts)


def test_that_a_second_choice_is_looked_at_too() -> None:
    record = nodes(("ggml", "MatMul", 8))
    assert is_doubtful(record, ("ggml", WEBGPU), MATMULS)
    assert not is_doubtful(record, ("ggml", CPU), MATMULS)


def test_that_what_was_counted_counts_only_where_it_shows_more() -> None:
    recorded, counted = nodes((WEBGPU, "Transpose", 2)), nodes((WEBGPU, "Conv", 50), (CPU, "Det", 1))
    assert better_of(recorded, counted, (WEBGPU,)) is counted
    assert better_of(recorded, nodes((CPU, "Conv", 50)), (WEBGPU,)) is recorded
    assert better_of(recorded, nodes(("ggml", FUSED, 1)), ("ggml",)) is recorded  # ORT records these as a whole
    assert better_of(recorded, None, (WEBGPU,)) is None


# ---- Counting by a run ----


def settings_by_policy(model: Path) -> TrialSettings:
    return TrialSettings(
        model_path=str(model),
        target=Target(policy=Policy.DEFAULT),
        warmup=0,
        stop_rule=StopRule(iterations=2),
        check=CheckSettings(enabled=False),
    )


@pytest.mark.parametrize("name", ["image_classifier", "tiny_mlp"])
def test_that_the_nodes_of_a_run_are_those_of_the_optimised_model(name: str, tmp_path: Path) -> None:
    model = SAMPLE_MODELS / f"{name}.onnx"
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    session = onnxruntime.InferenceSession(str(model), options, providers=[CPU])
    feeds = {
        entry.name: np.zeros([size if isinstance(size, int) else 1 for size in entry.shape], np.float32)
        for entry in session.get_inputs()
    }
    expected = Counter(node.op_type for node in onnx.load(options.optimized_model_filepath).graph.node)

    counted = count_nodes(settings_by_policy(model), Registry(), {"batch": 1}, feeds, Cancellation())
    found = placement_of(counted)
    assert found is not None
    assert [part.ep_name for part in found] == [CPU]
    assert {entry.op_type: entry.count for entry in found[0].op_types} == expected


def test_that_a_run_that_fails_counts_nothing() -> None:
    settings = settings_by_policy(SAMPLE_MODELS / "tiny_mlp.onnx")
    assert count_nodes(settings, Registry(), {}, {"no such input": np.zeros(1)}, Cancellation()) is None


def test_that_nodes_are_counted_once_however_often_they_ran(tmp_path: Path) -> None:
    def event(name: str, op_type: str, number: str, begin: int) -> dict[str, Any]:
        details = {"op_name": op_type, "provider": WEBGPU, "node_index": number}
        return {"cat": "Node", "name": f"{name}_kernel_time", "args": details, "tid": 1, "ts": begin, "dur": 2}

    run = {"cat": "Session", "name": "model_run", "args": {}, "tid": 1, "ts": 0, "dur": 100}
    events = [event("a", "Conv", "0", 1), event("b", "Conv", "1", 4), event("a", "Conv", "0", 7), run]
    path = tmp_path / "trace.json"
    path.write_text("[\n" + ",\n".join(map(json.dumps, events)) + "\n]\n")
    assert nodes_that_ran(path) == [(WEBGPU, "Conv", "a"), (WEBGPU, "Conv", "b")]
    path.write_text("[\n" + ",\n".join(map(json.dumps, events[:3])) + "\n]\n")
    assert nodes_that_ran(path) is None  # the run was not recorded to its end: some nodes may be missing
    path.write_text("[\n" + json.dumps(run) + "\n]\n")
    assert nodes_that_ran(path) == []


# ---- What a trial says ----


def constants_and_add(path: Path) -> Path:
    """y = x + (1 + 1) over [N, 4]: the sum of the constants is folded away, one Add is left."""
    one = numpy_helper.from_array(np.ones(4, np.float32), "one")
    graph = helper.make_graph(
        [
            helper.make_node("Neg", ["one"], ["minus"]),
            helper.make_node("Abs", ["minus"], ["two"]),
            helper.make_node("Add", ["x", "two"], ["y"]),
        ],
        "folded",
        [value("x", "N", 4)],
        [value("y", "N", 4)],
        [one],
    )
    return save(path, graph)


def test_that_an_ep_that_takes_nothing_of_a_folded_model_is_still_said_to_have_none(
    engine: EngineProcess, register: Register, tmp_path: Path
) -> None:
    keys = register(engine, "claim=none")
    facts = engine.run_trial(settings_for(constants_and_add(tmp_path / "m.onnx"), *keys))
    assert judge_placement(facts.placement, facts.wanted_eps) is PlacementVerdict.NONE
    assert COUNTED_NOTE not in facts.notes
    assert NOT_COUNTED_NOTE not in facts.notes


class GappySession(FakeSession):
    """A session on an EP of which ORT records nothing, as it does of WebGPU's."""

    providers: ClassVar[list[str]] = [WEBGPU, CPU]


class Heard:
    """What a trial told on its way."""

    def __init__(self, stop_in: Stage | None = None) -> None:
        self.cancellation = Cancellation()
        self.told: list[TrialFacts] = []
        self.nodes: list[PlacedNodes] = []
        self._stop_in = stop_in

    def tell(self, facts: TrialFacts) -> None:
        self.told.append(facts)
        if facts.stage is self._stop_in:
            self.cancellation.request()


def gave_up(failure: Failure) -> None:
    raise AssertionError(f"the engine gave up: {failure}")


def run_gappy(monkeypatch: pytest.MonkeyPatch, heard: Heard, counted: PlacedNodes | None) -> TrialFacts:
    monkeypatch.setattr(ort, "InferenceSession", GappySession)
    monkeypatch.setattr(trial, "count_nodes", lambda *_arguments: counted)
    settings = replace(settings_by_policy(SAMPLE_MODELS / "tiny_mlp.onnx"), warmup=1)
    listener = TrialListener(
        tell=heard.tell,
        nodes=heard.nodes.append,
        send=lambda _stage, _samples, _elapsed: None,
        give_up=gave_up,
    )
    return Trial(settings, Registry(), References(), heard.cancellation, listener).run()


def test_that_a_trial_of_which_nothing_was_recorded_tells_what_was_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    heard, counted = Heard(), nodes((WEBGPU, "MatMul", 7), (CPU, "Det", 1))
    facts = run_gappy(monkeypatch, heard, counted)
    assert verdict_text(facts.placement, facts.wanted_eps) == f"{WEBGPU} ran 7 of 8 nodes; 1 on {CPU}: Det."
    assert heard.nodes == [counted]
    assert COUNTED_NOTE in facts.notes
    assert all(told.placement is None for told in heard.told)  # nothing false on the way


def test_that_counted_nodes_of_branches_are_not_said_to_be_counted_whether_taken_or_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    facts = run_gappy(monkeypatch, Heard(), nodes((WEBGPU, "If", 1), (WEBGPU, "MatMul", 7)))
    assert [note for note in facts.notes if "branch" in note] == []


@pytest.mark.parametrize("stop_in", [None, Stage.MEASURING], ids=["run failed", "stopped"])
def test_that_what_could_not_be_counted_is_not_known(monkeypatch: pytest.MonkeyPatch, stop_in: Stage | None) -> None:
    heard = Heard(stop_in)
    facts = run_gappy(monkeypatch, heard, None)
    assert judge_placement(facts.placement, facts.wanted_eps) is PlacementVerdict.UNKNOWN
    assert NOT_COUNTED_NOTE in facts.notes
    assert heard.nodes == []
