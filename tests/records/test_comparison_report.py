"""The report, the table and the CSV of a comparison: the answer first, all that makes it believable below."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace

import pytest

from gui.records.compared import compared_of, with_labels
from gui.records.comparison_exports import comparison_export_text
from gui.records.comparison_file import parse_comparison_file
from gui.records.comparison_report import comparison_html, comparison_markdown
from gui.records.comparison_table import compared_trials, table_rows
from gui.records.export_kinds import ExportKind
from gui.records.kept_trial import KeptTrial

from .compared_trials import COMPARISON_ID, DIED, EACH, ROUNDS, THREE, dead, row
from .examples import GREETING
from .test_trial_report import NASTY, Outline

FOUND = compared_trials(THREE)
SIZES = (row("CPU", 0, 2_000_000, batch=1), row("ggml", 1, 1_000_000, batch=1), row("CPU", 2, 6_000_000, batch=8))


def table_of(*trials: KeptTrial, baseline: int | None = None) -> list[dict[str, str]]:
    titles, rows = table_rows(compared_trials(trials, baseline))
    return [dict(zip(titles, cells, strict=True)) for cells in rows]


def lines_of(kind: ExportKind, *trials: KeptTrial) -> list[dict[str, str]]:
    text = comparison_export_text(kind, compared_trials(trials))
    return list(csv.DictReader(io.StringIO(text, newline="")))


# ---- The table ----


def test_that_a_row_has_its_median_its_speed_and_whether_it_counts() -> None:
    cpu, ggml, npu = table_of(*THREE)
    assert cpu["Speed"] == "baseline"
    assert re.fullmatch(r"(1\.9|2\.0)\d × \(\S+ to \S+\)", ggml["Speed"])
    assert float(ggml["Runs a second"]) == pytest.approx(1000, rel=0.05)
    assert (ggml["Ran on"], ggml["Outputs"], ggml["Outcome"]) == ("ggml: all nodes", "within tolerance", "finished")
    assert (npu["Median"], npu["Speed"], npu["Outcome"]) == ("–", "–", "failed while creating session")


def test_that_another_baseline_turns_the_ratio_round() -> None:
    cpu, ggml, _npu = table_of(*THREE, baseline=1)
    assert ggml["Speed"] == "baseline"
    assert cpu["Speed"].startswith(("0.50", "0.49"))


def test_that_equal_rows_are_said_to_have_no_difference() -> None:
    _cpu, same = table_of(row("CPU", 0, 2_000_000), row("other", 1, 2_000_000))
    assert same["Speed"].endswith(", no difference")


def test_that_sizes_are_told_by_items_a_second_and_stand_together() -> None:
    rows = table_of(*SIZES)
    assert [entry["Row"] for entry in rows] == ["CPU, batch 1", "ggml, batch 1", "CPU, batch 8"]
    assert float(rows[2]["Items a second (batch)"]) == pytest.approx(8 * float(rows[2]["Runs a second"]), rel=0.01)


def test_that_no_two_rows_have_the_same_label_and_what_differs_is_in_it() -> None:
    here = replace(THREE[0], comparison=None, target_text="CPU")
    there = replace(here, environment=replace(GREETING, cpu="Other CPU"))
    rows = with_labels([compared_of(kept) for kept in (here, there, there)])
    assert [entry.label for entry in rows] == [
        "CPU, Some CPU, Linux",
        "CPU, Other CPU, Linux",
        "CPU, Other CPU, Linux (2)",
    ]


# ---- The report ----


@pytest.mark.parametrize(
    "text", [comparison_markdown(FOUND), Outline(comparison_html(FOUND)).text], ids=["Markdown", "HTML"]
)
def test_that_the_report_holds_what_makes_the_answer_believable(text: str) -> None:
    plain = re.sub(r"\\(?=[\W_])", "", text)
    for part in (
        *FOUND.answer.sentences,
        *("By turns", f"{ROUNDS} of {ROUNDS}", str(ROUNDS * EACH), COMPARISON_ID, "99 % interval", "2 % away from 1"),
        *("1.32.0", "Some CPU", "/models/net.onnx"),
        *(str(DIED), "boom `x`", "failed while creating session"),
    ):
        assert part in plain


def test_that_the_answer_is_the_first_that_is_said() -> None:
    assert comparison_markdown(FOUND).splitlines()[:3] == [
        "# net: comparison of 3",
        "",
        f"- **{FOUND.answer.sentences[0]}**",
    ]


def test_that_notes_stand_with_how_it_was_measured_and_in_the_file() -> None:
    noted = compared_trials(THREE, notes=("All medians were stable.",))
    measured = comparison_markdown(noted).split("## How it was measured")[1].split("\n## ")[0]
    assert "- All medians were stable." in measured
    assert parse_comparison_file(comparison_export_text(ExportKind.TRIAL, noted)).notes == noted.notes


def test_that_numbers_and_their_units_are_not_torn_apart_in_the_page() -> None:
    page = comparison_html(FOUND)
    for cell in re.findall(r"<td([^>]*)>([^<]*)</td>", page):
        if re.match(r"[\d.]+ (ms|µs|×)( |$)", cell[1]):
            assert cell[0] == ' class="number"'
        elif " " in cell[1] and not re.search(r"\d", cell[1]):
            assert cell[0] == ""
    assert re.search(r'<td class="number">[\d.]+ × \([\d.]+ to [\d.]+\)</td>', page)
    assert "td.number { white-space: nowrap; }" in page


def test_that_the_page_holds_the_charts() -> None:
    assert "svg" in Outline(comparison_html(FOUND)).tags
    assert "svg" not in Outline(comparison_html(compared_trials((dead("a", 0), dead("b", 1))))).tags


def test_that_what_is_alike_is_told_once() -> None:
    text = comparison_markdown(FOUND)
    assert text.count("/models/net.onnx") == 1
    assert text.count("Python") == 1


def test_that_trials_that_were_not_measured_by_turns_are_said_to_be_so() -> None:
    alone = [replace(kept, comparison=None) for kept in THREE[:2]]
    assert "Not by turns: drift between the rows" in comparison_markdown(compared_trials(alone))


def test_that_names_of_others_are_text_and_nothing_else() -> None:
    odd = replace(THREE[0], target_text=NASTY, comparison=None)
    outline = Outline(comparison_html(compared_trials((odd, THREE[1]))))
    assert "script" not in outline.tags
    assert "<script>" not in comparison_markdown(compared_trials((odd, THREE[1]))).replace("\\<script\\>", "")


# ---- CSV, and the other kinds ----


def test_that_a_summary_has_the_ratio_and_the_place_in_each_round() -> None:
    cpu, ggml, npu = lines_of(ExportKind.SUMMARIES, *THREE)
    assert (cpu["label"], cpu["ratio"]) == ("CPU", "")
    assert (ggml["baseline"], ggml["verdict"], ggml["by_turns"]) == ("CPU", "faster", "yes")
    assert float(ggml["ratio_low"]) < float(ggml["ratio"]) < float(ggml["ratio_high"])
    assert (ggml["rounds"], ggml["round_order"].split()[:3]) == ("20", ["3", "1", "2"])
    assert (npu["outcome"], npu["ratio"], npu["failure"]) == ("failed", "", DIED.message)


def test_that_each_sample_is_a_line_with_its_round() -> None:
    lines = lines_of(ExportKind.SAMPLES, *THREE)
    assert len(lines) == 2 * ROUNDS * EACH
    last = lines[ROUNDS * EACH - 1]
    assert last == {"label": "CPU", "round": "20", "index": "1000", "latency_ns": str(THREE[0].samples[-1])}
    assert lines[EACH]["round"] == "2"


def test_that_samples_of_no_round_have_none() -> None:
    assert {line["round"] for line in lines_of(ExportKind.SAMPLES, replace(THREE[0], comparison=None))} == {""}


def test_that_every_kind_of_file_can_be_made() -> None:
    texts = {kind: comparison_export_text(kind, FOUND) for kind in ExportKind}
    assert len(set(texts.values())) == len(ExportKind)
    assert texts[ExportKind.CHART].strip() in texts[ExportKind.HTML]
    assert parse_comparison_file(texts[ExportKind.TRIAL]).trials == THREE
