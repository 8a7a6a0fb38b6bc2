"""The devices as a table, and everything known of the selected ones as a tree."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QObject
from PySide6.QtGui import QIcon

from ..records.device import Device, DeviceType
from ..records.units import hex_id
from .detail_tree import DetailGroup
from .table import Column, FilterProxy, Index, RecordTableModel


def _tr(text: str) -> str:
    return QCoreApplication.translate("DeviceTable", text)


class DeviceTableModel(RecordTableModel[Device]):
    """One row a device. `type_icon` gives the icon of a kind of hardware, `new_mark` that of a device that is new."""

    def __init__(
        self,
        type_icon: Callable[[DeviceType], QIcon | None],
        new_mark: Callable[[Device], QIcon | None],
        parent: QObject | None = None,
    ) -> None:
        columns = (
            Column[Device](
                title=_tr("EP"),
                text=lambda device: device.ep_name,
                icon=new_mark,
                tip=lambda device: (
                    _tr("{0} (new: it came with what was loaded last)") if new_mark(device) else "{0}"
                ).format(device.ep_name),
                is_bold=lambda device: new_mark(device) is not None,
            ),
            Column[Device](
                title=_tr("Library"),
                text=lambda device: device.library or _tr("built in"),
                header_tip=_tr("The registration name of the library that offers the device"),
            ),
            Column[Device](
                title=_tr("Type"),
                text=lambda device: device.type.value,
                icon=lambda device: type_icon(device.type),
                header_tip=_tr("The kind of hardware: CPU, GPU or NPU"),
            ),
            Column[Device](title=_tr("EP vendor"), text=lambda device: device.ep_vendor),
            Column[Device](
                title=_tr("Version"),
                text=lambda device: device.ep_version,
                sort=lambda device: _version_key(device.ep_version),
                header_tip=_tr("The version of the EP, from its metadata"),
            ),
            Column[Device](
                title=_tr("Hardware"),
                text=lambda device: device.device.vendor,
                header_tip=_tr("The vendor of the hardware"),
            ),
            Column[Device](
                title=_tr("Vendor ID"),
                text=lambda device: hex_id(device.device.vendor_id),
                sort=lambda device: device.device.vendor_id,
                header_tip=_tr("The PCI vendor id of the hardware"),
            ),
            Column[Device](
                title=_tr("Device ID"),
                text=lambda device: hex_id(device.device.device_id),
                sort=lambda device: device.device.device_id,
                header_tip=_tr("The PCI product id of the hardware: equal cards share it"),
            ),
            Column[Device](
                title=_tr("Virtual"),
                text=lambda device: _tr("virtual") if device.is_virtual else _tr("no"),
                header_tip=_tr("A virtual device has no hardware behind it: models can be compiled for it, not run"),
            ),
        )
        super().__init__(columns, lambda device: device.key, parent)


class DeviceFilterProxy(FilterProxy):
    """Looks through everything known of a device, not only through the columns."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._texts: dict[str, tuple[Device, str]] = {}

    def row_text(self, source_row: int, source_parent: Index) -> str:
        """Return all texts of the device, case folded; they are put together once, for a thousand devices take long."""
        model = self.sourceModel()
        if not isinstance(model, DeviceTableModel):
            return super().row_text(source_row, source_parent)
        device = model.row(source_row)
        known = self._texts.get(device.key)
        if known is not None and known[0] is device:
            return known[1]
        text = search_text(device)
        self._texts[device.key] = (device, text)
        return text


def search_text(device: Device) -> str:
    """Return all that is known of a device, columns and details, in one case folded text."""
    hardware = device.device
    pairs = [*device.ep_metadata, *device.ep_options, *hardware.metadata]
    for info in device.memory_info:
        pairs += [(info.kind, info.name), *info.fields]
    parts = [
        device.ep_name,
        device.ep_vendor,
        device.library or _tr("built in"),
        hardware.type.value,
        hardware.vendor,
        f"{hex_id(hardware.vendor_id)} {hardware.vendor_id}",
        f"{hex_id(hardware.device_id)} {hardware.device_id}",
        _tr("virtual") if device.is_virtual else "",
        *(f"{key} {value}" for key, value in pairs),
    ]
    return "\t".join(parts).casefold()


def devices_text(count: int) -> str:
    """Return a number of devices in words."""
    return _tr("1 device") if count == 1 else _tr("{0} devices").format(count)


def device_details(device: Device) -> tuple[DetailGroup, ...]:
    """Return everything known of a device, in groups of key and value."""
    hardware = device.device
    groups = [
        DetailGroup(
            title=_tr("Execution provider"),
            pairs=(
                ("ep_name", device.ep_name),
                ("ep_vendor", device.ep_vendor),
                ("library", device.library or _tr("built in")),
            ),
        ),
        DetailGroup(title=_tr("EP metadata"), pairs=device.ep_metadata),
        DetailGroup(title=_tr("EP options"), pairs=device.ep_options),
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
    ]
    groups += [
        DetailGroup(title=_tr("Memory: {0}").format(info.kind), pairs=(("name", info.name), *info.fields))
        for info in device.memory_info
    ]
    if not device.memory_info:
        groups.append(DetailGroup(title=_tr("Memory info"), pairs=()))
    return tuple(groups)


def _version_key(version: str) -> str:
    """Return a text that sorts as the versions do: 1.9-beta, 1.9, 1.10. Qt cannot compare tuples."""
    parts = version.replace("-", ".").split(".")
    return ".".join(f"{int(part):012}" if part.isdecimal() else f"!{part}" for part in parts) + ".#"
