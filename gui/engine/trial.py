"""Runs a trial: inputs, one session, a first run, a warm-up, the timed loop. Lives on the worker thread."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from ..records.codec import string_map
from ..records.dimensions import with_derived
from ..records.failure import Failure, FailureError, FailureKind, failure_error
from ..records.inputs import Fill, InputSource, SourceKind
from ..records.model import TensorInfo, free_names
from ..records.samples import Nanoseconds
from ..records.trial import DimensionSize, Ending, ProviderOptions, Stage, TrialFacts, TrialSettings
from . import ort
from .cancellation import Cancellation
from .failures import is_cancellation, trial_failure
from .inputs import make_inputs, sizes_of_files
from .models import describe_model
from .outputs import non_finite, output_info, save_outputs
from .proposals import propose_inputs
from .registry import Registry
from .run_watch import RunTimedOutError, RunWatch
from .runners import Runner
from .sessions import explain_refusal, is_strict_refusal, placement_of, session_options
from .timed_loop import ConcurrentLoop, Limits, TimedLoop

_ENDED: Final = "It was ended; the samples before it are kept."


class Trial:
    """One trial. `tell` gets the facts before each stage, `send` each batch of samples.

    `give_up` gets the failure when a run does not end although it must: it does not return to this trial.
    """

    def __init__(
        self,
        settings: TrialSettings,
        registry: Registry,
        cancellation: Cancellation,
        tell: Callable[[TrialFacts], None],
        send: Callable[[Stage, Nanoseconds, int], None],
        give_up: Callable[[Failure], None],
    ) -> None:
        self._settings = settings
        self._registry = registry
        self._cancellation = cancellation
        self._tell = tell
        self._send = send
        self._give_up = give_up
        self._facts = TrialFacts()
        self._feeds: dict[str, Any] = {}
        self._sizes: dict[str, int] = {}
        self._session: Any = None
        self._run_options = ort.RunOptions()
        self._watch: RunWatch | None = None
        self._loop: TimedLoop | ConcurrentLoop | None = None

    def run(self) -> TrialFacts:
        """Do it all and return what is known. Raises `FailureError`; being stopped is not a failure."""
        stopped, failure = False, None
        try:
            self._run_stages()
        except FailureError as error:
            failure = error.failure
        except ort.ERRORS as error:
            stopped = self._cancellation.is_requested() and is_cancellation(error)
            if not stopped:
                failure = self._failure_of(error)
        finally:
            self._close()  # only now: the error's traceback, which is gone, held the session
        if failure is not None:
            raise FailureError(failure)
        if stopped or (self._facts.ending is None and self._cancellation.is_requested()):
            self._facts = replace(self._facts, ending=Ending.STOPPED)
        return self._facts

    def _run_stages(self) -> None:
        self._enter(Stage.PREPARING)
        self._make_inputs()
        self._enter(Stage.CREATING_SESSION)
        self._create_session()
        if self._cancellation.is_requested():
            return
        with self._watched():
            self._run_session()

    def _make_inputs(self) -> None:
        settings = self._settings
        description = describe_model(settings.model_path)
        given = {entry.name: entry.size for entry in settings.dimensions}
        named = {source.name for source in settings.inputs}
        tensors = description.inputs + tuple(
            tensor for tensor in description.initializers or () if tensor.name in named
        )
        given |= sizes_of_files(tensors, settings.inputs, given)
        names = free_names(tensors)
        try:
            sizes = with_derived(names, given)
        except ValueError as error:
            raise failure_error(
                FailureKind.BAD_DIMENSION, f"A free dimension has no usable size: {error}.", hint="Change the sizes."
            ) from error
        self._sizes = {**given, **sizes}
        sources, reasons = self._sources(tensors, sizes)
        initializers = {tensor.name for tensor in description.initializers or ()}
        made = make_inputs(tensors, sizes, settings.seed, sources, reasons, initializers)
        self._feeds = made.feeds
        dimensions = tuple(DimensionSize(name=name, size=size) for name, size in sizes.items() if size > 0)
        self._know(inputs=made.facts, dimensions=dimensions)
        unknown = [entry.name for entry in settings.dimensions if entry.name not in names]
        if unknown:
            text = f"No input has the free dimension {', '.join(unknown)}; they have: {', '.join(names) or 'none'}."
            self._know(notes=(text,))

    def _sources(
        self, tensors: tuple[TensorInfo, ...], sizes: dict[str, int]
    ) -> tuple[tuple[InputSource, ...], dict[str, str]]:
        """Return a source for every input, and the reasons of those that were proposed."""
        own = {source.name: source for source in self._settings.inputs if not _is_automatic(source)}
        hints = {source.name: source for source in self._settings.inputs if _is_automatic(source)}
        names = {tensor.name for tensor in tensors}
        reasons: dict[str, str] = {}
        if names - set(own):
            for proposal in propose_inputs(self._settings.model_path, sizes).proposals:
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

    def _create_session(self) -> None:
        settings = self._settings
        strict = settings.session.strict
        options = session_options(settings, self._registry, self._sizes, strict=strict)
        self._cancellation.watch(session_options=options, run_options=self._run_options)
        if settings.target.policy is None:
            self._know(target_devices=settings.target.device_keys + settings.target.second_keys)
        began = time.perf_counter_ns()
        try:
            # enable_fallback=0: otherwise a failing EP is replaced by the CPU without a word.
            self._session = ort.InferenceSession(settings.model_path, options, enable_fallback=0)
        except ort.ERRORS as error:
            if not (strict and is_strict_refusal(error)):
                raise
            lenient = session_options(settings, self._registry, self._sizes, strict=False)
            raise explain_refusal(settings.model_path, lenient, str(error)) from None
        created = time.perf_counter_ns() - began
        self._registry.track_session(self._session)
        saved = settings.session.optimized_model_path
        self._know(
            session_creation_ns=created,
            placement=placement_of(self._session),
            providers=tuple(self._session.get_providers()),
            provider_options=tuple(
                ProviderOptions(ep_name=name, options=string_map(entries))
                for name, entries in self._session.get_provider_options().items()
            ),
            intra_op_threads=settings.intra_op_threads,
            saved_files=(saved,) if saved and Path(saved).is_file() else (),
        )
        if settings.target.policy is not None:
            self._know(target_devices=self._registry.keys_of(list(self._session.get_input_epdevices())))

    def _run_session(self) -> None:
        settings = self._settings
        self._enter(Stage.FIRST_RUN)
        runner = Runner(self._session, self._feeds, settings.binding, self._run_options)
        self._know(notes=(*self._facts.notes, *runner.notes))
        calls = runner.calls(settings.callers)
        if self._watch is not None:
            calls = [self._watch.guarded(call) for call in calls]
        function, arguments = calls[0]
        began = time.perf_counter_ns()
        result = function(*arguments)
        self._know(first_run_ns=time.perf_counter_ns() - began)
        outputs = runner.outputs_of(calls[0], result)
        self._know(outputs=tuple(map(output_info, runner.names, outputs, runner.types)))
        if settings.outputs_folder:
            saved = save_outputs(settings.outputs_folder, runner.names, outputs, runner.types)
            self._know(saved_files=self._facts.saved_files + saved)
        bad = tuple(non_finite(runner.names, outputs, runner.types))
        del result, outputs
        if self._cancellation.is_requested():
            return
        pause_s = settings.pause_ms / 1e3
        if settings.callers == 1:
            self._loop = TimedLoop(calls[0], self._cancellation, self._send, pause_s=pause_s)
        else:
            self._loop = ConcurrentLoop(calls, self._cancellation, self._send, pause_s=pause_s)
        self._cancellation.when_stuck(self._loop.rescue)
        with _no_garbage_collection():
            self._measure(self._loop)
        self._enter(Stage.CHECKING)
        self._know(non_finite_outputs=bad)

    def _measure(self, loop: TimedLoop | ConcurrentLoop) -> None:
        if self._settings.warmup:
            self._enter(Stage.WARMING_UP)
            try:
                loop.measure(Stage.WARMING_UP, Limits(iterations=self._settings.warmup))
            finally:
                self._know(warmup_runs=loop.count)
        self._enter(Stage.MEASURING)
        rule = self._settings.stop_rule
        limits = Limits(iterations=rule.iterations, seconds=rule.seconds, stable_percent=rule.stable_percent)
        try:
            loop.measure(Stage.MEASURING, limits)
        finally:
            self._know(sample_count=loop.count, measured_ns=loop.elapsed_ns, ending=loop.ending)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Watch the runs for the longest they may take, if they may not take for ever."""
        limit = self._settings.run_timeout_s
        if limit is not None:
            self._watch = RunWatch(limit, self._cancellation, self._run_options, self._on_stuck)
        with self._watch or nullcontext():
            yield

    def _on_stuck(self) -> None:
        """On the watch's thread: the run does not come back. What was measured is sent, then the engine gives up."""
        if self._loop is not None:
            self._loop.rescue()
        self._give_up(self._timed_out("It did not end when asked to, so its engine was replaced."))

    def _failure_of(self, error: Exception) -> Failure:
        if isinstance(error, RunTimedOutError) or (self._watch is not None and self._watch.is_overdue):
            return self._timed_out(_ENDED, detail=str(error))
        return trial_failure(error, self._facts.stage, by_policy=self._settings.target.policy is not None)

    def _timed_out(self, what: str, detail: str = "") -> Failure:
        return Failure(
            kind=FailureKind.TIMED_OUT,
            message=f"A run took longer than {self._settings.run_timeout_s:g} s (stage: {self._facts.stage.value}).",
            hint=f"{what} Allow a run more time, or look for what holds it up.",
            detail=detail,
        )

    def _close(self) -> None:
        self._cancellation.when_stuck(None)
        self._loop = None
        self._feeds = {}
        if self._session is not None:
            self._enter(Stage.CLOSING)
            self._session = None
            gc.collect()

    def _know(self, **facts: Any) -> None:
        self._facts = replace(self._facts, **facts)

    def _enter(self, stage: Stage) -> None:
        self._know(stage=stage)
        self._tell(self._facts)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _is_automatic(source: InputSource) -> bool:
    return source.kind is SourceKind.GENERATED and source.fill is Fill.AUTOMATIC
