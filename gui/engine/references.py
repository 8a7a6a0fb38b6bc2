"""The outputs that a trial's are compared with: those of ORT's own CPU EP. Lives on the worker thread."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from ..records.check import Agreement, CheckSettings, OutputCheck, worst
from ..records.failure import FailureError
from ..records.model import ModelDescription
from ..records.trial import Binding, TrialSettings
from . import ort
from .cancellation import Cancellation
from .comparing import ComparisonStoppedError, Unreadable, compare_outputs
from .elements import ELEMENTS
from .failures import is_cancellation, plain_words
from .models import describe_model
from .outputs import numpy_of
from .runners import Runner

REFERENCE: Final = (
    "ORT's own CPU EP with default session options, same inputs, computed once for this model and these inputs."
)
MAX_COMPARED_BYTES: Final = 512 << 20
"""Of all outputs of a run together."""
_MAX_KEPT_BYTES: Final = 256 << 20
_MAX_KEPT: Final = 8
_RANDOM_OPS: Final = frozenset(
    {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"}
)
_MAX_REASON: Final = 300
_MAX_SECOND_RUN_S: Final = 10.0
"""A model that is faster is run twice, to see whether it gives the same each time."""
_SEVERITY: Final = (Agreement.IDENTICAL, Agreement.WITHIN, Agreement.NOT_CHECKED, Agreement.DIFFERENT)


class TooLargeError(Exception):
    """Outputs are too large to be compared: a sentence."""


class UnrepeatableError(Exception):
    """The CPU EP gives other outputs for the same inputs each time, so there is nothing to compare with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceOutputs:
    """The outputs of one run on the CPU EP."""

    names: tuple[str, ...]
    values: tuple[Any, ...]
    """As `kept_outputs` gives them."""
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstOutputs:
    """A copy of the outputs of a trial's first run, and of one after the measured runs where that gave others."""

    names: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    """The model's."""
    values: tuple[Any, ...] = ()
    last_values: tuple[Any, ...] | None = None
    """Those of the last run, when they are not the same to the bit."""
    problem: str = ""
    """Why they were not kept: a sentence."""

    @classmethod
    def of(
        cls, settings: CheckSettings, names: Sequence[str], types: Sequence[str], outputs: Sequence[Any]
    ) -> FirstOutputs:
        """Copy the outputs, when they are to be compared and not too large for it."""
        if not settings.enabled:
            return cls()
        try:
            values = kept_outputs(outputs)
        except TooLargeError as error:
            return cls(problem=str(error))
        except MemoryError:
            return cls(problem="There is not enough memory to keep the outputs for a comparison.")
        return cls(names=tuple(names), types=tuple(types), values=values)

    @property
    def are_kept(self) -> bool:
        """Whether there is something to compare."""
        return bool(self.names) and not self.problem

    def with_last(self, outputs: Sequence[Any]) -> FirstOutputs:
        """Return these with the outputs of the last run: an EP may go wrong after a while."""
        try:
            values = kept_outputs(outputs)
        except (TooLargeError, MemoryError):
            return self
        return self if _digest_of(values) == _digest_of(self.values) else replace(self, last_values=values)


class References:
    """Runs models on ORT's CPU EP, once for each model and its inputs as long as there is room to keep the outputs."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, ReferenceOutputs] = OrderedDict()

    def outputs(
        self,
        description: ModelDescription,
        feeds: Mapping[str, Any],
        sizes: Mapping[str, int],
        cancellation: Cancellation,
    ) -> ReferenceOutputs:
        """Return what the CPU EP makes of these inputs, with these sizes of the free dimensions.

        Raises `FailureError`, `TooLargeError` and what ORT raises.
        """
        key = _key(description, feeds, sizes)
        found = self._kept.get(key)
        if found is None:
            found = _computed(description.path, feeds, sizes, cancellation)
        self._keep(key, found)
        return found

    def _keep(self, key: bytes, found: ReferenceOutputs) -> None:
        self._kept[key] = found
        self._kept.move_to_end(key)
        while len(self._kept) > _MAX_KEPT or sum(entry.size_bytes for entry in self._kept.values()) > _MAX_KEPT_BYTES:
            self._kept.popitem(last=False)


def check_outputs(
    settings: TrialSettings,
    first: FirstOutputs,
    feeds: Mapping[str, Any],
    sizes: Mapping[str, int],
    references: References,
    cancellation: Cancellation,
) -> OutputCheck:
    """Return how the first outputs of a trial compare with those of the CPU EP. Never raises: it tells why not."""
    if not settings.check.enabled:
        return _unchecked("The comparison is switched off.")
    if first.problem:
        return _unchecked(first.problem)
    if cancellation.is_requested():
        return _stopped()
    try:
        description = describe_model(settings.model_path)
        hindrance = _hindrance(description)
        if hindrance:
            return _unchecked(hindrance)
        reference = references.outputs(description, feeds, sizes, cancellation)
        found, *later = (
            compare_outputs(
                first.names, first.types, values, reference.values, settings.check, cancellation.is_requested
            )
            for values in (first.values, first.last_values)
            if values is not None
        )
        for last in later:
            found = _worse(found, last)
    except ComparisonStoppedError:
        return _stopped()
    except UnrepeatableError:
        return _unchecked("ORT's own CPU EP gives other outputs each time, so the model draws random numbers.")
    except TooLargeError as error:
        return _unchecked(str(error))
    except FailureError as error:
        return _unchecked(f"The CPU EP cannot run this model: {error.failure.message}")
    except MemoryError:
        return _unchecked("There is not enough memory to run the model on the CPU EP and compare the outputs.")
    except ort.ERRORS as error:
        if cancellation.is_requested() and is_cancellation(error):
            return _stopped()
        return _unchecked(f"The CPU EP cannot run this model: {_reason(error)}")
    return OutputCheck(agreement=found.agreement, outputs=found.outputs, note=found.note, reference=REFERENCE)


def _worse(first: OutputCheck, last: OutputCheck) -> OutputCheck:
    """Return for each output the worse of the two runs, and say so where that is the last one."""
    outputs = tuple(
        replace(
            after,
            note=f"{after.note} In a run after the measured ones; in the first one: {before.agreement.value}.".strip(),
        )
        if _SEVERITY.index(after.agreement) > _SEVERITY.index(before.agreement)
        else before
        for before, after in zip(first.outputs, last.outputs, strict=True)
    )
    return replace(first, outputs=outputs, agreement=worst(outputs))


def random_ops(description: ModelDescription) -> tuple[str, ...]:
    """Return the operators of a model that draw random numbers; those with a seed, too, for it is not told.

    Dropout is none of them, for it draws none outside of training; in training the CPU EP's two runs tell. Empty as
    well when the operators are not known.
    """
    return tuple(sorted(count.op_type for count in description.op_counts or () if count.op_type in _RANDOM_OPS))


def kept_outputs(outputs: Sequence[Any]) -> tuple[Any, ...]:
    """Return copies of a run's outputs that outlive the session: arrays in their element's storage, lists, dicts, None.

    What the binding cannot read becomes `Unreadable`. Raises `TooLargeError` before anything is copied.
    """
    total = sum(map(_size_bytes, outputs))
    if total > MAX_COMPARED_BYTES:
        most = MAX_COMPARED_BYTES >> 20
        raise TooLargeError(f"The outputs take {total / 2**20:,.0f} MiB; more than {most} MiB are not compared.")
    return tuple(map(_copied, outputs))


def _unchecked(note: str) -> OutputCheck:
    return OutputCheck(agreement=Agreement.NOT_CHECKED, note=note)


def _stopped() -> OutputCheck:
    return _unchecked("It was stopped before the outputs were compared.")


def _hindrance(description: ModelDescription) -> str:
    """Return why a model's outputs cannot be compared; empty when they can."""
    if description.context_eps or any(
        entry.op_type.endswith(".EPContext") or entry.op_type == "EPContext" for entry in description.op_counts or ()
    ):
        names = ", ".join(description.context_eps) or "an EP"
        return f"The model is compiled for {names}, so ORT's CPU EP cannot run it. Run the original to compare."
    drawn = random_ops(description)
    if drawn:
        return f"The model draws random numbers ({', '.join(drawn)}), so no two runs agree."
    return ""


def _reason(error: Exception) -> str:
    """Return the first line of ORT's words, to stand at the end of a sentence."""
    text = plain_words(str(error))
    line = text.splitlines()[0].rstrip() if text else type(error).__name__
    line = line if len(line) <= _MAX_REASON else f"{line[: _MAX_REASON - 1]}…"
    return line if line.endswith((".", "!", "?", "…")) else f"{line}."


def _computed(
    model_path: str, feeds: Mapping[str, Any], sizes: Mapping[str, int], cancellation: Cancellation
) -> ReferenceOutputs:
    """Run the model once; its session is gone afterwards."""
    options, run_options = ort.SessionOptions(), ort.RunOptions()
    options.log_severity_level = 3  # its warnings are none of the trial's
    for name, size in sizes.items():
        options.add_free_dimension_override_by_name(name, size)
    cancellation.watch(session_options=options, run_options=run_options)
    session = ort.InferenceSession(model_path, options, providers=["CPUExecutionProvider"], enable_fallback=0)
    runner = Runner(session, feeds, Binding.ARRAYS, run_options)
    (call,) = runner.calls(1)
    function, arguments = call
    began = time.monotonic()
    outputs = runner.outputs_of(call, function(*arguments))
    took = time.monotonic() - began
    size = sum(map(_size_bytes, outputs))
    values = kept_outputs(outputs)
    if took < _MAX_SECOND_RUN_S and _digest_of(
        kept_outputs(runner.outputs_of(call, function(*arguments)))
    ) != _digest_of(values):
        raise UnrepeatableError
    return ReferenceOutputs(names=tuple(runner.names), values=values, size_bytes=size)


# ---- Values ----


def _size_bytes(value: Any) -> int:
    """Return about how many bytes an output takes."""
    if isinstance(value, ort.OrtValue):
        if not (value.has_value() and value.is_tensor()):
            return 0
        if value.element_type() == ELEMENTS["string"].onnx_number:
            return ELEMENTS["string"].size_bytes(int(np.prod(value.shape())))
        return int(value.tensor_size_in_bytes())
    if isinstance(value, np.ndarray):
        return ELEMENTS["string"].size_bytes(value.size) if value.dtype.kind == "O" else value.nbytes
    if isinstance(value, dict | list):
        entries = value.values() if isinstance(value, dict) else value
        return sum(map(_size_bytes, entries))
    return np.dtype(np.int64).itemsize


def _copied(value: Any) -> Any:
    try:
        value = numpy_of(value)
    except ValueError as error:
        return Unreadable(reason=f"It cannot be compared: {error}.")
    if isinstance(value, np.ndarray):
        return np.array(value, order="C")
    if isinstance(value, list):
        return [_copied(entry) for entry in value]
    return dict(value) if isinstance(value, dict) else value


# ---- What a reference is known by ----


def _key(description: ModelDescription, feeds: Mapping[str, Any], sizes: Mapping[str, int]) -> bytes:
    """Return a digest of the model's files as they are now, the sizes and the inputs."""
    file = Path(description.path)
    files = [file, *(file.parent / entry.name for entry in description.external_files or ())]
    found = [(str(path), stat.st_mtime_ns, stat.st_size) for path in files for stat in (path.stat(),)]
    digest = hashlib.blake2b(repr((found, sorted(sizes.items()), sorted(feeds))).encode())
    for name in sorted(feeds):
        _add_to(digest, feeds[name])
    return digest.digest()


def _digest_of(values: Sequence[Any]) -> bytes:
    """Return a digest of outputs: equal for those that are the same to the bit."""
    digest = hashlib.blake2b()
    _add_to(digest, values)
    return digest.digest()


def _add_to(digest: Any, value: Any) -> None:
    """Add a value to a digest, with its kind and its extent in front, so that no two are mistaken for one another."""
    if isinstance(value, ort.OrtValue):
        kind = value.data_type() if value.has_value() else ""
        digest.update(f"value {kind} ".encode())
        _add_to(digest, numpy_of(value))
    elif isinstance(value, np.ndarray) and value.dtype.kind != "O":
        digest.update(f"array {value.dtype.str} {value.shape} ".encode())
        digest.update(np.ascontiguousarray(value).reshape(-1).view(np.uint8))
    elif isinstance(value, np.ndarray):
        digest.update(f"texts {value.shape} ".encode())
        for entry in value.reshape(-1).tolist():
            _add_to(digest, entry)
    elif isinstance(value, dict):
        digest.update(f"map {len(value)} ".encode())
        for key, entry in value.items():
            _add_to(digest, key)
            _add_to(digest, entry)
    elif isinstance(value, list | tuple):
        digest.update(f"list {len(value)} ".encode())
        for entry in value:
            _add_to(digest, entry)
    else:
        text = repr(value).encode("utf-8", "surrogatepass")
        digest.update(f"{type(value).__name__} {len(text)} ".encode())
        digest.update(text)
