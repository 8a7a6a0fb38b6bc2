"""What the files of trials and of comparisons have in common: written a key a line, and refused in words when read."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from .codec import DecodeError
from .comparison import COMPARISON_FORMAT
from .failure import FailureError, FailureKind, failure_error
from .policies import POLICIES_FORMAT
from .profile import PROFILE_FORMAT
from .report import REPORT_FORMAT
from .result import RESULT_FORMAT
from .setup import SETUP_FORMAT

HEAD_BYTES: Final = 4 << 10
_LONGEST: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class FileKind:
    """A kind of file that carries trials."""

    format: str
    """With the number of the newest version."""
    what: str
    """As in “this is a trial”."""
    hint: str
    """Which file to choose instead."""


TRIAL_FILE: Final = FileKind(
    format=RESULT_FORMAT, what="a trial", hint="Choose a file that “Save trial” or --output wrote."
)
COMPARISON_FILE: Final = FileKind(
    format=COMPARISON_FORMAT, what="a comparison", hint="Choose a file that “Save comparison” or --compare wrote."
)
_HEADS: Final = {
    kind: re.compile(
        rb'(\xef\xbb\xbf)?\s*\{\s*"format"\s*:\s*"' + re.escape(kind.format.rpartition(" ")[0]).encode("ascii") + rb" "
    )
    for kind in (TRIAL_FILE, COMPARISON_FILE)
}
_OTHERS: Final = {
    written.rpartition(" ")[0]: words
    for written, words in {
        SETUP_FORMAT: ("a set-up", "“Open set-up” in the File menu opens it, or --run."),
        REPORT_FORMAT: ("a device report", "“Compare with report” in the File menu opens it."),
        RESULT_FORMAT: ("a trial", "“Open trials” in the Trial menu opens it, or --show."),
        COMPARISON_FORMAT: ("a comparison", "“Open trials” in the Trial menu opens it, or --show."),
        PROFILE_FORMAT: ("a profile", ""),
        POLICIES_FORMAT: ("a table of policies", ""),
    }.items()
}


# ---- Written ----


def text_of(entries: dict[str, str], *, one_line: bool = False) -> str:
    """Return the text of a file, to be written as UTF-8, of keys and of values that are JSON already: a key a line.

    Bytes of a file name that are no UTF-8 are surrogates in Python and escaped here, so that any text can be written.
    """
    lines = [f"{json.dumps(key)}: {value}" for key, value in entries.items()]
    text = "{" + ", ".join(lines) + "}\n" if one_line else "{\n  " + ",\n  ".join(lines) + "\n}\n"
    return re.sub("[\ud800-\udfff]", lambda found: f"\\u{ord(found[0]):04x}", text)


# ---- Read ----


def kind_of(head: bytes) -> FileKind | None:
    """Return what a file is by its first bytes, `HEAD_BYTES` of them: a trial, a comparison, or neither."""
    return next((kind for kind, pattern in _HEADS.items() if pattern.match(head) is not None), None)


def object_of(text: str | bytes, name: str, kind: FileKind) -> dict[str, Any]:
    """Return the object in a file of this kind, in a version that can be read.

    Raises `FailureError` (NOT_A_TRIAL), which calls the file `name`.
    """
    return with_format(_parsed(text, name, kind), name, kind)


def with_format(data: Any, name: str, kind: FileKind) -> dict[str, Any]:
    """Return what was read when it is an object of this kind, in a version that can be read.

    Raises `FailureError` (NOT_A_TRIAL), which calls it `name`.
    """
    written = data.get("format") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(written, str):
        raise _refused(f"{name} is not {kind.what}.", kind.hint)
    family, _, number = written.rpartition(" ")
    wanted, _, newest = kind.format.rpartition(" ")
    if family != wanted and family in _OTHERS:
        what, hint = _OTHERS[family]
        raise _refused(f"{name} is {what}, not {kind.what}.", hint or kind.hint)
    if family != wanted or not re.fullmatch("[1-9][0-9]{0,9}", number):
        raise _refused(f"{name} is not {kind.what}.", kind.hint, detail=f"format: {_short(written)}")
    if int(number) > int(newest):
        raise _refused(
            f"{name} was made by a newer version of ORT Device Explorer.",
            "Update this application to read it.",
            detail=f"format: {written}",
        )
    return data


def damaged(name: str, kind: FileKind, error: Exception, record: str) -> FailureError:
    """Return the failure of a file in which something is wrong, in words for `error`; `record` is what it decodes."""
    where = "it is nested too deeply"
    if isinstance(error, DecodeError):
        where = str(error).removeprefix(f"{record}.").removeprefix(f"{record}: ")
        missing = re.fullmatch(r"(?:(.*): )?\w+\.__init__\(\) missing .* argument: '(\w+)'", where)
        if missing is not None:
            where = ".".join(part for part in missing.groups() if part) + " is missing"
    return _refused(
        f"{name} is {kind.what}, but damaged: {_short(where).rstrip('.')}.", "Get it again from where it was saved."
    )


def _parsed(text: str | bytes, name: str, kind: FileKind) -> Any:
    try:
        return json.loads(_decoded(text))
    except RecursionError as error:
        raise _refused(f"{name} is not {kind.what}: it is nested too deeply.", kind.hint) from error
    except ValueError as error:
        raise _refused(f"{name} is not {kind.what}: it is not JSON.", kind.hint, detail=_short(str(error))) from error


def _decoded(text: str | bytes) -> str:
    text = text.decode("utf-8", "surrogateescape") if isinstance(text, bytes) else text
    return text.removeprefix("\ufeff")


def _refused(message: str, hint: str, *, detail: str = "") -> FailureError:
    return failure_error(FailureKind.NOT_A_TRIAL, message, hint=hint, detail=detail)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
