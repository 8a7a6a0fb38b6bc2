"""The device report as Markdown, to be pasted into an issue or a mail. Always the C locale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from .codec import StringMap
from .device import Device, HardwareDevice, Incompatibility
from .library import Library, LibraryState
from .library_remarks import incompatibility_text
from .markdown import code, code_block, escaped, table
from .protocol import Greeting
from .report import DeviceReport
from .units import hex_id

_SAID_LINES = 40
"""As many of the last lines that a library printed are quoted."""
_TITLES = {
    "application": "ORT Device Explorer",
    "python": "Python",
    "platform": "Platform",
    "cpu": "CPU",
    "cpu_count": "Logical CPUs",
    "protocol": "Engine protocol",
}
_NOT_ENVIRONMENT = frozenset({"process_id"})
"""What an engine tells of itself that no other run shares."""


def report_markdown(report: DeviceReport) -> str:
    """Return the report as a Markdown document; it ends with one newline."""
    blocks = [
        "# Device report",
        f"Created: {escaped(report.created)}",
        "## Environment",
        table(("What", "Value"), [(title, escaped(value)) for title, value in environment_pairs(report.environment)]),
        "## Libraries",
        *_libraries(report.libraries),
        "## Devices",
        *_devices(report.devices),
        "## Hardware",
        *_hardware(report),
        "## Incompatibilities",
        *_incompatibilities(report),
    ]
    return "\n\n".join(blocks) + "\n"


def environment_pairs(environment: Greeting) -> tuple[tuple[str, str], ...]:
    """Return title and value of all that is told of an environment, the number of the process left out."""
    names = (field.name for field in fields(environment) if field.name not in _NOT_ENVIRONMENT)
    return tuple((_TITLES.get(name, name.replace("_", " ")), str(getattr(environment, name))) for name in names)


def file_name_of(path: str) -> str:
    """Return the last part of a path of whichever system the report comes from."""
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2] if _is_windows(path) else path.rpartition("/")[2]


def device_title(device: Device) -> str:
    """Return EP and hardware of a device in a few words; equal devices have the same."""
    return f"{device.ep_name} · {hardware_title(device.device)}"


def hardware_title(hardware: HardwareDevice) -> str:
    """Return kind and vendor of a piece of hardware."""
    return f"{hardware.type.value} {hardware.vendor}".strip()


def _is_windows(path: str) -> bool:
    return path[1:3] in (":\\", ":/") or path.startswith("\\\\")


# ---- Libraries ----


def _libraries(libraries: Sequence[Library]) -> list[str]:
    if not libraries:
        return ["None."]
    titles = ("Name", "File", "State", "Devices", "Version")
    rows = [
        (
            escaped(library.name),
            escaped(file_name_of(library.path)),
            library.state.value,
            str(len(library.device_keys)),
            escaped(library.check.version) if library.check is not None else "",
        )
        for library in libraries
    ]
    blocks = [table(titles, rows)]
    for library in libraries:
        blocks += [f"### Library {escaped(library.name)}", *_library(library)]
    return blocks


def _library(library: Library) -> list[str]:
    blocks = [f"Path: {code(library.path)}"]
    check = library.check
    if check is not None and check.size_bytes:
        modified = f", modified {escaped(check.modified)}" if check.modified else ""
        digest = f", SHA-256 {code(check.sha256)}" if check.sha256 else ""
        blocks.append(f"File: {check.size_bytes} bytes{modified}{digest}")
    if library.error is not None:
        blocks.append(f"Error ({escaped(library.error.kind.value)}): {escaped(str(library.error))}")
        if library.error.detail:
            blocks += _quoted("Details:", library.error.detail.splitlines())
    if library.killed_engine:
        blocks.append("Loading it ended an engine, or hung it.")
    if check is not None and check.findings:
        blocks.append("Read from the file before it was loaded:")
        blocks.append(
            "\n".join(
                f"- **{escaped(finding.topic)}**, {finding.mark.value}: {escaped(finding.text)}"
                for finding in check.findings
            )
        )
    if library.said and (library.state is LibraryState.FAILED or not library.device_keys):
        blocks += _quoted("Printed while it was loaded:", library.said)
    return blocks


def _quoted(head: str, lines: Sequence[str]) -> list[str]:
    if len(lines) > _SAID_LINES:
        head = f"{head.removesuffix(':')} (the last {_SAID_LINES} of {len(lines)} lines):"
    return [head, code_block(lines[-_SAID_LINES:])]


# ---- Devices ----


def _devices(devices: Sequence[Device]) -> list[str]:
    if not devices:
        return ["None."]
    titles = ("No.", "EP", "Type", "EP vendor", "Version", "Hardware", "Vendor ID", "Device ID", "Virtual", "Library")
    rows = [
        (
            str(number),
            escaped(device.ep_name),
            device.type.value,
            escaped(device.ep_vendor),
            escaped(device.ep_version),
            escaped(device.device.vendor),
            hex_id(device.device.vendor_id),
            hex_id(device.device.device_id),
            "virtual" if device.is_virtual else "no",
            "built in" if device.library is None else escaped(device.library),
        )
        for number, device in enumerate(devices, start=1)
    ]
    blocks = [table(titles, rows)]
    for number, device in enumerate(devices, start=1):
        blocks += [f"### {number}. {escaped(device_title(device))}", *_device(device)]
    return blocks


def _device(device: Device) -> list[str]:
    maps = [
        ("EP metadata", device.ep_metadata),
        ("EP options", device.ep_options),
        ("Hardware metadata", device.device.metadata),
    ]
    maps += [(f"Memory: {info.kind}", (("name", info.name), *info.fields)) for info in device.memory_info]
    blocks = []
    nothing = [title for title, pairs in maps if not pairs]
    if not device.memory_info:
        nothing.append("Memory info")
    for title, pairs in maps:
        if pairs:
            blocks += [f"{escaped(title)}:", _pairs_table(pairs)]
    if nothing:
        blocks.append(f"None told: {', '.join(nothing)}.")
    return blocks


def _pairs_table(pairs: StringMap) -> str:
    return table(("Key", "Value"), [(code(key), code(value)) for key, value in pairs])


# ---- Hardware ----


def _hardware(report: DeviceReport) -> list[str]:
    if report.hardware is None:
        return ["Not available: this onnxruntime does not tell what hardware it found."]
    if not report.hardware:
        return ["None."]
    titles = ("Type", "Vendor", "Vendor ID", "Device ID", "Offered by", "Metadata")
    rows = [
        (
            hardware.type.value,
            escaped(hardware.vendor),
            hex_id(hardware.vendor_id),
            hex_id(hardware.device_id),
            ", ".join(escaped(name) for name in _offered_by(hardware, report.devices)) or "no EP",
            ", ".join(code(f"{key}={value}") for key, value in hardware.metadata),
        )
        for hardware in report.hardware
    ]
    return [table(titles, rows)]


def _offered_by(hardware: HardwareDevice, devices: Sequence[Device]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(device.ep_name for device in devices if device.device == hardware))


def _incompatibilities(report: DeviceReport) -> list[str]:
    if not report.incompatibilities:
        return ["Not available." if report.hardware is None else "None told."]
    return ["\n".join(_incompatibility(entry) for entry in report.incompatibilities)]


def _incompatibility(entry: Incompatibility) -> str:
    owner = "built in" if entry.library is None else f"library {escaped(entry.library)}"
    return f"- **{escaped(entry.ep_name)}** ({owner}): {escaped(incompatibility_text(entry))}"
