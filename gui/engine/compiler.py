"""Compiles a model for a target into one with EPContext nodes (`ModelCompiler`). Lives on the worker thread."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from ..records.dimensions import with_derived
from ..records.failure import Failure, FailureError, FailureKind, failure_error
from ..records.model import ModelDescription, free_names
from ..records.trial import CompiledModel, Stage, TrialFacts, TrialSettings
from . import ort
from .cancellation import Cancellation
from .failures import plain_words, trial_failure
from .models import describe_model
from .registry import Registry
from .scratch import PREFIX, sweep
from .sessions import session_options

_LARGE_BYTES: Final = 1_500_000_000
"""Weights beyond this size do not fit into one file (protobuf ends at 2 GiB) and are written beside it."""


def compile_model(
    settings: TrialSettings,
    path: str,
    registry: Registry,
    cancellation: Cancellation,
    tell: Callable[[TrialFacts], None],
) -> CompiledModel:
    """Compile the model of `settings` for its target, write it to `path` and return what came of it.

    What lies at `path` is replaced only by a whole new file. Raises `FailureError`.
    """
    target = Path(path).expanduser().absolute()
    tell(TrialFacts(stage=Stage.PREPARING))
    description = describe_model(settings.model_path)
    _check_place(target, description)
    sizes = {entry.name: entry.size for entry in settings.dimensions}
    known = with_derived(free_names(description.inputs), sizes)
    options = session_options(settings, registry, {**sizes, **known}, strict=settings.session.strict)
    cancellation.watch(session_options=options, run_options=ort.RunOptions())
    tell(TrialFacts(stage=Stage.COMPILING, target_devices=settings.target.device_keys))
    sweep()
    # In a folder of its own: an EP writes files beside the model under names of its choice, and may end the process.
    with tempfile.TemporaryDirectory(prefix=PREFIX) as folder:
        draft = Path(folder) / target.name
        began = time.perf_counter_ns()
        try:
            _compile(options, description, draft)
        except ort.ERRORS as error:
            if cancellation.is_requested():  # what else it failed with came of the end, or after it was wanted
                raise failure_error(FailureKind.STOPPED, "Compiling was stopped.") from error
            raise FailureError(_failure_of(error, settings)) from error
        took = time.perf_counter_ns() - began
        if cancellation.is_requested():
            raise failure_error(FailureKind.STOPPED, "Compiling was stopped.")
        files = _moved(Path(folder), target)
    return _result(target, files, took)


def _compile(options: Any, description: ModelDescription, draft: Path) -> None:
    weights: dict[str, Any] = {}
    if description.size_bytes > _LARGE_BYTES:
        weights["external_initializers_file_path"] = f"{draft.name}.data"
    flags = ort.OrtCompileApiFlags.ERROR_IF_NO_NODES_COMPILED
    ort.ModelCompiler(options, description.path, flags=flags, **weights).compile_to_file(str(draft))


def _check_place(target: Path, description: ModelDescription) -> None:
    if not target.parent.is_dir():
        message = f"The compiled model cannot be saved: there is no folder {target.parent}."
        raise failure_error(FailureKind.BAD_SETTING, message, hint="Choose another place, or make the folder.")
    if target.is_dir():
        raise failure_error(FailureKind.BAD_SETTING, f"{target} is a folder.", hint="Choose a file.")
    if target.resolve() == Path(description.path).resolve():
        message = "The compiled model would replace the model itself."
        raise failure_error(FailureKind.BAD_SETTING, message, hint="Choose another file.")
    if description.context_eps:
        message = f"The model is compiled already, for {', '.join(description.context_eps)}."
        raise failure_error(FailureKind.NOTHING_COMPILED, message, hint="Run it, or compile the model it came from.")


def _moved(folder: Path, target: Path) -> list[Path]:
    """Move all files of the folder beside `target` and return where they are, the model last moved but first named."""
    others = sorted(file for file in folder.iterdir() if file.name != target.name)
    moved = []
    try:
        for file in (*others, folder / target.name):
            place = target.parent / file.name
            part = place.with_name(f"{place.name}.part")
            shutil.move(file, part)
            part.replace(place)
            moved.append(place)
    except OSError as error:
        message = f"The compiled model cannot be saved in {target.parent}: {error.strerror or error}."
        raise failure_error(FailureKind.BAD_SETTING, message, hint="Choose another place.") from error
    return [moved[-1], *moved[:-1]]


def _result(target: Path, files: list[Path], took: int) -> CompiledModel:
    counts = describe_model(str(target)).op_counts
    contexts = None if counts is None else sum(entry.count for entry in counts if entry.op_type.endswith("EPContext"))
    total = None if counts is None else sum(entry.count for entry in counts)
    return CompiledModel(
        path=str(target),
        size_bytes=sum(file.stat().st_size for file in files),
        duration_ns=took,
        files=tuple(str(file) for file in files),
        context_nodes=contexts,
        other_nodes=None if total is None or contexts is None else total - contexts,
    )


def _failure_of(error: Exception, settings: TrialSettings) -> Failure:
    raw = str(error)
    words = plain_words(raw).splitlines()[0] if raw.strip() else "no reason given"
    kind, message = FailureKind.COMPILE_FAILED, f"Compiling failed: {words.rstrip('.')}."
    hint = "These are the words of ORT or the EP; an EP option may help."
    if "Unable to compile any nodes" in raw:
        kind, message = FailureKind.NOTHING_COMPILED, "The target compiles no node of this model."
        hint = "Choose a device whose EP compiles, set the EP options it asks for, or change the model."
    elif "returned a NULL EPContext node" in raw:
        kind, message = FailureKind.NOTHING_COMPILED, "The EP runs this model but writes no compiled form of it."
        hint = "Run the model on it instead, or compile it for another EP."
    else:
        general = trial_failure(error, Stage.COMPILING, by_policy=settings.target.policy is not None)
        if general.kind not in (FailureKind.RUN_FAILED, FailureKind.REFUSED_BY_EP):
            return general
    return Failure(kind=kind, message=message, hint=hint, detail=f"{type(error).__name__}: {raw}")
