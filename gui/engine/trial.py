"""Runs a trial: one session, a first run, a warm-up, the timed loop. Lives on the worker thread."""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

import numpy as np

from ..records.codec import string_map
from ..records.failure import FailureError
from ..records.model import TensorInfo
from ..records.placement import OpCount, Placement
from ..records.samples import Nanoseconds
from ..records.trial import Ending, ProviderOptions, Stage, TrialFacts, TrialSettings
from . import ort
from .failures import is_cancellation, trial_failure
from .inputs import generate_inputs
from .models import tensor_info_of_arg
from .registry import Registry

BATCH_NS: Final = 33_000_000
"""Samples are sent at most this often."""
_BUFFER = 1 << 16


class Cancellation:
    """The wish to end a job; `request` may be called on any thread."""

    def __init__(self) -> None:
        self._requested = False
        self._session_options: Any = None
        self._run_options: Any = None

    def is_requested(self) -> bool:
        """Whether the job shall end."""
        return self._requested

    def request(self) -> None:
        """Ask ORT to leave what it is in; the timed loop looks at `is_requested` between two runs."""
        self._requested = True
        if self._session_options is not None:
            self._session_options.set_load_cancellation_flag(True)
        if self._run_options is not None:
            self._run_options.terminate = True

    def watch(self, *, session_options: Any, run_options: Any) -> None:
        """Name the objects through which ORT can be asked."""
        self._session_options, self._run_options = session_options, run_options
        if self._requested:
            self.request()


class Trial:
    """One trial. `tell` gets the facts before each stage, `send` each batch of samples."""

    def __init__(
        self,
        settings: TrialSettings,
        registry: Registry,
        cancellation: Cancellation,
        tell: Callable[[TrialFacts], None],
        send: Callable[[Stage, Nanoseconds, int], None],
    ) -> None:
        self._settings = settings
        self._registry = registry
        self._cancellation = cancellation
        self._tell = tell
        self._send = send
        self._facts = TrialFacts()
        self._session: Any = None
        self._run_options = ort.RunOptions()

    def run(self) -> TrialFacts:
        """Do it all and return what is known. Raises `FailureError`; being stopped is not a failure."""
        stopped, failure = False, None
        try:
            self._run_stages()
        except ort.ERRORS as error:
            stopped = self._cancellation.is_requested() and is_cancellation(error)
            if not stopped:
                by_policy = self._settings.target.policy is not None
                failure = trial_failure(error, self._facts.stage, by_policy=by_policy)
        finally:
            self._close()  # only now: the error's traceback, which is gone, held the session
        if failure is not None:
            raise FailureError(failure)
        if stopped or (self._facts.ending is None and self._cancellation.is_requested()):
            self._facts = replace(self._facts, ending=Ending.STOPPED)
        return self._facts

    def _run_stages(self) -> None:
        self._enter(Stage.CREATING_SESSION)
        self._create_session()
        if self._cancellation.is_requested():
            return
        self._enter(Stage.FIRST_RUN)
        names = [output.name for output in self._session.get_outputs()]
        sizes = {entry.name: entry.size for entry in self._settings.dimensions}
        tensors = tuple(tensor_info_of_arg(arg) for arg in self._session.get_inputs())
        feeds = generate_inputs(tensors, sizes, self._settings.seed)
        began = time.perf_counter_ns()
        outputs = self._session.run(names, feeds, self._run_options)
        self._know(first_run_ns=time.perf_counter_ns() - began)
        self._know(outputs=tuple(_output_info(name, value) for name, value in zip(names, outputs, strict=True)))
        if self._cancellation.is_requested():
            return
        loop = TimedLoop(self._session.run, (names, feeds, self._run_options), self._cancellation, self._send)
        with _no_garbage_collection():
            if self._settings.warmup:
                self._enter(Stage.WARMING_UP)
                loop.measure(Stage.WARMING_UP, iterations=self._settings.warmup, seconds=None)
                self._know(warmup_runs=loop.count)
            self._enter(Stage.MEASURING)
            rule = self._settings.stop_rule
            try:
                loop.measure(Stage.MEASURING, iterations=rule.iterations, seconds=rule.seconds)
            finally:
                self._know(sample_count=loop.count, measured_ns=loop.elapsed_ns)
        if self._cancellation.is_requested():
            self._know(ending=Ending.STOPPED)
        else:
            self._know(ending=Ending.SECONDS if rule.iterations is None else Ending.ITERATIONS)
        self._enter(Stage.CHECKING)
        self._know(non_finite_outputs=tuple(_non_finite(names, outputs)))

    def _create_session(self) -> None:
        options = ort.SessionOptions()
        self._cancellation.watch(session_options=options, run_options=self._run_options)
        options.intra_op_num_threads = self._settings.intra_op_threads
        options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
        for entry in self._settings.dimensions:
            options.add_free_dimension_override_by_name(entry.name, entry.size)
        self._choose_target(options)
        began = time.perf_counter_ns()
        # enable_fallback=0: otherwise a failing EP is replaced by the CPU without a word.
        self._session = ort.InferenceSession(self._settings.model_path, options, enable_fallback=0)
        created = time.perf_counter_ns() - began
        self._registry.track_session(self._session)
        self._know(
            session_creation_ns=created,
            placement=_placement_of(self._session),
            providers=tuple(self._session.get_providers()),
            provider_options=tuple(
                ProviderOptions(ep_name=name, options=string_map(entries))
                for name, entries in self._session.get_provider_options().items()
            ),
            intra_op_threads=self._settings.intra_op_threads,
        )
        if self._settings.target.policy is not None:
            self._know(target_devices=self._registry.keys_of(list(self._session.get_input_epdevices())))

    def _choose_target(self, options: Any) -> None:
        target = self._settings.target
        if target.policy is None:
            devices = self._registry.resolve(target.device_keys)
            self._know(target_devices=target.device_keys)
            options.add_provider_for_devices(devices, dict(self._settings.options))
            return
        options.set_provider_selection_policy(ort.policy_of(target.policy.value))
        for ep_name in self._registry.plugin_ep_names():
            for key, value in self._settings.options:
                options.add_session_config_entry(f"ep.{ep_name.lower()}.{key}", value)

    def _close(self) -> None:
        if self._session is not None:
            self._enter(Stage.CLOSING)
            self._session = None
            gc.collect()

    def _know(self, **facts: Any) -> None:
        self._facts = replace(self._facts, **facts)

    def _enter(self, stage: Stage) -> None:
        self._know(stage=stage)
        self._tell(self._facts)


class TimedLoop:
    """Calls a function again and again and takes the time of each call; nothing else happens between two calls.

    About 30 times a second it pauses to send the samples taken: then, and only then, is anything allocated or written.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        arguments: tuple[Any, ...],
        cancellation: Cancellation,
        send: Callable[[Stage, Nanoseconds, int], None],
    ) -> None:
        self._function = function
        self._arguments = arguments
        self._cancellation = cancellation
        self._send = send
        self._array = np.zeros(_BUFFER, np.int64)
        self.count = 0
        """Calls that ended, in the last `measure`."""
        self.elapsed_ns = 0
        """Wall-clock time of the last `measure`, up to the end of its last call."""

    def measure(self, stage: Stage, *, iterations: int | None, seconds: float | None) -> None:
        """Call until `iterations` calls are done, `seconds` have passed, or the cancellation is requested.

        Raises what the function raises; the samples taken before are sent then, too.
        """
        clock, function, arguments = time.perf_counter_ns, self._function, self._arguments
        cancellation, slots = self._cancellation, self._array.data
        limit = -1 if iterations is None else iterations
        self.count, self.elapsed_ns, filled = 0, 0, 0
        began = clock()
        deadline = began + int(seconds * 1e9) if seconds is not None else 1 << 62
        pause = min(began + BATCH_NS, deadline)
        last = began
        try:
            while self.count + filled != limit and not cancellation.is_requested() and last < deadline:
                start = clock()
                function(*arguments)
                last = clock()
                slots[filled] = last - start
                filled += 1
                if last >= pause or filled == _BUFFER:
                    self._flush(stage, filled, last - began)
                    filled = 0
                    pause = min(clock() + BATCH_NS, deadline)
        finally:
            self._flush(stage, filled, last - began)

    def _flush(self, stage: Stage, filled: int, elapsed_ns: int) -> None:
        self.count += filled
        self.elapsed_ns = elapsed_ns
        if filled:
            self._send(stage, self._array[:filled], elapsed_ns)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _placement_of(session: Any) -> tuple[Placement, ...] | None:
    try:
        subgraphs = session.get_provider_graph_assignment_info()
    except ort.ERRORS:  # an ORT or an EP that cannot tell: shown as not available
        return None
    counts: dict[str, Counter[str]] = {}
    for subgraph in subgraphs:
        counts.setdefault(subgraph.ep_name, Counter()).update(node.op_type for node in subgraph.get_nodes())
    return tuple(
        Placement(
            ep_name=name,
            node_count=sum(ops.values()),
            op_types=tuple(OpCount(op_type=op, count=count) for op, count in ops.most_common()),
        )
        for name, ops in counts.items()
    )


def _output_info(name: str, value: Any) -> TensorInfo:
    if isinstance(value, np.ndarray):
        return TensorInfo(name=name, type=f"tensor({_element_of(value)})", shape=tuple(value.shape))
    return TensorInfo(name=name, type=type(value).__name__, shape=None)


def _element_of(array: np.ndarray[Any, Any]) -> str:
    name = str(array.dtype.name)
    return {"float32": "float", "float64": "double", "object": "string"}.get(name, name)


def _non_finite(names: list[str], outputs: list[Any]) -> Iterator[str]:
    for name, value in zip(names, outputs, strict=True):
        if isinstance(value, np.ndarray) and value.dtype.kind == "f" and not np.isfinite(value).all():
            yield name
