"""Targets in words."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from .records.device import Device
from .records.trial import Target


def _tr(text: str) -> str:
    return QCoreApplication.translate("Targets", text)


def target_text(target: Target, devices: tuple[Device, ...]) -> str:
    """Return a target in words: a policy's name, or the EPs in their order."""
    if target.policy is not None:
        return target.policy.value
    parts = [_choice_text(keys, devices) for keys in (target.device_keys, target.second_keys) if keys]
    return _tr("{0}, then {1}").format(*parts) if len(parts) > 1 else parts[0]


def _choice_text(keys: tuple[str, ...], devices: tuple[Device, ...]) -> str:
    names = dict.fromkeys(device.ep_name for device in devices if device.key in keys)
    text = ", ".join(names) or _tr("vanished device")
    if len(keys) < 2:
        return text
    return _tr("{0}, {1} devices").format(text, len(keys))
