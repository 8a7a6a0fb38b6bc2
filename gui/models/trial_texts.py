"""A trial's settings in words, for the line above its chart."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QLocale

from ..records.inputs import InputFact, SourceKind, source_text
from ..records.kept_trial import machine_text
from ..records.trial import (
    Binding,
    ExecutionMode,
    Optimization,
    SessionSettings,
    StopRule,
    TrialSettings,
)
from ..trial_run import TrialRun
from .texts import count_text, duration_text


def _tr(text: str) -> str:
    return QCoreApplication.translate("TrialTexts", text)


def stop_rule_text(rule: StopRule) -> str:
    """Return when measuring ends: `200 iterations`, `5 s`, `until stable within 1 %, 60 s at most`."""
    if rule.iterations is not None:
        return _tr("{0} iterations").format(count_text(rule.iterations))
    seconds = duration_text(rule.seconds or 0)
    if rule.stable_percent is None:
        return seconds
    percent = QLocale().toString(float(rule.stable_percent), "g", 3)
    return _tr("until stable within {0} %, {1} at most").format(percent, seconds)


def origin_text(trial: TrialRun) -> str:
    """Return where a trial was opened from, and on what machine and when it ran; empty for one of this sitting."""
    if not trial.is_opened:
        return ""
    origin = _tr("from {0}").format(trial.file_name) if trial.file_name else _tr("from the history")
    parts = [origin, machine_text(trial.environment)]
    if trial.environment is not None:
        parts.append(_tr("onnxruntime {0}").format(trial.environment.onnxruntime))
    parts.append(trial.created[:10])
    return ", ".join(part for part in parts if part)


def run_texts(settings: TrialSettings) -> list[str]:
    """Return what of a trial's running and session is not as it is by itself, a few words each."""
    session, plain = settings.session, SessionSettings()
    found = []
    if settings.binding is Binding.IO_BINDING:
        found.append(_tr("IO binding"))
    if settings.callers > 1:
        found.append(_tr("{0} callers").format(count_text(settings.callers)))
    if settings.pause_ms:
        found.append(_tr("pause {0} ms").format(QLocale().toString(float(settings.pause_ms), "g", 4)))
    if settings.run_timeout_s is not None:
        found.append(_tr("a run may take {0} s").format(QLocale().toString(float(settings.run_timeout_s), "g", 4)))
    if session.strict:
        found.append(_tr("strict"))
    if session.optimization is not Optimization.ALL:
        found.append(_tr("optimisation: {0}").format(session.optimization.value))
    if session.execution_mode is ExecutionMode.PARALLEL:
        found.append(_tr("parallel execution"))
    if session.inter_op_threads:
        found.append(_tr("inter-op threads: {0}").format(count_text(session.inter_op_threads)))
    if not session.memory_pattern:
        found.append(_tr("no memory pattern"))
    if not session.memory_arena:
        found.append(_tr("no memory arena"))
    if session.deterministic:
        found.append(_tr("deterministic"))
    if session.config != plain.config:
        found += [f"{key} = {value}" for key, value in session.config]
    return found


def inputs_text(inputs: tuple[InputFact, ...]) -> str:
    """Return where the inputs came from: `inputs generated`, or those from files by name."""
    others = [fact for fact in inputs if fact.source.kind in (SourceKind.FILE, SourceKind.IMAGE)]
    if not others:
        return _tr("inputs generated")
    named = [f"{fact.name}: {source_text(fact.source)}" + (f" ({fact.note})" if fact.note else "") for fact in others]
    if len(others) == len(inputs):
        return ", ".join(named)
    return _tr("{0}; other inputs generated").format(", ".join(named))
