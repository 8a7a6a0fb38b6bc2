"""What differs between two device reports: what came, what went, and which values changed."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeVar

from .codec import StringMap
from .device import Device, HardwareDevice, MemoryInfo
from .library import Library
from .library_check import LibraryCheck
from .markdown import code, escaped, table
from .report import DeviceReport
from .report_markdown import device_title, environment_pairs, file_name_of, hardware_title
from .units import hex_id

_T = TypeVar("_T")
_Key = Callable[[_T], Hashable]
_Match = tuple[int | None, int | None]
"""The number of the same thing in the old report and in the new."""
_Difference = tuple[str, str | None, str | None]
"""A field, what it was and what it is."""

BUILT_IN: Final = "built in"
"""The library of devices that ORT brought along."""


class ChangeKind(Enum):
    """What happened."""

    CAME = "came"
    WENT = "went"
    CHANGED = "changed"


class Part(Enum):
    """The part of a report in which it happened."""

    ENVIRONMENT = "environment"
    LIBRARY = "library"
    DEVICE = "device"
    HARDWARE = "hardware"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference. A library, a device or a piece of hardware came or went as a whole, or one value of it did."""

    kind: ChangeKind
    part: Part
    item: str
    """The library, device or piece of hardware in words, which tell equal ones apart; the name of what is told of
    the environment."""
    field: str = ""
    """Which value of the item; empty when it is the item as a whole."""
    old: str | None
    """None when there was none."""
    new: str | None
    """None when there is none now."""

    @property
    def is_whole(self) -> bool:
        """Whether a library, a device or a piece of hardware came or went, not a value of one."""
        return not self.field and self.kind is not ChangeKind.CHANGED


def compare_reports(old: DeviceReport, new: DeviceReport) -> tuple[Change, ...]:
    """Return all differences, part by part, in the order of the new report; what went stands last in its part.

    Devices are known again in steps, as their keys hold a digest of metadata that changes with it: a device whose
    driver was updated, or a card that took another's place, is the same device with other values.
    """
    matched = _matched(old.libraries, new.libraries, _LIBRARY_STEPS)
    changes = [
        *_environment(old, new),
        *_compared(
            Part.LIBRARY, old.libraries, new.libraries, matched, _library_name, _library_brief, _library_differences
        ),
    ]
    matched = _matched(old.devices, new.devices, _DEVICE_STEPS, _lone_place)
    changes += _compared(
        Part.DEVICE, old.devices, new.devices, matched, device_title, _device_brief, _device_differences
    )
    if old.hardware is not None and new.hardware is not None:
        matched = _matched(old.hardware, new.hardware, _HARDWARE_STEPS)
        changes += _compared(
            Part.HARDWARE, old.hardware, new.hardware, matched, hardware_title, _ids, _hardware_differences
        )
    return tuple(changes)


def changes_summary(changes: Iterable[Change]) -> str:
    """Return the changes counted, in one sentence."""
    counts = Counter((change.part, change.kind) if change.is_whole else None for change in changes)
    said = [
        f"{_counted(counts[part, kind], *_WORDS[part])} {kind.value}"
        for kind in (ChangeKind.CAME, ChangeKind.WENT)
        for part in _WORDS
        if counts[part, kind]
    ]
    if counts[None]:
        said.append(f"{_counted(counts[None], 'value', 'values')} changed")
    return f"{', '.join(said)}." if said else "Nothing has changed."


def changes_markdown(changes: Sequence[Change], old: DeviceReport, new: DeviceReport) -> str:
    """Return the changes and which reports they lie between as a Markdown document; it ends with one newline."""
    blocks = [
        "# Changes between two device reports",
        "\n".join(f"- {when}: {escaped(report_text(report))}" for when, report in (("Then", old), ("Now", new))),
        changes_summary(changes),
    ]
    if changes:
        rows = [
            (
                change.kind.value,
                change.part.value,
                code(change.item),
                escaped(change.field),
                _value(change.old),
                _value(change.new),
            )
            for change in changes
        ]
        blocks.append(table(("What", "Part", "Item", "Field", "Then", "Now"), rows))
    return "\n\n".join(blocks) + "\n"


def report_text(report: DeviceReport) -> str:
    """Return in a line when and where a report was made."""
    return f"{report.created}, onnxruntime {report.environment.onnxruntime}, {report.environment.platform}"


_WORDS: Final = {
    Part.LIBRARY: ("library", "libraries"),
    Part.DEVICE: ("device", "devices"),
    Part.HARDWARE: ("piece of hardware", "pieces of hardware"),
}


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _value(value: str | None) -> str:
    return "–" if value is None else code(value) or "(empty)"


# ---- Which is which ----


def _matched(
    old: Sequence[_T], new: Sequence[_T], steps: Iterable[_Key[_T]], lone: _Key[_T] | None = None
) -> list[_Match]:
    """Return who is who by number, in the order of the new ones, then what is left of the old.

    In each step those with equal keys are paired, in order, and leave; a key of None is equal to no other. At last the
    one that is left of a `lone` key is paired with the one that is left of it on the other side.
    """
    partners: dict[int, int] = {}
    gone, come = list(range(len(old))), list(range(len(new)))
    for step in steps:
        waiting: dict[Hashable, deque[int]] = defaultdict(deque)
        for number in gone:
            waiting[step(old[number])].append(number)
        waiting.pop(None, None)
        for number in come:
            if queue := waiting.get(step(new[number])):
                partners[number] = queue.popleft()
        taken = set(partners.values())
        gone = [number for number in gone if number not in taken]
        come = [number for number in come if number not in partners]
    if lone is not None:
        old_ones, new_ones = _lone(old, gone, lone), _lone(new, come, lone)
        partners |= {new_ones[key]: old_ones[key] for key in new_ones if key in old_ones}
        gone = [number for number in gone if number not in set(partners.values())]
    return [*((partners.get(number), number) for number in range(len(new))), *((number, None) for number in gone)]


def _lone(entries: Sequence[_T], numbers: Iterable[int], key: _Key[_T]) -> dict[Hashable, int]:
    """Return those among the numbered entries whose key no other has."""
    found: dict[Hashable, list[int]] = defaultdict(list)
    for number in numbers:
        found[key(entries[number])].append(number)
    return {place: same[0] for place, same in found.items() if len(same) == 1}


def _product(hardware: HardwareDevice) -> Hashable:
    return hardware.type, hardware.vendor_id, hardware.device_id


def _library_name(library: Library) -> str:
    return library.name


def _lone_place(device: Device) -> Hashable:
    """Where a card may have been exchanged for another."""
    return device.library, device.ep_name, device.type


_LIBRARY_STEPS: Final[tuple[_Key[Library], ...]] = (_library_name, lambda library: file_name_of(library.path) or None)
_DEVICE_STEPS: Final[tuple[_Key[Device], ...]] = (
    lambda device: device.key or None,
    # The EP tells other things of the same hardware: equal cards in different slots stay what they are.
    lambda device: (device.library, device.ep_name, device.device),
    lambda device: (device.library, device.ep_name, _product(device.device)),
    lambda device: (device.ep_name, _product(device.device)),
)
_HARDWARE_STEPS: Final[tuple[_Key[HardwareDevice], ...]] = (lambda hardware: hardware, _product)


# ---- What differs ----


def _environment(old: DeviceReport, new: DeviceReport) -> Iterator[Change]:
    for field, before, after in _differing(environment_pairs(old.environment), environment_pairs(new.environment)):
        yield Change(kind=_kind(before, after), part=Part.ENVIRONMENT, item=field, old=before, new=after)


def _compared(
    part: Part,
    old: Sequence[_T],
    new: Sequence[_T],
    matches: Iterable[_Match],
    name: Callable[[_T], str],
    brief: Callable[[_T], str],
    differences: Callable[[_T, _T], Iterator[_Difference]],
) -> Iterator[Change]:
    """Yield the changes of a part: `brief` tells of what came or went, `differences` of what is on both sides."""
    old_names, new_names = _numbered(map(name, old)), _numbered(map(name, new))
    for before, after in matches:
        if after is None:
            if before is not None:
                item, text = old_names[before], brief(old[before])
                yield Change(kind=ChangeKind.WENT, part=part, item=item, old=text, new=None)
        elif before is None:
            item, text = new_names[after], brief(new[after])
            yield Change(kind=ChangeKind.CAME, part=part, item=item, old=None, new=text)
        elif old[before] != new[after]:
            item = new_names[after]
            for field, old_value, new_value in differences(old[before], new[after]):
                kind = _kind(old_value, new_value)
                yield Change(kind=kind, part=part, item=item, field=field, old=old_value, new=new_value)


def _numbered(names: Iterable[str]) -> list[str]:
    """Return the names, a number behind those that were there before."""
    seen: Counter[str] = Counter()
    numbered = []
    for name in names:
        seen[name] += 1
        numbered.append(name if seen[name] == 1 else f"{name} #{seen[name]}")
    return numbered


def _kind(old: str | None, new: str | None) -> ChangeKind:
    if old is None:
        return ChangeKind.CAME
    return ChangeKind.WENT if new is None else ChangeKind.CHANGED


def _differing(old: StringMap, new: StringMap, prefix: str = "") -> Iterator[_Difference]:
    """Yield key, old and new value where they differ, in the order of `new`; what is only in `old` comes last."""
    before, after = dict(old), dict(new)
    for key in (*after, *(key for key in before if key not in after)):
        if before.get(key) != after.get(key):
            yield f"{prefix}{key}", before.get(key), after.get(key)


def _library_brief(library: Library) -> str:
    return library.path


def _library_differences(old: Library, new: Library) -> Iterator[_Difference]:
    yield from _differing(_library_values(old), _library_values(new))
    before, after = _check_values(old), _check_values(new)
    for key in after:
        if before[key] and after[key] and before[key] != after[key]:  # one of them may not have been looked at
            yield key, before[key], after[key]


def _library_values(library: Library) -> StringMap:
    error = library.error
    return (
        ("name", library.name),
        ("path", library.path),
        ("state", library.state.value),
        *((("error", f"{error.kind.value}: {error.message}"),) if error is not None else ()),
        ("devices", str(len(library.device_keys))),
    )


def _check_values(library: Library) -> dict[str, str]:
    check = library.check or LibraryCheck(path=library.path)
    size = f"{check.size_bytes} bytes" if check.size_bytes else ""
    return {"version": check.version, "size": size, "SHA-256": check.sha256}


def _ids(hardware: HardwareDevice) -> str:
    return f"vendor {hex_id(hardware.vendor_id)}, device {hex_id(hardware.device_id)}"


def _device_brief(device: Device) -> str:
    return _ids(device.device)


def _device_differences(old: Device, new: Device) -> Iterator[_Difference]:
    yield from _differing(_device_values(old), _device_values(new))
    yield from _differing(_ep_metadata(old), _ep_metadata(new), "EP metadata: ")
    yield from _differing(old.ep_options, new.ep_options, "EP option: ")
    yield from _hardware_differences(old.device, new.device)
    yield from _memory_differences(old.memory_info, new.memory_info)


def _device_values(device: Device) -> StringMap:
    version = dict(device.ep_metadata).get("version")
    return (
        ("EP vendor", device.ep_vendor),
        *((("EP version", version),) if version is not None else ()),
        ("library", BUILT_IN if device.library is None else device.library),
    )


def _ep_metadata(device: Device) -> StringMap:
    return tuple(pair for pair in device.ep_metadata if pair[0] != "version")


def _hardware_differences(old: HardwareDevice, new: HardwareDevice) -> Iterator[_Difference]:
    yield from _differing(_hardware_values(old), _hardware_values(new))
    yield from _differing(old.metadata, new.metadata, "hardware metadata: ")


def _hardware_values(hardware: HardwareDevice) -> StringMap:
    return (
        ("type", hardware.type.value),
        ("vendor", hardware.vendor),
        ("vendor ID", hex_id(hardware.vendor_id)),
        ("device ID", hex_id(hardware.device_id)),
    )


def _memory_differences(old: Sequence[MemoryInfo], new: Sequence[MemoryInfo]) -> Iterator[_Difference]:
    before, after = _memory_by_title(old), _memory_by_title(new)
    for title in (*after, *(title for title in before if title not in after)):
        if title not in before:
            yield title, None, after[title].name
        elif title not in after:
            yield title, before[title].name, None
        else:
            values, others = before[title], after[title]
            pairs = (("name", values.name), *values.fields), (("name", others.name), *others.fields)
            yield from _differing(*pairs, f"{title}: ")


def _memory_by_title(infos: Sequence[MemoryInfo]) -> dict[str, MemoryInfo]:
    return dict(zip(_numbered(f"memory {info.kind}" for info in infos), infos, strict=True))
