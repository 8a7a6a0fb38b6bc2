"""EP libraries: a file, the name it is registered under, and what became of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePath

from .failure import Failure
from .library_check import LibraryCheck

VIRTUAL_SUFFIX = ".virtual"
"""ORT lets an EP offer virtual devices when its registration name ends so."""

CPU_EP_NAME = "CPUExecutionProvider"

_KNOWN_NAMES = {
    # The EPs that ask for a certain registration name, by what their file name holds.
    "ggml": "ggml",
    "qnn": "QNNExecutionProvider",
    "webgpu": "WebGpuExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorRTExecutionProvider",
    "nv_tensorrt_rtx": "NvTensorRTRTXExecutionProvider",
    "vitisai": "VitisAIExecutionProvider",
    "migraphx": "MIGraphXExecutionProvider",
}


class LibraryState(Enum):
    """Where a library stands."""

    NOT_LOADED = "not loaded"
    LOADING = "loading"
    LOADED = "loaded"
    FAILED = "failed"
    UNREGISTERING = "unregistering"


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """An EP library file under its registration name."""

    name: str
    path: str
    """Absolute."""
    state: LibraryState = LibraryState.NOT_LOADED
    device_keys: tuple[str, ...] = ()
    error: Failure | None = None
    killed_engine: bool = False
    """Its loading ended or hung an engine: it is not loaded again without asking."""
    overdue: bool = False
    """Its loading takes suspiciously long."""
    check: LibraryCheck | None = None
    """What reading the file told before it was loaded."""
    registration_ns: int | None = None
    """How long ORT took to register it."""
    said: tuple[str, ...] = ()
    """The lines that were printed while it was registered, by the EP or by ORT."""


def propose_name(path: str) -> str:
    """Return the registration name that fits a library file: its EP's own name where that is known."""
    file_name = re.split(r"[\\/]", path)[-1] if "\\" in path else PurePath(path).name
    stem = re.split(r"\.(?:so|dll|dylib)\b", file_name, maxsplit=1, flags=re.IGNORECASE)[0]
    if not file_name.lower().endswith(".dll"):
        stem = stem.removeprefix("lib")
    short = re.sub(r"^onnxruntime[_-](?:providers[_-]|ep[_-])?", "", stem, flags=re.IGNORECASE)
    short = re.sub(r"[_-](?:plugin|ep|execution[_-]provider)$", "", short, flags=re.IGNORECASE)
    return _KNOWN_NAMES.get(short.lower(), short or stem or file_name)


def unique_name(name: str, taken: frozenset[str]) -> str:
    """Return `name`, or the first of `name-2`, `name-3`, … that is not taken; a `.virtual` ending stays at the end."""
    if name not in taken:
        return name
    stem, suffix = (name.removesuffix(VIRTUAL_SUFFIX), VIRTUAL_SUFFIX) if name.endswith(VIRTUAL_SUFFIX) else (name, "")
    number = 2
    while f"{stem}-{number}{suffix}" in taken:
        number += 1
    return f"{stem}-{number}{suffix}"


def name_problem(name: str, taken: frozenset[str]) -> str | None:
    """Return why `name` cannot be a registration name, in one sentence, or None when it can."""
    if not name.strip():
        return "A library needs a registration name."
    if any(ord(character) < 32 for character in name):
        return "A registration name cannot hold control characters."
    if name != name.strip():
        return "A registration name cannot begin or end with a space."
    if name == CPU_EP_NAME:
        return f"{CPU_EP_NAME} is the name of ONNX Runtime's own provider."
    if name in taken:
        return f"Another library is registered as “{name}”."
    return None
