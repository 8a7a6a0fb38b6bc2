"""The hardware ORT found, as a table, and what EPs say of one piece of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, QObject
from PySide6.QtGui import QIcon

from ..records.device import Device, DeviceType, HardwareDevice, Incompatibility
from ..records.units import hex_id
from .detail_tree import DetailGroup
from .table import Column, RecordTableModel
from .texts import DASH


def _tr(text: str) -> str:
    return QCoreApplication.translate("HardwareTable", text)


@dataclass(frozen=True, slots=True, kw_only=True)
class HardwareRow:
    """One piece of hardware and what the EPs make of it."""

    number: int
    """Tells equal pieces apart."""
    hardware: HardwareDevice
    offered_by: tuple[str, ...]
    """EPs that offer it as a device, each once."""
    told: tuple[Incompatibility, ...]


def hardware_rows(
    hardware: Sequence[HardwareDevice], devices: Sequence[Device], told: Sequence[Incompatibility]
) -> tuple[HardwareRow, ...]:
    """Return the rows of the table."""
    return tuple(
        HardwareRow(
            number=number,
            hardware=piece,
            offered_by=tuple(dict.fromkeys(_ep_text(entry) for entry in devices if entry.device == piece)),
            told=tuple(entry for entry in told if entry.hardware == piece),
        )
        for number, piece in enumerate(hardware)
    )


def hardware_details(row: HardwareRow) -> tuple[DetailGroup, ...]:
    """Return everything known of a piece of hardware, in groups of key and value."""
    hardware = row.hardware
    groups = [
        DetailGroup(
            title=_tr("Hardware"),
            pairs=(
                ("type", hardware.type.value),
                ("vendor", hardware.vendor),
                ("vendor_id", f"{hex_id(hardware.vendor_id)} ({hardware.vendor_id})"),
                ("device_id", f"{hex_id(hardware.device_id)} ({hardware.device_id})"),
            ),
        ),
        DetailGroup(title=_tr("Hardware metadata"), pairs=hardware.metadata),
        DetailGroup(title=_tr("Offered by"), pairs=tuple((name, _tr("as a device")) for name in row.offered_by)),
    ]
    for entry in row.told:
        title = _tr("{0} warns") if entry.offered else _tr("{0} does not offer it")
        pairs = [("reason", reason) for reason in entry.reasons or (_tr("none given"),)]
        if entry.notes:
            pairs.append(("notes", entry.notes))
        if entry.error_code:
            pairs.append(("error_code", str(entry.error_code)))
        groups.append(DetailGroup(title=title.format(_owner_text(entry)), pairs=tuple(pairs)))
    return tuple(groups)


class HardwareTableModel(RecordTableModel[HardwareRow]):
    """One row a piece of hardware. `type_icon` gives the icon of its kind."""

    def __init__(self, type_icon: Callable[[DeviceType], QIcon | None], parent: QObject | None = None) -> None:
        columns = (
            Column[HardwareRow](
                title=_tr("Type"),
                text=lambda row: row.hardware.type.value,
                icon=lambda row: type_icon(row.hardware.type),
            ),
            Column[HardwareRow](title=_tr("Vendor"), text=lambda row: row.hardware.vendor or DASH),
            Column[HardwareRow](
                title=_tr("Vendor ID"),
                text=lambda row: hex_id(row.hardware.vendor_id),
                sort=lambda row: row.hardware.vendor_id,
            ),
            Column[HardwareRow](
                title=_tr("Device ID"),
                text=lambda row: hex_id(row.hardware.device_id),
                sort=lambda row: row.hardware.device_id,
            ),
            Column[HardwareRow](
                title=_tr("Offered by"),
                text=lambda row: ", ".join(row.offered_by) or _tr("no EP"),
                header_tip=_tr("The EPs that offer it as a device"),
            ),
            Column[HardwareRow](
                title=_tr("Not offered by"),
                text=lambda row: ", ".join(_short(entry) for entry in row.told if not entry.offered) or DASH,
                header_tip=_tr("Loaded EPs that do not offer it, and why, where they say so"),
            ),
            Column[HardwareRow](
                title=_tr("Warnings"),
                text=lambda row: ", ".join(_short(entry) for entry in row.told if entry.offered) or DASH,
                header_tip=_tr("EPs that offer it and say that something is amiss all the same"),
            ),
        )
        super().__init__(columns, lambda row: row.number, parent)


def _short(entry: Incompatibility) -> str:
    reasons = ", ".join(entry.reasons)
    return f"{_owner_text(entry)} ({reasons})" if reasons else _owner_text(entry)


def _owner_text(entry: Incompatibility) -> str:
    return _named(entry.ep_name, entry.library)


def _ep_text(device: Device) -> str:
    return _named(device.ep_name, device.library)


def _named(ep_name: str, library: str | None) -> str:
    return ep_name if library in (None, ep_name) else f"{ep_name} [{library}]"
