"""What is true of a trial in words: which EP ran its nodes, whether its outputs are right, how sure its median is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from PySide6.QtCore import QCoreApplication, QLocale

from ..records.check import MIN_SNR_DB, Agreement, OutputCheck, OutputDifference
from ..records.device import DeviceType, type_in_key
from ..records.library import CPU_EP_NAME
from ..records.placement import Placement, PlacementVerdict, node_total, verdict_text
from ..records.policies import missed_preference, preferred_type
from ..records.trial_log import placement_reasons
from ..records.units import time_unit
from ..trial_run import TrialRun
from .texts import DASH, count_text, time_text

_NAMED_OUTPUTS: Final = 3


def _tr(text: str) -> str:
    return QCoreApplication.translate("VerdictTexts", text)


class Tone(Enum):
    """How good what is told is; each has a colour and an icon, and is told in words all the same."""

    GOOD = auto()
    PLAIN = auto()
    DOUBTFUL = auto()
    BAD = auto()


class TrialPage(Enum):
    """The pages of a trial, in their order."""

    LATENCY = 0
    PLACEMENT = 1
    OUTPUTS = 2
    COST = 3
    PROFILE = 4
    LOG = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One thing that is true of a trial, for a badge or a cell."""

    text: str
    short: str
    """The same where there is little room."""
    cell: str
    """The same in a column that has it for a title."""
    tone: Tone
    icon: str
    """The name of an icon."""
    tip: str
    page: TrialPage
    """Where more is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """What must not be missed about a trial."""

    text: str
    said: str = ""
    """What the EP said about it, its first line."""
    tip: str
    tone: Tone
    page: TrialPage


# ---- Placement ----


def placement_verdict(trial: TrialRun) -> Verdict:
    """Return how many of the nodes the wanted EP got."""
    placement, verdict = trial.facts.placement, trial.verdict
    wanted, total, got = wanted_text(trial), node_total(placement), _wanted_nodes(trial)
    tip = verdict_text(placement, trial.facts.wanted_eps) or _tr("Which EPs ran the nodes of the model: not known")
    if verdict is PlacementVerdict.UNKNOWN:
        text = _tr("Placement not known")
        return _placement(text, text, DASH, Tone.PLAIN, "unknown", f"{tip}\n{placement_hint(trial)}".strip())
    if verdict is PlacementVerdict.EMPTY:
        text = _tr("No node left to run")
        return _placement(text, text, _tr("no node left"), Tone.DOUBTFUL, "warning", tip)
    counts = _tr("{0} of {1}").format(count_text(got), count_text(total))
    if verdict is PlacementVerdict.ALL:
        text = _tr("The only node on {0}") if total == 1 else _tr("All {1} nodes on {0}")
        text, short, cell = text.format(wanted, count_text(total)), _tr("All on {0}").format(wanted), _tr("all {0}")
        tone, icon = Tone.GOOD, "loaded"
        missed = _missed(trial)
        if missed:
            tone, icon, tip = Tone.DOUBTFUL, "warning", f"{missed}\n{tip}"
        return _placement(text, short, _cell(trial, cell.format(count_text(total))), tone, icon, tip)
    if verdict is PlacementVerdict.PART:
        text = _tr("{0} of {1} nodes on {2}").format(count_text(got), count_text(total), wanted)
        short = _tr("{0} on {1}").format(counts, wanted)
        return _placement(text, short, _cell(trial, counts), Tone.DOUBTFUL, "part", tip)
    first = trial.facts.wanted_eps[0]
    text, short = _tr("None of the nodes on {0}").format(first), _tr("None on {0}").format(first)
    return _placement(text, short, _cell(trial, _tr("none of {0}").format(count_text(total))), Tone.BAD, "warning", tip)


def _cell(trial: TrialRun, counts: str) -> str:
    """Return how many nodes; with the EP only of a policy, which leaves open which EP that is."""
    if trial.settings.target.policy is None:
        return counts
    return _tr("{0} on {1}").format(counts, trial.facts.wanted_eps[0].removesuffix("ExecutionProvider"))


def _placement(text: str, short: str, cell: str, tone: Tone, icon: str, tip: str) -> Verdict:
    return Verdict(text=text, short=short, cell=cell, tone=tone, icon=icon, tip=tip, page=TrialPage.PLACEMENT)


def wanted_text(trial: TrialRun) -> str:
    """Return the EPs that were to run the model."""
    return _tr(" and ").join(dict.fromkeys(trial.facts.wanted_eps))


def placement_share(trial: TrialRun) -> float:
    """Return the share of the nodes that the wanted EPs got, from 0 to 1, to sort by; -1 where it is not known."""
    match trial.verdict:
        case PlacementVerdict.UNKNOWN:
            return -1.0
        case PlacementVerdict.NONE | PlacementVerdict.EMPTY:
            return 0.0
    return _wanted_nodes(trial) / node_total(trial.facts.placement)


def placement_hint(trial: TrialRun | None) -> str:
    """Return why nothing is known of the placement; empty when something is."""
    if trial is None:
        return _tr("Which EP runs which nodes of the model is told here.")
    facts = trial.facts
    if facts.placement:
        return ""
    if facts.placement is not None:
        return _tr("No node was left to place: ONNX Runtime folded the whole model into constants.")
    if facts.session_creation_ns is not None:
        return _tr("This ONNX Runtime does not tell which EP got which nodes.")
    if trial.is_running:
        return _tr("The session is not created yet.")
    return _tr("The session was not created, so no nodes were placed.")


def _wanted_nodes(trial: TrialRun) -> int:
    wanted = set(trial.facts.wanted_eps)
    return sum(part.node_count for part in trial.facts.placement or () if part.ep_name in wanted)


def taken_type(trial: TrialRun) -> DeviceType | None:
    """Return the type of the device that a policy took: of several the preferred one; None where it is not known."""
    policy = trial.settings.target.policy
    if policy is None:
        return None
    if trial.facts.wanted_eps[:1] == (CPU_EP_NAME,):
        return DeviceType.CPU
    types = [found for key in trial.facts.target_devices if (found := type_in_key(key)) is not None]
    preferred = preferred_type(policy)
    return preferred if preferred in types else next(iter(types), None)


def _missed(trial: TrialRun) -> str:
    """Return the warning that the policy did not get what it prefers, or an empty text."""
    policy = trial.settings.target.policy
    return "" if policy is None else missed_preference(policy, taken_type(trial))


# ---- Outputs ----


def outputs_verdict(trial: TrialRun) -> Verdict:
    """Return whether the outputs agree with the CPU's."""
    check = trial.facts.check
    agreement = Agreement.NOT_CHECKED if check is None else check.agreement
    tip = check_sentence(trial)
    match agreement:
        case Agreement.IDENTICAL:
            text, cell, tone, icon = _tr("Outputs identical to the CPU's"), _tr("identical"), Tone.GOOD, "loaded"
        case Agreement.WITHIN:
            text, cell = _tr("Outputs within tolerance of the CPU's"), _tr("within")
            tone, icon = Tone.GOOD, "loaded"
        case Agreement.DIFFERENT:
            text, cell, icon = _tr("Outputs differ from the CPU's"), _tr("differ"), "differs"
            tone = Tone.BAD if check is not None and is_far_off(check) else Tone.DOUBTFUL
        case Agreement.NOT_CHECKED:
            text, cell, tone, icon = _tr("Outputs not checked"), _tr("not checked"), Tone.PLAIN, "unknown"
            if check is None:
                cell = DASH
    if trial.verdict is PlacementVerdict.NONE and tone is Tone.GOOD:  # it ran there: that says nothing of the EP
        text, cell, tone, icon = _tr("Outputs are the CPU's own"), _tr("CPU's own"), Tone.PLAIN, "unknown"
        return Verdict(text=text, short=text, cell=cell, tone=tone, icon=icon, tip=tip, page=TrialPage.OUTPUTS)
    short = {
        Agreement.IDENTICAL: _tr("Outputs identical"),
        Agreement.WITHIN: _tr("Outputs within tolerance"),
        Agreement.DIFFERENT: _tr("Outputs differ"),
    }.get(agreement, text)
    return Verdict(text=text, short=short, cell=cell, tone=tone, icon=icon, tip=tip, page=TrialPage.OUTPUTS)


def _has_same_oddities(output: OutputDifference) -> bool:
    """Whether an output holds as many NaN and infinities as the reference."""
    return (output.nan_count, output.inf_count) == (output.reference_nan_count, output.reference_inf_count)


def agreement_text(agreement: Agreement) -> str:
    """Return how an output compares with the CPU's, in a word or two."""
    return {
        Agreement.IDENTICAL: _tr("identical"),
        Agreement.WITHIN: _tr("within tolerance"),
        Agreement.DIFFERENT: _tr("differs"),
        Agreement.NOT_CHECKED: _tr("not checked"),
    }[agreement]


def check_hint(trial: TrialRun | None) -> str:
    """Return why there is nothing to be seen of the comparison; empty when there is."""
    if trial is None:
        return _tr("How the outputs compare with the CPU's is told here.")
    check = trial.facts.check
    if check is not None:
        return "" if check.outputs else check.note or _tr("The outputs were not compared.")
    if not trial.settings.check.enabled:
        return _tr("Comparing the outputs is switched off for this trial.")
    if trial.is_running:
        return _tr("The outputs are not compared yet.")
    return _tr("The trial ended before its outputs were compared.")


def check_sentence(trial: TrialRun | None) -> str:
    """Return how the outputs compare as sentences, with what the reference is."""
    check = None if trial is None else trial.facts.check
    if check is None or not check.outputs:
        return check_hint(trial)
    count = len(check.outputs)
    is_one = count == 1
    match check.agreement:
        case Agreement.IDENTICAL:
            one, many = _tr("The output is identical to the CPU's."), _tr("All outputs are identical to the CPU's.")
            text = one if is_one else many
        case Agreement.WITHIN:
            text = _tr("The output is within tolerance.") if is_one else _tr("All outputs are within tolerance.")
        case Agreement.DIFFERENT:
            names = _names([entry for entry in check.outputs if entry.agreement is Agreement.DIFFERENT])
            text = _tr("Different from the CPU's: {0}.").format(names)
        case Agreement.NOT_CHECKED:
            names = _names([entry for entry in check.outputs if entry.agreement is Agreement.NOT_CHECKED])
            text = _tr("Not compared: {0}.").format(names)
    return " ".join(part for part in (text, check.reference, check.note) if part)


def is_far_off(check: OutputCheck) -> bool:
    """Whether outputs differ by more than rounding: noise, another largest element, or NaN and infinities elsewhere."""
    return any(
        (entry.snr_db is not None and entry.snr_db < MIN_SNR_DB)
        or (entry.top1_agreement is not None and entry.top1_agreement < 1)
        or entry.nan_count != entry.reference_nan_count
        or entry.inf_count != entry.reference_inf_count
        for entry in check.outputs
        if entry.agreement is Agreement.DIFFERENT
    )


def _names(outputs: list[OutputDifference]) -> str:
    names = ", ".join(entry.name for entry in outputs[:_NAMED_OUTPUTS])
    more = len(outputs) - _NAMED_OUTPUTS
    return _tr("{0} and {1} more").format(names, more) if more > 0 else names


# ---- The median ----


def median_verdict(trial: TrialRun) -> Verdict | None:
    """Return the median and how sure it is; None before there is one."""
    statistics = trial.statistics()
    if statistics is None:
        return None
    median, low, high = statistics.median_ns, statistics.median_low_ns, statistics.median_high_ns
    if low is None or high is None:
        tip = _tr("The 95 % interval of the median needs 6 samples or more.")
        text, short = (
            _tr("median {0}, few samples").format(time_text(median)),
            _tr("median {0}").format(time_text(median)),
        )
        return _median(text, short, tip)
    tip = _tr(
        "The true median lies in this interval with at least 95 %, whatever the distribution (from order statistics), "
        "as long as the samples do not drift."
    )
    text = _tr("median {0}, 95 %: {1}").format(time_text(median), _between(_tr("{0} to {1} {2}"), low, high))
    return _median(text, _tr("median {0}").format(time_text(median)), f"{text}\n{tip}")


def _median(text: str, short: str, tip: str) -> Verdict:
    return Verdict(
        text=text, short=short, cell=short, tone=Tone.PLAIN, icon="interval", tip=tip, page=TrialPage.LATENCY
    )


def range_text(low_ns: float | None, high_ns: float | None) -> str:
    """Return two times in one unit, short for a table: `1.208–1.263 ms`; a dash for None."""
    return DASH if low_ns is None or high_ns is None else _between(_tr("{0}–{1} {2}"), low_ns, high_ns)


def _between(form: str, low_ns: float, high_ns: float) -> str:
    unit, size = time_unit(high_ns)
    decimals = 3 if high_ns / size < 10 else 2 if high_ns / size < 100 else 1
    low, high = (QLocale().toString(value / size, "f", decimals) for value in (low_ns, high_ns))
    return form.format(low, high, unit)


# ---- Alarms ----


def alarms(trial: TrialRun) -> tuple[Alarm, ...]:
    """Return what must not be missed about a trial, the worst first."""
    found = (_none_alarm(trial), _empty_alarm(trial), _policy_alarm(trial), _outputs_alarm(trial))
    return tuple(alarm for alarm in found if alarm is not None)


def _none_alarm(trial: TrialRun) -> Alarm | None:
    placement = trial.facts.placement
    if placement is None or trial.verdict is not PlacementVerdict.NONE:
        return None
    total, wanted = node_total(placement), trial.facts.wanted_eps[0]
    text = (
        _tr("The only node did not run on {0}.").format(wanted)
        if total == 1
        else _tr("None of the {0} nodes ran on {1}.").format(count_text(total), wanted)
    )
    reasons = placement_reasons(trial.log.lines, trial.facts.wanted_eps)
    lines = [verdict_text(placement, trial.facts.wanted_eps)]
    if reasons:
        lines += [_tr("What was said while the session was created:"), *reasons]
    return Alarm(
        text=f"{text} {_whose_latencies(placement)}",
        said=reasons[0].splitlines()[0] if reasons else "",
        tip="\n".join(lines),
        tone=Tone.BAD,
        page=TrialPage.PLACEMENT,
    )


def _empty_alarm(trial: TrialRun) -> Alarm | None:
    if trial.verdict is not PlacementVerdict.EMPTY:
        return None
    text = _tr("No node is left to run: ONNX Runtime folded the model into constants. This is nobody's latency.")
    tip = _tr("The optimisation level “disabled” keeps the nodes; models of constants alone are rarely meant.")
    return Alarm(text=text, tip=f"{text}\n{tip}", tone=Tone.DOUBTFUL, page=TrialPage.PLACEMENT)


def _whose_latencies(placement: tuple[Placement, ...]) -> str:
    names = [part.ep_name for part in placement if part.node_count]
    if names == [CPU_EP_NAME]:
        return _tr("These latencies are the CPU's.")
    return _tr("These latencies are those of {0}.").format(_tr(" and ").join(names))


def _policy_alarm(trial: TrialRun) -> Alarm | None:
    text = _missed(trial)
    if not text:
        return None
    tip = _tr("The policy found no such device among the EPs that are loaded, and took another: {0}").format(
        wanted_text(trial)
    )
    return Alarm(text=text, tip=f"{text}\n{tip}", tone=Tone.DOUBTFUL, page=TrialPage.PLACEMENT)


def _outputs_alarm(trial: TrialRun) -> Alarm | None:
    check = trial.facts.check
    if check is None or check.agreement is not Agreement.DIFFERENT:
        return None
    different = [entry for entry in check.outputs if entry.agreement is Agreement.DIFFERENT]
    text = _tr("The outputs differ from the CPU's: {0}.").format(_names(different))
    odd = next((entry for entry in different if not _has_same_oddities(entry)), None)
    worst = [entry.max_absolute for entry in different if entry.max_absolute is not None]
    if odd is not None:
        said = _tr("{0} holds {1} NaN and {2} infinite elements, the CPU's {3} and {4}.")
        counts = (odd.nan_count, odd.inf_count, odd.reference_nan_count, odd.reference_inf_count)
        text += " " + said.format(odd.name, *map(count_text, counts))
    elif worst:
        text += " " + _tr("Largest difference {0}.").format(QLocale().toString(max(worst), "g", 3))
    tone = Tone.BAD if is_far_off(check) else Tone.DOUBTFUL
    return Alarm(text=text, tip=check_sentence(trial), tone=tone, page=TrialPage.OUTPUTS)
