"""What options well-known EPs take: the files in `resources/ep_options`, read and checked.

An EP is told by its library file, by its metadata, or by its name: some take the name that their library is registered
under. The form of the files is described beside them, in README.md.
"""

from __future__ import annotations

import fnmatch
import json
import logging
import re
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Final

from .codec import DecodeError, StringMap, from_json
from .device import Device
from .engine_command import PACKAGE_ROOT

CATALOGUE_FORMAT: Final = "ort-device-explorer EP options 1"
CATALOGUE_FOLDER: Final = PACKAGE_ROOT / "resources" / "ep_options"
_LOG = logging.getLogger(__name__)
_WHOLE_NUMBER: Final = re.compile(r"[+-]?\d+", re.ASCII)


class OptionType(Enum):
    """What the value of an option is. ORT hands all of them on as text."""

    BOOL = "bool"
    INT = "int"
    FLOAT = "float"
    CHOICE = "choice"
    TEXT = "text"
    PATH = "path"


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueOption:
    """One option that an EP is known to take."""

    key: str
    type: OptionType
    description: str
    """One sentence."""
    values: tuple[str, ...] = ()
    """All that it takes, of a bool or a choice; empty for other types."""
    minimum: float | None = None
    """Of a number; None for no bound."""
    maximum: float | None = None
    is_list: bool = False
    """Whether it takes several of these, separated by commas."""
    default: str = ""
    """Empty where there is none, or where it depends."""
    instead: str = ""
    """Of an option that the EP passes over: what to do instead, as a clause. Empty for all others."""

    def __post_init__(self) -> None:
        takes_values = self.type in (OptionType.BOOL, OptionType.CHOICE)
        if not self.key or not self.description:
            raise ValueError("an option needs a key and a description")
        if bool(self.values) != takes_values:
            raise ValueError(f"the option {self.key} must have values if it is a bool or a choice, and only then")
        if len(set(self.values)) != len(self.values):
            raise ValueError(f"the option {self.key} has a value twice")
        is_number = self.type in (OptionType.INT, OptionType.FLOAT)
        if (self.minimum is not None or self.maximum is not None) and not is_number:
            raise ValueError(f"the option {self.key} has bounds, but is no number")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"the option {self.key} has its bounds the wrong way round")
        if self.default and not self.allows(self.default):
            raise ValueError(f"the default of the option {self.key} is not among what it takes")

    def allows(self, value: str) -> bool:
        """Whether the EP is known to take a value; an empty one always, for it may mean the default."""
        entries = value.split(",") if self.is_list else (value,)
        return not value or all(self._allows_one(entry.strip()) for entry in entries)

    def _allows_one(self, value: str) -> bool:
        match self.type:
            case OptionType.BOOL:
                return value.casefold() in {known.casefold() for known in self.values}
            case OptionType.CHOICE:
                return value in self.values
            case OptionType.INT:
                return bool(_WHOLE_NUMBER.fullmatch(value)) and self._is_within(float(value))
            case OptionType.FLOAT:
                try:
                    return self._is_within(float(value))
                except ValueError:
                    return False
            case OptionType.TEXT | OptionType.PATH:
                return True

    def _is_within(self, number: float) -> bool:
        low, high = self.minimum, self.maximum
        return (low is None or number >= low) and (high is None or number <= high)


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionCatalogue:
    """What one EP is known to take, as of one version of it."""

    format: str
    title: str
    """The EP's name as people write it."""
    version: str
    """Of the EP, when its options were looked up."""
    source: str
    """Where they are documented: an address."""
    ep_names: tuple[str, ...]
    """Any of them is the EP's, in small or capital letters."""
    libraries: tuple[str, ...] = ()
    """Patterns for the name of its library file, with `*`."""
    metadata: StringMap = ()
    """Entries of `ep_metadata` that only this EP has; all of them must be there."""
    options: tuple[CatalogueOption, ...]
    """Sorted by key; none for an EP that is known to take no options."""

    def __post_init__(self) -> None:
        if self.format != CATALOGUE_FORMAT:
            raise ValueError(f"the format is not “{CATALOGUE_FORMAT}”")
        if not self.title or not self.version or not self.source:
            raise ValueError("a catalogue needs a title, a version and a source")
        if not self.ep_names:
            raise ValueError("a catalogue needs the name of an EP")
        keys = [option.key for option in self.options]
        if keys != sorted(set(keys)):
            raise ValueError("the options are not sorted by key, or one is there twice")

    def option(self, key: str) -> CatalogueOption | None:
        """Return what is known of a key; None for an unknown one."""
        return next((option for option in self.options if option.key == key), None)

    def is_of_library(self, path: str) -> bool:
        """Whether a library file is this EP's, judged by its name. Takes paths of any system."""
        name = re.split(r"[/\\]", path)[-1].casefold()
        return any(fnmatch.fnmatchcase(name, pattern.casefold()) for pattern in self.libraries)

    def is_of_name(self, ep_name: str) -> bool:
        """Whether an EP of this name is meant."""
        return ep_name.casefold() in {name.casefold() for name in self.ep_names}

    def is_of_metadata(self, metadata: StringMap) -> bool:
        """Whether `ep_metadata` holds what only this EP has."""
        return bool(self.metadata) and set(self.metadata) <= set(metadata)


def read_catalogue(path: Path) -> OptionCatalogue:
    """Return the catalogue in a file. Raises `DecodeError` if it is none, and `OSError` if it cannot be read."""
    try:
        return from_json(OptionCatalogue, json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:  # the codec's errors, those of JSON, and those of UTF-8
        raise DecodeError(f"{path.name}: {error}") from error


def read_catalogues(folder: Path) -> tuple[OptionCatalogue, ...]:
    """Return the catalogues in a folder, sorted by file name; those that cannot be used are logged and left out."""
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            found.append(read_catalogue(path))
        except (DecodeError, OSError) as error:
            _LOG.warning("A catalogue of EP options cannot be used and is left out: %s", error)
    return tuple(found)


@cache
def catalogues() -> tuple[OptionCatalogue, ...]:
    """Return the catalogues that ship with the application, read once when they are first needed."""
    return read_catalogues(CATALOGUE_FOLDER)


def catalogue_for(device: Device) -> OptionCatalogue | None:
    """Return what is known of a device's EP; None for an EP that has no catalogue.

    The library file says more than the metadata, and that more than the EP's name, which may be anything that somebody
    registered the library under.
    """
    library = dict(device.ep_metadata).get("library_path", "")
    return (
        next((entry for entry in catalogues() if library and entry.is_of_library(library)), None)
        or next((entry for entry in catalogues() if entry.is_of_metadata(device.ep_metadata)), None)
        or find(device.ep_name)
    )


def find(ep_name: str) -> OptionCatalogue | None:
    """Return what is known of an EP by its name; None for one that has no catalogue."""
    return next((entry for entry in catalogues() if entry.is_of_name(ep_name)), None)
