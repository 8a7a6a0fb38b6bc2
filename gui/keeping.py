"""The window's trials as they are kept, and kept ones as the window shows them."""

from __future__ import annotations

from dataclasses import replace

from .records.compared import Compared
from .records.kept_trial import KeptTrial, machine_text
from .records.result import Outcome
from .records.statistics import LatencyStatistics, summarize
from .records.trial import Ending, TrialFacts
from .records.trial_log import TrialLog
from .targets import target_text
from .trial_run import TrialRun


def kept_trial_of(trial: TrialRun) -> KeptTrial:
    """Return all that is known of a trial that has ended; its samples are not copied.

    Before `TrialRun.is_settled` the statistics are computed here, which takes a while for millions of samples.
    """
    return _kept(trial, trial.outcome, trial.facts, trial.exact or trial.exact_statistics())


def kept_so_far(trial: TrialRun) -> KeptTrial:
    """Return a trial of a comparison that is under way as if it had been stopped after the last round.

    Its samples are not copied, and its statistics not computed.
    """
    rounds = () if trial.comparison is None else trial.comparison.rounds
    count, measured_ns = sum(part.sample_count for part in rounds), sum(part.measured_ns for part in rounds)
    facts = replace(trial.facts, ending=Ending.STOPPED, sample_count=count, measured_ns=measured_ns)
    kept = _kept(trial, Outcome.STOPPED, facts, None)
    return replace(kept, samples=kept.samples[:count], elapsed_ns=measured_ns)


def _kept(trial: TrialRun, outcome: Outcome, facts: TrialFacts, statistics: LatencyStatistics | None) -> KeptTrial:
    devices = trial.reachable
    if not trial.is_opened:  # else they are those that were kept
        taken = set(facts.target_devices) - {device.key for device in trial.devices}
        devices = (*trial.devices, *(device for device in trial.reachable if device.key in taken))
    return KeptTrial(
        id=trial.id,
        created=trial.created,
        settings=trial.settings,
        outcome=outcome,
        facts=facts,
        failure=trial.failure,
        statistics=statistics,
        remarks=trial.remarks,
        samples=trial.series.values,
        warmup=trial.warmup.values,
        elapsed_ns=trial.elapsed_ns,
        log=trial.log.lines,
        log_left_out=trial.log.left_out,
        nodes=trial.nodes,
        environment=trial.environment,
        devices=devices,
        target_text=trial.target_text,
        libraries=trial.libraries,
        registrations=trial.registrations,
        profile=trial.profile,
        comparison=trial.comparison,
        tags=trial.tags,
        note=trial.note,
    )


def compared_run(trial: TrialRun) -> Compared:
    """Return a trial of the window, ended or not, as a row of a comparison; its samples are not copied."""
    return Compared(
        id=trial.id,
        label=trial.target_text if trial.comparison is None else trial.comparison.label,
        target_text=trial.target_text,
        settings=trial.settings,
        facts=trial.facts,
        outcome=trial.outcome,
        failure=trial.failure,
        samples=trial.series.values,
        elapsed_ns=trial.elapsed_ns,
        statistics=trial.statistics(),
        part=trial.comparison,
        machine=machine_text(trial.environment),
        onnxruntime="" if trial.environment is None else trial.environment.onnxruntime,
        created=trial.created,
    )


def trial_run_of(kept: KeptTrial, number: int, file_name: str = "") -> TrialRun:
    """Return a kept trial for the window's list, under a number of this sitting; `file_name` when it is from a file.

    ORT's trace is not taken over: where the profile says it lies, another file may lie here.
    """
    target = kept.settings.target
    chosen = {*target.device_keys, *target.second_keys}
    profile = None if kept.profile is None else replace(kept.profile, trace_path="", trace_bytes=0)
    statistics = kept.statistics
    if statistics is None and len(kept.samples):
        statistics = summarize(kept.samples, kept.elapsed_ns)
    trial = TrialRun(
        id=kept.id,
        created=kept.created,
        number=number,
        settings=kept.settings,
        model_name=kept.model_name,
        target_text=kept.target_text or target_text(target, kept.devices),
        devices=tuple(device for device in kept.devices if device.key in chosen),
        reachable=kept.devices,
        facts=kept.facts,
        outcome=kept.outcome,
        failure=kept.failure,
        elapsed_ns=kept.elapsed_ns or kept.facts.measured_ns,
        exact=statistics,
        nodes=kept.nodes,
        log=TrialLog.restored(kept.log, kept.log_left_out),
        remarks=kept.remarks,
        registrations=kept.registrations,
        profile=profile,
        environment=kept.environment,
        libraries=kept.libraries,
        file_name=file_name,
        is_from_history=not file_name,
        tags=kept.tags,
        note=kept.note,
        comparison=kept.comparison,
    )
    trial.series.append(kept.samples)
    trial.warmup.append(kept.warmup)
    return trial
