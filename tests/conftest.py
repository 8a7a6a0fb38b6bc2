"""What all tests share: no screen, doubles of EP libraries, the real plugin EP where it is installed, sample models."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before anything imports Qt

import pytest

from .doubles import build
from .doubles.add_model import write_add_model
from .engine_process import EngineProcess

SAMPLE_MODELS = Path(__file__).resolve().parents[1] / "resources" / "models"

ORT_VERSION = tuple(int(part) for part in importlib.metadata.version("onnxruntime").split(".")[:2])


class DoubleFactory(Protocol):
    """Takes orders for a double (see tests/doubles/double_ep.c) and returns the path of a library that follows them."""

    def __call__(self, orders: str = "") -> Path: ...


class StartEngine(Protocol):
    """Starts an engine that ends with the test; takes the arguments of `EngineProcess`."""

    def __call__(
        self, environment: Mapping[str, str] | None = None, *, folder: Path | None = None
    ) -> EngineProcess: ...


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if importlib.util.find_spec("onnxruntime_ggml") is None:
        reason = "needs onnxruntime-ggml, which is not installed beside this onnxruntime"
        for item in items:
            if item.get_closest_marker("ggml") is not None:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session", autouse=True)
def _own_temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A folder for temporary files of these tests and their engines alone: others may run beside them."""
    folder = str(tmp_path_factory.mktemp("temporary"))
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("TMPDIR", "TEMP", "TMP"):
            patch.setenv(variable, folder)
        patch.setattr("tempfile.tempdir", folder)
        yield


@pytest.fixture(scope="session")
def double_library(tmp_path_factory: pytest.TempPathFactory) -> DoubleFactory:
    """Make doubles; the same orders give the same file. Skips where none can be built."""
    directory = tmp_path_factory.mktemp("doubles")
    made: dict[str, Path] = {}

    def make(orders: str = "") -> Path:
        if orders not in made:
            try:
                made[orders] = build.build_double(directory, orders)
            except build.DoubleUnavailableError as error:
                pytest.skip(str(error))
        return made[orders]

    return make


@pytest.fixture(scope="session")
def add_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of Add and Mul on `x`, float32 [N, 4], which the double claims wholly."""
    return write_add_model(tmp_path_factory.mktemp("models") / "add.onnx")


@pytest.fixture(scope="session")
def tail_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a Neg at its end, which the double leaves to the CPU."""
    return write_add_model(tmp_path_factory.mktemp("models") / "tail.onnx", unclaimed_tail=True)


@pytest.fixture(scope="session")
def ggml_library() -> Path:
    """The library of a real plugin EP. Only for tests marked `ggml`."""
    import onnxruntime_ggml

    return Path(str(onnxruntime_ggml.library_path()))


@pytest.fixture
def start_engine() -> Iterator[StartEngine]:
    """Start engines that end with the test."""
    started: list[EngineProcess] = []

    def start(environment: Mapping[str, str] | None = None, *, folder: Path | None = None) -> EngineProcess:
        engine = EngineProcess(environment, folder)
        started.append(engine)
        return engine

    yield start
    for engine in started:
        engine.kill()
