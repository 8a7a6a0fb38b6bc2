"""What is made of the costs of a trial."""

from __future__ import annotations

import pytest

from gui.records.codec import from_json, to_json
from gui.records.costs import AcceleratorUse, TrialCosts, cpu_share

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("cpu_ns", "wall_ns", "measured_ns", "share"),
    [
        (SECOND // 2, None, SECOND, 0.5),
        (3 * SECOND, SECOND, SECOND, 3.0),
        (0, SECOND, SECOND, 0.0),
        (SECOND, 2 * SECOND, SECOND, 0.5),  # what stands around the runs has taken processor time, too
    ],
)
def test_that_the_share_is_processor_time_over_the_clock_on_the_wall(
    cpu_ns: int, wall_ns: int | None, measured_ns: int, share: float
) -> None:
    assert cpu_share(TrialCosts(cpu_ns=cpu_ns, cpu_wall_ns=wall_ns), measured_ns) == share


@pytest.mark.parametrize(
    ("costs", "measured_ns"),
    [
        (None, SECOND),
        (TrialCosts(), SECOND),
        (TrialCosts(cpu_ns=5), 0),
        (TrialCosts(cpu_ns=5), -1),
        (TrialCosts(cpu_ns=5_427_197, cpu_wall_ns=6_000_000), 374_082),  # too short to tell
    ],
)
def test_that_there_is_no_share_of_what_is_not_known(costs: TrialCosts | None, measured_ns: int) -> None:
    assert cpu_share(costs, measured_ns) is None


@pytest.mark.parametrize(
    "accelerators", [None, (), (AcceleratorUse(name="a", source="b", busy_share=0.5, of_this_engine=False),)]
)
def test_that_costs_come_back_from_their_json(accelerators: tuple[AcceleratorUse, ...] | None) -> None:
    costs = TrialCosts(memory_before_bytes=1, cpu_ns=2, cpu_count=3, peak_since_start=True, accelerators=accelerators)
    assert from_json(TrialCosts, to_json(costs)) == costs
