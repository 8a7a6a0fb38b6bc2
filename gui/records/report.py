"""The device report: environment, libraries and devices with every field, named as ORT names them."""

from __future__ import annotations

from dataclasses import dataclass

from .device import Device, HardwareDevice, Incompatibility
from .library import Library
from .protocol import Greeting

REPORT_FORMAT = "ort-device-explorer report 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceReport:
    """What `--report` writes."""

    format: str = REPORT_FORMAT
    created: str
    """ISO 8601, UTC."""
    environment: Greeting
    libraries: tuple[Library, ...]
    devices: tuple[Device, ...]
    hardware: tuple[HardwareDevice, ...] | None = None
    """What ORT found on the machine, offered by an EP or not; None where the binding does not tell."""
    incompatibilities: tuple[Incompatibility, ...] = ()
    """Why EPs do not offer hardware, or will not get far with it."""
