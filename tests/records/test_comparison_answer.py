"""What a comparison says, of rows that are simulated with what is to be found in them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gui.records.comparison_answer import (
    Answer,
    answer_of,
    items_of,
    varying_dimension,
)
from gui.records.comparison_ratio import Verdict, ratio_texts
from gui.records.result import Outcome
from gui.records.trial import DimensionSize, TrialFacts

from .simulated_rows import (
    CPU,
    MS,
    by_itself,
    failed,
    first_sentence,
    quiet,
    row,
    sized,
    some_ratio,
)

# ---- What is no measurement ----


def test_that_nothing_is_said_of_nothing() -> None:
    assert answer_of([]) == Answer(sentences=("There is nothing to compare.",), groups=(), ratios=())


def test_that_one_row_is_compared_with_nothing() -> None:
    answer = answer_of([quiet("CPU", 5.0)])
    assert answer.sentences == ("There is nothing to compare CPU with.",)
    assert (answer.groups[0].baseline, answer.groups[0].fastest, answer.ratios) == (0, 0, (None,))


def test_that_nothing_measured_is_said() -> None:
    answer = answer_of([row("CPU", []), row("ggml", [])])
    assert answer.sentences == ("Nothing was measured.",)
    assert (answer.groups[0].baseline, answer.groups[0].fastest, answer.ratios) == (None, None, (None, None))


def test_that_a_baseline_must_be_a_row() -> None:
    for baseline in (-1, 1):
        with pytest.raises(ValueError, match="no row"):
            answer_of([quiet("CPU", 5.0)], baseline)


# ---- Which row is the baseline ----


def test_that_the_planned_baseline_comes_before_the_cpu_and_the_cpu_before_the_first() -> None:
    ggml, cpu, npu = quiet("ggml", 4.0), quiet("CPU", 5.0, ep=CPU), quiet("NPU:0", 3.0)
    assert answer_of([ggml, npu]).groups[0].baseline == 0
    assert answer_of([ggml, cpu, npu]).groups[0].baseline == 1
    planned = quiet("NPU:0", 3.0, is_baseline=True)
    assert answer_of([ggml, cpu, planned]).groups[0].baseline == 2
    assert answer_of([ggml, cpu, planned], 0).groups[0].baseline == 0


def test_that_where_the_baseline_was_not_measured_the_fastest_takes_its_place() -> None:
    answer = answer_of([row("CPU", [], is_baseline=True), quiet("ggml", 4.0), quiet("NPU:0", 3.0)])
    assert answer.groups[0].baseline == 2
    assert answer.sentences[0].startswith("NPU:0 is the fastest: 1.33")
    assert "× faster than ggml (99 % interval 1.3" in answer.sentences[0]
    assert answer.sentences[0].endswith("); CPU, the baseline, was not measured.")


def test_that_a_baseline_that_failed_at_once_is_told_with_the_answer_of_the_others() -> None:
    cpu = failed(row("CPU", [], is_baseline=True), "Refused.")
    answer = answer_of([cpu, quiet("ggml", 4.0), quiet("NPU:0", 3.0)])
    assert answer.sentences[0].startswith("NPU:0 is the fastest: 1.33")
    assert answer.sentences[0].endswith("); CPU, the baseline, failed.")
    assert answer.sentences[1] == "CPU failed: Refused."
    assert some_ratio(answer, 1).verdict is Verdict.SLOWER
    left = answer_of([cpu, quiet("ggml", 4.0)])
    assert left.sentences[0] == "There is nothing to compare ggml with; CPU, the baseline, failed."


def test_that_of_several_sizes_the_baseline_that_failed_is_told_where_it_failed() -> None:
    size = (DimensionSize(name="batch", size=8),)
    lost = failed(row("CPU, batch 8", [], ep="CPU", sizes=size), "Out of memory.")
    first = [sized("CPU", 5, batch=1), sized("ggml", 4, batch=1)]
    answer = answer_of([*first, lost, sized("ggml", 30, batch=8), sized("TPU", 20, batch=8)])
    assert "baseline" not in answer.sentences[0]
    assert answer.sentences[1].startswith("batch 8: TPU is the fastest: 1.")
    assert answer.sentences[1].endswith("); CPU, the baseline, failed.")


def test_that_a_baseline_whose_turn_is_still_to_come_is_no_matter() -> None:
    cpu = replace(row("CPU", [], is_baseline=True), outcome=Outcome.RUNNING)
    assert first_sentence(cpu, quiet("ggml", 4.0)) == "There is nothing to compare ggml with."


# ---- The answer in a sentence ----


def test_that_a_faster_row_is_told_with_its_interval() -> None:
    answer = answer_of([quiet("CPU", 5.0), quiet("ggml", 4.0)])
    ratio = some_ratio(answer, 1)
    assert ratio.low is not None
    assert ratio.high is not None
    low, high = ratio_texts((ratio.value, ratio.low, ratio.high))[1:]
    (sentence,) = answer.sentences
    assert sentence in {
        f"ggml is {value} × faster than CPU (99 % interval {low} to {high})."
        for value in ("1.25", "1.250", "1.251", "1.249")
    }
    assert answer.groups[0].fastest == 1


def test_that_a_baseline_that_is_the_fastest_is_told() -> None:
    answer = answer_of([quiet("CPU", 4.0), quiet("ggml", 5.0)])
    (sentence,) = answer.sentences
    assert sentence.startswith("CPU is the fastest: 1.2")
    assert "× faster than ggml (99 % interval 1.2" in sentence
    assert answer.groups[0].fastest == 0
    assert some_ratio(answer, 1).verdict is Verdict.SLOWER
    assert some_ratio(answer, 1).value == pytest.approx(0.8, rel=0.01)


def test_that_no_difference_is_told_with_its_interval() -> None:
    sentence = first_sentence(quiet("CPU", 5.0), quiet("ggml", 4.98))
    assert sentence.startswith("No difference larger than the noise between ggml and CPU (")
    assert sentence.endswith(").")


def test_that_the_fastest_of_several_is_told_against_the_baseline() -> None:
    sentence = first_sentence(quiet("CPU", 5.0), quiet("ggml", 4.0), quiet("NPU:0", 2.5))
    assert sentence.startswith("NPU:0 is the fastest: ")
    assert "× faster than CPU (99 % interval" in sentence


def test_that_a_baseline_that_is_the_fastest_of_several_is_told_against_the_next() -> None:
    sentence = first_sentence(quiet("CPU", 2.5), quiet("ggml", 5.0), quiet("NPU:0", 4.0))
    assert sentence.startswith("CPU is the fastest: 1.")
    assert "× faster than NPU:0 (99 % interval" in sentence
    assert sentence.endswith("), the next.")


def test_that_those_within_the_noise_of_the_fastest_are_named_together() -> None:
    three = [quiet("CPU", 5.0), quiet("ggml", 4.0), quiet("NPU:0", 4.01)]
    sentence = first_sentence(*three)
    start = "ggml and NPU:0 are the fastest, with no difference larger than the noise between them; ggml is 1.2"
    assert sentence.startswith(start)
    assert "× faster than CPU (99 % interval" in sentence
    assert first_sentence(*three, baseline=2).startswith(start.replace("; ggml", "; NPU:0"))


def test_that_several_without_a_difference_are_told_as_that() -> None:
    rows = [quiet("CPU", 5.0), quiet("ggml", 4.99), quiet("NPU:0", 4.98)]
    assert first_sentence(*rows) == "No difference larger than the noise between CPU, ggml and NPU:0."


def test_that_of_many_names_only_the_first_are_told() -> None:
    rows = [row(f"EP{number}", [5 * MS] * 40) for number in range(9)]
    assert first_sentence(*rows) == "No difference larger than the noise between EP0, EP1, EP2 and 6 more."


def test_that_too_few_rounds_are_told_with_what_there_is() -> None:
    rows = [row(name, [level * MS] * 5, rounds=5) for name, level in (("CPU", 5), ("ggml", 4))]
    assert first_sentence(*rows) == "Too few rounds to tell ggml from CPU: so far ggml is 1.25 × faster than CPU."
    answer = answer_of(rows)
    assert answer.cautions == ("An interval of 99 % needs at least 8 rounds; there are 5.",)
    rows.append(row("NPU:0", [2 * MS] * 5, rounds=5))
    assert first_sentence(*rows) == (
        "Too few rounds to tell NPU:0 from CPU or ggml: so far NPU:0 is the fastest, 2.50 × faster than CPU."
    )
    equal = [row(name, [5 * MS] * 5, rounds=5) for name in ("CPU", "ggml")]
    assert first_sentence(*equal) == "Too few rounds to tell CPU from ggml: so far CPU and ggml are equally fast."


def test_that_too_few_samples_are_told_of_rows_not_measured_by_turns() -> None:
    rows = [by_itself(row(name, [level * MS] * 5)) for name, level in (("CPU", 5), ("ggml", 4))]
    assert first_sentence(*rows).startswith("Too few samples to tell ggml from CPU: ")


def test_that_one_row_that_was_measured_too_little_leaves_the_others_answer() -> None:
    rows = [quiet("CPU", 5.0), quiet("ggml", 4.0), by_itself(row("NPU:0", [3 * MS] * 5)), quiet("TPU", 2.0)]
    sentence = first_sentence(*rows)
    assert sentence.startswith("TPU is 2.")
    assert sentence.endswith("; too few samples to tell TPU from NPU:0.")


# ---- Several sizes ----


def test_that_rows_are_compared_within_their_sizes_with_the_same_target() -> None:
    rows = [sized("CPU", 5, batch=1), sized("ggml", 4, batch=1), sized("CPU", 30, batch=8), sized("ggml", 40, batch=8)]
    answer = answer_of(rows)
    assert [group.sizes_text for group in answer.groups] == ["batch 1", "batch 8"]
    assert [group.rows for group in answer.groups] == [(0, 1), (2, 3)]
    assert [(group.baseline, group.fastest) for group in answer.groups] == [(0, 1), (2, 2)]
    assert answer.sentences[0].startswith("batch 1: ggml is 1.2")
    assert answer.sentences[1].startswith("batch 8: CPU is the fastest: 1.3")
    assert "than ggml (" in answer.sentences[1]
    assert answer.sentences == tuple(group.sentence for group in answer.groups)


def test_that_a_size_without_the_baselines_target_has_its_fastest_as_baseline() -> None:
    rows = [sized("CPU", 5, batch=1), sized("ggml", 4, batch=1), sized("TPU", 40, batch=8), sized("ggml", 30, batch=8)]
    assert answer_of(rows).groups[1].baseline == 3


def test_that_of_many_sizes_six_have_a_sentence() -> None:
    rows = [sized(name, level * size, batch=size) for size in range(1, 10) for name, level in (("CPU", 5), ("ggml", 4))]
    answer = answer_of(rows)
    assert len(answer.groups) == 9
    assert len(answer.sentences) == 7
    assert answer.sentences[5].startswith("batch 6: ")
    assert answer.sentences[6] == "And 3 more sizes."


def test_that_a_size_of_which_nothing_was_measured_is_told() -> None:
    size = (DimensionSize(name="batch", size=8),)
    lost = failed(row("CPU, batch 8", [], sizes=size), "Out of memory.")
    answer = answer_of([sized("CPU", 5, batch=1), lost])
    assert answer.sentences[1] == "batch 8: Nothing was measured."
    assert answer.groups[1].baseline is None


def test_that_the_varying_dimension_is_the_only_one_that_differs() -> None:
    rows = [sized("CPU", 5, batch=1, sequence=32), sized("CPU", 5, batch=8, sequence=32)]
    assert varying_dimension(rows) == "batch"
    assert [items_of(entry, "batch") for entry in rows] == [1, 8]
    assert items_of(rows[0], None) == 1
    assert items_of(rows[0], "other") == 1
    assert varying_dimension(rows[:1]) is None
    assert varying_dimension([*rows, sized("CPU", 5, batch=8, sequence=64)]) is None
    assert varying_dimension([]) is None


def test_that_a_dimension_that_follows_from_another_is_none_of_its_own() -> None:
    rows = []
    for past in (1, 7):
        sizes = (DimensionSize(name="past", size=past), DimensionSize(name="past + 1", size=past + 1))
        rows.append(quiet(f"CPU {past}", 5, sizes=sizes))
    assert varying_dimension(rows) == "past"
    assert [group.sizes_text for group in answer_of(rows).groups] == ["past 1", "past 7"]


def test_that_the_sizes_chosen_stand_for_those_of_a_session_that_was_never_made() -> None:
    size = (DimensionSize(name="batch", size=8),)
    lost = row("ggml, batch 8", [], sizes=size)
    lost = failed(replace(lost, facts=TrialFacts()), "Refused.")
    rows = [sized("CPU", 5, batch=1), sized("CPU", 5, batch=8), lost]
    assert [group.rows for group in answer_of(rows).groups] == [(0,), (1, 2)]
