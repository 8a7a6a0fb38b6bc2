"""What each of ORT's selection policies would take on this machine."""

from __future__ import annotations

from dataclasses import dataclass

from .device import DeviceType
from .failure import Failure
from .placement import Placement
from .trial import Policy

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
    """Its device; empty when it cannot be told."""
    placement: tuple[Placement, ...] | None = None
    failure: Failure | None = None
    """Why no session came of it."""
    creation_ns: int | None = None


def preferred_type(policy: Policy) -> DeviceType | None:
    """Return the type of device that a policy asks for; None for those that ask for the CPU."""
    return _PREFERRED.get(policy)


def missed_preference(policy: Policy, taken: DeviceType | None) -> str:
    """Return the warning that a policy did not get the type of device it prefers, or an empty text."""
    wanted = _PREFERRED.get(policy)
    if wanted is None or taken is None or taken is wanted:
        return ""
    return f"{policy.value} prefers {'an' if wanted is DeviceType.NPU else 'a'} {wanted.value} and took the {taken.value}."
