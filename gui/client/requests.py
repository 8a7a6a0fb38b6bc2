"""A request under way, as the object that those who asked listen to."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, Signal

from ..records.failure import Failure
from ..records.protocol import Op
from ..records.trial import Stage, TrialFacts


class PendingRequest(QObject):
    """Emits `succeeded` or `failed`, once, and events before it."""

    succeeded = Signal(object)
    """The record that answers this kind of request."""
    failed = Signal(Failure)
    begun = Signal()
    """The engine has taken it up: until then it waited for others."""
    facts_received = Signal(TrialFacts)
    samples_received = Signal(Stage, object, object)
    """Stage, samples of shape (n,) in nanoseconds, nanoseconds since the stage began (an `int` of Qt's has 32 bits)."""

    nodes_received = Signal(object)
    """`PlacedNodes`"""
    logged = Signal(tuple)
    """Of `TrialLogLine`: what was said while a trial or a profile ran."""

    def __init__(self, request_id: int, op: Op, doing: str, answer_type: type[Any] | None, parent: QObject) -> None:
        super().__init__(parent)
        self.id = request_id
        self.op = op
        self.doing = doing
        """What it does, as in “while …”."""
        self.answer_type = answer_type
        self.stage: Stage | None = None
        """The last stage heard of: after a death, where it died."""
        self.is_begun = False
        self.is_heard = False
        """Whether all lines printed while it was done have arrived."""
        self.said: list[str] = []
        """What was printed, and what ORT warned of, while the engine registered a library."""
