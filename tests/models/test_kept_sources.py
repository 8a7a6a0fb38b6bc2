"""The sources set for the inputs of each model."""

from __future__ import annotations

from dataclasses import replace

from gui.models.kept_sources import KeptSources
from gui.records.inputs import Fill, InputSource
from gui.records.model import ModelDescription, TensorInfo

X = InputSource(name="x", fill=Fill.ONES)
ONE = ModelDescription(
    path="/one.onnx", size_bytes=1, inputs=(TensorInfo(name="x", type="tensor(float)", shape=(1,)),), outputs=()
)
OTHER = replace(ONE, path="/other.onnx")
RETYPED = replace(ONE, inputs=(TensorInfo(name="x", type="tensor(int64)", shape=(1,)),))


def test_that_sources_are_kept_by_model() -> None:
    kept = KeptSources()
    kept.put(ONE.path, "x", X)
    assert kept.for_model(OTHER) == {}
    assert kept.for_model(ONE) == {"x": X}
    kept.put(ONE.path, "x", None)
    assert kept.for_model(ONE) == {}


def test_that_sources_set_before_a_model_is_known_are_for_the_next_one() -> None:
    kept = KeptSources()
    kept.set_all("", (X, InputSource(name="gone", fill=Fill.ONES)))
    assert kept.for_model(ONE) == {"x": X}
    assert kept.for_model(OTHER) == {}


def test_that_sources_of_a_path_wait_for_their_model() -> None:
    kept = KeptSources()
    kept.set_all(OTHER.path, (X,))
    assert kept.for_model(ONE) == {}
    assert kept.for_model(OTHER) == {"x": X}


def test_that_a_source_whose_input_is_of_another_type_now_is_dropped() -> None:
    kept = KeptSources()
    kept.put(ONE.path, "x", X)
    assert kept.for_model(ONE) == {"x": X}
    assert kept.for_model(RETYPED) == {}
    assert kept.for_model(ONE) == {"x": X}  # the file was put back


def test_that_a_source_whose_input_is_gone_is_dropped() -> None:
    kept = KeptSources()
    kept.put(ONE.path, "x", X)
    assert kept.for_model(replace(ONE, inputs=())) == {}


def test_that_a_source_that_says_no_more_than_automatic_is_none() -> None:
    kept = KeptSources()
    kept.put(ONE.path, "x", InputSource(name="x"))
    assert kept.for_model(ONE) == {}


def test_that_initializers_have_sources_too() -> None:
    kept = KeptSources()
    kept.put(ONE.path, "w", replace(X, name="w"))
    owner = replace(ONE, initializers=(TensorInfo(name="w", type="tensor(float)", shape=()),))
    assert list(kept.for_model(owner)) == ["w"]
