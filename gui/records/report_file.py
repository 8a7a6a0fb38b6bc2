"""The file of a device report: JSON, written and read."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from .codec import DecodeError, from_json, to_json
from .comparison import COMPARISON_FORMAT
from .failure import FailureError, FailureKind, failure_error
from .report import REPORT_FORMAT, DeviceReport
from .result import RESULT_FORMAT

_HINT: Final = "Choose a file that --report or “Save report” wrote."
_LONGEST_DETAIL: Final = 1000
_FORMAT, _NUMBER = REPORT_FORMAT.rsplit(" ", 1)
_RESULT = RESULT_FORMAT.rsplit(" ", 1)[0]
_COMPARISON = COMPARISON_FORMAT.rsplit(" ", 1)[0]


def report_json(report: DeviceReport) -> str:
    """Return the text of a report's file, to be written as UTF-8.

    Bytes of a file name that are no UTF-8 are surrogates in Python and escaped here, so that any text can be written.
    """
    text = json.dumps(to_json(report), ensure_ascii=False, indent=2) + "\n"
    return re.sub("[\ud800-\udfff]", lambda found: f"\\u{ord(found[0]):04x}", text)


def read_report(text: str | bytes, name: str) -> DeviceReport:
    """Return the report that a file holds. Raises `FailureError`, which calls the file `name`."""
    data = _parsed(text, name)
    written = data.get("format") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(written, str):
        raise _no_report(f"{name} is not a device report.")
    kind, _, number = written.rpartition(" ")
    if kind == _RESULT:
        raise _no_report(f"{name} is the result of a trial, not a device report.")
    if kind == _COMPARISON:
        raise _no_report(f"{name} is a comparison of trials, not a device report.")
    if kind != _FORMAT or not re.fullmatch("[1-9][0-9]{0,9}", number):
        raise _no_report(f"{name} is not a device report.", detail=f"format: {written}")
    if int(number) > int(_NUMBER):
        raise _no_report(
            f"{name} was made by a newer version of ORT Device Explorer.",
            hint="Update this application to read it.",
            detail=f"format: {written}",
        )
    try:
        return from_json(DeviceReport, data)
    except DecodeError as error:
        raise _damaged(name, str(error)) from error
    except RecursionError as error:  # the words for a wrong value hold all that is in it
        raise _too_deep(name) from error


def _parsed(text: str | bytes, name: str) -> Any:
    # File names may hold bytes that are no UTF-8, and an earlier version wrote them as they are.
    text = text.decode("utf-8", "surrogateescape") if isinstance(text, bytes) else text
    try:
        return json.loads(text.removeprefix("\ufeff"))
    except RecursionError as error:
        raise _too_deep(name) from error
    except ValueError as error:
        if re.search("[\ud800-\udfff]", text):
            hint = f"{_HINT} Some shells write another encoding where output goes to a file by “>”."
            raise _no_report(f"{name} is not text in UTF-8.", hint=hint, detail=str(error)) from error
        raise _no_report(f"{name} is not a device report: it is not JSON.", detail=str(error)) from error


def _too_deep(name: str) -> FailureError:
    return _no_report(f"{name} is not a device report: it is nested too deeply.")


def _damaged(name: str, where: str) -> FailureError:
    return _no_report(
        f"{name} is a device report, but damaged: something in it is missing or of the wrong kind.",
        hint="Save the report again where it came from.",
        detail=where,
    )


def _no_report(message: str, *, hint: str = _HINT, detail: str = "") -> FailureError:
    short = detail if len(detail) <= _LONGEST_DETAIL else f"{detail[: _LONGEST_DETAIL - 1]}…"
    return failure_error(FailureKind.NOT_A_REPORT, message, hint=hint, detail=short)
