"""Files for inputs: written, read by the engine, and damaged."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gui.engine.elements import Element
from gui.engine.inputs import make_inputs
from gui.records.failure import Failure, FailureError
from gui.records.inputs import InputFact, InputSource, SourceKind
from gui.records.model import Dimension, TensorInfo

from .tiny_models import FLOATS_OF_BITS, PACKED


def info(element: str = "float", *shape: Dimension) -> TensorInfo:
    """A tensor x."""
    return TensorInfo(name="x", type=f"tensor({element})", shape=shape)


def source_of(path: Path, entry: str = "") -> InputSource:
    """The file of x."""
    return InputSource(name="x", kind=SourceKind.FILE, path=str(path), entry=entry)


def read(tensor: TensorInfo, path: Path, entry: str = "", **sizes: int) -> tuple[Any, InputFact]:
    """What x is fed with, and what is told of it."""
    made = make_inputs((tensor,), sizes, 0, (source_of(path, entry),))
    return made.feeds.get("x"), made.facts[0]


def failure_of(tensor: TensorInfo, path: Path, entry: str = "", **sizes: int) -> Failure:
    """Why the file cannot be used."""
    with pytest.raises(FailureError) as caught:
        read(tensor, path, entry, **sizes)
    failure = caught.value.failure
    assert failure.hint
    return failure


def some(element: Element, *shape: int) -> np.ndarray[Any, Any]:
    """Return values of the element's own type, of ml_dtypes where numpy has none."""
    if element.is_text:
        return np.full(shape, "grün")
    dtype: Any = (FLOATS_OF_BITS | PACKED).get(element.name, element.storage)
    low, high = (max(element.low, 0), min(element.high, 9)) if element.high else (1, 9)
    numbers = np.random.default_rng(0).integers(low, high, shape, endpoint=True)
    return np.asarray(numbers.astype(np.float32 if element.is_bits else element.storage).astype(dtype))


def same(one: Any, other: Any) -> bool:
    """Whether shapes and values are the same."""
    return bool(np.asarray(one).tolist() == np.asarray(other).tolist())


def check_damaged(data: bytes, path: Path, seed: int, tensor: TensorInfo | None = None) -> None:
    """Write a file damaged in hundreds of ways, and see that reading it fails with a sentence or not at all."""
    dice, failed = random.Random(seed), 0  # noqa: S311 the same damage each time
    tensor = TensorInfo(name="x", type="tensor(float)", shape=None) if tensor is None else tensor
    for _ in range(300):
        broken = bytearray(data)
        for _ in range(dice.randint(1, 4)):
            broken[dice.randrange(len(broken))] = dice.randrange(256)
        if dice.random() < 0.3:
            del broken[dice.randrange(len(broken)) :]
        path.write_bytes(bytes(broken))
        try:
            read(tensor, path)
        except FailureError:
            failed += 1
    assert failed > 30
