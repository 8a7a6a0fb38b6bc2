"""What the command line says of trials and compiled models."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gui.records.check import Agreement, OutputCheck, OutputDifference
from gui.records.costs import AcceleratorUse, TrialCosts
from gui.records.device import Device, DeviceType, HardwareDevice, with_keys
from gui.records.failure import Failure, FailureKind
from gui.records.inputs import Fill, InputFact, InputSource, SourceKind
from gui.records.latency_remarks import Remark, RemarkKind
from gui.records.log import LogRecord, LogSeverity
from gui.records.placement import OpCount, Placement
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
from gui.records.trial_log import TrialLog, TrialLogLine
from gui.trial_summary import (
    comparison_rows,
    compiled_rows,
    ending_text,
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
        *("Samples", "Min", "Median", "Mean", "p90", "p95", "p99", "p99.9", "Max"),
        *("Std deviation", "Variation", "Throughput"),
    ]
    assert dict(rows) | {
        "Target": "Fast (GPU, Maker), then CPUExecutionProvider (CPU, AMD)",
        "Ran on": "Fast (3 of 4 nodes), CPUExecutionProvider (1 of 4 nodes)",
        "Ended": "after 200 runs",
        "Median": "2.000 µs",
        "p99": "3.000 µs (rough: fewer than 200 samples)",
        "p99.9": "3.000 µs (rough: fewer than 2000 samples)",
        "Variation": "50.00% (std deviation / mean)",
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
        ("Target", "Fast (GPU, Maker), then CPUExecutionProvider (CPU, AMD)"),
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


# ---- Costs ----

MIB = 1 << 20


def cost_rows(costs: TrialCosts) -> list[tuple[str, str]]:
    """What is said between the first run and the samples."""
    rows = trial_rows(result(replace(FACTS, costs=costs, measured_ns=1_000_000_000)), DEVICES)
    names = [name for name, _value in rows]
    return rows[names.index("First run") + 1 : names.index("Samples")]


def test_that_costs_are_said_with_what_the_session_added() -> None:
    uses = (
        AcceleratorUse(name="amdgpu, engine gfx", source="/proc", busy_share=0.25),
        AcceleratorUse(name="Intel NPU", source="/sys", busy_share=0.5, memory_bytes=MIB, of_this_engine=False),
    )
    costs = TrialCosts(
        memory_before_bytes=10 * MIB,
        memory_created_bytes=30 * MIB,
        memory_peak_bytes=9 * MIB,
        cpu_ns=1_900_000_000,
        cpu_count=2,
        accelerators=uses,
    )
    assert cost_rows(costs) == [
        ("Memory, before", "10.0 MiB"),
        ("Memory, session", "30.0 MiB (+20.0 MiB)"),
        ("Memory, peak", "9.0 MiB (-1.0 MiB)"),
        ("CPU use", "1.90 of 2 cores"),
        ("GPU, NPU use", "amdgpu, engine gfx: 25% busy"),
        ("GPU, NPU use", "Intel NPU (all programs): 50% busy, 1.0 MiB"),
    ]


def test_that_costs_that_are_not_known_are_not_said() -> None:
    assert cost_rows(TrialCosts()) == []
    assert cost_rows(TrialCosts(cpu_ns=1_000_000_000, cpu_count=1)) == [
        ("CPU use", "1.00 of 1 cores"),
        ("GPU, NPU use", "not available here"),
    ]


def test_that_a_peak_of_earlier_trials_is_called_so() -> None:
    costs = TrialCosts(memory_before_bytes=MIB, memory_peak_bytes=2 * MIB, peak_since_start=True)
    assert cost_rows(costs)[-1] == ("Memory, peak", "2.0 MiB (since the engine began)")


# ---- What really ran, and whether it is right ----


def placed(**counts: int) -> tuple[Placement, ...]:
    return tuple(
        Placement(ep_name=name, node_count=count, op_types=(OpCount(op_type="Conv", count=count),))
        for name, count in counts.items()
    )


def test_that_the_verdict_is_said_where_the_wanted_ep_is_known() -> None:
    facts = replace(FACTS, placement=placed(Fast=3, CPUExecutionProvider=1), wanted_eps=("Fast",))
    rows = trial_rows(result(facts), DEVICES)
    assert values(rows, "Ran on") == ["Fast ran 3 of 4 nodes; 1 on CPUExecutionProvider: Conv."]
    assert values(rows, "ALARM") == []


def test_that_an_ep_that_ran_nothing_is_an_alarm_with_its_reasons() -> None:
    log = TrialLog()
    record = LogRecord(time=0.0, severity=LogSeverity.ERROR, source="onnxruntime", message="no licence")
    log.add([TrialLogLine(stage="creating session", record=record)])
    facts = replace(FACTS, placement=placed(CPUExecutionProvider=4), wanted_eps=("Fast",))
    rows = trial_rows(result(facts), DEVICES, log)
    assert values(rows, "ALARM") == ["Fast ran no node: these latencies are those of CPUExecutionProvider."]
    assert values(rows, "It said") == ["no licence"]


def test_that_reasons_are_not_said_where_all_is_as_wanted() -> None:
    log = TrialLog()
    record = LogRecord(time=0.0, severity=LogSeverity.WARNING, source="onnxruntime", message="be careful")
    log.add([TrialLogLine(stage="creating session", record=record)])
    facts = replace(FACTS, placement=placed(Fast=4), wanted_eps=("Fast",))
    assert values(trial_rows(result(facts), DEVICES, log), "It said") == []


def test_that_a_policy_that_lands_on_the_cpu_is_warned_of() -> None:
    facts = replace(FACTS, target_devices=(CPU.key,), wanted_eps=("CPUExecutionProvider",))
    for policy, warned in ((Policy.PREFER_NPU, True), (Policy.MAX_PERFORMANCE, True), (Policy.PREFER_CPU, False)):
        settings = replace(SETTINGS, target=Target(policy=policy))
        (*warning,) = values(trial_rows(result(facts, settings), DEVICES), "Warning")
        assert bool(warning) is warned
        assert all(policy.value in text for text in warning)


def test_that_the_interval_of_the_median_stands_beside_it() -> None:
    statistics = summarize(samples(*range(1_000, 101_000, 1_000)), 0)
    (median,) = values(trial_rows(result(statistics=statistics), DEVICES), "Median")
    assert median == "50.00 µs (95 %: 40.00 µs to 61.00 µs)"


def test_that_outputs_that_differ_are_said_with_how_much() -> None:
    different = OutputDifference(
        name="y",
        type="tensor(float)",
        agreement=Agreement.DIFFERENT,
        element_count=8,
        mismatches=7,
        max_absolute=0.25,
        max_relative=0.5,
        cosine=0.9999,
        snr_db=6.02,
        top1_agreement=0.5,
        nan_count=1,
    )
    same = OutputDifference(name="z", type="tensor(float)", agreement=Agreement.IDENTICAL)
    check = OutputCheck(agreement=Agreement.DIFFERENT, outputs=(different, same))
    rows = trial_rows(result(replace(FACTS, check=check)), DEVICES)
    assert values(rows, "Outputs") == ["different from the CPU's"]
    assert values(rows, "  y") == [
        (
            "different from the CPU's, 7 of 8 elements beyond the tolerance, max |a-b| 0.25, max relative 0.5, "
            "SNR 6.02 dB, cosine 0.999900, top-1 agrees in 50.0%, 1 NaN and 0 Inf, the CPU's 0 and 0"
        )
    ]
    assert values(rows, "  z") == []


def test_that_remarks_are_said_with_what_to_do() -> None:
    remark = Remark(kind=RemarkKind.DRIFTING, text="It drifts.", advice="Let it cool.")
    assert values(trial_rows(result(), DEVICES, remarks=(remark,)), "Remark") == ["It drifts. Let it cool."]


def test_that_a_model_without_a_node_left_is_an_alarm() -> None:
    rows = trial_rows(result(replace(FACTS, placement=(), wanted_eps=("Fast",))), DEVICES)
    assert values(rows, "Ran on") == ["No node is left to run: ORT folded the model into constants."]
    assert values(rows, "ALARM") == ["ORT left no node to run, so this is nobody's latency."]
