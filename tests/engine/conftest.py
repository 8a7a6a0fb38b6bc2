"""One engine for a whole module, cleaned after each test; tests that kill theirs start one with `start_engine`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from gui.records.trial import DimensionSize, StopRule, Target, TrialSettings

from ..conftest import ORT_VERSION, DoubleFactory
from ..engine_process import EngineProcess

unmaps_libraries = pytest.mark.skipif(
    ORT_VERSION < (1, 30), reason="an older onnxruntime loads a library twice and lets it go once"
)


class Register(Protocol):
    """Takes an engine and orders for a double, registers it and returns the keys of its devices."""

    def __call__(self, engine: EngineProcess, orders: str = "", name: str = "double") -> tuple[str, ...]: ...


@pytest.fixture(scope="module")
def _module_engine() -> Iterator[EngineProcess]:
    with EngineProcess() as engine:
        engine.greeting()
        yield engine


@pytest.fixture
def engine(_module_engine: EngineProcess) -> Iterator[EngineProcess]:
    """An engine without libraries that other tests use too: whatever the test registers is unregistered after it."""
    yield _module_engine
    for library in _module_engine.inventory().libraries:
        _module_engine.unregister(library.name)


@pytest.fixture
def register(double_library: DoubleFactory) -> Register:
    """Register doubles."""

    def register_double(engine: EngineProcess, orders: str = "", name: str = "double") -> tuple[str, ...]:
        inventory = engine.register(name, double_library(orders))
        (library,) = (library for library in inventory.libraries if library.name == name)
        return library.device_keys

    return register_double


def settings_for(
    model: Path,
    *device_keys: str,
    iterations: int | None = 20,
    seconds: float | None = None,
    warmup: int = 2,
    rows: int = 2,
    options: tuple[tuple[str, str], ...] = (),
    seed: int = 0,
) -> TrialSettings:
    """Return settings for one of the models whose free dimension is N, on devices."""
    return TrialSettings(
        model_path=str(model),
        target=Target(device_keys=device_keys),
        options=options,
        dimensions=(DimensionSize(name="N", size=rows),),
        warmup=warmup,
        stop_rule=StopRule(iterations=iterations, seconds=seconds),
        intra_op_threads=1,
        seed=seed,
    )
