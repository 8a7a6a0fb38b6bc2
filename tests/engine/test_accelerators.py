"""GPUs and NPUs while something is measured."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gui.engine.accelerators import AcceleratorMeter
from gui.records.costs import AcceleratorUse

from .kernel_trees import AMDGPU, Tree

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="PCI addresses are no file names there")

NVML = '''
"""Answers like nvidia-ml-py 13 with a driver; a stand-in, for there is no such GPU in a test machine."""
import os
from types import SimpleNamespace

log = []
missing = set()
pid = os.getpid()

class NVMLError(Exception):
    pass

def _answer(name, value):
    log.append(name)
    if name in missing:
        raise NVMLError(name)
    return value

def nvmlInit(): _answer("init", None)
def nvmlShutdown(): _answer("shutdown", None)
def nvmlDeviceGetCount(): return _answer("count", 2)
def nvmlDeviceGetHandleByIndex(index): return _answer("handle", index)
def nvmlDeviceGetName(handle): return b"Old GeForce" if handle else "GeForce"
def nvmlDeviceGetUtilizationRates(handle): return _answer("rates", SimpleNamespace(gpu=40 + handle, memory=1))
def nvmlDeviceGetComputeRunningProcesses(handle):
    size = None if handle else 1 << 20
    return _answer("running", [SimpleNamespace(pid=pid, usedGpuMemory=size), SimpleNamespace(pid=1, usedGpuMemory=5)])
'''


@pytest.fixture(autouse=True)
def _no_nvml(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is really installed must not answer."""
    monkeypatch.setitem(sys.modules, "pynvml", None)


@pytest.fixture
def nvml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """NVIDIA's library with two GPUs."""
    (tmp_path / "pynvml.py").write_text(NVML, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "pynvml")
    import pynvml

    yield pynvml
    del sys.modules["pynvml"]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "tree")


def measured(tree: Tree) -> tuple[AcceleratorUse, ...] | None:
    meter = AcceleratorMeter(tree.proc, tree.sys)
    meter.begin()
    return meter.end()


def sampler_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "accelerators"]


def test_that_a_machine_without_any_tells_nothing_and_has_no_thread(tree: Tree) -> None:
    meter = AcceleratorMeter(tree.proc, tree.sys)
    meter.begin()
    assert sampler_threads() == []
    assert meter.end() is None


def test_that_this_machine_can_be_asked() -> None:
    meter = AcceleratorMeter()
    meter.begin()
    for use in meter.end() or ():
        assert use.name
        assert use.source
        assert use.busy_share is None or 0 <= use.busy_share <= 1


# ---- Counters ----


def test_that_an_npu_of_intel_is_busy_as_long_as_its_counter_grew(tree: Tree) -> None:
    folder = tree.device("accel", "accel0", "0000:00:0b.0", npu_busy_time_us=1000, npu_memory_utilization=4096)
    meter = AcceleratorMeter(tree.proc, tree.sys)
    meter.begin()
    began = time.perf_counter_ns()
    time.sleep(0.02)
    least = (time.perf_counter_ns() - began) // 1000
    tree.device("accel", "accel0", "0000:00:0b.0", npu_busy_time_us=1000 + least // 2, npu_memory_utilization=8192)
    (use,) = meter.end() or ()
    assert use == AcceleratorUse(
        name="Intel NPU 0000:00:0b.0",
        source=str(tree.sys / "class" / "accel" / "accel0" / "device" / "npu_busy_time_us"),
        busy_share=use.busy_share,
        memory_bytes=8192,
        of_this_engine=False,
    )
    assert use.busy_share is not None
    assert 0 < use.busy_share <= 0.5
    assert folder.is_dir()


def test_that_an_npu_is_never_busier_than_all_the_time_and_never_less_than_not_at_all(tree: Tree) -> None:
    for before, after, share in ((0, 10**12, 1.0), (10**12, 0, 0.0)):
        tree.device("accel", "accel0", "0000:00:0b.0", npu_busy_time_us=before)
        meter = AcceleratorMeter(tree.proc, tree.sys)
        meter.begin()
        tree.device("accel", "accel0", "0000:00:0b.0", npu_busy_time_us=after)
        (use,) = meter.end() or ()
        assert (use.busy_share, use.memory_bytes) == (share, None)


def test_that_an_npu_of_which_the_files_vanish_or_hold_nonsense_is_not_told_of(tree: Tree) -> None:
    folder = tree.device("accel", "accel0", "0000:00:0b.0", npu_busy_time_us=1, npu_memory_utilization=2)
    tree.device("accel", "accel1", "0000:00:0c.0", npu_busy_time_us="ruhig", npu_memory_utilization="-1")
    meter = AcceleratorMeter(tree.proc, tree.sys)
    meter.begin()
    for path in folder.iterdir():
        path.unlink()
    assert meter.end() is None


def test_that_an_npu_that_tells_only_its_memory_is_told_of_so(tree: Tree) -> None:
    tree.device("accel", "accel0", "0000:00:0b.0", npu_busy_time_us="?", npu_memory_utilization=2)
    (use,) = measured(tree) or ()
    assert (use.busy_share, use.memory_bytes) == (None, 2)


def test_that_an_npu_is_not_told_of_what_it_does_in_a_pause(tree: Tree) -> None:
    shares = []
    for pause_us in (0, 10**12):
        tree.device("accel", "accel0", "0000:00:0b.0", npu_busy_time_us=1000, npu_memory_utilization=4096)
        meter = AcceleratorMeter(tree.proc, tree.sys)
        meter.begin()
        time.sleep(0.005)
        meter.pause()
        meter.pause()  # a second one does nothing
        tree.device("accel", "accel0", "0000:00:0b.0", npu_busy_time_us=1000 + pause_us)
        meter.begin()
        time.sleep(0.005)
        tree.device("accel", "accel0", "0000:00:0b.0", npu_busy_time_us=1000 + pause_us + 1000)
        (use,) = meter.end() or ()
        assert use.memory_bytes == 4096
        shares.append(use.busy_share or 0)
    assert all(0 < share <= 0.1 for share in shares)  # a millisecond of ten at least


# ---- Gauges ----


def test_that_a_gauge_is_sampled_also_in_the_shortest_measuring(tree: Tree) -> None:
    tree.device("drm", "card1", "0000:c1:00.0", gpu_busy_percent=40, mem_info_vram_used=1 << 20)
    (use,) = measured(tree) or ()
    assert (use.name, use.busy_share, use.memory_bytes) == ("amdgpu 0000:c1:00.0", 0.4, 1 << 20)
    assert not use.of_this_engine


def test_that_a_gauge_is_averaged_and_of_the_memory_the_most_is_told(tree: Tree) -> None:
    tree.device("drm", "card1", "0000:c1:00.0", gpu_busy_percent=90, mem_info_vram_used=500)
    meter = AcceleratorMeter(tree.proc, tree.sys)
    meter.begin()
    assert sampler_threads() == ["accelerators"]
    time.sleep(1.2)  # two samples; a third is taken at the end
    tree.device("drm", "card1", "0000:c1:00.0", gpu_busy_percent=0, mem_info_vram_used=100)
    (use,) = meter.end() or ()
    assert sampler_threads() == []
    assert use.busy_share is not None
    assert 0.4 < use.busy_share < 0.9
    assert use.memory_bytes == 500


def test_that_a_gauge_is_not_sampled_in_a_pause(tree: Tree) -> None:
    meter = None
    for percent in (40, 60):
        tree.device("drm", "card1", "0000:c1:00.0", gpu_busy_percent=percent)
        meter = meter or AcceleratorMeter(tree.proc, tree.sys)
        meter.begin()
        assert sampler_threads() == ["accelerators"]
        meter.pause()
        assert sampler_threads() == []
    assert meter is not None
    tree.device("drm", "card1", "0000:c1:00.0", gpu_busy_percent=100)
    (use,) = meter.end() or ()
    assert use.busy_share == 0.5


def test_that_the_plugs_of_a_card_are_no_cards(tree: Tree) -> None:
    for name in ("card1", "card1-DP-1", "renderD128"):
        tree.device("drm", name, "0000:c1:00.0", gpu_busy_percent=40)
    assert len(measured(tree) or ()) == 1


def test_that_a_card_that_sleeps_or_talks_nonsense_is_not_told_of(tree: Tree) -> None:
    tree.device("drm", "card1", "0000:c1:00.0", gpu_busy_percent="asleep")
    assert measured(tree) is None


def test_that_own_use_and_that_of_all_programs_stand_side_by_side(tree: Tree) -> None:
    tree.device("drm", "card1", "0000:c1:00.0", gpu_busy_percent=40)
    tree.fdinfo(5, AMDGPU.format(client=1, gfx=0, compute=0))
    assert [(use.name, use.of_this_engine) for use in measured(tree) or ()] == [
        ("amdgpu 0000:c1:00.0", True),
        ("amdgpu 0000:c1:00.0", False),
    ]


def test_that_closing_ends_the_thread_and_may_come_twice(tree: Tree) -> None:
    tree.device("drm", "card1", "0000:c1:00.0", gpu_busy_percent=40)
    meter = AcceleratorMeter(tree.proc, tree.sys)
    meter.begin()
    meter.close()
    meter.close()
    assert sampler_threads() == []


@pytest.mark.skipif(hasattr(os, "getuid") and os.getuid() == 0, reason="root may read everything")
def test_that_files_that_may_not_be_read_tell_nothing(tree: Tree) -> None:
    folder = tree.device("drm", "card1", "0000:c1:00.0", gpu_busy_percent=40)
    (folder / "gpu_busy_percent").chmod(0)
    assert measured(tree) is None


# ---- NVIDIA ----


def test_that_the_gpus_of_nvidia_tell_own_memory_and_the_use_of_all(tree: Tree, nvml: object) -> None:
    assert [(use.name, use.busy_share, use.memory_bytes, use.of_this_engine) for use in measured(tree) or ()] == [
        ("GeForce, GPU 0", None, 1 << 20, True),
        ("GeForce, GPU 0", 0.4, None, False),
        ("Old GeForce, GPU 1", 0.41, None, False),
    ]
    log = vars(nvml)["log"]
    assert (log.count("init"), log.count("shutdown")) == (1, 1)


@pytest.mark.parametrize("missing", ["init", "count", "handle"])
def test_that_a_library_without_driver_or_gpu_tells_nothing(tree: Tree, nvml: object, missing: str) -> None:
    vars(nvml)["missing"].add(missing)
    assert measured(tree) is None


def test_that_what_a_gpu_of_nvidia_does_not_tell_is_left_out(tree: Tree, nvml: object) -> None:
    vars(nvml)["missing"].update(("rates", "shutdown"))
    assert [(use.name, use.memory_bytes) for use in measured(tree) or ()] == [("GeForce, GPU 0", 1 << 20)]
    vars(nvml)["missing"].add("running")
    assert measured(tree) is None
