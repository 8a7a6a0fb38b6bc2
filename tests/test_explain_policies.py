"""`--explain-policies` as a shell sees it: the table, ORT's order, exit codes, the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from gui.records.codec import from_json
from gui.records.policies import PolicyOutcome
from gui.records.trial import Policy

from .conftest import ORT_VERSION, DoubleFactory
from .console import only_complaint, read_json, run_main, with_library

pytestmark = pytest.mark.skipif(ORT_VERSION < (1, 24), reason="GPU and NPU doubles need onnxruntime 1.24")


def table(out: str) -> dict[str, list[str]]:
    """The rows of the table by policy, the cells cut apart."""
    head, *rows = out.split("\n\n", maxsplit=1)[0].splitlines()
    starts = [head.index(title) for title in ("Policy", "Asks for", "Takes", "Result", "Nodes")]
    cut = [[row[a:b].strip() for a, b in zip(starts, [*starts[1:], None], strict=True)] for row in rows]
    return {cells[0]: cells[1:] for cells in cut}


def order(out: str) -> list[str]:
    return [line.strip() for line in out.split("\n\n")[1].splitlines()[1:]]


def test_that_the_table_says_what_each_takes_and_the_order_follows(
    tmp_path: Path, double_library: DoubleFactory
) -> None:
    done = run_main(
        tmp_path,
        "--explain-policies",
        *with_library("gpu", double_library("type=GPU,name=Fast")),
        *with_library("cpu", double_library("name=Slow")),
    )
    assert (done.code, done.complaints) == (0, [])
    rows = table(done.out)
    assert list(rows) == [policy.value for policy in Policy]
    assert rows["PREFER_GPU"][1:3] == ["Fast (GPU, Double Hardware), then Slow", "ok"]
    assert rows["PREFER_GPU"][3] == "Fast gets 2 of 3 nodes; 1 on CPUExecutionProvider: MatMul."
    assert rows["PREFER_NPU"][1].startswith("Slow (CPU")
    assert rows["PREFER_NPU"][2] == "warning: prefers an NPU and took the CPU."
    assert rows["DEFAULT"][2] == "ok"
    assert [line.split("(")[0].strip() for line in order(done.out)] == ["1. Fast", "2. Slow", "3. CPUExecutionProvider"]


def test_that_an_engine_that_dies_or_hangs_is_a_row_and_the_rest_goes_on(
    tmp_path: Path, double_library: DoubleFactory
) -> None:
    done = run_main(
        tmp_path,
        *("--explain-policies", "--timeout", "3"),
        *with_library("gpu", double_library("type=GPU,create=abort")),
        *with_library("npu", double_library("type=NPU,create=hang")),
    )
    assert done.code == 0
    rows = table(done.out)
    assert "died" in rows["PREFER_GPU"][2]
    assert "SIGABRT" in rows["MAX_PERFORMANCE"][2]
    assert "did not answer in time" in rows["PREFER_NPU"][2]
    assert rows["PREFER_CPU"][2] == "ok"


def test_that_the_model_named_is_tried_and_the_file_holds_all(
    tmp_path: Path, double_library: DoubleFactory, tail_model: Path
) -> None:
    done = run_main(
        tmp_path,
        *("--explain-policies", tail_model, "--output", "p.json"),
        *with_library("gpu", double_library("type=GPU,name=Fast")),
    )
    assert done.code == 0
    assert table(done.out)["PREFER_GPU"][3] == "Fast gets 2 of 3 nodes; 1 on CPUExecutionProvider: Neg."
    data = read_json(tmp_path / "p.json")
    assert data["model"] == str(tail_model)
    outcomes = [from_json(PolicyOutcome, entry) for entry in data["outcomes"]]
    assert [entry.policy for entry in outcomes] == list(Policy)
    keys = {device["key"] for device in data["devices"]}
    assert all(set(entry.order or ()) == keys for entry in outcomes)


def test_that_the_file_can_go_to_the_console_alone(tmp_path: Path) -> None:
    done = run_main(tmp_path, "--explain-policies", "--output", "-")
    (tmp_path / "out.json").write_text(done.out, encoding="utf-8")
    assert read_json(tmp_path / "out.json")["model"] == ""


def test_that_a_model_that_is_not_there_is_one_line_and_code_1(tmp_path: Path) -> None:
    assert "There is no file gone.onnx" in only_complaint(run_main(tmp_path, "--explain-policies", "gone.onnx"))


def test_that_a_library_that_fails_is_told_and_the_rest_explained(tmp_path: Path) -> None:
    done = run_main(tmp_path, "--explain-policies", *with_library("gone", tmp_path / "gone.so"))
    assert done.code == 0
    assert [line.split(":")[1].strip() for line in done.complaints] == ["gone"]
    assert {row[2] for name, row in table(done.out).items() if name in ("DEFAULT", "PREFER_CPU")} == {"ok"}


def test_that_options_are_given_on(tmp_path: Path, double_library: DoubleFactory) -> None:
    """More than 1,024 characters are too many for a key: ORT's refusal tells that the option came to it."""
    library = with_library("gpu", double_library("type=GPU,name=Fast"))
    done = run_main(tmp_path, "--explain-policies", *library, "--option", f"ep.fast.{'k' * 1100}=1")
    assert done.code == 0
    assert "failed: ORT does not take the session-config entry" in done.out
    assert "Correct it or take it out." in done.out  # what to do about it
