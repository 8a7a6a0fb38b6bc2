"""The file of a set-up: JSON, written and read, and found again on the machine where it is opened.

A path that lies in the folder of the file or below is written relative to it, with forward slashes, so that a folder
can be moved as a whole. `folder` says where the file was saved: what is not found beside the file is looked for there,
so that the file can be moved alone, too. All other paths are absolute.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Final

from .codec import DecodeError, from_json, to_json
from .comparison import COMPARISON_FORMAT
from .device import Device
from .failure import FailureError, FailureKind, failure_error
from .inputs import SourceKind
from .library import Library, LibraryState
from .report import REPORT_FORMAT
from .result import RESULT_FORMAT
from .setup import SETUP_FORMAT, DimensionSweep, Setup, SetupLibrary
from .trial import TrialSettings

_ABOUT: Final = {
    "folder": "where this file was saved; a relative path lies in the folder of this file, or else in that one",
    "settings": "what a trial needs; dimensions holds the first size of each, inputs those not left to the engine",
    "sweeps": "dimensions with more than one size: a trial for each combination",
    "libraries": "the EP libraries that the target needs, with their registration names",
    "devices": "the devices of settings.target as they were, to be found again here or elsewhere",
}
_HINT: Final = "Choose a file that “Save set-up”, --save-setup or --output wrote."
_LONGEST: Final = 300
_FORMAT, _NUMBER = SETUP_FORMAT.rsplit(" ", 1)
_RESULT = RESULT_FORMAT.rsplit(" ", 1)[0]
_REPORT = REPORT_FORMAT.rsplit(" ", 1)[0]
_COMPARISON = COMPARISON_FORMAT.rsplit(" ", 1)[0]
_PathChange = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedSetup:
    """A set-up as it can be used here."""

    setup: Setup
    """With the keys that its devices have here; a choice of which no device is there keeps the keys it had."""
    missing_files: tuple[str, ...] = ()
    """Which model, input file or library is gone, and what to do: a sentence each."""
    missing_devices: tuple[str, ...] = ()
    """Which devices are not there, and what to do: a sentence each. Those of `wanted` are left out."""
    changed: tuple[str, ...] = ()
    """Which devices others have taken the place of: a sentence each."""
    wanted: tuple[SetupLibrary, ...] = ()
    """Libraries that the target needs, which are there to be loaded."""

    @property
    def missing(self) -> tuple[str, ...]:
        """All that is gone: a sentence each."""
        return self.missing_files + self.missing_devices


# ---- Written ----


def setup_of(
    settings: TrialSettings,
    sweeps: tuple[DimensionSweep, ...],
    libraries: tuple[Library, ...],
    devices: tuple[Device, ...],
) -> Setup:
    """Return the set-up of a trial; `libraries` and `devices` are those there, of which it takes what it needs."""
    keys = settings.target.device_keys + settings.target.second_keys
    chosen = tuple(device for device in devices if device.key in keys)
    owners = {device.library for device in chosen}
    by_policy = settings.target.policy is not None
    needed = (
        library
        for library in libraries
        if library.name in owners or (by_policy and library.state is LibraryState.LOADED)
    )
    return Setup(
        settings=settings,
        sweeps=sweeps,
        libraries=tuple(SetupLibrary(name=library.name, path=library.path) for library in needed),
        devices=chosen,
    )


def setup_json(setup: Setup, base: Path | None) -> str:
    """Return the text of a set-up's file, to be written as UTF-8 into the folder `base`; None leaves paths absolute.

    Bytes of a file name that are no UTF-8 are surrogates in Python and escaped here, so that any text can be written.
    """
    folder = None if base is None else base.expanduser().absolute()
    data: dict[str, Any] = {"format": SETUP_FORMAT, "about": _ABOUT}
    if folder is not None:
        data["folder"] = str(folder)
        setup = _with_paths(setup, lambda path: _relative(path, folder))
    text = json.dumps({**data, **to_json(setup)}, ensure_ascii=False, indent=2) + "\n"
    return re.sub("[\ud800-\udfff]", lambda found: f"\\u{ord(found[0]):04x}", text)


# ---- Read ----


def parse_setup(text: str | bytes, base: Path | None, name: str = "The file") -> Setup:
    """Return the set-up that a file in the folder `base` holds, or that of the trial whose result it is.

    Raises `FailureError` (NOT_A_SETUP), which calls the file `name`.
    """
    data = _parsed(text, name)
    written = data.get("format") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(written, str):
        raise _no_setup(f"{name} is not a set-up.")
    kind, _, number = written.rpartition(" ")
    if kind == _REPORT:
        raise _no_setup(
            f"{name} is a device report, not a set-up.", hint="“Compare with report” in the File menu opens it."
        )
    if kind == _COMPARISON:
        raise _no_setup(
            f"{name} is a comparison, not a set-up.", hint="“Open trials” in the Trial menu opens it, or --show."
        )
    if kind not in (_FORMAT, _RESULT) or not re.fullmatch("[1-9][0-9]{0,9}", number):
        raise _no_setup(f"{name} is not a set-up.", detail=f"format: {written}")
    newest = int(_NUMBER if kind == _FORMAT else RESULT_FORMAT.rsplit(" ", 1)[1])
    if int(number) > newest:
        raise _no_setup(
            f"{name} was made by a newer version of ORT Device Explorer.",
            hint="Update this application to read it.",
            detail=f"format: {written}",
        )
    try:
        setup = from_json(Setup, data) if kind == _FORMAT else _setup_of_result(data)
    except (DecodeError, RecursionError) as error:
        raise _damaged(name, kind, error) from error
    saved_in = data.get("folder")
    return _anchored(setup, base, Path(saved_in) if isinstance(saved_in, str) and saved_in else None)


def _setup_of_result(data: dict[str, Any]) -> Setup:
    """Return the set-up of the trial whose result this is."""
    found = from_json(Setup, {"settings": data.get("settings"), "devices": data.get("target_devices", [])})
    libraries = from_json(Setup, {"settings": data.get("settings"), "libraries": data.get("libraries", [])}).libraries
    loaded = tuple(Library(name=library.name, path=library.path, state=LibraryState.LOADED) for library in libraries)
    return setup_of(found.settings, (), loaded, found.devices)


def _parsed(text: str | bytes, name: str) -> Any:
    text = text.decode("utf-8", "surrogateescape") if isinstance(text, bytes) else text
    try:
        return json.loads(text.removeprefix("\ufeff"))
    except RecursionError as error:
        raise _no_setup(f"{name} is not a set-up: it is nested too deeply.") from error
    except ValueError as error:
        raise _no_setup(f"{name} is not a set-up: it is not JSON.", detail=_short(str(error))) from error


def _damaged(name: str, kind: str, error: Exception) -> FailureError:
    what = "a set-up" if kind == _FORMAT else "the result of a trial"
    where = "it is nested too deeply"
    if isinstance(error, DecodeError):
        where = str(error).removeprefix("Setup.").removeprefix("Setup: ")
        missing = re.fullmatch(r"(?:(.*): )?\w+\.__init__\(\) missing .* argument: '(\w+)'", where)
        if missing is not None:
            where = ".".join(part for part in missing.groups() if part) + " is missing"
    return _no_setup(
        f"{name} is {what}, but damaged: {_short(where).rstrip('.')}.",
        hint="Correct it, or save it again where it came from.",
    )


def _no_setup(message: str, *, hint: str = _HINT, detail: str = "") -> FailureError:
    return failure_error(FailureKind.NOT_A_SETUP, message, hint=hint, detail=detail)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


# ---- Paths ----


def _with_paths(setup: Setup, read: _PathChange, written: _PathChange | None = None) -> Setup:
    """Return the set-up with each path changed: by `read`, and by `written` those of files to be written."""
    written = written or read
    settings = setup.settings
    session = settings.session
    return replace(
        setup,
        settings=replace(
            settings,
            model_path=read(settings.model_path),
            inputs=tuple(replace(source, path=read(source.path)) for source in settings.inputs),
            session=replace(session, optimized_model_path=written(session.optimized_model_path)),
            outputs_folder=written(settings.outputs_folder),
        ),
        libraries=tuple(replace(library, path=read(library.path)) for library in setup.libraries),
    )


def _relative(path: str, folder: Path) -> str:
    if not path or not Path(path).is_relative_to(folder):
        return path
    return Path(path).relative_to(folder).as_posix()


def _anchored(setup: Setup, base: Path | None, saved_in: Path | None) -> Setup:
    """Return the set-up with all its paths absolute, as far as it is known what they are relative to."""
    folder = saved_in if base is None else base.expanduser().absolute()

    def written(path: str) -> str:
        if not path or folder is None or _is_absolute(path):
            return path
        return os.path.normpath(folder / path)

    def read(path: str) -> str:
        here = written(path)
        if here == path or saved_in is None or _is_there(here):
            return here
        there = os.path.normpath(saved_in / path)
        return there if _is_there(there) else here

    return _with_paths(setup, read, written)


def _is_there(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):  # a name too long, a null character
        return False


def _is_absolute(path: str) -> bool:
    """Whether a path is absolute on the system it was written on, whichever that was."""
    return PurePosixPath(path).is_absolute() or PureWindowsPath(path).is_absolute()


# ---- Found again ----


def resolve(setup: Setup, devices: tuple[Device, ...], libraries: tuple[Library, ...] = ()) -> ResolvedSetup:
    """Return the set-up as it can be used with these devices, and what is missing; looks whether its files are there.

    `libraries` are those of the list: one that is loaded, or on its way, is not asked for.
    """
    target, taken = setup.settings.target, set[str]()
    known = {device.key: device for device in setup.devices}
    found: dict[str, Device] = {}
    for key in (*target.device_keys, *target.second_keys):
        device = _found_again(key, known.get(key), devices, taken)
        if device is not None:
            found[key] = device
            taken.add(device.key)
    gone = [key for key in (*target.device_keys, *target.second_keys) if key not in found]
    wanted, lost = _libraries_of(setup, libraries, {known[key].library for key in gone if key in known})
    awaited = {library.name for library in wanted}
    target = replace(target, device_keys=_keys(target.device_keys, found), second_keys=_keys(target.second_keys, found))
    return ResolvedSetup(
        setup=replace(
            setup,
            settings=replace(setup.settings, target=target),
            devices=tuple(found.get(device.key, device) for device in setup.devices),
        ),
        missing_files=tuple(_missing_files(setup)) + tuple(_lost_text(library) for library in lost),
        missing_devices=tuple(
            _gone_text(key, known.get(key)) for key in gone if key not in known or known[key].library not in awaited
        ),
        changed=tuple(
            f"{device_text(known[key])} is not there; {device_text(device)} takes its place."
            for key, device in found.items()
            if key in known and device_text(known[key]) != device_text(device)
        ),
        wanted=wanted,
    )


def device_text(device: Device) -> str:
    """Return a device in few words: `ggml (CPU, AMD)`, `OpenVINOExecutionProvider (GPU 0x56A0, Intel)`."""
    hardware = device.device
    kind = hardware.type.value + (f" 0x{hardware.device_id:04X}" if hardware.device_id else "")
    return f"{device.ep_name} ({kind}, {hardware.vendor})" if hardware.vendor else f"{device.ep_name} ({kind})"


def _keys(keys: tuple[str, ...], found: dict[str, Device]) -> tuple[str, ...]:
    return tuple(found[key].key for key in keys if key in found) or keys


def _found_again(key: str, known: Device | None, devices: tuple[Device, ...], taken: set[str]) -> Device | None:
    """Return the device that a key means here: the very same, one that looks like it, or the only one of its EP."""
    free = [device for device in devices if device.key not in taken]
    same = next((device for device in free if device.key == key), None)
    if same is not None or known is None:
        return same
    alike = [device for device in free if _identity(device) == _identity(known) and _ordinal(device) == _ordinal(known)]
    if alike:  # what the EP says of it has changed: take the one that is described most alike
        return max(alike, key=lambda device: len(_described(device) & _described(known)))
    of_the_ep = [device for device in devices if (device.ep_name, device.type) == (known.ep_name, known.type)]
    only = of_the_ep[0] if len(of_the_ep) == 1 else None
    return only if only in free else None


def _identity(device: Device) -> tuple[object, ...]:
    return (device.library, device.ep_name, device.type, device.device.vendor_id, device.device.device_id)


def _ordinal(device: Device) -> str:
    """Which of equal devices it is; see `records.device.with_keys`."""
    return device.key.rpartition("#")[2]


def _described(device: Device) -> set[tuple[str, str]]:
    return {*device.device.metadata, *device.ep_metadata}


def _libraries_of(
    setup: Setup, libraries: tuple[Library, ...], owners: set[str | None]
) -> tuple[tuple[SetupLibrary, ...], tuple[SetupLibrary, ...]]:
    """Return the libraries that are needed and not loaded: those whose files are there, and those that are gone.

    `owners` are the libraries of the devices that are not there; a policy may choose among all.
    """
    there = [library for library in libraries if library.state in (LibraryState.LOADED, LibraryState.LOADING)]
    names, paths = {library.name for library in there}, {library.path for library in there}
    needed = [
        library
        for library in setup.libraries
        if library.name not in names
        and library.path not in paths
        and (library.name in owners or setup.settings.target.policy is not None)
    ]
    wanted = tuple(library for library in needed if _is_there(library.path))
    return wanted, tuple(library for library in needed if library not in wanted)


def _missing_files(setup: Setup) -> list[str]:
    settings, found = setup.settings, []
    if not _is_there(settings.model_path):
        found.append(f"The model is not there: {settings.model_path}. Choose it where it lies now.")
    found += [
        f"The file of the input “{source.name}” is not there: {source.path}. Choose another one for it."
        for source in settings.inputs
        if source.kind in (SourceKind.FILE, SourceKind.IMAGE) and not _is_there(source.path)
    ]
    return found


def _lost_text(library: SetupLibrary) -> str:
    return f"The library “{library.name}” is not there: {library.path}. Add it where it lies now, under that name."


def _gone_text(key: str, known: Device | None) -> str:
    if known is None:
        return f"The device {key} is not there. Choose another one."
    if known.library is None:
        return f"The device {device_text(known)} is not there. Choose another one."
    return f"The device {device_text(known)} of the library “{known.library}” is not there. Choose another one."
