"""What tells kept things apart on all machines: ids and times."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime


def new_id() -> str:
    """Return an id that nothing else has, on any machine: a UUID as text."""
    return str(uuid.uuid4())


def now_text() -> str:
    """Return the time as ISO 8601, UTC, with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
