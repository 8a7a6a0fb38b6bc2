"""Which targets the words of `--targets` mean, with the devices that are there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .records.codec import StringMap
from .records.device import Device
from .records.failure import FailureKind, failure_error
from .records.trial import Policy

ALL, ALL_POLICIES, POLICY_PREFIX = "all", "all-policies", "policy:"
_EP_ENDING = "ExecutionProvider"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetWord:
    """One word of `--targets`: `ggml:1+threads=4`."""

    text: str
    """As it was given, without the options."""
    options: StringMap = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedTarget:
    """One target that is compared: a device or a policy."""

    label: str
    device: Device | None = None
    policy: Policy | None = None
    options: StringMap = ()
    """Those of its word alone."""


def named_targets(words: Sequence[TargetWord], devices: tuple[Device, ...]) -> tuple[NamedTarget, ...]:
    """Return what the words mean, in their order, each with a label that no other has. Raises `FailureError`.

    `all` and `all-policies` add what no other word means yet; what is given twice is compared twice.
    """
    found: list[NamedTarget] = []
    names = _device_names(devices)
    meant = [None if word.text in (ALL, ALL_POLICIES) else _meant(word, devices, names) for word in words]
    for word, target in zip(words, meant, strict=True):
        if target is not None:
            found.append(target)
            continue
        others = [other for other in (*meant, *found) if other is not None]
        found += [each for each in _all(word, devices, names) if not any(_is_same(each, other) for other in others)]
    return _with_labels(found)


def _all(word: TargetWord, devices: Iterable[Device], names: dict[str, str]) -> Iterable[NamedTarget]:
    if word.text == ALL_POLICIES:
        return [NamedTarget(label=policy.value, policy=policy, options=word.options) for policy in Policy]
    return [
        NamedTarget(label=names[device.key], device=device, options=word.options)
        for device in devices
        if not device.is_virtual  # there is no hardware behind it to run on
    ]


def _is_same(one: NamedTarget, other: NamedTarget) -> bool:
    return (one.device, one.policy, one.options) == (other.device, other.policy, other.options)


def _meant(word: TargetWord, devices: tuple[Device, ...], names: dict[str, str]) -> NamedTarget:
    if word.text.startswith(POLICY_PREFIX):
        policy = Policy(word.text.removeprefix(POLICY_PREFIX))
        return NamedTarget(label=policy.value, policy=policy, options=word.options)
    device = _device(word.text, devices)
    return NamedTarget(label=names[device.key], device=device, options=word.options)


def _device(wish: str, devices: tuple[Device, ...]) -> Device:
    """Return the device that `EP`, `EP:N` or a short form of the EP's name means. Raises `FailureError`."""
    name, number = wish, 0
    head, separator, tail = wish.rpartition(":")
    if separator and tail.isdecimal():
        name, number = head, int(tail)
    for is_meant in (_is_ep, _is_library):
        those = [device for device in devices if is_meant(device, name)]
        if number < len(those):
            return those[number]
        if those:
            message = f"{name} has {len(those)} device(s), counted from 0; there is no {name}:{number}."
            raise failure_error(FailureKind.DEVICE_VANISHED, message)
    there = ", ".join(dict.fromkeys(_short(device.ep_name) for device in devices))
    message = f"There is no target {wish}; EPs here: {there}."
    raise failure_error(FailureKind.DEVICE_VANISHED, message, hint="Load its library with --library NAME=PATH.")


def _is_ep(device: Device, name: str) -> bool:
    return name.lower() in (device.ep_name.lower(), _short(device.ep_name).lower())


def _is_library(device: Device, name: str) -> bool:
    return device.library is not None and name.lower() == device.library.lower()


def _short(ep_name: str) -> str:
    return ep_name.removesuffix(_EP_ENDING) or ep_name


def _device_names(devices: tuple[Device, ...]) -> dict[str, str]:
    """Return a short name for each device by its key: `CPU`, and `WebGpu:1` where an EP has several."""
    counts = Counter(device.ep_name for device in devices)
    seen: Counter[str] = Counter()
    names = {}
    for device in devices:
        number = f":{seen[device.ep_name]}" if counts[device.ep_name] > 1 else ""
        names[device.key] = f"{_short(device.ep_name)}{number}"
        seen[device.ep_name] += 1
    return names


def _with_labels(targets: Sequence[NamedTarget]) -> tuple[NamedTarget, ...]:
    labels: list[str] = []
    for target in targets:
        options = ", ".join(f"{key}={value}" for key, value in target.options)
        labels.append(unused(f"{target.label}, {options}" if options else target.label, labels))
    return tuple(
        NamedTarget(label=label, device=target.device, policy=target.policy, options=target.options)
        for label, target in zip(labels, targets, strict=True)
    )


def unused(label: str, taken: Iterable[str]) -> str:
    """Return a label, with a number where it is taken."""
    others = set(taken)
    numbered = (label if number == 1 else f"{label} ({number})" for number in range(1, len(others) + 2))
    return next(name for name in numbered if name not in others)
