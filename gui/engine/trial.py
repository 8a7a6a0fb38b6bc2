"""Runs a trial: inputs, one session, a first run, a warm-up, the timed loop, and after it the comparison of outputs.

Lives on the worker thread.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from ..records.codec import string_map
from ..records.failure import Failure, FailureError, FailureKind
from ..records.placement import PlacedNodes
from ..records.samples import Nanoseconds
from ..records.trial import Ending, ProviderOptions, Stage, TrialFacts, TrialSettings
from . import ort
from .cancellation import Cancellation
from .failures import is_cancellation, plain_words, trial_failure
from .outputs import non_finite, output_info, save_outputs
from .references import FirstOutputs, References, check_outputs
from .registry import Registry
from .run_watch import RunTimedOutError, RunWatch
from .runners import Runner
from .sessions import (
    explain_refusal,
    is_strict_refusal,
    placed_nodes,
    placement_of,
    session_options,
    without_excess,
)
from .timed_loop import Call, ConcurrentLoop, Limits, TimedLoop
from .trial_inputs import prepare_inputs
from .usage import UsageMeter

_CONTAINERS: Final = frozenset({"If", "Loop", "Scan"})
_WITHIN: Final = "Nodes within If, Loop and Scan count as placed, whether their branch is taken or not."
_ENDED: Final = "It was ended; the samples before it are kept."


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialListener:
    """Who hears of a trial while it runs."""

    tell: Callable[[TrialFacts], None]
    """Gets the facts before each stage."""
    nodes: Callable[[PlacedNodes], None]
    """Gets the names of the nodes, once the session is there."""
    send: Callable[[Stage, Nanoseconds, int], None]
    """Gets each batch of samples, and the nanoseconds since the stage began."""
    give_up: Callable[[Failure], None]
    """Gets the failure when a run does not end although it must: it does not return to the trial."""


class Trial:
    """One trial."""

    def __init__(
        self,
        settings: TrialSettings,
        registry: Registry,
        references: References,
        cancellation: Cancellation,
        listener: TrialListener,
    ) -> None:
        self._settings = settings
        self._registry = registry
        self._references = references
        self._cancellation = cancellation
        self._listener = listener
        self._send = listener.send
        self._usage = UsageMeter()
        self._first: FirstOutputs | None = None
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
        self._check()
        if stopped or (self._facts.ending is None and self._cancellation.is_requested()):
            self._facts = replace(self._facts, ending=Ending.STOPPED)
        return self._facts

    def _run_stages(self) -> None:
        self._enter(Stage.PREPARING)
        self._make_inputs()
        self._usage.before_session()
        self._enter(Stage.CREATING_SESSION)
        self._create_session()
        if self._cancellation.is_requested():
            return
        with self._watched():
            self._run_session()

    def _make_inputs(self) -> None:
        made = prepare_inputs(self._settings)
        self._feeds, self._sizes = made.feeds, made.sizes
        self._know(inputs=made.facts, dimensions=made.dimensions, notes=made.notes)

    def _create_session(self) -> None:
        settings = self._settings
        strict = settings.session.strict
        options = session_options(settings, self._registry, self._sizes, strict=strict)
        self._cancellation.watch(session_options=options, run_options=self._run_options)
        if settings.target.policy is None:
            keys = settings.target.device_keys + settings.target.second_keys
            self._know(target_devices=keys, wanted_eps=self._registry.ep_names_of(keys))
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
        self._usage.session_created()
        self._registry.track_session(self._session)
        nodes = placed_nodes(self._session)
        providers = tuple(self._session.get_providers())
        saved = settings.session.optimized_model_path
        self._know(
            session_creation_ns=created,
            placement=placement_of(nodes),
            providers=providers,
            provider_options=tuple(
                ProviderOptions(ep_name=name, options=string_map(entries))
                for name, entries in self._session.get_provider_options().items()
            ),
            intra_op_threads=settings.intra_op_threads,
            saved_files=(saved,) if saved and Path(saved).is_file() else (),
        )
        if settings.target.policy is not None:
            devices = self._registry.keys_of(list(self._session.get_input_epdevices()))
            self._know(target_devices=devices, wanted_eps=providers[:1])
        if nodes is not None and any(group.op_type in _CONTAINERS for group in nodes.groups):
            self._know(notes=(*self._facts.notes, _WITHIN))
        if nodes is not None:
            self._listener.nodes(without_excess(nodes))

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
        self._know(non_finite_outputs=tuple(non_finite(runner.names, outputs, runner.types)))
        self._first = FirstOutputs.of(settings.check, runner.names, runner.types, outputs)
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
        self._run_last(runner, calls[0])

    def _run_last(self, runner: Runner, call: Call) -> None:
        """Run once more, untimed, for the outputs: an EP may have gone wrong while it was measured."""
        if self._first is None or not self._first.are_kept or self._cancellation.is_requested():
            return
        function, arguments = call
        self._enter(Stage.CHECKING)
        try:
            self._first = self._first.with_last(runner.outputs_of(call, function(*arguments)))
        except ort.ERRORS as error:
            problem = f"A run after the measured ones failed: {plain_words(str(error)) or type(error).__name__}"
            self._first = replace(self._first, problem=problem)

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
        self._usage.measuring_begins()
        try:
            loop.measure(Stage.MEASURING, limits)
        finally:
            self._usage.measuring_ended()
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
        self._listener.give_up(self._timed_out("It did not end when asked to, so its engine was replaced."))

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
        self._usage.close()
        if self._session is not None:
            self._enter(Stage.CLOSING)
            self._session = None
            gc.collect()

    def _check(self) -> None:
        """Compare the outputs of the first run with the CPU's. The session is gone by then: two at a time would need
        twice the memory.
        """
        first, feeds = self._first, self._feeds
        self._first, self._feeds = None, {}
        if first is None:
            return
        if self._settings.check.enabled and not self._cancellation.is_requested():
            self._enter(Stage.CHECKING)
        self._know(check=check_outputs(self._settings, first, feeds, self._sizes, self._references, self._cancellation))

    def _know(self, **facts: Any) -> None:
        self._facts = replace(self._facts, **facts)

    def _enter(self, stage: Stage) -> None:
        self._know(stage=stage, costs=None if stage is Stage.PREPARING else self._usage.costs)
        self._listener.tell(self._facts)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
