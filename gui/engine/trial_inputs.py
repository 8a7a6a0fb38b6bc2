"""Makes the inputs of a trial, read from files or generated, before there is a session. Lives on the worker thread."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ..records.dimensions import with_derived
from ..records.failure import FailureKind, failure_error
from ..records.inputs import Fill, InputFact, InputSource, SourceKind
from ..records.model import TensorInfo, free_names
from ..records.placement import OpCount
from ..records.trial import DimensionSize, TrialSettings
from .inputs import make_inputs, sizes_of_files
from .models import describe_model
from .proposals import propose_inputs


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedInputs:
    """What a session of the trial's model is fed with."""

    feeds: dict[str, Any]
    sizes: dict[str, int]
    """Of all free dimensions, the given ones included, whether the model has them or not."""
    facts: tuple[InputFact, ...]
    dimensions: tuple[DimensionSize, ...]
    """Those of the model's free dimensions."""
    notes: tuple[str, ...] = ()
    op_counts: tuple[OpCount, ...] | None = None
    """The operators of the model file."""


def prepare_inputs(settings: TrialSettings) -> PreparedInputs:
    """Make the inputs of a trial with `settings`. Raises `FailureError`."""
    description = describe_model(settings.model_path)
    given = {entry.name: entry.size for entry in settings.dimensions}
    named = {source.name for source in settings.inputs}
    tensors = description.inputs + tuple(tensor for tensor in description.initializers or () if tensor.name in named)
    given |= sizes_of_files(tensors, settings.inputs, given)
    names = free_names(tensors)
    try:
        sizes = with_derived(names, given)
    except ValueError as error:
        raise failure_error(
            FailureKind.BAD_DIMENSION, f"A free dimension has no usable size: {error}.", hint="Change the sizes."
        ) from error
    sources, reasons = _sources(settings, tensors, sizes)
    initializers = {tensor.name for tensor in description.initializers or ()}
    made = make_inputs(tensors, sizes, settings.seed, sources, reasons, initializers)
    notes: tuple[str, ...] = ()
    unknown = [entry.name for entry in settings.dimensions if entry.name not in names]
    if unknown:
        text = f"No input has the free dimension {', '.join(unknown)}; they have: {', '.join(names) or 'none'}."
        notes = (text,)
    return PreparedInputs(
        feeds=made.feeds,
        sizes={**given, **sizes},
        facts=made.facts,
        dimensions=tuple(DimensionSize(name=name, size=size) for name, size in sizes.items() if size > 0),
        notes=notes,
        op_counts=description.op_counts,
    )


def _sources(
    settings: TrialSettings, tensors: tuple[TensorInfo, ...], sizes: dict[str, int]
) -> tuple[tuple[InputSource, ...], dict[str, str]]:
    """Return a source for every input, and the reasons of those that were proposed."""
    own = {source.name: source for source in settings.inputs if not _is_automatic(source)}
    hints = {source.name: source for source in settings.inputs if _is_automatic(source)}
    names = {tensor.name for tensor in tensors}
    reasons: dict[str, str] = {}
    if names - set(own):
        for proposal in propose_inputs(settings.model_path, sizes).proposals:
            name = proposal.source.name
            if name in own or name not in names:
                continue
            hint = hints.get(name)
            source = proposal.source
            if hint is not None:
                source = replace(source, shape=hint.shape or source.shape, length=hint.length)
            own[name] = source
            reasons[name] = proposal.reason
    return tuple(own.values()), reasons


def _is_automatic(source: InputSource) -> bool:
    return source.kind is SourceKind.GENERATED and source.fill is Fill.AUTOMATIC
