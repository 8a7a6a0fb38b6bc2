"""Memory and processor time of a process, by what the system tells."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from gui.engine.usage import Memory, UsageMeter, begin_peak_anew, read_memory, usable_processors
from gui.records.costs import TrialCosts, cpu_share

from .kernel_trees import Tree

LINUX = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
MIB = 1 << 20
WEIGHTS = 100 * MIB

P = ParamSpec("P")
T = TypeVar("T")


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "tree")


@pytest.fixture(scope="module")
def heavy_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """y = x + 100 MiB of weights."""
    weights = np.ones(WEIGHTS // 4, np.float32)
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "w"], ["y"])],
        "heavy",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [len(weights)])],
        [numpy_helper.from_array(weights, "w")],
    )
    path = tmp_path_factory.mktemp("heavy") / "heavy.onnx"
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)]), str(path))
    return path


def busy_for(seconds: float) -> int:
    """Keep one processor busy and return how long that took, nanoseconds."""
    began = time.perf_counter_ns()
    while time.perf_counter_ns() < began + seconds * 1e9:
        pass
    return time.perf_counter_ns() - began


# ---- What is read ----


def test_that_memory_is_read_from_proc(tree: Tree) -> None:
    tree.status(VmHWM="   2048 kB", VmRSS="   1024 kB")
    assert read_memory(tree.proc) == Memory(resident=MIB, peak=2 * MIB)


def test_that_a_peak_that_lags_behind_is_at_least_what_is_there(tree: Tree) -> None:
    tree.status(VmHWM="1000 kB", VmRSS="1024 kB")
    assert read_memory(tree.proc) == Memory(resident=MIB, peak=MIB)


@pytest.mark.parametrize("text", ["", "many kB", "-5 kB", "5", "5 MB", "9" * 5000 + " kB"])
def test_that_nonsense_in_proc_is_no_memory(tree: Tree, text: str) -> None:
    tree.status(VmHWM=text, VmRSS=text)
    assert read_memory(tree.proc) == Memory()


@LINUX
def test_that_proc_and_psutil_tell_the_same(tree: Tree) -> None:
    ours, theirs = read_memory(), read_memory(tree.proc)
    assert ours.resident is not None
    assert theirs.resident is not None
    assert abs(ours.resident - theirs.resident) < 20 * MIB
    assert theirs.peak is not None
    assert theirs.peak >= theirs.resident


def test_that_without_proc_and_psutil_there_is_no_memory_but_perhaps_a_peak(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psutil", None)
    memory = read_memory(tree.proc)
    assert memory.resident is None
    assert (memory.peak is None) == (sys.platform == "win32")


def test_that_the_peak_begins_anew_by_a_word_to_the_kernel(tree: Tree) -> None:
    tree.status()
    (tree.proc / "self" / "clear_refs").write_text(" ", encoding="ascii")
    assert begin_peak_anew(tree.proc)
    assert (tree.proc / "self" / "clear_refs").read_text(encoding="ascii") == "5"


def test_that_a_kernel_that_cannot_begin_anew_gets_no_file(tree: Tree) -> None:
    tree.status()
    assert not begin_peak_anew(tree.proc)
    assert not (tree.proc / "self" / "clear_refs").exists()


def test_that_processors_are_those_this_process_may_use() -> None:
    assert 1 <= usable_processors() <= (os.cpu_count() or 1)
    if hasattr(os, "sched_getaffinity"):
        assert usable_processors() == len(os.sched_getaffinity(0))


# ---- The meter ----


def test_that_costs_grow_from_call_to_call(tree: Tree) -> None:
    (tree.proc / "self").mkdir(parents=True)
    (tree.proc / "self" / "clear_refs").touch()
    meter = UsageMeter(tree.proc, tree.sys)
    known = TrialCosts(cpu_count=usable_processors())
    assert meter.costs == known
    tree.status(VmHWM="1024 kB", VmRSS="1024 kB")
    meter.before_session()
    assert meter.costs == TrialCosts(memory_before_bytes=MIB, memory_peak_bytes=MIB, cpu_count=known.cpu_count)
    tree.status(VmHWM="4096 kB", VmRSS="3072 kB")
    meter.session_created()
    assert (meter.costs.memory_created_bytes, meter.costs.memory_peak_bytes) == (3 * MIB, 4 * MIB)
    meter.measuring_begins()
    during = meter.costs
    assert during.cpu_ns is None
    tree.status(VmHWM="5120 kB", VmRSS="2048 kB")
    meter.measuring_ended()
    assert (meter.costs.memory_before_bytes, meter.costs.memory_created_bytes) == (MIB, 3 * MIB)
    assert meter.costs.memory_peak_bytes == 5 * MIB
    assert meter.costs.cpu_ns is not None
    assert not meter.costs.peak_since_start


def test_that_a_peak_that_did_not_begin_anew_is_called_so(tree: Tree) -> None:
    tree.status(VmHWM="2048 kB", VmRSS="1024 kB")
    meter = UsageMeter(tree.proc, tree.sys)
    meter.before_session()
    assert meter.costs.peak_since_start
    assert meter.costs.memory_peak_bytes == 2 * MIB


def test_that_an_end_without_a_begin_tells_nothing(tree: Tree) -> None:
    meter = UsageMeter(tree.proc, tree.sys)
    meter.before_session()
    before = meter.costs
    meter.measuring_ended()
    meter.close()
    meter.close()
    assert meter.costs == before


@LINUX
def test_that_gpus_are_told_of_once_measuring_has_ended(tree: Tree) -> None:
    tree.device("drm", "card0", "0000:c1:00.0", gpu_busy_percent=40)
    meter = UsageMeter(tree.proc, tree.sys)
    meter.before_session()
    meter.session_created()
    meter.measuring_begins()
    during = meter.costs
    assert during.accelerators is None
    meter.measuring_ended()
    meter.close()
    (use,) = meter.costs.accelerators or ()
    assert use.busy_share == 0.4


@LINUX
def test_that_rounds_add_up_without_what_lies_between_them(tree: Tree) -> None:
    tree.device("drm", "card0", "0000:c1:00.0", gpu_busy_percent=40)
    tree.status(VmHWM="1024 kB", VmRSS="1024 kB")
    meter = UsageMeter(tree.proc, tree.sys)
    meter.before_session()
    meter.session_created()
    tree.status(VmHWM="2048 kB", VmRSS="1024 kB")
    meter.opened()
    tree.status(VmHWM="9999 kB", VmRSS="9999 kB")  # somebody else's session
    measured = 0
    for _ in range(2):
        meter.measuring_begins()
        measured += busy_for(0.02)
        meter.measuring_paused()
        between = busy_for(0.2)
    meter.rounds_ended()
    meter.close()
    costs = meter.costs
    assert costs.memory_peak_bytes == 2 * MIB
    assert costs.cpu_wall_ns is not None
    assert measured <= costs.cpu_wall_ns < between
    assert costs.cpu_ns is not None
    assert 0 < costs.cpu_ns < between
    assert [use.busy_share for use in costs.accelerators or ()] == [0.4]


def test_that_the_end_of_no_rounds_tells_nothing(tree: Tree) -> None:
    meter = UsageMeter(tree.proc, tree.sys)
    meter.before_session()
    before = meter.costs
    meter.measuring_paused()
    meter.rounds_ended()
    assert meter.costs == before


# ---- The real thing ----


# Memory is measured in a process of its own: in one that has run many tests, what a session takes may be memory that
# was freed before and not yet given back to the system.


@LINUX
def test_that_a_session_costs_at_least_its_weights(heavy_model: Path) -> None:
    at_creation, at_end = _in_fresh_process(_costs_of_session, heavy_model)
    before, created, peak = _sizes(at_creation)
    assert created - before >= WEIGHTS
    assert peak >= created
    assert _sizes(at_end)[2] - created >= WEIGHTS


@LINUX
def test_that_an_earlier_peak_is_not_that_of_this_trial() -> None:
    if not begin_peak_anew():
        pytest.skip("this kernel cannot begin anew")
    earlier, costs = _in_fresh_process(_costs_after_a_peak)
    before, peak = costs.memory_before_bytes, costs.memory_peak_bytes
    assert earlier.peak is not None
    assert before is not None
    assert peak is not None
    assert earlier.peak - peak > 2 * WEIGHTS
    assert peak - before < WEIGHTS
    assert not costs.peak_since_start


def test_that_one_busy_thread_is_one_processor() -> None:
    meter = UsageMeter()
    meter.before_session()
    meter.measuring_begins()
    busy = busy_for(0.3)
    meter.measuring_ended()
    share = cpu_share(meter.costs, busy)
    assert share is not None
    assert 0.3 < share < 1.2  # it shares the processors with whatever else runs here


def test_that_waiting_takes_no_processor() -> None:
    meter = UsageMeter()
    meter.before_session()
    meter.measuring_begins()
    time.sleep(0.3)
    meter.measuring_ended()
    share = cpu_share(meter.costs, 300_000_000)
    assert share is not None
    assert share < 0.2


def _sizes(costs: TrialCosts) -> tuple[int, int, int]:
    before, created, peak = costs.memory_before_bytes, costs.memory_created_bytes, costs.memory_peak_bytes
    assert before is not None
    assert created is not None
    assert peak is not None
    return before, created, peak


def _costs_of_session(model: Path) -> tuple[TrialCosts, TrialCosts]:
    meter = UsageMeter()
    meter.before_session()
    session = ort.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    meter.session_created()
    at_creation = meter.costs
    meter.measuring_begins()
    session.run(None, {"x": np.ones(1, np.float32)})  # its output takes as much as the weights
    meter.measuring_ended()
    return at_creation, meter.costs


def _costs_after_a_peak() -> tuple[Memory, TrialCosts]:
    big = np.ones(4 * WEIGHTS // 8)
    with_it = read_memory()
    del big
    meter = UsageMeter()
    meter.before_session()
    return with_it, meter.costs


def _in_fresh_process(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what a function of this module returns in a new process.

    That of multiprocessing would leave its resource tracker running, and other tests count the processes.
    """
    call = "import pickle, sys; f, a, k = pickle.load(sys.stdin.buffer); pickle.dump(f(*a, **k), sys.stdout.buffer)"
    finished = subprocess.run(
        [sys.executable, "-c", call],
        input=pickle.dumps((function, args, kwargs)),
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        check=True,
    )
    result: T = pickle.loads(finished.stdout)  # noqa: S301 - our own process wrote it
    return result
