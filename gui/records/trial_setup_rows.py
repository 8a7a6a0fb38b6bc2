"""A trial's set-up in words for its report: all that is not as it is by itself. Always the C locale."""

from __future__ import annotations

from .inputs import InputFact, source_text
from .kept_trial import KeptTrial
from .trial import Binding, Ending, SessionSettings, TrialSettings

Rows = tuple[tuple[str, str], ...]


def setup_rows(kept: KeptTrial) -> Rows:
    """Return what was asked for and what each input got, name and value."""
    settings, facts = kept.settings, kept.facts
    dimensions = facts.dimensions or settings.dimensions
    threads = settings.intra_op_threads
    rows = [
        ("Model", settings.model_path),
        ("Target", kept.target_text),
        *((f"EP option {key}", value) for key, value in settings.options),
        *((f"Second EP's option {key}", value) for key, value in settings.second_options),
        *((f"Dimension {entry.name}", str(entry.size)) for entry in dimensions),
        *((f"Input {fact.name}", input_text(fact)) for fact in facts.inputs),
        ("Seed", str(settings.seed)),
        ("Warm-up", f"{settings.warmup} runs after the first run"),
        ("Measuring", _measuring_text(kept)),
        ("Intra-op threads", str(threads) if threads else "ORT's choice"),
        *control_rows(settings),
        *_session_rows(settings.session),
        *(("Saved", path) for path in facts.saved_files),
    ]
    return tuple(rows)


def _measuring_text(kept: KeptTrial) -> str:
    rule = kept.settings.stop_rule
    if rule.iterations is not None:
        text = f"{rule.iterations} iterations"
    elif rule.stable_percent is not None:
        text = f"until the median is certain within {rule.stable_percent:g} %, {rule.seconds:g} s at most"
    else:
        text = f"{rule.seconds:g} s"
    ended = {Ending.STOPPED: "; stopped", Ending.STABLE: "; it was"}.get(kept.facts.ending) if kept.facts.ending else ""
    if kept.facts.ending is Ending.SECONDS and rule.stable_percent is not None:
        ended = "; it was not"
    return text + (ended or "")


def input_text(fact: InputFact) -> str:
    """Return type, shape and source of an input in words."""
    shape = "" if fact.shape is None else f" [{', '.join(map(str, fact.shape))}]"
    said = "; ".join(text for text in (source_text(fact.source), fact.reason, fact.note) if text)
    return f"{fact.type}{shape}: {said}"


def control_rows(settings: TrialSettings) -> Rows:
    """Return how it was run where that is not the usual way."""
    rows = []
    if settings.callers > 1:
        rows.append(("Callers", f"{settings.callers} at once; each latency is that of one run of one caller"))
    if settings.binding is not Binding.ARRAYS:
        rows.append(("Handed over by", settings.binding.value))
    if settings.pause_ms:
        rows.append(("Pause", f"{settings.pause_ms:g} ms between two runs"))
    if settings.run_timeout_s is not None:
        rows.append(("Longest run", f"{settings.run_timeout_s:g} s"))
    return tuple(rows)


def _session_rows(session: SessionSettings) -> Rows:
    plain = SessionSettings()
    values = (
        ("Optimisation", session.optimization.value, plain.optimization.value),
        ("Inter-op threads", str(session.inter_op_threads), str(plain.inter_op_threads)),
        ("Execution", session.execution_mode.value, plain.execution_mode.value),
        ("Memory pattern", _yes_no(session.memory_pattern), _yes_no(plain.memory_pattern)),
        ("Memory arena", _yes_no(session.memory_arena), _yes_no(plain.memory_arena)),
        ("Deterministic", _yes_no(session.deterministic), _yes_no(plain.deterministic)),
        ("Strict", _yes_no(session.strict), _yes_no(plain.strict)),
        ("Optimised model", session.optimized_model_path, plain.optimized_model_path),
    )
    rows = tuple((name, value) for name, value, usual in values if value != usual)
    return rows + tuple((f"Session config {key}", value) for key, value in session.config)


def _yes_no(value: bool) -> str:
    return "yes" if value else "no"
