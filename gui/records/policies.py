"""What each of ORT's selection policies would take on this machine."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from enum import Enum

from .codec import to_json
from .device import Device, DeviceType
from .failure import Failure
from .library import CPU_EP_NAME, Library
from .placement import Placement, PlacementVerdict, judge_placement, verdict_text
from .protocol import Greeting
from .setup_file import device_text
from .trial import Policy

POLICIES_FORMAT = "ort-device-explorer policies 1"

POLICY_MEANING = {
    Policy.DEFAULT: "As PREFER_CPU",
    Policy.PREFER_CPU: "A plugin's CPU device, else ORT's own CPU EP",
    Policy.PREFER_NPU: "An NPU, else the CPU",
    Policy.PREFER_GPU: "A GPU, else the CPU",
    Policy.MAX_PERFORMANCE: "As PREFER_GPU",
    Policy.MAX_EFFICIENCY: "As PREFER_NPU",
    Policy.MIN_OVERALL_POWER: "As PREFER_NPU",
}
"""What ORT 1.32 does for each."""

_NO_SESSION = "The policy led to no session: "

_PREFERRED = {
    Policy.PREFER_NPU: DeviceType.NPU,
    Policy.PREFER_GPU: DeviceType.GPU,
    Policy.MAX_PERFORMANCE: DeviceType.GPU,
    Policy.MAX_EFFICIENCY: DeviceType.NPU,
    Policy.MIN_OVERALL_POWER: DeviceType.NPU,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyOutcome:
    """What one policy took for one model: a session was made with it."""

    policy: Policy
    order: tuple[str, ...] | None = None
    """The keys of all devices in ORT's order of preference, as its selection delegate is told; None where this ORT has
    none. The order is the same for every policy; what a policy takes of it is `device_key`."""
    ep_name: str = ""
    """The EP that was taken; empty when no session came of it."""
    device_key: str = ""
    """Its device, where no session came of it the one it was to be made on; empty when it cannot be told."""
    providers: tuple[str, ...] = ()
    """All EPs that the session offers the nodes to, in their order: a policy may put a plugin's CPU EP after the one it
    takes, and ORT's own CPU EP is always the last."""
    placement: tuple[Placement, ...] | None = None
    failure: Failure | None = None
    """Why no session came of it."""
    creation_ns: int | None = None


def preferred_type(policy: Policy) -> DeviceType | None:
    """Return the type of device that a policy asks for; None for those that ask for the CPU."""
    return _PREFERRED.get(policy)


def expected_device(policy: Policy, order: tuple[str, ...], devices: tuple[Device, ...]) -> str:
    """Return the key of the device that a policy takes of those in ORT's order, by what ORT 1.32 does: the first of the
    type it prefers, else the first CPU, which is a plugin's where there is one. Empty when it cannot be told.
    """
    known = {device.key: device for device in devices}
    ranked = [known[key] for key in order if key in known]
    for wanted in (_PREFERRED.get(policy), DeviceType.CPU):
        found = next((device for device in ranked if device.type is wanted), None)
        if found is not None:
            return found.key
    return ranked[0].key if ranked else ""


def with_expected_devices(
    outcomes: tuple[PolicyOutcome, ...], devices: tuple[Device, ...]
) -> tuple[PolicyOutcome, ...]:
    """Return outcomes with the device that was to be taken also where the engine died of it, which then told no order:
    it is the same for all policies.
    """
    order = next((outcome.order for outcome in outcomes if outcome.order), ())
    return tuple(
        replace(outcome, device_key=expected_device(outcome.policy, order, devices))
        if outcome.failure is not None and not outcome.device_key
        else outcome
        for outcome in outcomes
    )


def missed_preference(policy: Policy, taken: DeviceType | None) -> str:
    """Return the warning that a policy did not get the type of device it prefers, or an empty text."""
    wanted = _PREFERRED.get(policy)
    if wanted is None or taken is None or taken is wanted:
        return ""
    return (
        f"{policy.value} prefers {'an' if wanted is DeviceType.NPU else 'a'} {wanted.value} and took the {taken.value}."
    )


class PolicyMark(Enum):
    """What is to be thought of an outcome."""

    GOOD = "ok"
    WARNING = "warning"
    FAILED = "failed"


def warning_of(outcome: PolicyOutcome, device: Device | None) -> str:
    """Return what is to be warned of in an outcome that is no failure, or an empty text; `device` is the one taken."""
    missed = missed_preference(outcome.policy, _type_taken(outcome, device))
    if missed:
        return missed
    plugin = outcome.ep_name not in ("", CPU_EP_NAME)
    if plugin and judge_placement(outcome.placement, (outcome.ep_name,)) is PlacementVerdict.NONE:
        return f"{outcome.ep_name} was taken, but got none of the nodes."
    return ""


def mark_of(outcome: PolicyOutcome, device: Device | None) -> PolicyMark:
    """Return the mark of an outcome; `device` is the one taken."""
    if outcome.failure is not None:
        return PolicyMark.FAILED
    return PolicyMark.WARNING if warning_of(outcome, device) else PolicyMark.GOOD


def result_text(outcome: PolicyOutcome, device: Device | None) -> str:
    """Return how it went in one line: `ok`, `warning: …` or `failed: …`; `device` is the one taken."""
    mark = mark_of(outcome, device)
    said = outcome.failure.message if outcome.failure is not None else warning_of(outcome, device)
    words = said.removeprefix(f"{outcome.policy.value} ").removeprefix(_NO_SESSION)  # the row says both already
    return mark.value if mark is PolicyMark.GOOD else f"{mark.value}: {words}"


def taken_text(outcome: PolicyOutcome, device: Device | None) -> str:
    """Return what was taken: `ggml (CPU, AMD)`, `fast (NPU), then ggml`; of what failed what was to be taken."""
    taken = outcome.ep_name if device is None else device_text(device)
    others = [name for name in outcome.providers if name not in (outcome.ep_name, CPU_EP_NAME)]
    return ", then ".join([taken, *others]) if taken else ""


def nodes_text(outcome: PolicyOutcome) -> str:
    """Return which EP gets how many nodes, as a sentence; empty when it is not known. Nothing was run."""
    verdict = verdict_text(outcome.placement, (outcome.ep_name,)) if outcome.ep_name else ""
    ran = f"{outcome.ep_name} ran "
    return f"{outcome.ep_name} gets {verdict.removeprefix(ran)}" if verdict.startswith(ran) else verdict


def order_text(order: tuple[str, ...], devices: tuple[Device, ...]) -> tuple[str, ...]:
    """Return the devices in ORT's order, in few words each; a device that is gone is told by its key."""
    known = {device.key: device for device in devices}
    return tuple(device_text(known[key]) if key in known else key for key in order)


def policies_json(
    outcomes: tuple[PolicyOutcome, ...],
    *,
    model: str,
    environment: Greeting | None,
    libraries: tuple[Library, ...],
    devices: tuple[Device, ...],
) -> str:
    """Return the text of the file in which outcomes are kept; an empty `model` is the tiny one."""
    data = {
        "format": POLICIES_FORMAT,
        "about": {
            "model": "the model tried; empty for the tiny one that comes along. Free dimensions were 1",
            "outcomes": "one a policy; order holds keys of devices, the most preferred first; times are nanoseconds",
        },
        "environment": None if environment is None else to_json(environment),
        "model": model,
        "libraries": [to_json(library) for library in libraries],
        "devices": [to_json(device) for device in devices],
        "outcomes": [to_json(outcome) for outcome in outcomes],
    }
    return json.dumps(data, indent=2) + "\n"


def _type_taken(outcome: PolicyOutcome, device: Device | None) -> DeviceType | None:
    if device is not None:
        return device.type
    return DeviceType.CPU if outcome.ep_name == CPU_EP_NAME else None
