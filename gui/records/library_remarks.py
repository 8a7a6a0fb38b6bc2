"""What is to be known of a library that is loaded, or on its way: not failures, but as plain as these."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .device import Device, Incompatibility
from .failure import Failure, FailureKind
from .library import VIRTUAL_SUFFIX, Library, LibraryState

PATIENCE_S = 30
"""What takes longer to load is said to hang."""
_QUOTED_LINES = 40


def remarks_of(
    library: Library,
    libraries: Sequence[Library],
    devices: Sequence[Device],
    incompatibilities: Sequence[Incompatibility] = (),
) -> tuple[Failure, ...]:
    """Return what is to be known of a library, the most important first; nothing for most."""
    if library.state is LibraryState.LOADING:
        return (_overdue(library),) if library.overdue else ()
    if library.state is not LibraryState.LOADED:
        return ()
    remarks = []
    if not library.device_keys:
        told = [entry for entry in incompatibilities if entry.library == library.name]
        remarks.append(_no_devices(library, told))
    remarks += [_warning(library, entry) for entry in incompatibilities if _is_warning(entry, library)]
    remarks += _same_file(library, libraries)
    remarks += _same_ep_name(library, devices)
    return tuple(remarks)


def incompatibility_text(entry: Incompatibility) -> str:
    """Return in a line why an EP does not offer a piece of hardware, or what it warns of."""
    hardware = f"{entry.hardware.type.value} {entry.hardware.vendor}".strip()
    told = ", ".join(entry.reasons) or ("it gives no reason" if not entry.offered else "it warns")
    notes = f": {' '.join(entry.notes.split())}" if entry.notes else ""
    code = f" (code {entry.error_code})" if entry.error_code else ""
    verb = "is offered, but" if entry.offered else "is not offered:"
    return f"{hardware} {verb} {told}{notes}{code}"


def _overdue(library: Library) -> Failure:
    return Failure(
        kind=FailureKind.HANGS,
        message=f"“{library.name}” has been loading for more than {PATIENCE_S} seconds.",
        hint="Some EPs take long the first time. Keep waiting, or stop it: a fresh engine takes over then.",
    )


def _no_devices(library: Library, told: Sequence[Incompatibility]) -> Failure:
    reasons = [incompatibility_text(entry) for entry in told if entry.reasons or entry.notes]
    quoted = _telling_line(library.said)
    message = f"“{library.name}” is loaded, but offers no device here."
    if reasons:
        message = f"“{library.name}” is loaded, but offers no device here: {reasons[0]}."
    elif quoted:
        message = f"“{library.name}” is loaded, but offers no device here. It said: {quoted}"
    hint = "Its hardware or driver may be missing; the EP's documentation tells what it needs."
    if not library.name.endswith(VIRTUAL_SUFFIX):
        hint += (
            f" To compile models for hardware that is not here, load it as “{library.name}{VIRTUAL_SUFFIX}”:"
            " some EPs offer virtual devices then."
        )
    detail = "\n".join([*reasons, *library.said[-_QUOTED_LINES:]])
    return Failure(kind=FailureKind.NO_DEVICES, message=message, hint=hint, detail=detail)


def _is_warning(entry: Incompatibility, library: Library) -> bool:
    return entry.library == library.name and entry.offered


def _warning(library: Library, entry: Incompatibility) -> Failure:
    return Failure(
        kind=FailureKind.EP_WARNS,
        message=f"“{library.name}” is loaded, but its EP warns: {incompatibility_text(entry)}.",
        hint="Trials on that device may fail unless an EP option helps; the EP's documentation tells.",
        detail=entry.notes,
    )


def _telling_line(said: Sequence[str]) -> str:
    """Return the line among those printed that is most likely the reason: the last that sounds like trouble."""
    words = ("need", "require", "error", "fail", "not ", "no ", "unsupported", "missing", "cannot", "unable")
    for line in reversed(said):
        if any(word in f"{line.lower()} " for word in words):
            return line if len(line) <= 300 else f"{line[:297]}…"
    return ""


def _same_file(library: Library, libraries: Sequence[Library]) -> list[Failure]:
    twins = [
        other.name
        for other in libraries
        if other.name != library.name and other.state is LibraryState.LOADED and is_same_file(other.path, library.path)
    ]
    if not twins:
        return []
    return [
        Failure(
            kind=FailureKind.ALREADY_LOADED,
            message=f"The same file is loaded as {_quoted(twins)}, too: its devices are listed once for each name.",
            hint="Unregister one of them, unless you want both (a name ending in “.virtual”, for one).",
        )
    ]


def _same_ep_name(library: Library, devices: Sequence[Device]) -> list[Failure]:
    own = dict.fromkeys(device.ep_name for device in devices if device.library == library.name)
    remarks = []
    for ep_name in own:
        others = dict.fromkeys(
            device.library or "ONNX Runtime"
            for device in devices
            if device.ep_name == ep_name and device.library != library.name
        )
        if others:
            remarks.append(
                Failure(
                    kind=FailureKind.SAME_EP_NAME,
                    message=f"The EP name {ep_name} is offered by {_quoted(others)}, too.",
                    hint="The column Library tells their devices apart. A trial cannot mix them, and a policy may take"
                    " either; unregister one to be sure which.",
                )
            )
    return remarks


def is_same_file(one: str, other: str) -> bool:
    """Whether two paths lead to one file."""
    try:
        return Path(one).samefile(other)
    except (OSError, ValueError):
        return one == other


def _quoted(names: Sequence[str] | dict[str, None]) -> str:
    return " and ".join(f"“{name}”" for name in names)
