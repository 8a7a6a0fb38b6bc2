"""What the command line says of trials and compiled models."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gui.records.device import Device, DeviceType, HardwareDevice, with_keys
from gui.records.failure import Failure, FailureKind
from gui.records.inputs import Fill, InputFact, InputSource, SourceKind
from gui.records.placement import Placement
from gui.records.result import Outcome, TrialResult
from gui.records.samples import Nanoseconds
from gui.records.setup import DimensionSweep, Setup, trials_of
from gui.records.statistics import summarize
from gui.records.trial import (
    Binding,
    CompiledModel,
    Ending,
    Policy,
    StopRule,
    Target,
    TrialFacts,
    TrialSettings,
)
from gui.trial_summary import (
    comparison_rows,
    compiled_rows,
    ending_text,
    size_text,
    sizes_text,
    target_text,
    trial_rows,
)

CPU, FAST = DEVICES = with_keys(
    [
        Device(ep_name="CPUExecutionProvider", device=HardwareDevice(type=DeviceType.CPU, vendor="AMD")),
        Device(ep_name="Fast", library="fast", device=HardwareDevice(type=DeviceType.GPU, vendor="Maker")),
    ]
)
SETTINGS = TrialSettings(model_path="/m/net.onnx", target=Target(device_keys=(FAST.key,), second_keys=(CPU.key,)))
FACTS = TrialFacts(
    session_creation_ns=5_000_000,
    first_run_ns=2_000_000,
    placement=(Placement(ep_name="Fast", node_count=3), Placement(ep_name="CPUExecutionProvider", node_count=1)),
    sample_count=200,
    ending=Ending.ITERATIONS,
)


def samples(*values: int) -> Nanoseconds:
    return np.array(values, np.int64)


def result(facts: TrialFacts = FACTS, settings: TrialSettings = SETTINGS, **fields: Any) -> TrialResult:
    fields.setdefault("statistics", summarize(samples(1_000, 2_000, 3_000), 6_000_000))
    return TrialResult(settings=settings, outcome=fields.pop("outcome", Outcome.FINISHED), facts=facts, **fields)


def values(rows: list[tuple[str, str]], name: str) -> list[str]:
    return [value for row, value in rows if row == name]


def test_that_a_plain_trial_is_said_without_what_is_usual() -> None:
    rows = trial_rows(result(), DEVICES)
    assert [name for name, _value in rows] == [
        *("Model", "Target", "Ran on", "Outcome", "Ended", "Session creation", "First run"),
        *("Samples", "Min", "Median", "Mean", "p90", "p95", "p99", "Max", "Std deviation", "Throughput"),
    ]
    assert dict(rows) | {
        "Target": "Fast (GPU Maker), then CPUExecutionProvider (CPU AMD)",
        "Ran on": "Fast (3 of 4 nodes), CPUExecutionProvider (1 of 4 nodes)",
        "Ended": "after 200 runs",
        "Median": "2.000 µs",
        "p99": "3.000 µs (fewer than 100 samples)",
        "Throughput": "500.0 /s",
    } == dict(rows)


def test_that_each_input_is_said_with_its_values_and_why() -> None:
    facts = replace(
        FACTS,
        inputs=(
            InputFact(
                name="ids",
                type="tensor(int64)",
                shape=(1, 16),
                source=InputSource(name="ids", fill=Fill.INTEGERS, low=0, high=30521),
                reason="indices of Gather into 30522 rows",
            ),
            InputFact(
                name="image",
                type="tensor(float)",
                shape=(1, 3, 224, 224),
                source=InputSource(name="image", kind=SourceKind.IMAGE, path="/p/cat.png"),
                note="resized from 640 × 480",
            ),
            InputFact(
                name="maybe", type="optional(tensor(float))", source=InputSource(name="maybe", kind=SourceKind.OMITTED)
            ),
            InputFact(name="scale", type="tensor(float)", shape=(), source=InputSource(name="scale", fill=Fill.ONES)),
        ),
    )
    assert values(trial_rows(result(facts), DEVICES), "Input") == [
        "ids, tensor(int64) [1, 16]: integers 0 to 30521; indices of Gather into 30522 rows",
        "image, tensor(float) [1, 3, 224, 224]: cat.png (0 to 1, RGB); resized from 640 × 480",
        "maybe, optional(tensor(float)): left out",
        "scale, tensor(float) []: ones",
    ]


def test_that_how_it_was_run_is_said_where_it_is_not_usual() -> None:
    settings = replace(SETTINGS, callers=4, binding=Binding.IO_BINDING, pause_ms=2.5)
    rows = dict(trial_rows(result(settings=settings), DEVICES))
    assert rows["Callers"].startswith("4 at once")
    assert rows["Handed over by"] == "IO binding"
    assert rows["Pause"] == "2.5 ms between two runs"


def test_that_notes_warnings_and_files_are_said_one_by_one() -> None:
    facts = replace(
        FACTS, notes=("Sentence one.", "Sentence two."), saved_files=("/a.pb", "/b.onnx"), non_finite_outputs=("y", "z")
    )
    rows = trial_rows(result(facts), DEVICES)
    assert values(rows, "Note") == ["Sentence one.", "Sentence two."]
    assert values(rows, "Saved") == ["/a.pb", "/b.onnx"]
    assert values(rows, "Warning") == ["NaN or infinity in y, z"]


def test_that_a_trial_that_failed_before_any_sample_is_said_as_far_as_it_came() -> None:
    facts = TrialFacts(session_creation_ns=5_000_000)
    rows = dict(trial_rows(result(facts, statistics=None, outcome=Outcome.FAILED), DEVICES))
    assert (rows["Ran on"], rows["Outcome"], rows["First run"]) == ("–", "failed", "–")
    assert "Ended" not in rows
    assert "Samples" not in rows


@pytest.mark.parametrize(
    ("rule", "ending", "text"),
    [
        (StopRule(iterations=500), Ending.ITERATIONS, "after 200 runs"),
        (StopRule(seconds=0.5), Ending.SECONDS, "after 0.5 s"),
        (StopRule(seconds=60, stable_percent=1), Ending.STABLE, "the median is stable within 1 %"),
        (
            StopRule(seconds=60, stable_percent=0.5),
            Ending.SECONDS,
            "after 60 s, the median not yet stable within 0.5 %",
        ),
        (StopRule(seconds=60), Ending.STOPPED, "stopped"),
    ],
)
def test_that_the_ending_is_said_in_words(rule: StopRule, ending: Ending, text: str) -> None:
    assert ending_text(replace(SETTINGS, stop_rule=rule), replace(FACTS, ending=ending)) == text


def test_that_a_policy_is_a_target_by_its_name() -> None:
    assert target_text(Target(policy=Policy.PREFER_NPU), DEVICES) == "PREFER_NPU"


def test_that_several_trials_are_told_apart_by_what_differs() -> None:
    setup = Setup(
        settings=SETTINGS,
        sweeps=(DimensionSweep(name="batch", sizes=(1, 2)), DimensionSweep(name="length", sizes=(16,))),
    )
    assert [sizes_text(trial, setup) for trial in trials_of(setup)] == ["batch=1, length=16", "batch=2, length=16"]
    assert sizes_text(SETTINGS, Setup(settings=SETTINGS)) == ""


def test_that_several_trials_are_compared_and_failures_named() -> None:
    failure = Failure(kind=FailureKind.DIED, message="It died.")
    rows = comparison_rows(
        [
            ("batch=1", result()),
            ("batch=2", result(failure=failure, outcome=Outcome.FAILED)),
            ("batch=4", result(statistics=None, failure=failure, outcome=Outcome.FAILED)),
        ]
    )
    assert rows == [
        ("batch=1", "median 2.000 µs, 500.0 /s"),
        ("batch=2", "median 2.000 µs, 500.0 /s (failed)"),
        ("batch=4", "failed"),
    ]


def test_that_a_compiled_model_is_said_with_time_size_nodes_and_places() -> None:
    compiled = CompiledModel(
        path="/c/net_ctx.onnx",
        size_bytes=3_500_000,
        duration_ns=1_200_000_000,
        files=("/c/net_ctx.onnx", "/c/net_ctx.bin"),
        context_nodes=1,
        other_nodes=2,
    )
    assert compiled_rows(SETTINGS, compiled, DEVICES) == [
        ("Model", "/m/net.onnx"),
        ("Target", "Fast (GPU Maker), then CPUExecutionProvider (CPU AMD)"),
        ("Compiled", "in 1.200 s"),
        ("Size", "3.3 MiB"),
        ("Nodes", "1 EPContext, 2 not compiled"),
        ("Saved", "/c/net_ctx.onnx"),
        ("Saved", "/c/net_ctx.bin"),
    ]
    bare = replace(compiled, files=(), context_nodes=None, other_nodes=None)
    assert [name for name, _value in compiled_rows(SETTINGS, bare, DEVICES)] == [
        *("Model", "Target", "Compiled", "Size", "Saved")
    ]


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1.0 KiB"),
        (1536 * 1024, "1.5 MiB"),
        (3 << 30, "3.0 GiB"),
        (5 << 40, "5120.0 GiB"),
    ],
)
def test_that_a_size_has_the_unit_that_suits_it(size: int, text: str) -> None:
    assert size_text(size) == text
