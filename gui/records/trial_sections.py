"""What a report of one trial says, before it is Markdown or HTML: the verdict first, then section by section."""

from __future__ import annotations

from collections.abc import Sequence

from .check import Agreement, OutputDifference
from .costs import cpu_share
from .device import Device, type_in_key
from .kept_trial import KeptTrial
from .library import Library
from .log import LogSeverity
from .placement import PlacementVerdict, judge_placement, node_total, verdict_text
from .policies import missed_preference
from .profile import share_of_nodes
from .report_document import Block, Code, Points, Quote, Section, Table
from .report_markdown import device_title, environment_pairs, file_name_of
from .result import Outcome
from .statistics import MIN_P99_SAMPLES, MIN_P999_SAMPLES, LatencyStatistics
from .trial_log import placement_reasons
from .trial_setup_rows import setup_rows
from .units import hex_id, size_text, time_text

_MOST_LINES = 40
_MOST_OPS = 12
_DASH = "–"


def title_of(kept: KeptTrial) -> str:
    """Return what was tried, and where."""
    return f"{kept.model_name} on {kept.target_text}"


def verdicts(kept: KeptTrial) -> tuple[str, ...]:
    """Return what matters most of a trial, a sentence each: what failed, how fast, where, whether right, how sure."""
    facts, failure = kept.facts, kept.failure
    found = []
    if kept.outcome is Outcome.FAILED:
        found.append(f"Failed while {facts.stage.value}" + (f": {failure}" if failure is not None else "."))
    elif kept.outcome is Outcome.STOPPED:
        found.append(f"Stopped while {facts.stage.value}" + (f": {failure}" if failure is not None else "."))
    if judge_placement(facts.placement, facts.wanted_eps) is PlacementVerdict.NONE:
        others = ", ".join(part.ep_name for part in facts.placement or ())
        found.append(f"ALARM: {facts.wanted_eps[0]} ran no node; these latencies are those of {others}.")
    if kept.statistics is not None:
        found.append(_median_sentence(kept.statistics))
    found += _placement_sentences(kept)
    found.append(_outputs_sentence(kept))
    if facts.non_finite_outputs:
        found.append(f"NaN or infinity in {', '.join(facts.non_finite_outputs)}.")
    if kept.remarks:
        found.append(f"To be minded: {', '.join(remark.kind.value for remark in kept.remarks)}; see Remarks.")
    return tuple(found)


def sections(kept: KeptTrial) -> tuple[Section, ...]:
    """Return all else that is told of a trial; sections of which nothing is known are left out."""
    found = (
        Section(title="Note", blocks=_note(kept)),
        Section(title="Latency", blocks=_latency(kept)),
        Section(title="Remarks", blocks=_remarks(kept)),
        Section(title="Placement", blocks=_placement(kept)),
        Section(title="Outputs", blocks=_outputs(kept)),
        Section(title="Cost", blocks=_cost(kept)),
        Section(title="Profile", blocks=_profile(kept)),
        Section(title="Set-up", blocks=(Table(titles=("What", "Value"), rows=setup_rows(kept)),)),
        Section(title="Environment", blocks=_environment(kept)),
        Section(title="Devices", blocks=device_blocks(kept.devices)),
        Section(title="Libraries", blocks=library_blocks(kept.libraries)),
        Section(title="Log", blocks=_log(kept)),
    )
    return tuple(section for section in found if section.blocks)


# ---- The verdict ----


def _median_sentence(statistics: LatencyStatistics) -> str:
    text = f"Median {time_text(statistics.median_ns)}"
    low, high = statistics.median_low_ns, statistics.median_high_ns
    if low is None or high is None:
        return f"{text} of {statistics.count} samples: too few to say how sure it is."
    width = max(high - statistics.median_ns, statistics.median_ns - low)
    share = f", within {_percent(width / statistics.median_ns)}" if statistics.median_ns else ""
    return f"{text}; 95 % interval {time_text(low)} to {time_text(high)}{share}; {statistics.count} samples."


def _placement_sentences(kept: KeptTrial) -> list[str]:
    facts, target = kept.facts, kept.settings.target
    found = [verdict_text(facts.placement, facts.wanted_eps) or "Which EP ran which nodes is not known."]
    taken = next((kind for key in facts.target_devices if (kind := type_in_key(key)) is not None), None)
    missed = "" if target.policy is None else missed_preference(target.policy, taken)
    return [*found, missed] if missed else found


def _outputs_sentence(kept: KeptTrial) -> str:
    check = kept.facts.check
    if check is None:
        return "The outputs were not checked."
    names = [output.name for output in check.outputs if output.agreement is Agreement.DIFFERENT]
    text = f"Outputs {check.agreement.value}" + (f": {', '.join(names)}" if names else "")
    return f"{text}. {check.note}".strip()


# ---- Section by section ----


def _note(kept: KeptTrial) -> tuple[Block, ...]:
    tags = f"Tags: {', '.join(kept.tags)}" if kept.tags else ""
    return tuple(block for block in (kept.note, tags) if block)


def _latency(kept: KeptTrial) -> tuple[Block, ...]:
    facts, found = kept.facts, kept.statistics
    rows: list[tuple[str, ...]] = []
    if found is not None:
        rank = "Nearest rank: the smallest sample that so many percent of all do not exceed"
        interval = f"{time_text(found.median_low_ns)} to {time_text(found.median_high_ns)}"
        variation, rate = found.variation, found.throughput_per_s
        rows = [
            ("Median", time_text(found.median_ns), "The 50th percentile. " + rank),
            (
                "Median, 95 % interval",
                _DASH if found.median_low_ns is None else interval,
                "The true median lies in it with at least 95 %, whatever the distribution; from 6 samples on",
            ),
            ("Mean", time_text(found.mean_ns), "Of all samples"),
            ("Min", time_text(found.min_ns), "The fastest sample"),
            ("p90", time_text(found.p90_ns), rank),
            ("p95", time_text(found.p95_ns), rank),
            ("p99", time_text(found.p99_ns), _rough(rank, MIN_P99_SAMPLES, is_rough=found.is_p99_rough)),
            ("p99.9", time_text(found.p999_ns), _rough(rank, MIN_P999_SAMPLES, is_rough=found.is_p999_rough)),
            ("Max", time_text(found.max_ns), "The slowest sample"),
            ("Standard deviation", time_text(found.std_ns), "Of the samples, with n-1"),
            ("Variation", _DASH if variation is None else _percent(variation, 2), "Standard deviation over mean"),
            ("Samples", str(found.count), "The first run and the warm-up are left out"),
            (
                "Throughput",
                _DASH if rate is None else f"{rate:.1f} /s",
                "Samples over the wall-clock time of the measuring stage, of all callers together",
            ),
        ]
    if facts.session_creation_ns is not None:
        rows.append(("Session creation", time_text(facts.session_creation_ns), "Not part of the samples"))
    if facts.first_run_ns is not None:
        rows.append(("First run", time_text(facts.first_run_ns), "Not part of the samples"))
    if len(kept.warmup):
        mean = time_text(float(kept.warmup.mean()))
        rows.append(("Warm-up mean", mean, f"Of {len(kept.warmup)} runs, not part of the samples"))
    return (Table(titles=("Measure", "Value", "Definition"), rows=tuple(rows)),) if rows else ()


def _rough(rank: str, least: int, *, is_rough: bool) -> str:
    return f"Rough: of fewer than {least} samples it is one of the slowest" if is_rough else rank


def _remarks(kept: KeptTrial) -> tuple[Block, ...]:
    texts = tuple(f"{remark.text} {remark.advice}".strip() for remark in kept.remarks) + kept.facts.notes
    return (Points(texts=texts),) if texts else ()


def _placement(kept: KeptTrial) -> tuple[Block, ...]:
    facts = kept.facts
    if not facts.placement:
        return ()
    total = node_total(facts.placement)
    rows = tuple(
        (
            part.ep_name,
            "yes" if part.ep_name in facts.wanted_eps else "no",
            f"{part.node_count} of {total}",
            ", ".join(f"{entry.op_type} ×{entry.count}" for entry in part.op_types),
        )
        for part in facts.placement
    )
    blocks: list[Block] = [Table(titles=("EP", "Wanted", "Nodes", "Operators"), rows=rows)]
    if judge_placement(facts.placement, facts.wanted_eps) is not PlacementVerdict.ALL:
        reasons = placement_reasons(kept.log, facts.wanted_eps)
        if reasons:
            blocks.append(Quote(text="Said while the session was created:", lines=first_lines(reasons)))
    return tuple(blocks)


def _outputs(kept: KeptTrial) -> tuple[Block, ...]:
    check = kept.facts.check
    if check is None:
        return ()
    titles = ("Output", "Type", "Verdict", "Max abs. diff.", "Max rel. diff.", "SNR", "Cosine", "Top-1", "Tolerance")
    blocks: list[Block] = []
    if check.outputs:
        blocks.append(Table(titles=titles, rows=tuple(_output_row(output) for output in check.outputs)))
    told = tuple(f"{output.name}: {text}" for output in check.outputs if (text := _output_note(output)))
    if told:
        blocks.append(Points(texts=told))
    blocks += [text for text in (check.reference, check.note) if text]
    return tuple(blocks)


def _output_row(output: OutputDifference) -> tuple[str, ...]:
    tolerance = output.tolerance
    shape = "" if output.shape is None else f" [{', '.join(map(str, output.shape))}]"
    return (
        output.name,
        output.type + shape,
        output.agreement.value,
        _number(output.max_absolute),
        _number(output.max_relative),
        _DASH if output.snr_db is None else f"{output.snr_db:.1f} dB",
        _DASH if output.cosine is None else f"{output.cosine:.6f}",
        _DASH if output.top1_agreement is None else _percent(output.top1_agreement),
        "exact" if tolerance is None else f"{tolerance.absolute:g} + {tolerance.relative:g} · |b|",
    )


def _output_note(output: OutputDifference) -> str:
    parts = []
    if output.mismatches:
        parts.append(f"{output.mismatches} of {output.element_count} elements beyond the tolerance.")
    if (output.nan_count, output.inf_count) != (output.reference_nan_count, output.reference_inf_count):
        parts.append(
            f"{output.nan_count} NaN and {output.inf_count} infinities, the CPU's"
            f" {output.reference_nan_count} and {output.reference_inf_count}."
        )
    return " ".join([*parts, output.note]).strip()


def _percent(share: float, decimals: int = 1) -> str:
    return f"{100 * share:.{decimals}f} %"


def _number(value: float | None) -> str:
    return _DASH if value is None else f"{value:.3g}"


def _cost(kept: KeptTrial) -> tuple[Block, ...]:
    costs = kept.facts.costs
    rows: list[tuple[str, ...]] = [
        (f"Registering {name}", time_text(duration)) for name, duration in kept.registrations if duration is not None
    ]
    if costs is not None:
        since = " (since the engine began)" if costs.peak_since_start else ""
        for name, size, more in (
            ("Memory before the session", costs.memory_before_bytes, ""),
            ("Memory with the session", costs.memory_created_bytes, ""),
            ("Memory at its peak", costs.memory_peak_bytes, since),
        ):
            if size is not None:
                rows.append((name, size_text(size) + more))
        share = cpu_share(costs, kept.facts.measured_ns)
        if share is not None:
            rows.append(("Processors kept busy", f"{share:.2f} of {costs.cpu_count}"))
        for use in costs.accelerators or ():
            parts = [] if use.busy_share is None else [f"{_percent(use.busy_share, 0)} busy"]
            parts += [] if use.memory_bytes is None else [size_text(use.memory_bytes)]
            whose = "" if use.of_this_engine else " (all programs)"
            rows.append((f"{use.name}{whose}", ", ".join(parts) or _DASH))
    return (Table(titles=("What", "Value"), rows=tuple(rows)),) if rows else ()


def _profile(kept: KeptTrial) -> tuple[Block, ...]:
    profile = kept.profile
    if profile is None:
        return ()
    rows = tuple(
        (
            op.op_type,
            op.ep_name,
            str(op.node_count),
            time_text(op.total_ns / max(1, profile.runs)),
            _percent(share_of_nodes(profile, op.total_ns)),
        )
        for op in profile.ops[:_MOST_OPS]
    )
    more = len(profile.ops) - _MOST_OPS
    rows += ((f"and {more} more", "", "", "", ""),) if more > 0 else ()
    notes = (Points(texts=profile.notes),) if profile.notes else ()
    return (Table(titles=("Operator", "EP", "Nodes", "Time per run", "Share"), rows=rows), *notes)


def _environment(kept: KeptTrial) -> tuple[Block, ...]:
    rows = [("Trial began", kept.created)] if kept.created else []
    rows += [*environment_rows(kept), ("Trial id", Code(kept.id))]
    return (Table(titles=("What", "Value"), rows=tuple(rows)),)


def environment_rows(kept: KeptTrial) -> tuple[tuple[str, str], ...]:
    """Return ONNX Runtime, Python, system and processor; nothing where they are not known."""
    if kept.environment is None:
        return ()
    return tuple(pair for pair in environment_pairs(kept.environment) if pair[0] != "Engine protocol")


def device_blocks(devices: Sequence[Device]) -> tuple[Block, ...]:
    """Return a table for each device with all that is told of it."""
    blocks: list[Block] = []
    for device in devices:
        hardware = device.device
        pairs: list[tuple[str, str]] = [
            ("EP vendor", device.ep_vendor),
            ("EP version", device.ep_version),
            ("Vendor ID", hex_id(hardware.vendor_id)),
            ("Device ID", hex_id(hardware.device_id)),
            ("Library", "built in" if device.library is None else device.library),
            *((f"EP metadata: {key}", Code(value)) for key, value in device.ep_metadata),
            *((f"EP option: {key}", Code(value)) for key, value in device.ep_options),
            *((f"Hardware: {key}", Code(value)) for key, value in hardware.metadata),
            *(
                (f"Memory {info.kind}", Code(", ".join((info.name, *(f"{key}={value}" for key, value in info.fields)))))
                for info in device.memory_info
            ),
        ]
        blocks.append(Table(titles=("Device", device_title(device)), rows=tuple(pair for pair in pairs if pair[1])))
    return tuple(blocks)


def library_blocks(libraries: Sequence[Library]) -> tuple[Block, ...]:
    """Return a table of EP libraries with versions and digests; nothing when there are none."""
    rows = tuple(
        (
            library.name,
            Code(file_name_of(library.path)),
            "" if library.check is None else library.check.version,
            "" if library.check is None else Code(library.check.sha256),
        )
        for library in libraries
    )
    return (Table(titles=("Library", "File", "Version", "SHA-256"), rows=rows),) if rows else ()


def _log(kept: KeptTrial) -> tuple[Block, ...]:
    blocks: list[Block] = []
    failure = kept.failure
    if failure is not None and failure.detail:
        blocks.append(Quote(text="The failure, word for word:", lines=first_lines((failure.detail,))))
    said = [line for line in kept.log if line.record.severity >= LogSeverity.WARNING]
    if said:
        texts = [f"[{line.stage or 'before'}] {line.record.source}: {line.record.message}" for line in said]
        blocks.append(Quote(text="Warnings and errors of ONNX Runtime and the EPs:", lines=first_lines(texts)))
    return tuple(blocks)


def first_lines(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the lines of these texts, and how many more there are beyond the first of many."""
    lines = [line for text in texts for line in text.rstrip().splitlines()]
    if len(lines) <= _MOST_LINES:
        return tuple(lines)
    return (*lines[:_MOST_LINES], f"… and {len(lines) - _MOST_LINES} more lines")
