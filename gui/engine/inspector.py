"""Reads library files without loading them: a process for one request, `python -m gui.engine.inspector`.

It may die of a hostile file; therefore it names each file before it opens it. One JSON line comes in:

- `{"id": n, "op": "inspect", "paths": […]}`: for each path the events `checking` (`path`) and `checked` (`check`, a
  `LibraryCheck`), then `{"id": n, "ok": {}}`;
- `{"id": n, "op": "find", "folders": […]}`: an event `found` (`library`, a `FoundLibrary`) each, then
  `{"id": n, "ok": {"problems": […]}}`, a line for each place that could not be looked at.

Anything else is answered by `{"id": n, "error": …}`. Then it ends.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from .channel import Channel


def main() -> int:
    """Answer one request."""
    channel = Channel.from_standard_streams()  # first of all: whatever is imported next may print
    from ..records.codec import DecodeError

    try:
        message = next(channel.messages(), None)
    except DecodeError as error:
        _refuse(channel, None, str(error))
        return 0
    if message is not None:  # else the other side has gone
        _answer(channel, message)
    return 0


def _answer(channel: Channel, message: dict[str, Any]) -> None:
    request_id = message.get("id")
    work, key = {"inspect": (_inspect, "paths"), "find": (_find, "folders")}.get(str(message.get("op")), (None, ""))
    listed = message.get(key, [])
    if work is None:
        _refuse(channel, request_id, f"unknown operation {message.get('op')!r}")
    elif not isinstance(listed, list) or not all(isinstance(entry, str) for entry in listed):
        _refuse(channel, request_id, f"{key} is no list of texts")
    else:
        ok = work(listed, lambda event, value: channel.send({"id": request_id, "event": event, **value}))
        channel.send({"id": request_id, "ok": ok})


_Tell = Callable[[str, dict[str, Any]], None]


def _inspect(paths: list[str], tell: _Tell) -> dict[str, Any]:
    from ..records.codec import to_json
    from .binaries import check_library

    for path in paths:
        tell("checking", {"path": path})
        tell("checked", {"check": to_json(check_library(path))})
    return {}


def _find(folders: list[str], tell: _Tell) -> dict[str, Any]:
    from ..records.codec import to_json
    from .discovery import find_libraries

    problems: list[str] = []
    for library in find_libraries(folders, problems):
        tell("found", {"library": to_json(library)})
    return {"problems": problems}


def _refuse(channel: Channel, request_id: Any, why: str) -> None:
    from ..records.codec import to_json
    from ..records.failure import Failure, FailureKind

    failure = Failure(
        kind=FailureKind.BAD_REQUEST,
        message="What reads library files did not understand a request.",
        hint="This is a fault of this application; please report it with the details.",
        detail=why,
    )
    channel.send({"id": request_id, "error": to_json(failure)})


if __name__ == "__main__":
    sys.exit(main())
