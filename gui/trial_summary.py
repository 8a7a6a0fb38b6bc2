"""What the command line says of a trial: names and values, one line each. Always in the C locale."""

from __future__ import annotations

from .records.device import Device
from .records.inputs import InputFact, source_text
from .records.placement import placement_text
from .records.result import TrialResult
from .records.setup import Setup
from .records.statistics import LatencyStatistics
from .records.trial import Binding, CompiledModel, Ending, Target, TrialFacts, TrialSettings
from .records.units import time_text

Rows = list[tuple[str, str]]


def trial_rows(result: TrialResult, devices: tuple[Device, ...]) -> Rows:
    """Return all that is said of a trial; `devices` are those there."""
    settings, facts = result.settings, result.facts
    rows = [
        ("Model", settings.model_path),
        ("Target", target_text(settings.target, devices)),
        *(("Input", _input_text(fact)) for fact in facts.inputs),
        *_control_rows(settings),
        ("Ran on", placement_text(facts.placement) or "–"),
        ("Outcome", result.outcome.value),
    ]
    if facts.ending is not None:
        rows.append(("Ended", ending_text(settings, facts)))
    rows += [
        ("Session creation", time_text(facts.session_creation_ns)),
        ("First run", time_text(facts.first_run_ns)),
    ]
    if result.statistics is not None:
        rows += _statistics_rows(result.statistics)
    if facts.non_finite_outputs:
        rows.append(("Warning", f"NaN or infinity in {', '.join(facts.non_finite_outputs)}"))
    rows += [("Note", note) for note in facts.notes]
    rows += [("Saved", path) for path in facts.saved_files]
    return rows


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


def size_text(size_bytes: int) -> str:
    """Return the size of files: `15.7 MiB`."""
    size = float(size_bytes)
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"


def _devices_text(keys: tuple[str, ...], devices: tuple[Device, ...]) -> str:
    chosen = (device for device in devices if device.key in keys)
    return ", ".join(f"{device.ep_name} ({device.type.value} {device.device.vendor})" for device in chosen)


def _input_text(fact: InputFact) -> str:
    shape = "" if fact.shape is None else f" [{', '.join(map(str, fact.shape))}]"
    said = "; ".join(text for text in (source_text(fact.source), fact.reason, fact.note) if text)
    return f"{fact.name}, {fact.type}{shape}: {said}"


def _control_rows(settings: TrialSettings) -> Rows:
    """Return how it was run where that is not the usual way."""
    rows = []
    if settings.callers > 1:
        rows.append(("Callers", f"{settings.callers} at once; each latency is that of one run of one caller"))
    if settings.binding is not Binding.ARRAYS:
        rows.append(("Handed over by", settings.binding.value))
    if settings.pause_ms:
        rows.append(("Pause", f"{settings.pause_ms:g} ms between two runs"))
    return rows


def _statistics_rows(statistics: LatencyStatistics) -> Rows:
    return [
        ("Samples", str(statistics.count)),
        ("Min", time_text(statistics.min_ns)),
        ("Median", time_text(statistics.median_ns)),
        ("Mean", time_text(statistics.mean_ns)),
        ("p90", time_text(statistics.p90_ns)),
        ("p95", time_text(statistics.p95_ns)),
        ("p99", time_text(statistics.p99_ns) + (" (fewer than 100 samples)" if statistics.count < 100 else "")),
        ("Max", time_text(statistics.max_ns)),
        ("Std deviation", time_text(statistics.std_ns)),
        ("Throughput", _throughput_text(statistics)),
    ]


def _throughput_text(statistics: LatencyStatistics) -> str:
    throughput = statistics.throughput_per_s
    return "–" if throughput is None else f"{throughput:.1f} /s"
