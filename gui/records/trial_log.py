"""What ORT and the EPs said while a trial ran, each line with the stage it was said in."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from .log import LogRecord, LogSeverity

_FIRST: Final = 500
_LAST: Final = 1500
_REASONS: Final = 12
_NO_REASONS: Final = (
    "Some nodes were not assigned to the preferred execution providers",
    "Rerunning with verbose output on a non-minimal build will show node assignments",
)
"""What ORT says of every partial placement: it is the fact, not the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialLogLine:
    """One message of a trial."""

    stage: str
    """The `Stage`'s value; empty before the first."""
    record: LogRecord


class TrialLog:
    """The messages of a trial in their order; of too many the first and the last are kept."""

    def __init__(self) -> None:
        self._first: list[TrialLogLine] = []
        self._last: deque[TrialLogLine] = deque(maxlen=_LAST)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @classmethod
    def restored(cls, lines: Iterable[TrialLogLine], left_out: int) -> TrialLog:
        """Return the log of which these lines were kept, and so many between the first and the last were not."""
        log = cls()
        log.add(lines)
        log._count += left_out
        return log

    @property
    def left_out(self) -> int:
        """How many between the first and the last were not kept."""
        return self._count - len(self._first) - len(self._last)

    @property
    def lines(self) -> tuple[TrialLogLine, ...]:
        """All that were kept."""
        return (*self._first, *self._last)

    def add(self, lines: Iterable[TrialLogLine]) -> None:
        """Add messages."""
        for line in lines:
            self._count += 1
            if len(self._first) < _FIRST:
                self._first.append(line)
            else:
                self._last.append(line)


def placement_reasons(lines: Iterable[TrialLogLine], wanted: tuple[str, ...]) -> tuple[str, ...]:
    """Return what was said, while the session was created, of why an EP did not take nodes: each message once.

    That is all that warns, and all that names a wanted EP together with words of refusal.
    """
    found: dict[str, None] = {}
    for line in lines:
        if line.stage != "creating session":
            continue
        text = line.record.message.strip()
        lowered = text.lower()
        names_it = any(name.lower() in lowered for name in wanted)
        refuses = any(word in lowered for word in ("not support", "unsupported", "fallback", "fall back", "skip"))
        if line.record.source == "window" or text.startswith(_NO_REASONS):
            continue
        if text and (line.record.severity >= LogSeverity.WARNING or (names_it and refuses)):
            found[text] = None
    return tuple(found)[:_REASONS]
