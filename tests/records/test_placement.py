"""Verdicts on placements."""

from __future__ import annotations

import pytest

from gui.records.placement import (
    OpCount,
    Placement,
    PlacementVerdict,
    judge_placement,
    ops_text,
    placement_text,
    verdict_text,
)

CPU = "CPUExecutionProvider"


def placement(**counts: dict[str, int]) -> tuple[Placement, ...]:
    """Which operators each EP got, and how many; `CPU` stands for ORT's own."""
    return tuple(
        Placement(
            ep_name=CPU if name == "CPU" else name,
            node_count=sum(ops.values()),
            op_types=tuple(OpCount(op_type=op, count=count) for op, count in ops.items()),
        )
        for name, ops in counts.items()
    )


@pytest.mark.parametrize(
    ("got", "wanted", "verdict", "text"),
    [
        (placement(ggml={"Add": 3}), ("ggml",), PlacementVerdict.ALL, "ggml ran all 3 nodes."),
        (placement(ggml={"Add": 1}), ("ggml",), PlacementVerdict.ALL, "ggml ran the only node."),
        (
            placement(ggml={"Conv": 41}, CPU={"GlobalAveragePool": 1}),
            ("ggml",),
            PlacementVerdict.PART,
            "ggml ran 41 of 42 nodes; 1 on CPUExecutionProvider: GlobalAveragePool.",
        ),
        (
            placement(CPU={"Conv": 2, "Relu": 1}),
            ("ggml",),
            PlacementVerdict.NONE,
            "ggml ran none of the 3 nodes; 3 on CPUExecutionProvider: Conv ×2, Relu.",
        ),
        (placement(CPU={"Conv": 2}), (CPU,), PlacementVerdict.ALL, f"{CPU} ran all 2 nodes."),
        (
            placement(one={"Conv": 2}, two={"Add": 1}),
            ("one", "two"),
            PlacementVerdict.ALL,
            "one ran 2 of 3 nodes; two ran 1 of 3 nodes.",
        ),
        (  # what the second gets does not make up for a first that got nothing
            placement(two={"Add": 2}),
            ("one", "two"),
            PlacementVerdict.NONE,
            "one ran none of the 2 nodes; two ran all 2 nodes.",
        ),
        (
            placement(one={"Conv": 2}, CPU={"Add": 1}),
            ("one", "two"),
            PlacementVerdict.PART,
            "one ran 2 of 3 nodes; two ran none of the 3 nodes; 1 on CPUExecutionProvider: Add.",
        ),
        (None, ("ggml",), PlacementVerdict.UNKNOWN, ""),
        ((), ("ggml",), PlacementVerdict.EMPTY, "No node is left to run: ORT folded the model into constants."),
        (placement(CPU={"Add": 1}), ("ggml",), PlacementVerdict.NONE, f"ggml ran no node; 1 on {CPU}: Add."),
        (placement(ggml={"Add": 3}), (), PlacementVerdict.UNKNOWN, ""),
    ],
)
def test_that_a_placement_is_judged_by_what_was_wanted(
    got: tuple[Placement, ...] | None, wanted: tuple[str, ...], verdict: PlacementVerdict, text: str
) -> None:
    assert judge_placement(got, wanted) is verdict
    assert verdict_text(got, wanted) == text


def test_that_only_the_most_frequent_operators_are_named() -> None:
    ops = {f"Op{number}": 9 - number for number in range(8)}
    (part,) = placement(ggml=ops)
    assert ops_text(part) == "Op0 ×9, Op1 ×8, Op2 ×7, Op3 ×6, Op4 ×5, Op5 ×4, …"


def test_that_each_ep_is_told_with_its_share() -> None:
    assert placement_text(placement(a={"Add": 1}, b={"Mul": 2})) == "a (1 of 3 nodes), b (2 of 3 nodes)"
    assert placement_text(None) == ""
