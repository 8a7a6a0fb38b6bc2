"""Expected failures as values: a kind, one plain sentence, a next step, the raw text."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class FailureKind(Enum):
    """What went wrong, as a word that programs can test; docs/failures.md has a row for each."""

    NO_SUCH_FILE = "no such file"
    NOT_A_LIBRARY = "not a library"
    TRUNCATED = "truncated"
    WRONG_ARCHITECTURE = "wrong architecture"
    NOT_AN_EP_LIBRARY = "not an EP library"
    MISSING_DEPENDENCY = "needs a library that is missing"
    MISSING_SYMBOL = "needs a symbol that is missing"
    NEEDS_NEWER_ORT = "needs a newer ONNX Runtime"
    ALREADY_LOADED = "same file already loaded"
    SAME_EP_NAME = "EP name offered twice"
    NO_DEVICES = "offers no device"
    EP_WARNS = "the EP warns"
    HANGS = "hangs"
    NAME_IN_USE = "name already in use"
    BAD_NAME = "unusable registration name"
    NOT_REGISTERED = "not registered"
    BUILT_IN = "part of ONNX Runtime"
    LIBRARY_IN_USE = "library in use"
    REFUSED_BY_EP = "refused by the EP"
    NOT_A_MODEL = "not an ONNX model"
    MISSING_EXTERNAL_DATA = "model data missing"
    UNSUPPORTED_MODEL = "model not supported"
    UNSUPPORTED_INPUT = "input type not supported"
    BAD_DIMENSION = "unusable dimension"
    BAD_INPUT = "input does not fit"
    BAD_INPUT_FILE = "input file cannot be used"
    BAD_OPTION = "unusable option"
    BAD_SETTING = "unusable setting"
    DEVICE_VANISHED = "device no longer there"
    MIXED_TARGET = "devices of different EPs"
    POLICY_FAILED = "policy found no usable device"
    OUT_OF_MEMORY = "out of memory"
    FALLS_BACK = "nodes left to the CPU"
    TIMED_OUT = "run took too long"
    NOTHING_COMPILED = "nothing compiled"
    COMPILE_FAILED = "compiling failed"
    RUN_FAILED = "run failed"
    STOPPED = "stopped"
    DIED = "engine died"
    ENGINE_UNAVAILABLE = "engine not available"
    NOT_A_REPORT = "not a device report"
    NOT_A_SETUP = "not a set-up"
    NOT_A_TRIAL = "not a trial file"
    STORE_DAMAGED = "trial store damaged"
    STORE_UNUSABLE = "trial store cannot be used"
    BAD_REQUEST = "request not understood"
    INTERNAL = "internal error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One expected failure, ready to be shown where the user asked."""

    kind: FailureKind
    message: str
    """One plain sentence."""
    hint: str = ""
    """What to do next; empty when there is nothing to do."""
    detail: str = ""
    """The raw text behind *Details*: the words of ORT, the EP or the system."""

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class FailureError(Exception):
    """Carries a `Failure` up to the place that answers for it."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(str(failure))
        self.failure = failure


def failure_error(kind: FailureKind, message: str, *, hint: str = "", detail: str = "") -> FailureError:
    """Return an exception that carries the failure described."""
    return FailureError(Failure(kind=kind, message=message, hint=hint, detail=detail))
