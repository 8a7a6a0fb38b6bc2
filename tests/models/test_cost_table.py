"""What a trial cost, line by line and piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QLocale

from gui.models.cost_table import CostStage, StageTime, cost_measures, stage_times
from gui.models.texts import DASH
from gui.models.trial_table import MeasureTableModel
from gui.records.costs import AcceleratorUse, TrialCosts
from gui.records.trial import Target, TrialFacts, TrialSettings
from gui.trial_run import TrialRun

from .makers import ModelTester, trial

MIB = 1 << 20
COSTS = TrialCosts(
    memory_before_bytes=100 * MIB,
    memory_created_bytes=220 * MIB,
    memory_peak_bytes=260 * MIB,
    cpu_ns=190_000_000,
    cpu_count=2,
)
FACTS = TrialFacts(session_creation_ns=12_000_000, first_run_ns=3_000_000, measured_ns=100_000_000, costs=COSTS)


@pytest.fixture(autouse=True)
def _c_locale() -> Iterator[None]:
    before = QLocale()
    QLocale.setDefault(QLocale.c())
    yield
    QLocale.setDefault(before)


def told(run: TrialRun) -> dict[str, str]:
    return {measure.name: measure.value for measure in cost_measures(run)}


def with_costs(**fields: object) -> dict[str, str]:
    """The lines of a trial with other costs."""
    return told(trial(1, facts=replace(FACTS, costs=replace(COSTS, **fields))))  # type: ignore[arg-type]


def test_that_no_trial_has_no_costs() -> None:
    assert cost_measures(None) == ()
    assert stage_times(None) == ()


def test_that_what_is_not_known_yet_is_a_dash() -> None:
    values = told(trial(1))
    assert values.pop("Library registration") == "part of ONNX Runtime"
    assert set(values.values()) == {DASH}
    assert stage_times(trial(1)) == ()


def test_that_all_costs_are_told_in_their_order() -> None:
    run = trial(1, 400_000, 500_000, 600_000, facts=FACTS, registrations=(("ggml", 18_000_000), ("qnn", None)))
    run.warmup.append(np.array([2_000_000, 3_000_000], np.int64))
    assert list(told(run).items()) == [
        ("Registration of “ggml”", "18.00 ms"),
        ("Registration of “qnn”", DASH),
        ("Session creation", "12.00 ms"),
        ("First run", "3.000 ms"),
        ("Warm-up", "2 runs, 5.000 ms"),
        ("Measuring", "3 runs, 100.0 ms"),
        ("Steady run", "500.0 µs"),
        ("Memory before the session", "100.0 MiB"),
        ("Memory with the session", "220.0 MiB (+120.0 MiB)"),
        ("Memory at its peak", "260.0 MiB (+160.0 MiB)"),
        ("CPU use", "1.9 of 2 cores"),
        ("GPU, NPU use", "not available here"),
    ]


def test_that_memory_given_back_is_told_with_a_minus() -> None:
    assert with_costs(memory_created_bytes=99 * MIB)["Memory with the session"] == "99.0 MiB (−1.0 MiB)"


def test_that_a_peak_of_earlier_trials_is_not_compared_with_this_one() -> None:
    values = with_costs(peak_since_start=True)
    assert values["Peak since the engine began"] == "260.0 MiB"
    assert "Memory at its peak" not in values


@pytest.mark.parametrize(
    ("cpu_ns", "cpu_count", "said"),
    [
        (5_000_000, 8, "0.05 of 8 cores"),
        (1_234_000_000, 64, "12.3 of 64 cores"),
        (100_000_000, 0, "1.0"),
        (None, 2, DASH),
    ],
)
def test_that_processor_time_is_told_in_cores(cpu_ns: int | None, cpu_count: int, said: str) -> None:
    assert with_costs(cpu_ns=cpu_ns, cpu_count=cpu_count)["CPU use"] == said


def test_that_gpus_are_not_called_missing_before_measuring_has_ended() -> None:
    assert with_costs(cpu_ns=None)["GPU, NPU use"] == DASH


def test_that_each_accelerator_has_a_line_with_its_source_in_the_tip() -> None:
    uses = (
        AcceleratorUse(name="amdgpu", source="/proc/self/fdinfo", busy_share=0.456),
        AcceleratorUse(name="amdgpu", source="/sys/x", busy_share=1.0, memory_bytes=MIB, of_this_engine=False),
        AcceleratorUse(name="GeForce", source="NVML", memory_bytes=2 * MIB),
        AcceleratorUse(name="mute", source="NVML"),
    )
    measures = cost_measures(trial(1, facts=replace(FACTS, costs=replace(COSTS, accelerators=uses))))[-4:]
    assert [(measure.name, measure.value) for measure in measures] == [
        ("amdgpu", "46 % busy"),
        ("amdgpu (all programs)", "100 % busy, 1.0 MiB"),
        ("GeForce", "2.0 MiB"),
        ("mute", DASH),
    ]
    assert "/proc/self/fdinfo" in measures[0].tip
    assert "engine" in measures[0].tip
    assert "all programs" in measures[1].tip.lower()


def test_that_the_pieces_are_what_came_before_measuring() -> None:
    settings = TrialSettings(model_path="/m.onnx", target=Target(device_keys=("cpu",)), callers=2)
    run = trial(1, 5, 6, facts=FACTS, settings=settings, registrations=(("a", 10), ("b", 20), ("c", None)))
    run.warmup.append(np.array([200, 300], np.int64))
    assert stage_times(run) == (
        StageTime(stage=CostStage.REGISTRATION, nanoseconds=30),
        StageTime(stage=CostStage.CREATION, nanoseconds=12_000_000),
        StageTime(stage=CostStage.FIRST_RUN, nanoseconds=3_000_000),
        StageTime(stage=CostStage.WARM_UP, nanoseconds=250),  # two callers at the same time
    )


def test_that_a_table_of_costs_keeps_the_rules_of_item_models(qtmodeltester: ModelTester) -> None:
    model = MeasureTableModel()
    qtmodeltester.check(model)
    for run in (None, trial(1), trial(1, 5, 6, facts=FACTS, registrations=(("a", 1), ("b", 2))), trial(2), None):
        model.set_rows(cost_measures(run))
        names = [measure.name for measure in model.rows]
        assert len(set(names)) == len(names)
