"""Sources of inputs: what cannot be one, and their words."""

from __future__ import annotations

import math
from typing import Any

import pytest

from gui.records.codec import DecodeError, from_json, to_json
from gui.records.inputs import (
    MAX_LENGTH,
    ChannelOrder,
    Fill,
    ImageLayout,
    ImageReading,
    ImageScaling,
    InputFact,
    InputProposal,
    InputProposals,
    InputSource,
    SourceKind,
    source_text,
)

CAT = InputSource(
    name="image",
    kind=SourceKind.IMAGE,
    path="/pictures/cat.png",
    image=ImageReading(layout=ImageLayout.CHANNELS_LAST, scaling=ImageScaling.IMAGENET, channels=ChannelOrder.BGR),
)
WEIGHTS = InputSource(name="w", kind=SourceKind.FILE, path="/data/a.npz", entry="weights")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"length": -1}, "x: the length must be between 0 and"),
        ({"length": MAX_LENGTH + 1}, "x: the length must be between 0 and"),
        ({"shape": (2, -1)}, "x: a size of its shape is negative"),
        ({"low": math.nan}, "x: the bounds must be finite"),
        ({"high": math.inf}, "x: the bounds must be finite"),
        ({"fill": Fill.UNIFORM, "low": 2, "high": 1}, "x: the range ends before it begins"),
        ({"fill": Fill.INTEGERS, "low": 2, "high": 1}, "x: the range ends before it begins"),
        ({"fill": Fill.NORMAL, "high": -0.1}, "x: the standard deviation is negative"),
        ({"kind": SourceKind.FILE}, "x: no file is named"),
        ({"kind": SourceKind.IMAGE}, "x: no file is named"),
    ],
)
def test_that_what_makes_no_sense_cannot_be_a_source(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        InputSource(name="x", **fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"fill": Fill.NORMAL, "low": 5, "high": 0},
        {"fill": Fill.CONSTANT, "low": 2, "high": 1, "value": ""},
        {"fill": Fill.UNIFORM, "low": 1, "high": 1},
        {"length": 0, "shape": ()},
        {"kind": SourceKind.OMITTED},
    ],
)
def test_that_only_the_fields_that_count_are_looked_at(fields: dict[str, Any]) -> None:
    assert InputSource(name="x", **fields).name == "x"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (InputSource(name="x"), "automatic"),
        (InputSource(name="x", fill=Fill.ZEROS), "zeros"),
        (InputSource(name="x", fill=Fill.ONES), "ones"),
        (InputSource(name="x", fill=Fill.UNIFORM), "uniform 0 to 1"),
        (InputSource(name="x", fill=Fill.UNIFORM, low=-0.5, high=1e6), "uniform -0.5 to 1e+06"),
        (InputSource(name="x", fill=Fill.NORMAL, low=0, high=2.5), "normal, mean 0, deviation 2.5"),
        (InputSource(name="x", fill=Fill.INTEGERS, low=0, high=30521), "integers 0 to 30521"),
        (InputSource(name="x", fill=Fill.INTEGERS, low=0, high=2**63 - 1), "integers 0 to 9223372036854775807"),
        (InputSource(name="x", fill=Fill.CONSTANT, value="true"), "constant true"),
        (InputSource(name="x", fill=Fill.VALUES, value="1, 2"), "values 1, 2"),
        (InputSource(name="x", kind=SourceKind.OMITTED), "left out"),
        (InputSource(name="x", kind=SourceKind.FILE, path="/data/x.npy"), "x.npy"),
        (InputSource(name="x", kind=SourceKind.FILE, path="C:\\data\\x.pb"), "x.pb"),
        (WEIGHTS, "a.npz: weights"),
        (CAT, "cat.png (NHWC, ImageNet mean and deviation, BGR)"),
        (InputSource(name="x", kind=SourceKind.IMAGE, path="cat.png"), "cat.png (0 to 1, RGB)"),
    ],
)
def test_that_a_source_is_said_in_few_words(source: InputSource, text: str) -> None:
    assert source_text(source) == text


@pytest.mark.parametrize(
    "source",
    [
        CAT,
        WEIGHTS,
        InputSource(name="x", fill=Fill.INTEGERS, low=-(2**63), high=2**64 - 1, shape=(2, 0), length=3),
        InputSource(name="ä", fill=Fill.UNIFORM, low=0.1, high=0.30000000000000004),
    ],
)
def test_that_a_source_comes_back_from_json_as_it_was(source: InputSource) -> None:
    again = from_json(InputSource, to_json(source))
    assert again == source
    assert (type(again.low), type(again.high)) == (type(source.low), type(source.high))


def test_that_proposals_and_facts_come_back_from_json_as_they_were() -> None:
    proposals = InputProposals(proposals=(InputProposal(source=WEIGHTS, reason="because"),))
    assert from_json(InputProposals, to_json(proposals)) == proposals
    fact = InputFact(name="x", type="tensor(float)", shape=(1, 3), source=CAT, reason="r", note="resized")
    assert from_json(InputFact, to_json(fact)) == fact
    sequence = InputFact(name="x", type="seq(tensor(float))", source=WEIGHTS)
    assert from_json(InputFact, to_json(sequence)) == sequence


def test_that_a_source_of_another_form_is_refused_with_its_place() -> None:
    with pytest.raises(DecodeError, match=r"InputSource\.kind"):
        from_json(InputSource, {"name": "x", "kind": "guessed"})
    with pytest.raises(DecodeError, match=r"x: the range ends before it begins"):
        from_json(InputSource, {"name": "x", "fill": "uniform", "low": 3, "high": 2})
