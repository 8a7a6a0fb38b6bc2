"""Comparisons of several models, and what gets done at which size."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gui.records.compared import Compared
from gui.records.comparison_answer import answer_of, varying_dimension
from gui.records.comparison_table import compared_trials, table_rows
from gui.records.inputs import InputFact, InputSource, SourceKind
from gui.records.statistics import summarize

from .compared_trials import THREE
from .simulated_rows import failed, quiet, sized

# ---- Several models ----


def of_model(compared: Compared, path: str, *inputs: tuple[str, int]) -> Compared:
    """A row of another file, with inputs of one dimension where they are known."""
    facts = tuple(
        InputFact(
            name=name, type="tensor(float)", shape=(size,), source=InputSource(name=name, kind=SourceKind.OMITTED)
        )
        for name, size in inputs
    )
    return replace(
        compared,
        settings=replace(compared.settings, model_path=path),
        facts=replace(compared.facts, inputs=facts),
    )


def test_that_rows_of_different_models_are_compared_within_their_model() -> None:
    levels = (("CPU", 5.0), ("ggml", 4.0))
    small = [of_model(quiet(f"{name}, mlp", level / 10), "/a/mlp.onnx") for name, level in levels]
    large = [of_model(quiet(f"{name}, net", level), "/a/net.onnx") for name, level in levels]
    answer = answer_of([small[0], large[0], small[1], large[1]])
    assert [(group.model, group.rows, group.fastest) for group in answer.groups] == [
        ("mlp", (0, 2), 2),
        ("net", (1, 3), 3),
    ]
    assert answer.sentences[0].startswith("mlp: ggml is 1.2")
    assert answer.sentences[1].startswith("net: ggml is 1.2")
    assert "× faster than CPU (" in answer.sentences[1]


def test_that_tables_of_several_models_name_them() -> None:
    def titles_and_models(*paths: str) -> tuple[str, list[str]]:
        kept = [
            replace(trial, settings=replace(trial.settings, model_path=path))
            for trial, path in zip(THREE, paths, strict=True)
        ]
        titles, rows = table_rows(compared_trials(kept))
        return titles[1], [entry[1] for entry in rows]

    assert titles_and_models("/a/mlp.onnx", "/a/net.onnx", "/a/mlp.onnx") == ("Model", ["mlp", "mlp", "net"])
    assert titles_and_models("/a/mlp.onnx", "/a/mlp.onnx", "/a/mlp.onnx")[0] == "Median"


def test_that_one_row_of_each_of_several_models_is_compared_with_nothing() -> None:
    answer = answer_of([of_model(quiet("CPU", 0.5), "/mlp.onnx"), of_model(quiet("ggml", 4.0), "/net.onnx")])
    assert answer.sentences == ("No two rows are of the same model and sizes: there is nothing to compare.",)
    assert answer.ratios == (None, None)


def test_that_a_model_of_the_same_name_with_other_inputs_is_another_one() -> None:
    cpu, ggml = quiet("CPU", 5.0), quiet("ggml", 4.0)
    here = of_model(cpu, "/a/m.onnx", ("x", 4))
    for inputs in ((("y", 4),), (("x", 4), ("y", 4)), (("x", 8),)):
        answer = answer_of([here, of_model(ggml, "/b/m.onnx", *inputs)])
        assert [group.model for group in answer.groups] == ["/a/m.onnx", "/b/m.onnx"]
    replaced = answer_of([here, of_model(ggml, "/a/m.onnx", ("y", 4))])
    assert [group.model for group in replaced.groups] == ["/a/m.onnx (1)", "/a/m.onnx (2)"]
    for same in (of_model(ggml, "/b/m.onnx", ("x", 4)), of_model(ggml, "/b/m.onnx")):
        assert [group.model for group in answer_of([here, same]).groups] == [""]


def test_that_sizes_that_differ_between_models_only_do_not_vary() -> None:
    rows = [of_model(sized("CPU", 5, batch=1), "/a.onnx"), of_model(sized("CPU", 5, batch=8), "/b.onnx")]
    assert varying_dimension(rows) is None
    assert varying_dimension([*rows, of_model(sized("CPU", 5, batch=2), "/a.onnx")]) == "batch"


# ---- How much gets done ----


def with_rate(compared: Compared, runs_a_second: float) -> Compared:
    measured_ns = round(len(compared.samples) / runs_a_second * 1e9)
    return replace(compared, statistics=summarize(compared.samples, measured_ns))


def rated(name: str, *rates: tuple[int, float]) -> list[Compared]:
    """Rows of one target: the size of the batch, and items a second."""
    return [with_rate(sized(name, size, batch=size), rate / size) for size, rate in rates]


@pytest.mark.parametrize(
    ("rates", "sentence"),
    [
        (
            ((1, 9870), (2, 11000), (4, 12345)),
            "CPU gets the most done at batch 4: 12,345 items a second (batch 1: 9,870).",
        ),
        (((1, 30.44), (2, 20), (4, 10.5)), "CPU gets the most done at batch 1: 30.4 items a second (batch 4: 10.5)."),
        (
            ((1, 500), (2, 990), (4, 1000)),
            "CPU gets the most done at batch 2 or 4: 1,000 items a second (batch 1: 500).",
        ),
        (((1, 1000), (2, 990)), "CPU gets as much done at batch 1 or 2: about 1,000 items a second."),
    ],
)
def test_that_one_target_of_several_sizes_is_told_what_it_gets_done(
    rates: tuple[tuple[int, float], ...], sentence: str
) -> None:
    answer = answer_of(rated("CPU", *rates))
    assert answer.sentences == (sentence,)
    assert [group.sentence for group in answer.groups] == [""] * len(rates)


def test_that_of_several_targets_and_sizes_the_most_done_is_told_after_the_answers() -> None:
    rows = [*rated("CPU", (1, 900), (8, 1000)), *rated("ggml", (1, 800), (8, 1500))]
    answer = answer_of(rows)
    assert len(answer.sentences) == 3
    assert answer.sentences[2] == "ggml gets the most done at batch 8: 1,500 items a second (CPU at batch 8: 1,000)."
    equal = answer_of([*rated("CPU", (1, 900), (8, 1000)), *rated("ggml", (1, 800), (8, 1001))])
    assert equal.sentences[2] == "ggml at batch 8 and CPU at batch 8 get the most done: about 1,001 items a second."
    dead = failed(rows[3], "Died.")
    assert answer_of([*rows[:3], dead]).sentences[1] == (
        "CPU gets the most done at batch 8: 1,000 items a second (ggml at batch 1: 800)."
    )


def test_that_without_throughput_it_is_told_once_that_nothing_can_be_compared() -> None:
    alone = [sized("CPU", size, batch=size) for size in (1, 2, 4)]
    assert answer_of(alone).sentences == ("No two rows are of the same model and sizes: there is nothing to compare.",)
    answer = answer_of([*alone, sized("ggml", 0.8, batch=1)])
    assert answer.sentences[1:] == ("batch 2 and batch 4: There is nothing to compare with.",)
    assert answer.groups[1].sentence == answer.groups[2].sentence == answer.sentences[1]


def test_that_each_model_is_told_what_it_gets_done() -> None:
    rows = [of_model(entry, path) for path in ("/a.onnx", "/b.onnx") for entry in rated("CPU", (1, 200), (2, 300))]
    assert answer_of(rows).sentences == tuple(
        f"{name}: CPU gets the most done at batch 2: 300 items a second (batch 1: 200)." for name in "ab"
    )
