"""The device report: environment, libraries and devices with every field, named as ORT names them."""

from __future__ import annotations

from dataclasses import dataclass

from .device import Device
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
