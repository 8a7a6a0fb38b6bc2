"""What DRM drivers tell of a process' own use of GPUs and NPUs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gui.engine.drm_clients import DrmSnapshot, read_clients, uses_in
from gui.records.costs import AcceleratorUse

from .kernel_trees import AMDGPU, I915, XDNA, XE, Tree

SECOND = 1_000_000_000


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def at(tree: Tree, taken_ns: int) -> DrmSnapshot:
    """What is there, as if it had been read at that time."""
    return replace(read_clients(tree.proc), taken_ns=taken_ns)


def told(uses: list[AcceleratorUse]) -> dict[str, tuple[float | None, int | None]]:
    assert all(use.of_this_engine and use.source.endswith("proc/self/fdinfo") for use in uses)
    assert len({use.name for use in uses}) == len(uses)
    return {use.name: (use.busy_share, use.memory_bytes) for use in uses}


def uses(tree: Tree, descriptor: int, before: str, after: str) -> dict[str, tuple[float | None, int | None]]:
    """The use in a second, at the end of which the descriptor tells something else."""
    tree.fdinfo(descriptor, before)
    first = at(tree, 0)
    tree.fdinfo(descriptor, after)
    return told(uses_in([(first, at(tree, SECOND))]))


def test_that_an_engine_of_i915_is_busy_as_long_as_its_counter_grew(tree: Tree) -> None:
    before, after = I915.format(render=5, enhance=9), I915.format(render=5 + SECOND // 4, enhance=9)
    assert uses(tree, 5, before, after) == {
        "i915 0000:00:02.0": (None, 3 << 20),
        "i915 0000:00:02.0, engine render": (0.25, None),
    }


def test_that_cycles_of_xe_count_against_all_cycles_and_all_instances(tree: Tree) -> None:
    before, after = XE.format(rcs=100, ccs=50, total=1000), XE.format(rcs=600, ccs=2050, total=2000)
    assert uses(tree, 5, before, after) == {
        "xe 0000:03:00.0": (None, (192 + 23992) << 10),
        "xe 0000:03:00.0, engine rcs": (0.5, None),
        "xe 0000:03:00.0, engine ccs": (0.5, None),
    }


def test_that_the_memory_there_counts_rather_than_what_was_asked_for(tree: Tree) -> None:
    idle = AMDGPU.format(client=4, gfx=7, compute=0)
    assert uses(tree, 5, idle, idle) == {"amdgpu 0000:c1:00.0": (0.0, (10240 + 2048) << 10)}


def test_that_an_npu_of_amd_is_told_of_like_a_gpu(tree: Tree) -> None:
    assert uses(tree, 5, XDNA.format(npu=0), XDNA.format(npu=SECOND // 2)) == {
        "amdxdna_accel_driver 0000:c4:00.1": (None, 512 << 10),
        "amdxdna_accel_driver 0000:c4:00.1, engine npu-amdxdna": (0.5, None),
    }


def test_that_a_client_with_two_descriptors_counts_once(tree: Tree) -> None:
    tree.fdinfo(6, AMDGPU.format(client=4, gfx=0, compute=0))
    one = AMDGPU.format(client=4, gfx=SECOND // 2, compute=0)
    tree.fdinfo(7, AMDGPU.format(client=4, gfx=0, compute=0))
    first = at(tree, 0)
    tree.fdinfo(6, one)
    tree.fdinfo(7, one)
    assert told(uses_in([(first, at(tree, SECOND))])) == {
        "amdgpu 0000:c1:00.0": (None, 12288 << 10),
        "amdgpu 0000:c1:00.0, engine gfx": (0.5, None),
    }


def test_that_clients_of_one_device_are_added_up(tree: Tree) -> None:
    tree.fdinfo(6, AMDGPU.format(client=4, gfx=0, compute=0))
    first = at(tree, 0)
    tree.fdinfo(6, AMDGPU.format(client=4, gfx=SECOND // 2, compute=0))
    tree.fdinfo(7, AMDGPU.format(client=5, gfx=SECOND // 4, compute=SECOND // 8))  # opened meanwhile
    assert told(uses_in([(first, at(tree, SECOND))])) == {
        "amdgpu 0000:c1:00.0": (None, 2 * 12288 << 10),
        "amdgpu 0000:c1:00.0, engine gfx": (0.75, None),
        "amdgpu 0000:c1:00.0, engine compute": (0.125, None),
    }


def test_that_a_counter_that_goes_backwards_is_as_if_it_stood(tree: Tree) -> None:
    before, after = I915.format(render=SECOND, enhance=0), I915.format(render=SECOND // 2, enhance=0)
    assert uses(tree, 5, before, after) == {"i915 0000:00:02.0": (0.0, 3 << 20)}


@pytest.mark.parametrize("total", [1000, 900], ids=["stands", "backwards"])
def test_that_cycles_tell_nothing_while_the_clock_of_the_gpu_does_not_go_on(tree: Tree, total: int) -> None:
    before, after = XE.format(rcs=100, ccs=50, total=1000), XE.format(rcs=600, ccs=50, total=total)
    assert uses(tree, 5, before, after) == {"xe 0000:03:00.0": (None, (192 + 23992) << 10)}


def test_that_an_engine_is_never_busier_than_all_the_time(tree: Tree) -> None:
    before, after = I915.format(render=0, enhance=0), I915.format(render=3 * SECOND, enhance=0)
    assert uses(tree, 5, before, after)["i915 0000:00:02.0, engine render"] == (1.0, None)


def test_that_a_device_closed_meanwhile_is_not_told_of(tree: Tree) -> None:
    tree.fdinfo(5, I915.format(render=0, enhance=0))
    first = at(tree, 0)
    tree.close(5)
    assert uses_in([(first, at(tree, SECOND))]) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pos:\t0\nflags:\t02\nmnt_id:\t15\n",
        "drm-engine-render:\t5 ns\n",
        "drm-driver:\n drm-pdev: x\ndrm-engine-render: 5 ns\n",
        "drm-driver: vgem\ndrm-engine-render: many ns\ndrm-engine-copy: -5 ns\ndrm-engine-video: 5 hours\n",
        "drm-driver: vgem\ndrm-memory-vram: 5 furlongs\ndrm-total-gtt: ³ KiB\ndrm-resident-x:\n:::\n\x00\n",
        f"drm-driver: vgem\ndrm-engine-render: {'9' * 5000} ns\ndrm-cycles-a: 5\ndrm-total-cycles-b: 7\n",
    ],
    ids=["empty", "a file", "no driver", "no name", "no numbers", "no sizes", "too large"],
)
def test_that_nonsense_tells_nothing(tree: Tree, text: str) -> None:
    assert uses(tree, 5, text, text) == {}


def test_that_there_is_nothing_to_tell_without_the_files(tree: Tree) -> None:
    assert uses_in([(at(tree, 0), at(tree, SECOND))]) == []


# ---- Several spans ----


def test_that_what_lies_between_two_spans_does_not_count(tree: Tree) -> None:
    """Busy all the time of a second, then all the time of nobody's, then none of three seconds."""
    spans = []
    for begin, end, busy_before, busy_after in ((0, 1, 0, SECOND), (9, 12, 9 * SECOND, 9 * SECOND)):
        tree.fdinfo(5, I915.format(render=busy_before, enhance=0))
        first = at(tree, begin * SECOND)
        tree.fdinfo(5, I915.format(render=busy_after, enhance=0))
        spans.append((first, at(tree, end * SECOND)))
    assert told(uses_in(spans)) == {
        "i915 0000:00:02.0": (None, 3 << 20),
        "i915 0000:00:02.0, engine render": (0.25, None),
    }
    assert uses_in([]) == []


def test_that_a_device_opened_in_a_later_span_is_told_of_for_all_of_them(tree: Tree) -> None:
    (tree.proc / "self" / "fdinfo").mkdir(parents=True)
    early = (at(tree, 0), at(tree, SECOND))
    tree.fdinfo(5, I915.format(render=0, enhance=0))
    first = at(tree, 2 * SECOND)
    tree.fdinfo(5, I915.format(render=SECOND, enhance=0))
    assert told(uses_in([early, (first, at(tree, 3 * SECOND))]))["i915 0000:00:02.0, engine render"] == (0.5, None)
