"""Profiles a model on a target with ORT's profiler, in a session of its own. Lives on the worker thread."""

from __future__ import annotations

import gc
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from ..records.failure import Failure, FailureError, FailureKind, failure_error
from ..records.profile import Profile
from ..records.trial import ExecutionMode, Stage, TrialFacts, TrialSettings
from ..records.units import time_text
from . import ort
from .cancellation import Cancellation
from .failures import is_cancellation, trial_failure
from .registry import Registry
from .runners import Runner
from .scratch import PREFIX, sweep
from .sessions import explain_refusal, is_strict_refusal, placed_nodes, session_options
from .timed_loop import Call
from .traces import NodeSums, Trace, held_up_text, read_trace, sum_up, typical
from .trial_inputs import prepare_inputs

_USUAL_RUNS: Final = 50
_MAX_RUNS: Final = 500
"""Of small models, so that a run that something held up is one of many."""
_LIGHT_EVENTS: Final = 20_000
"""So many make a trace of some 20 MB: more than the usual runs only up to there."""
_MAX_EVENTS: Final = 200_000
"""A trace with so many has some 170 MB; ORT itself stops recording at a million."""
_MAX_WARMUP: Final = 10
_PLAIN_NS: Final = 1_000_000_000
_PROFILED_NS: Final = 2_000_000_000
_EVENT_NS: Final = 5_000
"""Recording an event takes about so long: how much slower a run is under the profiler tells how many it has."""
_ROUGH_NS: Final = 10_000
_CHEAP: Final = 1.1
_TOO_MUCH: Final = 1.25
"""Nodes that take so many times as long as the whole run without the profiler: that is the profiler's doing."""


def profile_model(
    settings: TrialSettings,
    registry: Registry,
    cancellation: Cancellation,
    tell: Callable[[TrialFacts], None],
) -> Profile:
    """Profile the model of `settings` and return where its time goes. Raises `FailureError`."""
    return _Profiling(settings, registry, cancellation, tell).run()


class _StoppedError(Exception):
    """The end was asked for between two runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Runs:
    """The runs under the profiler."""

    before: int
    """The first one and the warm-up."""
    walls_ns: list[int]
    """Of those that count."""


class _Profiling:
    def __init__(
        self,
        settings: TrialSettings,
        registry: Registry,
        cancellation: Cancellation,
        tell: Callable[[TrialFacts], None],
    ) -> None:
        # What a trial writes is written already.
        self._settings = replace(settings, session=replace(settings.session, optimized_model_path=""))
        self._registry = registry
        self._cancellation = cancellation
        self._tell = tell
        self._stage = Stage.PREPARING
        self._run_options = ort.RunOptions()
        self._feeds: dict[str, Any] = {}
        self._sizes: dict[str, int] = {}
        self._session: Any = None
        self._folder: Path | None = None
        self._profile: Profile | None = None

    def run(self) -> Profile:
        failure: Failure | None = None
        try:
            self._run_stages()
        except FailureError as error:
            failure = error.failure
        except _StoppedError:
            failure = _stopped()
        except ort.ERRORS as error:
            if self._cancellation.is_requested() and is_cancellation(error):
                failure = _stopped()
            else:
                failure = trial_failure(error, self._stage, by_policy=self._settings.target.policy is not None)
        finally:
            self._close()  # only now: the error's traceback, which is gone, held the session
            if self._profile is None and self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)
        if failure is not None:
            raise FailureError(failure)
        assert self._profile is not None  # noqa: S101
        return self._profile

    def _run_stages(self) -> None:
        self._enter(Stage.PREPARING)
        self._folder = _make_folder()
        made = prepare_inputs(self._settings)
        self._feeds, self._sizes = made.feeds, made.sizes
        plain_median_ns = self._run_plainly()
        runs = self._run_profiled(self._folder / "trace", plain_median_ns)
        path = Path(self._session.end_profiling() or self._folder / "none")
        self._close()
        self._profile = self._read(path, runs, plain_median_ns)

    def _run_plainly(self) -> int:
        """Return the median of runs without the profiler, ns; their session is gone afterwards."""
        self._create_session(None)
        self._enter(Stage.WARMING_UP)
        call = self._call()
        self._timed(call)
        self._repeat(call, min(self._settings.warmup, _MAX_WARMUP), _PLAIN_NS // 2)
        walls = self._repeat(call, _MAX_RUNS, _PLAIN_NS) or [self._timed(call)]
        del call  # it holds the session
        self._close()
        return round(statistics.median(walls))

    def _run_profiled(self, trace_prefix: Path, plain_median_ns: int) -> _Runs:
        self._create_session(trace_prefix)
        self._enter(Stage.WARMING_UP)
        nodes = placed_nodes(self._session)
        fewest = max(1, 0 if nodes is None else sum(len(group.names) for group in nodes.groups))
        call = self._call()
        wall = self._timed(call)
        events = max(fewest, (wall - plain_median_ns) // _EVENT_NS)
        before = 1
        if 3 * events <= _MAX_EVENTS:
            wall = self._timed(call)
            events = max(fewest, (wall - plain_median_ns) // _EVENT_NS)
            before += 1
            more = min(self._settings.warmup, _MAX_WARMUP, _MAX_EVENTS // events // 3) - 1
            before += len(self._repeat(call, more, _PROFILED_NS // 4))
        self._enter(Stage.MEASURING)
        most = max(_USUAL_RUNS, min(_MAX_RUNS, _LIGHT_EVENTS // events))
        count = min(most, _PROFILED_NS // max(1, wall), _MAX_EVENTS // events - before)
        return _Runs(before=before, walls_ns=[self._timed(call) for _ in range(max(1, count))])

    def _call(self) -> Call:
        return Runner(self._session, self._feeds, self._settings.binding, self._run_options).calls(1)[0]

    def _timed(self, call: Call) -> int:
        """Make a run and return how long it took, ns."""
        if self._cancellation.is_requested():
            raise _StoppedError
        function, arguments = call
        began = time.perf_counter_ns()
        function(*arguments)
        return time.perf_counter_ns() - began

    def _repeat(self, call: Call, most: int, limit_ns: int) -> list[int]:
        """Make so many runs, fewer where they take longer than the limit, and return how long each took, ns."""
        walls: list[int] = []
        while len(walls) < most and sum(walls) < limit_ns:
            walls.append(self._timed(call))
        return walls

    def _create_session(self, trace_prefix: Path | None) -> None:
        self._enter(Stage.CREATING_SESSION)
        settings, strict = self._settings, self._settings.session.strict
        options = session_options(settings, self._registry, self._sizes, strict=strict, trace_prefix=trace_prefix)
        self._cancellation.watch(session_options=options, run_options=self._run_options)
        try:
            self._session = ort.InferenceSession(settings.model_path, options, enable_fallback=0)
        except ort.ERRORS as error:
            if not (strict and is_strict_refusal(error)):
                raise
            lenient = session_options(settings, self._registry, self._sizes, strict=False)
            raise explain_refusal(settings.model_path, lenient, str(error)) from None
        self._registry.track_session(self._session)

    def _read(self, path: Path, runs: _Runs, plain_median_ns: int) -> Profile:
        """Return what the trace says. Raises `FailureError`."""
        try:
            trace = read_trace(path, len(runs.walls_ns))
            trace_bytes = path.stat().st_size
        except OSError as error:
            raise failure_error(
                FailureKind.RUN_FAILED,
                "ORT's profiler wrote no trace.",
                hint=f"See that there is room for temporary files in {tempfile.gettempdir()}.",
                detail=str(error),
            ) from error
        if not trace.runs:
            raise failure_error(
                FailureKind.RUN_FAILED,
                "The trace of ORT's profiler holds no whole run of the model.",
                hint="ORT records a million calls of nodes at most; make the free dimensions smaller.",
            )
        lost = runs.before + len(runs.walls_ns) - trace.run_count
        kept = trace.runs[-max(1, len(runs.walls_ns) - lost) :]
        made = len(kept)
        kept, held_up = typical(kept)
        sums = sum_up(kept)
        median_ns = round(statistics.median(runs.walls_ns))
        is_parallel = self._settings.session.execution_mode is ExecutionMode.PARALLEL
        nodes_ns = 0.0 if is_parallel else sums.median_nodes_ns  # where they overlap they tell nothing of a run
        # Where the profiler's own time is most of it, that is said instead.
        is_rough = 0 < sums.nodes_ns < _ROUGH_NS * sums.calls and nodes_ns < _TOO_MUCH * plain_median_ns
        return Profile(
            runs=len(kept),
            wall_ns=sums.wall_ns,
            nodes_ns=sums.nodes_ns,
            run_median_ns=median_ns,
            plain_median_ns=plain_median_ns,
            ops=sums.ops,
            nodes=sums.nodes,
            node_total=sums.node_total,
            trace_path=str(path),
            trace_bytes=trace_bytes,
            notes=(
                cost_note(median_ns, plain_median_ns, nodes_ns),
                *((held_up_text(held_up, made),) if held_up else ()),
                *self._notes(trace, sums, lost, is_rough=is_rough),
            ),
        )

    def _notes(self, trace: Trace, sums: NodeSums, lost: int, *, is_rough: bool) -> list[str]:
        notes = []
        if self._settings.session.execution_mode is ExecutionMode.PARALLEL:
            notes.append("Branches of the graph run at the same time here, so the times of nodes overlap.")
        if sums.containers:
            notes.append(
                f"The time of {', '.join(sums.containers)} is its own: what runs within is counted for those nodes."
            )
        if is_rough:
            notes.append("ORT's profiler tells whole microseconds, so the times of nodes as short as these are rough.")
        if self._settings.callers > 1:
            notes.append(f"Profiled with one caller; the trial had {self._settings.callers}.")
        if lost > 0:
            notes.append("ORT stopped recording at a million calls of nodes, so fewer runs are counted than were made.")
        if trace.unread:
            notes.append(f"{trace.unread} lines of the trace cannot be read; their nodes are missing here.")
        return notes

    def _close(self) -> None:
        if self._session is not None:
            self._enter(Stage.CLOSING)
            self._session = None
            gc.collect()

    def _enter(self, stage: Stage) -> None:
        self._stage = stage
        self._tell(TrialFacts(stage=stage))


def cost_note(profiled_ns: int, plain_ns: int, nodes_ns: float) -> str:
    """Return what profiling costs: from the medians of a run with and without it, and the time of a run's nodes."""
    times = f"({time_text(profiled_ns)} against {time_text(plain_ns)})"
    factor = profiled_ns / max(1, plain_ns)
    if factor < _CHEAP:
        return f"Under the profiler a run took hardly longer than without {times}."
    text = f"Under the profiler a run took {factor:.1f} × as long {times}"
    if nodes_ns < _TOO_MUCH * plain_ns:
        return f"{text}: read the shares rather than the times."
    own = 1 - plain_ns / nodes_ns
    return (
        f"{text}. At least {100 * own:.0f} % of the nodes' time is the profiler's own, much the same for each call: "
        "many short nodes look slower than they are."
    )


def _make_folder() -> Path:
    """Return a fresh folder for the trace, after those of yesterday are removed. Raises `FailureError`."""
    sweep()
    try:
        return Path(tempfile.mkdtemp(prefix=f"{PREFIX}profile-"))
    except OSError as error:
        raise failure_error(
            FailureKind.BAD_SETTING,
            f"There is no place for the profiler's trace: {error.strerror or error}.",
            hint="Make room for temporary files.",
            detail=str(error),
        ) from error


def _stopped() -> Failure:
    return Failure(kind=FailureKind.STOPPED, message="Profiling was stopped.")
