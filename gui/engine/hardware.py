"""The hardware ORT found, and what EPs say of that which they do not offer. Lives on the worker thread."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from ..records.device import Device, HardwareDevice, Incompatibility
from . import ort
from .devices import copy_hardware

_REASONS: Final = {
    # OrtDeviceEpIncompatibilityReason, in words.
    1 << 0: "the driver does not fit",
    1 << 1: "the hardware does not fit",
    1 << 2: "something it depends on is missing",
    1 << 31: "the EP gives no known reason",
}


def list_hardware() -> tuple[HardwareDevice, ...] | None:
    """Return all hardware ORT found, offered by an EP or not; None where the binding does not tell."""
    if ort.get_hardware_devices is None:
        return None
    return tuple(copy_hardware(hardware) for hardware in ort.get_hardware_devices())


def incompatibilities(library: str | None, ep_names: Iterable[str], devices: Iterable[Device]) -> list[Incompatibility]:
    """Return what the EPs of a library say of each piece of hardware that they do not offer or warn of.

    Runs code of the EP, which may do anything.
    """
    if ort.get_hardware_devices is None or ort.get_incompatibility_details is None:
        return []
    offered = {(device.ep_name, device.device) for device in devices if device.library == library}
    found = []
    for ep_name in ep_names:
        for hardware in ort.get_hardware_devices():
            record = copy_hardware(hardware)
            try:
                details = ort.get_incompatibility_details(ep_name, hardware)
            except ort.ERRORS:  # a library without devices: the EP may have another name than the one tried
                continue
            is_offered = (ep_name, record) in offered
            told = _told(details)
            if not is_offered or told != _told({}):
                reasons, notes, code = told
                found.append(
                    Incompatibility(
                        ep_name=ep_name,
                        library=library,
                        hardware=record,
                        offered=is_offered,
                        reasons=reasons,
                        notes=notes,
                        error_code=code,
                    )
                )
    return found


def reasons_in_words(bitmask: int) -> tuple[str, ...]:
    """Return the reasons of an OrtDeviceEpIncompatibilityReason mask, each in words."""
    words = [text for bit, text in _REASONS.items() if bitmask & bit]
    rest = bitmask & 0xFFFFFFFF & ~sum(_REASONS)
    return (*words, *((f"reason 0x{rest:X}",) if rest else ()))


def _told(details: dict[str, Any]) -> tuple[tuple[str, ...], str, int]:
    reasons = reasons_in_words(int(details.get("reasons_bitmask") or 0))
    return reasons, str(details.get("notes") or "").strip(), int(details.get("error_code") or 0)
