"""Which targets may be compared, how they are called, and the plan that comes of those chosen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gui.models.compare_plan import (
    CompareBase,
    CompareRow,
    compare_plan,
    compare_rows,
    labels_of,
    size_count,
    variant_of,
)
from gui.records.codec import StringMap
from gui.records.comparison import ComparisonPlan
from gui.records.device import DeviceType
from gui.records.library import CPU_EP_NAME
from gui.records.setup import DimensionSweep
from gui.records.trial import DimensionSize, Policy, SessionSettings, StopRule, Target, TrialSettings

from .makers import device

CPU = device("cpu", ep_name=CPU_EP_NAME)
GGML = device("ggml", ep_name="ggml", library="ggml", vendor="Maker")
NPU = device("npu", ep_name="QNN", library="qnn", type=DeviceType.NPU, hardware=(("is_virtual", "1"),))
DEVICES = (GGML, CPU, NPU)
OPTIONS = (("threads", "2"), ("fast", "1"))


def base(**fields: Any) -> CompareBase:
    """A trial of `/models/net.onnx`; fields of its settings may be given beside those of the base."""
    own = {name: fields.pop(name) for name in tuple(fields) if name in CompareBase.__dataclass_fields__}
    settings = TrialSettings(model_path="/models/net.onnx", target=Target(policy=Policy.DEFAULT), **fields)
    return CompareBase(settings=settings, **{"target": None, **own})


def by_key(rows: tuple[CompareRow, ...]) -> dict[str, CompareRow]:
    return {row.key: row for row in rows}


def plan_of(base: CompareBase, rows: tuple[CompareRow, ...], **fields: Any) -> ComparisonPlan:
    given: dict[str, Any] = {
        "dimensions": (),
        "sweeps": (),
        "stop_rule": StopRule(seconds=3),
        "rounds": 20,
        "baseline": "cpu",
    }
    return compare_plan(base, rows, **{**given, **fields})


# ---- Rows ----


def test_that_the_cpu_comes_first_and_all_that_can_run_but_policies_is_ticked() -> None:
    rows = compare_rows(base(), DEVICES)
    assert [row.key for row in rows[:3]] == ["cpu", "ggml", "npu"]
    assert [row.target.policy for row in rows[3:]] == list(Policy)
    assert [row.key for row in rows if row.is_chosen] == ["cpu", "ggml"]
    assert "irtual" in by_key(rows)["npu"].obstacle


def test_that_a_policy_without_devices_says_why_it_cannot_be() -> None:
    rows = compare_rows(base(), ())
    assert len(rows) == len(Policy)
    assert all("no device" in row.obstacle for row in rows)
    assert not any(replace(row, ticked=True).is_chosen for row in rows)


def test_that_strict_leaves_out_the_cpu() -> None:
    rows = compare_rows(base(session=SessionSettings(strict=True)), DEVICES)
    assert "Strict" in by_key(rows)["cpu"].obstacle
    assert [row.key for row in rows if row.is_chosen] == ["ggml"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"first_ep": "ggml"}, {"ggml": OPTIONS}),
        (
            {"first_ep": "QNN", "second_ep": "ggml", "second_options": (("x", "y"),)},
            {"npu": OPTIONS, "ggml": (("x", "y"),)},
        ),
        ({"first_ep": ""}, {}),
        ({"by_policy": True}, {"ggml": OPTIONS, "npu": OPTIONS}),
        (
            {"by_policy": True, "options": (("ep.ggml.a", "1"), ("ep.qnn.b", "2"))},
            {"ggml": (("a", "1"),), "npu": (("b", "2"),)},
        ),
    ],
)
def test_that_each_ep_gets_the_trials_options_for_it(fields: dict[str, Any], expected: dict[str, StringMap]) -> None:
    rows = by_key(compare_rows(base(**{"options": OPTIONS, **fields}), DEVICES))
    assert {key: rows[key].options for key in ("cpu", "ggml", "npu") if rows[key].options} == expected


def test_that_policies_get_the_options_as_a_policy_gives_them_on() -> None:
    rows = compare_rows(base(first_ep="ggml", options=OPTIONS, policy_options=(("ep.ggml.threads", "2"),)), DEVICES)
    assert {row.options for row in rows if row.target.policy is not None} == {(("ep.ggml.threads", "2"),)}


def test_that_a_target_of_two_eps_is_a_row_with_both_options() -> None:
    target = Target(device_keys=("npu",), second_keys=("ggml",))
    rows = by_key(compare_rows(base(target=target, options=OPTIONS, second_options=(("x", "y"),)), DEVICES))
    row = rows["trial"]
    assert (row.text, row.target, row.options, row.second_options) == ("QNN, then ggml", target, OPTIONS, (("x", "y"),))
    assert row.is_chosen


@pytest.mark.parametrize("target", [None, Target(device_keys=("ggml",)), Target(policy=Policy.PREFER_GPU)])
def test_that_a_target_that_has_a_row_gets_no_second_one(target: Target | None) -> None:
    assert "trial" not in by_key(compare_rows(base(target=target), DEVICES))


def test_that_ticks_labels_and_what_was_typed_are_taken_over() -> None:
    before = by_key(compare_rows(base(first_ep="ggml", options=OPTIONS), DEVICES))
    before["cpu"] = replace(before["cpu"], ticked=False, label="plain")
    before["ggml"] = replace(before["ggml"], options=(("own", "1"),), has_own_options=True)
    rows = by_key(compare_rows(base(first_ep="ggml", options=(("new", "1"),), intra_op_threads=3), DEVICES, before))
    assert (rows["cpu"].ticked, rows["cpu"].label, rows["cpu"].threads) == (False, "plain", 3)
    assert rows["ggml"].options == (("own", "1"),)
    before["ggml"] = replace(before["ggml"], has_own_options=False)
    rows = by_key(compare_rows(base(first_ep="ggml", options=(("new", "1"),)), DEVICES, before))
    assert rows["ggml"].options == (("new", "1"),)


def test_that_variants_come_back_behind_the_rows_they_were_made_from() -> None:
    rows = compare_rows(base(), DEVICES)
    variant = replace(variant_of(rows[1], rows), threads=4)
    before = by_key((*rows, variant))
    assert [row.key for row in compare_rows(base(), DEVICES, before)[:4]] == ["cpu", "ggml", "ggml #1", "npu"]
    assert "ggml #1" not in by_key(compare_rows(base(), (CPU,), before))


def test_that_a_variant_of_a_variant_is_one_of_the_same_target() -> None:
    rows = compare_rows(base(), DEVICES)
    first = variant_of(rows[1], rows)
    second = variant_of(first, (*rows, first))
    assert (first.key, second.key, second.variant_of) == ("ggml #1", "ggml #2", "ggml")


# ---- Labels ----


def test_that_devices_of_one_ep_are_told_apart_by_what_differs() -> None:
    twins = (
        device("a", ep_name="Ep", library="one"),
        device("b", ep_name="Ep", library="one", type=DeviceType.GPU, vendor="Maker"),
        device("c", ep_name="Ep", library="one", type=DeviceType.GPU, vendor="Other"),
        device("d", ep_name="Ep", library="one", type=DeviceType.GPU, vendor="Other"),
    )
    labels = labels_of(compare_rows(base(), twins))
    assert [labels[key] for key in "abcd"] == ["Ep CPU", "Ep GPU Maker", "Ep GPU Other #1", "Ep GPU Other #2"]


def test_that_a_variant_is_called_by_what_is_its_own() -> None:
    rows = compare_rows(base(first_ep="ggml", options=OPTIONS), DEVICES)
    variant = variant_of(rows[1], rows)
    labels = labels_of((*rows, variant))
    assert (labels["cpu"], labels["ggml"], labels["ggml #1"]) == ("CPU", "ggml", "ggml (2)")
    changed = replace(variant, threads=4, options=(("threads", "8"),))
    assert labels_of((*rows, changed))["ggml #1"] == "ggml, threads=8, no fast, threads=4"


def test_that_no_proposed_label_is_one_that_was_typed() -> None:
    rows = compare_rows(base(), DEVICES)
    labels = labels_of((rows[0], replace(rows[1], label="CPU")))
    assert labels == {"cpu": "CPU (2)", "ggml": "CPU"}


# ---- Plans ----


def test_that_the_matrix_is_targets_by_sizes() -> None:
    start = base(warmup=3, dimensions=(DimensionSize(name="batch", size=1),))
    sweeps = (DimensionSweep(name="batch", sizes=(1, 8)),)
    plan = plan_of(start, compare_rows(start, DEVICES), dimensions=start.settings.dimensions, sweeps=sweeps)
    assert size_count(sweeps) == 2
    assert [cell.label for cell in plan.cells] == ["CPU, batch 1", "CPU, batch 8", "ggml, batch 1", "ggml, batch 8"]
    assert [cell.target_text for cell in plan.cells] == [CPU_EP_NAME] * 2 + ["ggml"] * 2
    assert [cell.settings.dimensions[0].size for cell in plan.cells] == [1, 8, 1, 8]
    assert {cell.settings.warmup for cell in plan.cells} == {3}
    assert {cell.settings.stop_rule for cell in plan.cells} == {StopRule(seconds=3)}


def test_that_the_baseline_is_the_first_cell_of_its_target() -> None:
    rows = compare_rows(base(), DEVICES)
    sweeps = (DimensionSweep(name="batch", sizes=(1, 8)),)
    assert plan_of(base(), rows, sweeps=sweeps, baseline="ggml").baseline == 2
    assert plan_of(base(), rows, sweeps=sweeps, baseline="gone").baseline == 0


def test_that_a_variants_options_and_threads_are_its_cells() -> None:
    rows = compare_rows(base(), DEVICES)
    variant = replace(variant_of(rows[1], rows), options=OPTIONS, threads=4)
    cells = plan_of(base(), (*rows, variant)).cells
    assert [(cell.settings.options, cell.settings.intra_op_threads) for cell in cells] == [
        ((), 0),
        ((), 0),
        (OPTIONS, 4),
    ]


def test_that_cells_write_to_places_of_their_own() -> None:
    start = base(outputs_folder="/out", session=SessionSettings(optimized_model_path="/net.ort"))
    cells = plan_of(start, compare_rows(start, DEVICES)).cells
    assert [cell.settings.outputs_folder for cell in cells] == ["/out-1", "/out-2"]
    assert [cell.settings.session.optimized_model_path for cell in cells] == ["/net-1.ort", "/net-2.ort"]
