"""What each selection policy takes, a row a policy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, QObject
from PySide6.QtGui import QIcon

from ..records.device import Device
from ..records.failure import FailureKind
from ..records.placement import node_total
from ..records.policies import (
    POLICY_MEANING,
    PolicyOutcome,
    mark_of,
    nodes_text,
    result_text,
    taken_text,
)
from ..records.trial import Policy
from .table import Column, RecordTableModel
from .texts import DASH, count_text, time_text


def _tr(text: str) -> str:
    return QCoreApplication.translate("PolicyTable", text)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRow:
    """A policy that waits, is being tried, or what came of it."""

    policy: Policy
    is_tried: bool = False
    """Whether it is being tried now."""
    outcome: PolicyOutcome | None = None
    device: Device | None = None
    """The device that was taken."""

    @property
    def is_stopped(self) -> bool:
        """Whether it was not tried to its end because the user stopped it."""
        failure = None if self.outcome is None else self.outcome.failure
        return failure is not None and failure.kind is FailureKind.STOPPED


def icon_name(row: PolicyRow) -> str:
    """Return the name of the icon of a row's result."""
    if row.outcome is None:
        return "loading" if row.is_tried else "not-loaded"
    if row.is_stopped:
        return "stopped"
    return {"ok": "loaded", "warning": "warning", "failed": "failed"}[mark_of(row.outcome, row.device).value]


def result_words(row: PolicyRow) -> str:
    """Return a row's result in words."""
    if row.outcome is None:
        return _tr("being tried…") if row.is_tried else DASH
    if row.is_stopped:
        return _tr("stopped")
    return result_text(row.outcome, row.device)


class PolicyTableModel(RecordTableModel[PolicyRow]):
    """One row a policy. `icon` gives the icon of that name."""

    def __init__(self, icon: Callable[[str], QIcon | None], parent: QObject | None = None) -> None:
        columns = (
            Column[PolicyRow](title=_tr("Policy"), text=lambda row: row.policy.value),
            Column[PolicyRow](title=_tr("Asks for"), text=lambda row: POLICY_MEANING[row.policy]),
            Column[PolicyRow](
                title=_tr("Takes"),
                text=_taken,
                tip=_taken_tip,
                header_tip=_tr("The EP and its device; “then” names one that is offered what the first leaves"),
            ),
            Column[PolicyRow](
                title=_tr("Result"),
                text=result_words,
                icon=lambda row: icon(icon_name(row)),
                tip=lambda row: str(row.outcome.failure) if row.outcome and row.outcome.failure else result_words(row),
            ),
            Column[PolicyRow](
                title=_tr("Nodes"),
                text=lambda row: _share(row.outcome) or DASH,
                tip=lambda row: DASH if row.outcome is None else nodes_text(row.outcome) or DASH,
                header_tip=_tr("How many nodes of the model the EP taken gets"),
            ),
        )
        super().__init__(columns, lambda row: row.policy, parent)


def _taken(row: PolicyRow) -> str:
    return DASH if row.outcome is None else taken_text(row.outcome, row.device) or DASH


def _taken_tip(row: PolicyRow) -> str:
    if row.outcome is None or not row.outcome.providers:
        return _taken(row)
    offered = _tr("Offered the nodes, in this order: {0}").format(", ".join(row.outcome.providers))
    took = _tr("Session creation: {0}").format(time_text(row.outcome.creation_ns))
    return "\n".join([_taken(row), offered, took])


def _share(outcome: PolicyOutcome | None) -> str:
    """Return how many nodes the EP taken gets: `9 of 80`, `all 80`, `none of 80`; empty when it is not known."""
    if outcome is None or not outcome.ep_name or not node_total(outcome.placement):
        return ""
    total = node_total(outcome.placement)
    count = sum(part.node_count for part in outcome.placement or () if part.ep_name == outcome.ep_name)
    if count == total:
        return _tr("all {0}").format(count_text(total))
    return (
        _tr("{0} of {1}").format(count_text(count), count_text(total))
        if count
        else _tr("none of {0}").format(count_text(total))
    )
