"""Traces of ORT's profiler: which runs and nodes are taken from them, and how their times are added up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gui.engine.traces import NodeEvent, NodeKey, NodeSums, RunEvents, held_up_text, read_trace, sum_up, typical
from gui.records.profile import FUSED, MAX_NODES

CPU = "CPUExecutionProvider"


def node(name: str, begin: int, duration: int, *, op: str = "Add", ep: str = CPU, thread: int = 1, **args: Any) -> Any:
    """The event of a node's call, microseconds."""
    details = {"op_name": op, "provider": ep, "node_index": "0", **args}
    return {
        "cat": "Node",
        "name": f"{name}_kernel_time",
        "ts": begin,
        "dur": duration,
        "tid": thread,
        "ph": "X",
        "args": details,
    }


def session(name: str, begin: int, duration: int) -> Any:
    return {"cat": "Session", "name": name, "ts": begin, "dur": duration, "tid": 1, "ph": "X", "args": {}}


def run(begin: int, duration: int) -> Any:
    return session("model_run", begin, duration)


def written(path: Path, *events: Any) -> Path:
    """A trace as ORT writes it: an event a line."""
    lines = [event if isinstance(event, str) else json.dumps(event) for event in events]
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
    return path


def summed(path: Path, last: int = 10) -> NodeSums:
    return sum_up(read_trace(path, last).runs)


def totals(sums: NodeSums) -> dict[str, int]:
    """The microseconds of each node."""
    return {entry.name: entry.total_ns // 1000 for entry in sums.nodes}


def test_that_only_the_last_runs_count(tmp_path: Path) -> None:
    path = written(
        tmp_path / "t.json",
        *(session("session_initialization", 0, 90), node("a", 101, 50), run(100, 60)),
        *(node("a", 201, 7), run(200, 10), node("a", 301, 9), run(300, 12)),
    )
    trace = read_trace(path, 2)
    sums = sum_up(trace.runs)
    assert (trace.run_count, len(trace.runs), trace.unread) == (3, 2, 0)
    assert (sums.wall_ns, sums.nodes_ns) == (22_000, 16_000)
    assert [(entry.calls, entry.max_ns) for entry in sums.nodes] == [(2, 9000)]


def test_that_the_median_of_the_runs_passes_over_one_that_was_held_up(tmp_path: Path) -> None:
    runs = [(node("a", 100 * turn + 1, length), run(100 * turn, 90)) for turn, length in enumerate((10, 80, 12), 1)]
    sums = summed(written(tmp_path / "t.json", *(event for events in runs for event in events)))
    assert (sums.median_nodes_ns, sums.nodes_ns) == (12_000, 102_000)


def test_that_other_events_of_a_node_or_a_session_are_passed_over(tmp_path: Path) -> None:
    fence = {**node("a", 101, 40), "name": "a_fence_before"}
    kernel = {**node("k", 101, 40), "cat": "Kernel"}
    path = written(
        tmp_path / "t.json",
        *(fence, kernel, node("a", 101, 5), session("SequentialExecutor::Execute", 101, 8), run(100, 10)),
    )
    assert totals(summed(path)) == {"a": 5}


def test_that_what_runs_within_a_node_is_counted_once(tmp_path: Path) -> None:
    path = written(
        tmp_path / "t.json",
        *(node("exp", 112, 10, op="Exp"), node("if", 111, 14, op="If"), node("mm", 130, 40, op="MatMul")),
        *(node("loop", 105, 80, op="Loop"), node("after", 185, 3), run(100, 90)),
    )
    sums = summed(path)
    assert totals(sums) == {"exp": 10, "if": 4, "mm": 40, "loop": 80 - 14 - 40, "after": 3}
    assert sums.nodes_ns == 83_000
    assert sorted(sums.containers) == ["If", "Loop"]


def test_that_nodes_of_different_threads_do_not_lie_within_each_other(tmp_path: Path) -> None:
    path = written(tmp_path / "t.json", node("a", 101, 40, thread=1), node("b", 105, 30, thread=2), run(100, 50))
    sums = summed(path)
    assert totals(sums) == {"a": 40, "b": 30}
    assert sums.containers == ()


def test_that_neighbours_shorter_than_the_clock_do_not_lie_within_each_other(tmp_path: Path) -> None:
    path = written(
        tmp_path / "t.json", node("a", 101, 0), node("b", 101, 0), node("c", 101, 4), node("d", 105, 2), run(100, 9)
    )
    sums = summed(path)
    assert totals(sums) == {"a": 0, "b": 0, "c": 4, "d": 2}
    assert sums.containers == ()


def test_that_operators_are_added_up_by_ep_the_slowest_first(tmp_path: Path) -> None:
    path = written(
        tmp_path / "t.json",
        *(
            node("a", 101, 5),
            node("b", 110, 6),
            node("c", 120, 20, ep="Fast"),
            node("d", 150, 8, op="Mul"),
            run(100, 70),
        ),
    )
    assert [(op.op_type, op.ep_name, op.node_count, op.total_ns) for op in summed(path).ops] == [
        ("Add", "Fast", 1, 20_000),
        ("Add", CPU, 2, 11_000),
        ("Mul", CPU, 1, 8000),
    ]


def test_that_nodes_of_one_name_are_told_apart_by_their_number(tmp_path: Path) -> None:
    path = written(
        tmp_path / "t.json", node("n", 101, 5), node("n", 110, 6, node_index="1"), node("n", 120, 7), run(100, 70)
    )
    assert sorted((entry.calls, entry.total_ns) for entry in summed(path).nodes) == [(1, 6000), (2, 12_000)]


def test_that_a_subgraph_taken_as_a_whole_is_called_so(tmp_path: Path) -> None:
    path = written(
        tmp_path / "t.json",
        node("ggml_ggml_13838_0_0", 101, 5, op="ggml_13838_0", ep="ggml"),
        *(node("own", 110, 5, op="Custom_2"), node("one", 120, 5, op="MatMul", ep="ggml"), run(100, 70)),
    )
    sums = summed(path)
    assert {entry.name: entry.op_type for entry in sums.nodes} == {
        "ggml_ggml_13838_0_0": FUSED,
        "own": "Custom_2",
        "one": "MatMul",
    }
    assert (FUSED, "ggml") in [(op.op_type, op.ep_name) for op in sums.ops]


def test_that_shapes_are_those_of_the_outputs(tmp_path: Path) -> None:
    shapes = [{"float": [1, 1000]}, {"int64": []}]
    path = written(
        tmp_path / "t.json",
        *(node("a", 101, 5, output_type_shape=shapes), node("b", 110, 5, output_type_shape="")),
        *(node("many", 120, 5, output_type_shape=[{"float": [2]}] * 6), run(100, 40)),
    )
    found = {entry.name: entry.output_shapes for entry in summed(path).nodes}
    assert found["a"] == "float[1,1000], int64[]"
    assert found["b"] == ""
    assert found["many"].endswith("float[2], …")


def test_that_lines_that_are_no_json_are_counted(tmp_path: Path) -> None:
    broken = '{"cat" : "Node","name" :"say "hi"_kernel_time","dur" :3}'
    path = written(tmp_path / "t.json", broken, node("a", 101, 5), run(100, 10))
    trace = read_trace(path, 1)
    assert trace.unread == 1
    assert totals(sum_up(trace.runs)) == {"a": 5}


def test_that_of_many_nodes_the_slowest_are_kept_and_all_are_counted(tmp_path: Path) -> None:
    count = MAX_NODES + 20
    nodes = [node(f"n{number}", 1000 * number, 1 + number) for number in range(count)]
    sums = summed(written(tmp_path / "t.json", *nodes, run(0, 1000 * count)))
    assert (sums.node_total, len(sums.nodes)) == (count, MAX_NODES)
    assert sums.nodes[0].name == f"n{count - 1}"
    assert sums.nodes_ns == 1000 * sum(range(1, count + 1))
    assert sums.ops[0].node_count == count


def test_that_a_trace_that_was_cut_off_keeps_its_whole_runs(tmp_path: Path) -> None:
    path = written(tmp_path / "t.json", node("a", 101, 5), run(100, 10), node("a", 201, 5))
    trace = read_trace(path, 5)
    assert (trace.run_count, len(trace.runs)) == (1, 1)


def test_that_a_trace_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_trace(tmp_path / "missing.json", 1)


# ---- Runs that something held up ----


def timed_run(begin: int, duration: int, *, slow: int = 0) -> RunEvents:
    """A run of two nodes, the second of which takes `slow` more."""
    nodes = [
        NodeEvent(NodeKey("first", "Add", "CPU", "0"), 1, begin, 4, ""),
        NodeEvent(NodeKey("second", "Mul", "CPU", "1"), 1, begin + 4, 4 + slow, ""),
    ]
    return RunEvents(begin=begin, duration=duration, nodes=nodes)


def test_that_a_run_that_was_held_up_does_not_count() -> None:
    runs = [timed_run(100 * number, 10) for number in range(49)] + [timed_run(9000, 3069, slow=3059)]
    kept, held_up = typical(runs)
    assert (len(kept), len(held_up)) == (49, 1)
    shares = {node.name: node.total_ns for node in sum_up(kept).nodes}
    assert shares["first"] == shares["second"]
    assert held_up_text(held_up, len(runs)) == (
        "1 of 50 runs were held up and are left out; the slowest took 3.069 ms, 3.063 ms of it in second."
    )


def test_that_many_slow_runs_belong_to_the_model() -> None:
    runs = [timed_run(100 * number, 10 if number % 2 else 40) for number in range(20)]
    assert typical(runs) == (runs, [])


def test_that_of_no_run_none_is_left_out() -> None:
    assert typical([]) == ([], [])


def test_that_a_run_held_up_between_its_nodes_blames_none_of_them() -> None:
    assert held_up_text([timed_run(0, 500)], 50) == (
        "1 of 50 runs were held up and are left out; the slowest took 500.0 µs, most of it outside of any one node."
    )
