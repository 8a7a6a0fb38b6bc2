"""Runs a trial: inputs, one session, a first run, a warm-up, the timed loop, and after it the comparison of outputs.

It is run in one go, or it is opened, measured in rounds, and closed: then each step is a request of its own, with
requests of other trials in between. Lives on the worker thread.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from ..records.codec import string_map
from ..records.comparison import RoundFacts, RoundLimits
from ..records.failure import Failure, FailureError, FailureKind
from ..records.placement import COUNTED_NOTE, NOT_COUNTED_NOTE, OpCount, PlacedNodes
from ..records.samples import Nanoseconds
from ..records.trial import Ending, ProviderOptions, Stage, TrialFacts, TrialSettings
from . import ort
from .cancellation import Cancellation
from .failures import is_cancellation, plain_words, trial_failure
from .node_counts import better_of, count_nodes, is_doubtful
from .outputs import non_finite, output_info, save_outputs
from .references import FirstOutputs, References, check_outputs
from .registry import Registry
from .run_watch import RunTimedOutError
from .runners import Runner
from .sessions import (
    explain_refusal,
    is_strict_refusal,
    placed_nodes,
    placement_of,
    session_options,
    without_excess,
)
from .settling import time_to_rest
from .timed_loop import Limits
from .trial_inputs import prepare_inputs
from .usage import UsageMeter
from .watched_runs import Loop, WatchedRuns

_CONTAINERS: Final = frozenset({"If", "Loop", "Scan"})
_WITHIN: Final = "Nodes within If, Loop and Scan count as placed, whether their branch is taken or not."
_ENDED: Final = "It was ended; the samples before it are kept."
_ONE_RUN_S: Final = 1e-9
"""So short a loop makes one run, of each caller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialListener:
    """Who hears of a trial while it does what one request asks for."""

    tell: Callable[[TrialFacts], None]
    """Gets the facts before each stage."""
    nodes: Callable[[PlacedNodes], None]
    """Gets the names of the nodes, once the session is there."""
    send: Callable[[Stage, Nanoseconds, int], None]
    """Gets each batch of samples, and the nanoseconds since the stage began."""
    give_up: Callable[[Failure], None]
    """Gets the failure when a run does not end although it must: it does not return to the trial."""


class Trial:
    """One trial: either `run`, or `open`, then `measure_round` any number of times, then `close`."""

    def __init__(
        self,
        settings: TrialSettings,
        registry: Registry,
        references: References,
        cancellation: Cancellation,
        listener: TrialListener,
    ) -> None:
        """`cancellation` and `listener` are those of the first request."""
        self._settings = settings
        self._registry = registry
        self._references = references
        self._cancellation = cancellation
        self._listener = listener
        self._usage = UsageMeter()
        self._first: FirstOutputs | None = None
        self._facts = TrialFacts()
        self._feeds: dict[str, Any] = {}
        self._sizes: dict[str, int] = {}
        self._op_counts: tuple[OpCount, ...] | None = None
        self._doubtful: PlacedNodes | None = None  # what ORT recorded, to be checked
        self._session: Any = None
        self._run_options = ort.RunOptions()
        self._runner: Runner | None = None
        self._runs: WatchedRuns | None = None
        self._measuring_began_ns = 0
        self.rest_s = 0.0
        """So long after a run the session still keeps processors busy; known once it is open."""

    def run(self) -> TrialFacts:
        """Do it all and return what is known. Raises `FailureError`; being stopped is not a failure."""
        try:
            failure = self._attempt(self._run_stages)
            stage = self._facts.stage
        finally:
            self._release()  # only now: the error's traceback, which is gone, held the session
        if failure is not None:
            self._return_to(stage)
            raise FailureError(failure)
        self._count_nodes()
        self._check()
        if self._facts.ending is None and self._cancellation.is_requested():
            self._know(ending=Ending.STOPPED)
        return self._facts

    def open(self) -> TrialFacts:
        """Do what comes before the measuring and return what is known; the session stays.

        Raises `FailureError`, also when it is stopped: then no session is left, and the trial is over.
        """
        is_open = False
        try:
            failure = self._attempt(self._open_stages)
            stage = self._facts.stage
            is_open = failure is None and not self._cancellation.is_requested()
        finally:
            if not is_open:
                self._release()
        if is_open:
            return self._facts
        self._return_to(stage)
        raise FailureError(failure or _stopped())

    def measure_round(self, limits: RoundLimits, cancellation: Cancellation, listener: TrialListener) -> RoundFacts:
        """Measure some runs, after others that lead in to them. Being stopped is not a failure.

        Raises `FailureError`; the trial stays open, and what was measured before counts.
        """
        self._attend(cancellation, listener)
        before, self._measuring_began_ns = self._facts, time.time_ns()
        failure = self._attempt(lambda: self._run_round(limits))
        if failure is not None:
            raise FailureError(failure)
        if self._facts.ending is None:
            self._know(ending=Ending.STOPPED)
        return RoundFacts(
            began_ns=self._measuring_began_ns,
            sample_count=self._facts.sample_count - before.sample_count,
            measured_ns=self._facts.measured_ns - before.measured_ns,
            lead_in_runs=self._facts.warmup_runs - before.warmup_runs,
            stopped=self._facts.ending is Ending.STOPPED,
        )

    def close(self, cancellation: Cancellation, listener: TrialListener, *, check: bool) -> TrialFacts:
        """Release the session and return what is known of all rounds together; `ending` is that of the last.

        With `check` the outputs are compared, after a last run for them. The trial is over, whatever happens.
        """
        self._attend(cancellation, listener)
        try:
            if check:
                self._run_last()
        finally:
            self._usage.rounds_ended()
            self._release()
        if check:
            self._count_nodes()
            self._check()
        return self._facts

    def _return_to(self, stage: Stage) -> None:
        """Tell once more where it failed: the session has been closed since."""
        if self._facts.stage is not stage:
            self._know(stage=stage)
            self._listener.tell(self._facts)

    def _attend(self, cancellation: Cancellation, listener: TrialListener) -> None:
        """Turn to the next request; the one before may have been stopped."""
        self._cancellation, self._listener = cancellation, listener
        self._run_options.terminate = False
        cancellation.watch(session_options=None, run_options=self._run_options)

    def _attempt(self, work: Callable[[], None]) -> Failure | None:
        """Do it and return why it failed, without the error: its traceback holds the session."""
        try:
            work()
        except FailureError as error:
            return error.failure
        except ort.ERRORS as error:
            if not (self._cancellation.is_requested() and is_cancellation(error)):
                return self._failure_of(error)
        return None

    def _run_stages(self) -> None:
        self._prepare()
        if self._cancellation.is_requested():
            return
        rule = self._settings.stop_rule
        limits = Limits(iterations=rule.iterations, seconds=rule.seconds, stable_percent=rule.stable_percent)
        with self._timed() as loop:
            self._warm_up(loop)
            self._enter(Stage.MEASURING)
            self._usage.measuring_begins()
            try:
                self._measure(loop, limits)
            finally:
                self._usage.measuring_ended()
        self._run_last()

    def _open_stages(self) -> None:
        self._prepare()
        if self._cancellation.is_requested():
            return
        with self._timed() as loop:
            self._warm_up(loop)
        self._usage.opened()
        self._know(costs=self._usage.costs)
        self.rest_s = time_to_rest(self._cancellation)

    def _run_round(self, limits: RoundLimits) -> None:
        self._know(stage=Stage.WARMING_UP, ending=None)  # known, not told: it would cost more than many a round
        with self._timed() as loop:
            self._lead_in(loop, limits.lead_in_s)
            self._know(stage=Stage.MEASURING)
            self._usage.measuring_begins()
            try:
                self._measure(loop, Limits(iterations=limits.iterations, seconds=limits.seconds))
            finally:
                self._usage.measuring_paused()

    def _prepare(self) -> None:
        """Get as far as the first run."""
        self._enter(Stage.PREPARING)
        self._make_inputs()
        self._usage.before_session()
        self._enter(Stage.CREATING_SESSION)
        self._create_session()
        if not self._cancellation.is_requested():
            self._run_first()
            gc.collect()

    def _make_inputs(self) -> None:
        made = prepare_inputs(self._settings)
        self._feeds, self._sizes, self._op_counts = made.feeds, made.sizes, made.op_counts
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
        if is_doubtful(nodes, self._facts.wanted_eps, self._op_counts):
            self._doubtful = nodes
        elif nodes is not None:
            has_branches = any(group.op_type in _CONTAINERS for group in nodes.groups)
            self._place(nodes, *((_WITHIN,) if has_branches else ()))

    def _place(self, nodes: PlacedNodes, *notes: str) -> None:
        self._know(placement=placement_of(nodes), notes=(*self._facts.notes, *notes))
        self._listener.nodes(without_excess(nodes))

    def _run_first(self) -> None:
        settings = self._settings
        self._enter(Stage.FIRST_RUN)
        self._runner = runner = Runner(self._session, self._feeds, settings.binding, self._run_options)
        self._know(notes=(*self._facts.notes, *runner.notes))
        calls = runner.calls(settings.callers)
        self._runs = runs = WatchedRuns(settings, calls, self._run_options, self._on_stuck)
        with runs.watched(self._cancellation) as (call, *_):
            function, arguments = call
            began = time.perf_counter_ns()
            result = function(*arguments)
            self._know(first_run_ns=time.perf_counter_ns() - began)
        outputs = runner.outputs_of(call, result)
        self._know(outputs=tuple(map(output_info, runner.names, outputs, runner.types)))
        if settings.outputs_folder:
            saved = save_outputs(settings.outputs_folder, runner.names, outputs, runner.types)
            self._know(saved_files=self._facts.saved_files + saved)
        self._know(non_finite_outputs=tuple(non_finite(runner.names, outputs, runner.types)))
        self._first = FirstOutputs.of(settings.check, runner.names, runner.types, outputs)

    def _run_last(self) -> None:
        """Run once more, untimed, for the outputs: an EP may have gone wrong while it was measured."""
        runner, runs, first = self._runner, self._runs, self._first
        if runner is None or runs is None or first is None or not first.are_kept or self._cancellation.is_requested():
            return
        self._enter(Stage.CHECKING)
        try:
            with runs.watched(self._cancellation) as (call, *_):
                function, arguments = call
                result = function(*arguments)
            self._first = first.with_last(runner.outputs_of(call, result))
        except ort.ERRORS as error:
            problem = f"A run after the measured ones failed: {plain_words(str(error)) or type(error).__name__}"
            self._first = replace(first, problem=problem)

    def _warm_up(self, loop: Loop) -> None:
        if self._settings.warmup:
            self._enter(Stage.WARMING_UP)
            self._run_unmeasured(loop, Limits(iterations=self._settings.warmup))

    def _lead_in(self, loop: Loop, seconds: float) -> None:
        """Run for so long, and pause as between any two runs."""
        began = time.perf_counter_ns()
        self._run_unmeasured(loop, Limits(seconds=max(seconds, _ONE_RUN_S)))
        since_last_s = (time.perf_counter_ns() - began - loop.elapsed_ns) / 1e9
        pause_s = self._settings.pause_ms / 1e3 - since_last_s
        if pause_s > 0:
            self._cancellation.wait(pause_s)

    def _run_unmeasured(self, loop: Loop, limits: Limits) -> None:
        try:
            loop.measure(Stage.WARMING_UP, limits)
        finally:
            self._know(warmup_runs=self._facts.warmup_runs + loop.count)

    def _measure(self, loop: Loop, limits: Limits) -> None:
        facts, self._measuring_began_ns = self._facts, time.time_ns()
        try:
            loop.measure(Stage.MEASURING, limits)
        finally:
            self._know(
                sample_count=facts.sample_count + loop.count,
                measured_ns=facts.measured_ns + loop.elapsed_ns,
                ending=loop.ending,
            )

    def _timed(self) -> AbstractContextManager[Loop]:
        assert self._runs is not None  # noqa: S101 there was a first run
        return self._runs.timed(self._cancellation, self._listener.send)

    def _on_stuck(self) -> None:
        """On the watch's thread: the engine gives up on itself."""
        self._listener.give_up(self._timed_out("It did not end when asked to, so its engine was replaced."))

    def _failure_of(self, error: Exception) -> Failure:
        if isinstance(error, RunTimedOutError) or (self._runs is not None and self._runs.is_overdue):
            return self._timed_out(_ENDED, detail=str(error))
        return trial_failure(error, self._facts.stage, by_policy=self._settings.target.policy is not None)

    def _timed_out(self, what: str, detail: str = "") -> Failure:
        return Failure(
            kind=FailureKind.TIMED_OUT,
            message=f"A run took longer than {self._settings.run_timeout_s:g} s (stage: {self._facts.stage.value}).",
            hint=f"{what} Allow a run more time, or look for what holds it up.",
            detail=detail,
        )

    def _release(self) -> None:
        self._usage.close()
        if self._session is not None:
            self._enter(Stage.CLOSING)
            self._runner = self._runs = None
            self._session = None
            gc.collect()

    def _count_nodes(self) -> None:
        """Check a record of nodes that may have gaps. The session is gone by then, as for the comparison."""
        recorded, wanted = self._doubtful, self._facts.wanted_eps
        if recorded is None:
            return
        counted = None
        if not self._cancellation.is_requested():
            self._enter(Stage.CHECKING)
            counted = count_nodes(self._settings, self._registry, self._sizes, self._feeds, self._cancellation)
        nodes = better_of(recorded, counted, wanted)
        if nodes is None:
            self._know(notes=(*self._facts.notes, NOT_COUNTED_NOTE))
        else:
            self._place(nodes, *((COUNTED_NOTE,) if nodes is counted else ()))

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


def _stopped() -> Failure:
    return Failure(kind=FailureKind.STOPPED, message="It was stopped before its session was ready to be measured.")
