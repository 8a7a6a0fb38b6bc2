"""What a trial cost: time by stage, memory, processors, GPUs and NPUs, as lines of a table and as pieces of a bar."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import QCoreApplication, QLocale

from ..records.costs import AcceleratorUse, TrialCosts, cpu_share
from ..trial_run import TrialRun
from .texts import DASH, count_text, size_text, time_text
from .trial_table import Measure


def _tr(text: str) -> str:
    return QCoreApplication.translate("CostTable", text)


class CostStage(Enum):
    """What takes time before the first timed run."""

    REGISTRATION = "registration"
    CREATION = "creation"
    FIRST_RUN = "first run"
    WARM_UP = "warm-up"


@dataclass(frozen=True, slots=True, kw_only=True)
class StageTime:
    """One piece of the bar."""

    stage: CostStage
    nanoseconds: int


def stage_name(stage: CostStage) -> str:
    """Return a stage in words."""
    match stage:
        case CostStage.REGISTRATION:
            return _tr("Registration")
        case CostStage.CREATION:
            return _tr("Session creation")
        case CostStage.FIRST_RUN:
            return _tr("First run")
    return _tr("Warm-up")


def stage_times(trial: TrialRun | None) -> tuple[StageTime, ...]:
    """Return what took time before the first timed run, in its order; nothing of what is not known.

    Measuring is none of it: how long that takes is the user's choice, not a cost.
    """
    if trial is None:
        return ()
    known = [taken for _, taken in trial.registrations if taken is not None]
    times = (
        (CostStage.REGISTRATION, sum(known) if known else None),
        (CostStage.CREATION, trial.facts.session_creation_ns),
        (CostStage.FIRST_RUN, trial.facts.first_run_ns),
        # Several callers warm up at the same time.
        (CostStage.WARM_UP, _warmup_ns(trial) // trial.settings.callers if len(trial.warmup) else None),
    )
    return tuple(StageTime(stage=stage, nanoseconds=taken) for stage, taken in times if taken is not None)


def cost_measures(trial: TrialRun | None) -> tuple[Measure, ...]:
    """Return what a trial cost, a line each; dashes for what is not known (yet), nothing without a trial."""
    if trial is None:
        return ()
    costs = trial.facts.costs or TrialCosts()
    return (
        *_registration_measures(trial),
        *_time_measures(trial),
        *_memory_measures(costs),
        _cpu_measure(trial),
        *_accelerator_measures(costs),
    )


def _registration_measures(trial: TrialRun) -> tuple[Measure, ...]:
    tip = _tr("How long ONNX Runtime took to load and register the EP library: once an engine, not once a trial")
    if not trial.registrations:
        return (Measure(name=_tr("Library registration"), value=_tr("part of ONNX Runtime"), tip=tip),)
    name = _tr("Registration of “{0}”")
    return tuple(
        Measure(name=name.format(library), value=time_text(taken), tip=tip) for library, taken in trial.registrations
    )


def _time_measures(trial: TrialRun) -> tuple[Measure, ...]:
    facts, statistics = trial.facts, trial.statistics()
    warmup = DASH
    if len(trial.warmup):
        warmup = _tr("{0} runs, {1}").format(count_text(len(trial.warmup)), time_text(_warmup_ns(trial)))
    measuring = DASH
    measured_ns = facts.measured_ns or trial.elapsed_ns
    if measured_ns and statistics is not None:
        measuring = _tr("{0} runs, {1}").format(count_text(statistics.count), time_text(measured_ns))
    return (
        Measure(
            name=stage_name(CostStage.CREATION),
            value=time_text(facts.session_creation_ns),
            tip=_tr("Reading the model, optimising it, and what the EPs compile"),
        ),
        Measure(
            name=stage_name(CostStage.FIRST_RUN),
            value=time_text(facts.first_run_ns),
            tip=_tr("Not part of the samples"),
        ),
        Measure(
            name=stage_name(CostStage.WARM_UP),
            value=warmup,
            tip=_tr("The time of all its runs together. Not part of the samples"),
        ),
        Measure(
            name=_tr("Measuring"),
            value=measuring,
            tip=_tr("Wall-clock time of the measuring stage, pauses included; how long it takes is set under Run"),
        ),
        Measure(
            name=_tr("Steady run"),
            value=time_text(None if statistics is None else statistics.median_ns),
            tip=_tr("The median of the samples: what a run costs from then on"),
        ),
    )


def _memory_measures(costs: TrialCosts) -> tuple[Measure, ...]:
    before = costs.memory_before_bytes
    tip = _tr("Resident memory of the engine's process, with what it keeps of earlier trials. {0}")
    if costs.peak_since_start:
        # How much that is more than before says nothing of this trial.
        peak_tip = _tr("The most since the engine was started: this system does not tell the peak of a trial alone.")
        peak = _bytes_text(costs.memory_peak_bytes, None)
    else:
        peak_tip = _tr("The most until measuring ended; in brackets the difference to that before the session.")
        peak = _bytes_text(costs.memory_peak_bytes, before)
    return (
        Measure(
            name=_tr("Memory before the session"),
            value=_bytes_text(before, None),
            tip=tip.format(_tr("With the inputs made and no session yet.")),
        ),
        Measure(
            name=_tr("Memory with the session"),
            value=_bytes_text(costs.memory_created_bytes, before),
            tip=tip.format(_tr("In brackets the difference to that before.")),
        ),
        Measure(
            name=_tr("Peak since the engine began") if costs.peak_since_start else _tr("Memory at its peak"),
            value=peak,
            tip=tip.format(peak_tip),
        ),
    )


def _cpu_measure(trial: TrialRun) -> Measure:
    costs = trial.facts.costs
    share = cpu_share(costs, trial.facts.measured_ns)
    value = DASH
    if share is not None and costs is not None:
        used = QLocale().toString(share, "f", 2 if share < 1 else 1)
        value = _tr("{0} of {1} cores").format(used, count_text(costs.cpu_count)) if costs.cpu_count else used
    return Measure(
        name=_tr("CPU use"),
        value=value,
        tip=_tr(
            "Processor time of all the engine's threads over the wall-clock time of measuring: 1 is one core busy "
            "all the time. Threads that wait by spinning count too."
        ),
    )


def _accelerator_measures(costs: TrialCosts) -> tuple[Measure, ...]:
    if costs.accelerators:
        return tuple(map(_accelerator_measure, costs.accelerators))
    return (
        Measure(
            name=_tr("GPU, NPU use"),
            # Until measuring has ended it is not known whether there is something to tell.
            value=DASH if costs.cpu_ns is None else _tr("not available here"),
            tip=_tr(
                "It would come from Linux's files of DRM drivers (/proc/self/fdinfo), of Intel's NPU and AMD's GPUs "
                "(/sys/class/accel, /sys/class/drm), or from NVIDIA's library with the Python package nvidia-ml-py."
            ),
        ),
    )


def _accelerator_measure(use: AcceleratorUse) -> Measure:
    parts = []
    if use.busy_share is not None:
        parts.append(_tr("{0} % busy").format(QLocale().toString(use.busy_share * 100, "f", 0)))
    if use.memory_bytes is not None:
        parts.append(size_text(use.memory_bytes))
    whose = (
        _tr("Of this engine alone, while it measured")
        if use.of_this_engine
        else _tr("Of all programs on this machine, while the engine measured")
    )
    return Measure(
        name=use.name if use.of_this_engine else _tr("{0} (all programs)").format(use.name),
        value=", ".join(parts) or DASH,
        tip=_tr("{0}. Told by {1}").format(whose, use.source),
    )


def _bytes_text(size: int | None, before: int | None) -> str:
    if size is None:
        return DASH
    if before is None:
        return size_text(size)
    sign = "+" if size >= before else "−"
    return _tr("{0} ({1}{2})").format(size_text(size), sign, size_text(abs(size - before)))


def _warmup_ns(trial: TrialRun) -> int:
    return round((trial.warmup_mean_ns() or 0.0) * len(trial.warmup))
