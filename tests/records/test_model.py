from __future__ import annotations

import pytest

from gui.records.model import Dimension, ModelDescription, TensorInfo, dimension_name
from gui.records.placement import Placement, placement_text


def tensor(name: str, *shape: Dimension) -> TensorInfo:
    return TensorInfo(name=name, type="tensor(float)", shape=shape)


@pytest.mark.parametrize(
    ("shape", "text"),
    [((), "[]"), ((1, "batch", None), "[1, batch, ?]"), ((0,), "[0]"), (None, "unknown")],
)
def test_that_a_shape_is_written_as_people_do(shape: tuple[Dimension, ...] | None, text: str) -> None:
    assert TensorInfo(name="x", type="t", shape=shape).shape_text == text


def test_that_a_dimension_without_a_name_is_called_after_its_place() -> None:
    info = tensor("x", 1, "batch", None, "")
    assert [dimension_name(info, axis) for axis in (1, 2, 3)] == ["batch", "x[2]", "x[3]"]


def test_that_free_dimensions_come_in_the_order_of_the_inputs_and_once() -> None:
    model = ModelDescription(
        path="m",
        size_bytes=0,
        inputs=(tensor("b", "n", 3, None), TensorInfo(name="any", type="t"), tensor("a", None, "n", 0)),
        outputs=(tensor("y", "not asked for"),),
    )
    assert model.free_dimensions == ("n", "b[2]", "a[0]")


def test_that_placement_text_counts_the_nodes_of_each_ep() -> None:
    parts = (Placement(ep_name="ggml", node_count=12), Placement(ep_name="CPUExecutionProvider", node_count=2))
    assert placement_text(parts) == "ggml (12 of 14 nodes), CPUExecutionProvider (2 of 14 nodes)"


@pytest.mark.parametrize("placement", [None, ()])
def test_that_an_unknown_or_empty_placement_has_no_text(placement: tuple[Placement, ...] | None) -> None:
    assert placement_text(placement) == ""
