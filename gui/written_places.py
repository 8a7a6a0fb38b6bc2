"""Where the command line may write: looked at before the work, which may take long."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from .records.failure import FailureError, FailureKind, failure_error


def check_places(
    places: Mapping[str, str | None], read: Iterable[str], *, reader: str, shared: tuple[str, ...] = ()
) -> None:
    """Raise `FailureError` when what is written would replace what is read, or itself, or cannot be written.

    `places` are paths by the option that names them, `reader` is who reads; an option in `shared` may name the file of
    another one.
    """
    sources = {resolved(path) for path in read}
    written = {name: path for name, path in places.items() if path is not None and path != "-"}
    for name, path in written.items():
        place = resolved(path)
        if place in sources:
            message = f"{name} would replace {place.name}, which {reader} reads."
            raise failure_error(FailureKind.BAD_SETTING, message, hint="Choose another file.")
        _check_place(path, place)
    for (first, one), (second, other) in itertools.combinations(written.items(), 2):
        if resolved(one) == resolved(other) and not {first, second} & {*shared}:
            message = f"{first} and {second} are the same file."
            raise failure_error(FailureKind.BAD_SETTING, message, hint="Choose two files.")


def _check_place(path: str, place: Path) -> None:
    """Raise `FailureError` when it can be foreseen that a place cannot be written."""
    if place.is_dir():
        raise _unusable(f"{path} cannot be written: it is a folder.", "Choose another file.")
    if not place.parent.is_dir():
        hint = "Choose another place, or make the folder."
        raise _unusable(f"{path} cannot be written: there is no folder {place.parent}.", hint)
    # A file is replaced in its folder; where that takes no new one, the file itself is written.
    if not os.access(place.parent, os.W_OK) and not (place.exists() and os.access(place, os.W_OK)):
        message = f"{path} cannot be written: nothing may be written in the folder {place.parent}."
        raise _unusable(message, "Choose another place.")


def _unusable(message: str, hint: str) -> FailureError:
    return failure_error(FailureKind.BAD_SETTING, message, hint=hint)


def resolved(path: str) -> Path:
    """Return a path as it can be compared with others."""
    return Path(path).expanduser().resolve()
