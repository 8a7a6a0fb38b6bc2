"""What the command line says of a trial: names and values, one line each. Always in the C locale."""

from __future__ import annotations

from .records.check import Agreement, OutputCheck, OutputDifference
from .records.costs import AcceleratorUse, cpu_share
from .records.device import Device, type_in_key
from .records.latency_remarks import Remark
from .records.placement import PlacementVerdict, judge_placement, placement_text, verdict_text
from .records.policies import missed_preference
from .records.result import TrialResult
from .records.setup import Setup
from .records.setup_file import device_text
from .records.statistics import MIN_P99_SAMPLES, MIN_P999_SAMPLES, LatencyStatistics
from .records.trial import CompiledModel, Ending, Target, TrialFacts, TrialSettings
from .records.trial_log import TrialLog, placement_reasons
from .records.trial_setup_rows import control_rows, input_text
from .records.units import size_text, time_text

Rows = list[tuple[str, str]]


def trial_rows(
    result: TrialResult,
    devices: tuple[Device, ...],
    log: TrialLog | None = None,
    remarks: tuple[Remark, ...] = (),
) -> Rows:
    """Return all that is said of a trial; `devices` are those there."""
    settings, facts = result.settings, result.facts
    rows = [
        ("Model", settings.model_path),
        ("Target", target_text(settings.target, devices)),
        *(("Input", f"{fact.name}, {input_text(fact)}") for fact in facts.inputs),
        *control_rows(settings),
        *_placement_rows(settings.target, facts, log),
        ("Outcome", result.outcome.value),
    ]
    if facts.ending is not None:
        rows.append(("Ended", ending_text(settings, facts)))
    rows += [
        ("Session creation", time_text(facts.session_creation_ns)),
        ("First run", time_text(facts.first_run_ns)),
        *_cost_rows(facts),
    ]
    if result.statistics is not None:
        rows += _statistics_rows(result.statistics)
    rows += [("Remark", f"{remark.text} {remark.advice}") for remark in remarks]
    if facts.check is not None:
        rows += _check_rows(facts.check)
    if facts.non_finite_outputs:
        rows.append(("Warning", f"NaN or infinity in {', '.join(facts.non_finite_outputs)}"))
    rows += [("Note", note) for note in facts.notes]
    rows += [("Saved", path) for path in facts.saved_files]
    return rows


def _placement_rows(target: Target, facts: TrialFacts, log: TrialLog | None) -> Rows:
    """Return which EPs ran the nodes, and an alarm when the wanted one ran none or a policy missed what it prefers."""
    rows = [("Ran on", verdict_text(facts.placement, facts.wanted_eps) or placement_text(facts.placement) or "–")]
    if judge_placement(facts.placement, facts.wanted_eps) is PlacementVerdict.NONE:
        others = ", ".join(part.ep_name for part in facts.placement or ())
        rows.append(("ALARM", f"{facts.wanted_eps[0]} ran no node: these latencies are those of {others}."))
    if judge_placement(facts.placement, facts.wanted_eps) is PlacementVerdict.EMPTY:
        rows.append(("ALARM", "ORT left no node to run, so this is nobody's latency."))
    taken = next((kind for key in facts.target_devices if (kind := type_in_key(key)) is not None), None)
    missed = "" if target.policy is None else missed_preference(target.policy, taken)
    if missed:
        rows.append(("Warning", missed))
    if log is not None and judge_placement(facts.placement, facts.wanted_eps) is not PlacementVerdict.ALL:
        rows += [("It said", reason) for reason in placement_reasons(log.lines, facts.wanted_eps)]
    return rows


def _cost_rows(facts: TrialFacts) -> Rows:
    """Return memory, processors, GPUs and NPUs; nothing of what is not known."""
    costs = facts.costs
    if costs is None:
        return []
    rows = []
    if costs.memory_before_bytes is not None:
        rows.append(("Memory, before", size_text(costs.memory_before_bytes)))
    if costs.memory_created_bytes is not None:
        rows.append(("Memory, session", _more_text(costs.memory_created_bytes, costs.memory_before_bytes)))
    if costs.memory_peak_bytes is not None:
        since_start = costs.peak_since_start
        text = _more_text(costs.memory_peak_bytes, None if since_start else costs.memory_before_bytes)
        rows.append(("Memory, peak", text + (" (since the engine began)" if since_start else "")))
    share = cpu_share(costs, facts.measured_ns)
    if share is not None:
        rows.append(("CPU use", f"{share:.2f} of {costs.cpu_count} cores"))
    if costs.accelerators:
        rows += [("GPU, NPU use", _accelerator_text(use)) for use in costs.accelerators]
    elif costs.cpu_ns is not None:
        rows.append(("GPU, NPU use", "not available here"))
    return rows


def _more_text(size_bytes: int, before: int | None) -> str:
    """Return a size and how much it is more than before."""
    if before is None:
        return size_text(size_bytes)
    sign = "+" if size_bytes >= before else "-"
    return f"{size_text(size_bytes)} ({sign}{size_text(abs(size_bytes - before))})"


def _accelerator_text(use: AcceleratorUse) -> str:
    parts = [] if use.busy_share is None else [f"{use.busy_share:.0%} busy"]
    parts += [] if use.memory_bytes is None else [size_text(use.memory_bytes)]
    return f"{use.name}{'' if use.of_this_engine else ' (all programs)'}: {', '.join(parts) or '–'}"


def _check_rows(check: OutputCheck) -> Rows:
    rows = [("Outputs", check.agreement.value + (f": {check.note}" if check.note else ""))]
    rows += [
        (f"  {output.name}", _difference_text(output))
        for output in check.outputs
        if output.agreement in (Agreement.DIFFERENT, Agreement.WITHIN) or output.note
    ]
    return rows


def _difference_text(output: OutputDifference) -> str:
    parts = [output.agreement.value]
    if output.mismatches:
        parts.append(f"{output.mismatches} of {output.element_count} elements beyond the tolerance")
    for name, value, unit in (
        ("max |a-b|", output.max_absolute, ""),
        ("max relative", output.max_relative, ""),
        ("SNR", output.snr_db, " dB"),
        ("cosine", output.cosine, ""),
    ):
        if value is not None:
            parts.append(f"{name} {value:.3g}{unit}" if name != "cosine" else f"{name} {value:.6f}")
    if output.top1_agreement is not None:
        parts.append(f"top-1 agrees in {output.top1_agreement:.1%}")
    if (output.nan_count, output.inf_count) != (output.reference_nan_count, output.reference_inf_count):
        parts.append(
            f"{output.nan_count} NaN and {output.inf_count} Inf, the CPU's"
            f" {output.reference_nan_count} and {output.reference_inf_count}"
        )
    return ", ".join(parts) + (f". {output.note}" if output.note else "")


def target_text(target: Target, devices: tuple[Device, ...]) -> str:
    """Return a target in words: a policy's name, or its devices in their order."""
    if target.policy is not None:
        return target.policy.value
    return ", then ".join(_devices_text(keys, devices) for keys in (target.device_keys, target.second_keys) if keys)


def ending_text(settings: TrialSettings, facts: TrialFacts) -> str:
    """Return why measuring ended, in words."""
    rule = settings.stop_rule
    match facts.ending:
        case Ending.ITERATIONS:
            return f"after {facts.sample_count} runs"
        case Ending.STABLE:
            return f"the median is stable within {rule.stable_percent:g} %"
        case Ending.SECONDS if rule.stable_percent is not None:
            return f"after {rule.seconds:g} s, the median not yet stable within {rule.stable_percent:g} %"
        case Ending.SECONDS:
            return f"after {rule.seconds:g} s"
    return "stopped"


def compiled_rows(settings: TrialSettings, compiled: CompiledModel, devices: tuple[Device, ...]) -> Rows:
    """Return all that is said of a compiled model."""
    rows = [
        ("Model", settings.model_path),
        ("Target", target_text(settings.target, devices)),
        ("Compiled", f"in {time_text(compiled.duration_ns)}"),
        ("Size", size_text(compiled.size_bytes)),
    ]
    if compiled.context_nodes is not None:
        rows.append(("Nodes", f"{compiled.context_nodes} EPContext, {compiled.other_nodes} not compiled"))
    return rows + [("Saved", path) for path in compiled.files or (compiled.path,)]


def sizes_text(settings: TrialSettings, setup: Setup) -> str:
    """Return the sizes that tell a trial of a set-up from its others: `batch=4, length=16`; empty when it is alone."""
    names = {sweep.name for sweep in setup.sweeps}
    return ", ".join(f"{entry.name}={entry.size}" for entry in settings.dimensions if entry.name in names)


def comparison_rows(results: list[tuple[str, TrialResult]]) -> Rows:
    """Return the median and the throughput of each of several trials, or what became of it, by its sizes."""
    rows = []
    for sizes, result in results:
        text = result.outcome.value
        if result.statistics is not None:
            text = f"median {time_text(result.statistics.median_ns)}, {_throughput_text(result.statistics)}"
            text += "" if result.failure is None else f" ({result.outcome.value})"
        rows.append((sizes, text))
    return rows


def _devices_text(keys: tuple[str, ...], devices: tuple[Device, ...]) -> str:
    chosen = (device for device in devices if device.key in keys)
    return ", ".join(map(device_text, chosen))


def _statistics_rows(statistics: LatencyStatistics) -> Rows:
    return [
        ("Samples", str(statistics.count)),
        ("Min", time_text(statistics.min_ns)),
        ("Median", time_text(statistics.median_ns) + _interval_text(statistics)),
        ("Mean", time_text(statistics.mean_ns)),
        ("p90", time_text(statistics.p90_ns)),
        ("p95", time_text(statistics.p95_ns)),
        ("p99", time_text(statistics.p99_ns) + _rough_text(MIN_P99_SAMPLES, is_rough=statistics.is_p99_rough)),
        ("p99.9", time_text(statistics.p999_ns) + _rough_text(MIN_P999_SAMPLES, is_rough=statistics.is_p999_rough)),
        ("Max", time_text(statistics.max_ns)),
        ("Std deviation", time_text(statistics.std_ns)),
        ("Variation", "–" if statistics.variation is None else f"{statistics.variation:.2%} (std deviation / mean)"),
        ("Throughput", _throughput_text(statistics)),
    ]


def _interval_text(statistics: LatencyStatistics) -> str:
    if statistics.median_low_ns is None:
        return ""
    return f" (95 %: {time_text(statistics.median_low_ns)} to {time_text(statistics.median_high_ns)})"


def _rough_text(least: int, *, is_rough: bool) -> str:
    return f" (rough: fewer than {least} samples)" if is_rough else ""


def _throughput_text(statistics: LatencyStatistics) -> str:
    throughput = statistics.throughput_per_s
    return "–" if throughput is None else f"{throughput:.1f} /s"
