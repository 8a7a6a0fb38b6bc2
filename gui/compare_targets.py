"""Which targets the words of `--targets` mean, with the devices that are there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .named_devices import device_named, short_name
from .records.codec import StringMap
from .records.device import Device
from .records.trial import Policy

ALL, ALL_POLICIES, POLICY_PREFIX = "all", "all-policies", "policy:"


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
    device = device_named(word.text, devices)
    return NamedTarget(label=names[device.key], device=device, options=word.options)


def _device_names(devices: tuple[Device, ...]) -> dict[str, str]:
    """Return a short name for each device by its key: `CPU`, and `WebGpu:1` where an EP has several."""
    counts = Counter(device.ep_name for device in devices)
    seen: Counter[str] = Counter()
    names = {}
    for device in devices:
        number = f":{seen[device.ep_name]}" if counts[device.ep_name] > 1 else ""
        names[device.key] = f"{short_name(device.ep_name)}{number}"
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
