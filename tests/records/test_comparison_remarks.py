"""What weakens a comparison: numbers that do not count, and rows that were not measured alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gui.records.check import Agreement
from gui.records.compared import Compared
from gui.records.comparison_answer import (
    answer_of,
)
from gui.records.result import Outcome

from .simulated_rows import (
    CPU,
    MS,
    alone,
    by_itself,
    drawn,
    failed,
    first_sentence,
    placed,
    quiet,
    row,
    sized,
    some_ratio,
    with_check,
    with_placement,
)

# ---- What does not count ----


def test_that_a_row_none_of_whose_nodes_ran_there_is_never_the_fastest() -> None:
    npu = with_placement(quiet("NPU:0", 2.0), placed(**{CPU: 9}))
    answer = answer_of([quiet("CPU", 5.0, ep=CPU), quiet("ggml", 4.0), npu])
    assert answer.sentences[0].startswith("ggml is 1.2")
    assert answer.sentences[1:] == ("NPU:0 ran none of the nodes: its number is that of the CPU.",)
    assert answer.groups[0].fastest == 1
    assert some_ratio(answer, 2).value == pytest.approx(2.5, rel=0.01)


def test_that_a_row_with_wrong_outputs_is_never_the_fastest() -> None:
    wrong = with_check(quiet("NPU:0", 2.0), Agreement.DIFFERENT)
    answer = answer_of([quiet("CPU", 5.0), quiet("ggml", 4.0), wrong])
    assert answer.groups[0].fastest == 1
    assert answer.sentences[1:] == ("The outputs of NPU:0 differ from the CPU's.",)
    within = with_check(wrong, Agreement.WITHIN)
    assert answer_of([quiet("CPU", 5.0), quiet("ggml", 4.0), within]).groups[0].fastest == 2


def test_that_a_row_that_failed_is_named_with_its_reason_and_is_never_the_fastest() -> None:
    dead = failed(quiet("NPU:0", 2.0), "The engine died while measuring: signal SIGSEGV.")
    mute = failed(row("TPU", []), "Refused.")
    answer = answer_of([quiet("CPU", 5.0), quiet("ggml", 4.0), dead, mute])
    assert answer.groups[0].fastest == 1
    assert answer.sentences[1:] == (
        "NPU:0 failed: The engine died while measuring: signal SIGSEGV.",
        "TPU failed: Refused.",
    )
    assert answer.ratios[3] is None


def test_that_a_model_folded_into_constants_is_nobodys_latency() -> None:
    folded = with_placement(quiet("NPU:0", 2.0), ())
    answer = answer_of([quiet("CPU", 5.0), folded])
    assert answer.sentences[1:] == ("NPU:0 had no node left to run: ORT folded the model into constants.",)
    assert answer.groups[0].fastest == 0


def test_that_rows_with_the_same_fault_share_a_sentence() -> None:
    rows = [failed(row(name, []), "Refused.") for name in ("a", "b", "c")]
    assert answer_of(rows).sentences == ("Nothing was measured.", "a, b and c failed: Refused.")
    sizes = [failed(sized(name, 1, k=size), "Refused.") for name in ("CPU", "ggml") for size in (8, 16)]
    assert answer_of(sizes).sentences[-1] == "“CPU, k 8”, “CPU, k 16”, “ggml, k 8” and “ggml, k 16” failed: Refused."
    many = [failed(row(f"EP{number}", []), f"Reason {number}.") for number in range(9)]
    assert answer_of(many).sentences[-2:] == ("EP5 failed: Reason 5.", "3 more failed.")


def test_that_without_a_number_of_its_own_no_row_is_the_fastest() -> None:
    rows = [with_placement(quiet(name, level), placed(**{CPU: 9})) for name, level in (("a", 5.0), ("b", 4.0))]
    answer = answer_of(rows)
    assert answer.groups[0].fastest is None
    assert answer.sentences == (
        "No number is that of its target: a and b.",
        "a and b ran none of the nodes: their numbers are those of the CPU.",
    )
    assert answer.ratios[1] is not None


@pytest.mark.parametrize(
    ("level", "said"),
    [(2.5, "ggml is 1."), (2.0, "No difference larger than the noise between ggml and NPU:0 ("), (1.5, "ggml is 1.3")],
)
def test_that_the_only_number_that_counts_is_compared_with_a_baseline_that_does_not(level: float, said: str) -> None:
    npu = with_placement(quiet("NPU:0", 2.0, is_baseline=True), placed(**{CPU: 9}))
    sentence = first_sentence(npu, quiet("ggml", level))
    assert sentence.startswith(said)
    assert ("× slower than NPU:0 (99 % interval 1." in sentence) is (level > 2)


def test_that_those_that_count_are_compared_with_each_other_when_the_baseline_does_not() -> None:
    npu = with_placement(quiet("NPU:0", 2.0, is_baseline=True), placed(**{CPU: 9}))
    sentence = first_sentence(npu, quiet("CPU", 5.0), quiet("ggml", 4.0))
    assert sentence.startswith("ggml is the fastest: 1.2")
    assert "× faster than CPU (" in sentence


def test_that_a_stopped_comparison_is_told_with_its_rounds() -> None:
    rows = [replace(row(name, [MS] * 40, rounds=10), outcome=Outcome.STOPPED) for name in ("CPU", "ggml")]
    assert answer_of(rows).sentences[1:] == ("The comparison was stopped after 10 of 20 rounds.",)
    assert answer_of([rows[0], quiet("ggml", 4.0)]).sentences[1:] == ("CPU was stopped after 10 of 20 rounds.",)
    own = by_itself(replace(row("TPU", []), outcome=Outcome.STOPPED))
    assert answer_of([quiet("ggml", 4.0), own]).sentences[1:] == ("TPU was stopped before anything was measured.",)


# ---- Cautions ----


def cautions(*rows: Compared) -> str:
    return "\n".join(answer_of(rows).cautions)


def test_that_rows_measured_alike_by_turns_have_no_caution() -> None:
    assert cautions(quiet("CPU", 5.0), quiet("ggml", 4.0)) == ""


def test_that_rows_not_measured_by_turns_are_a_caution() -> None:
    cpu, ggml, npu = quiet("CPU", 5.0), quiet("ggml", 4.0), quiet("NPU:0", 3.0)
    assert cautions(by_itself(cpu), by_itself(ggml)).startswith("Not measured by turns: ")
    assert cautions(cpu, ggml, alone(npu)).startswith("NPU:0 was not measured by turns with the others: ")


def of_other_comparison(compared: Compared) -> Compared:
    assert compared.part is not None
    return replace(compared, part=replace(compared.part, id="another"))


def test_that_two_comparisons_of_other_sizes_have_no_caution() -> None:
    first = [sized("CPU", 5, batch=1), sized("ggml", 4, batch=1)]
    second = [of_other_comparison(entry) for entry in (sized("CPU", 40, batch=8), sized("ggml", 30, batch=8))]
    answer = answer_of([*first, *second])
    assert [ratio and ratio.is_paired for ratio in answer.ratios] == [None, True, None, True]
    assert answer.cautions == ()


def test_that_only_rows_of_ratios_not_measured_by_turns_are_named() -> None:
    late = of_other_comparison(sized("TPU", 3, batch=1))
    rows = [sized("CPU", 5, batch=1), sized("ggml", 4, batch=1), sized("ggml", 30, batch=8), late]
    (caution,) = answer_of(rows).cautions
    assert caution.startswith("TPU, batch 1 was not measured by turns with CPU, batch 1: what changed between them")


def test_that_different_models_are_a_caution() -> None:
    cpu, ggml = quiet("CPU", 5.0), quiet("ggml", 4.0)
    other = replace(ggml, settings=replace(ggml.settings, model_path="/n.onnx"))
    assert cautions(cpu, by_itself(other)) == "Different models are not compared with each other: m and n."


def ended(compared: Compared, rounds: int, outcome: Outcome) -> Compared:
    assert compared.part is not None
    return replace(
        compared,
        outcome=outcome,
        samples=compared.samples[: rounds * 15],
        part=replace(compared.part, rounds=compared.part.rounds[:rounds]),
    )


def test_that_a_baseline_that_failed_early_is_the_reason_of_too_few_rounds() -> None:
    cpu, ggml = ended(quiet("CPU", 5.0, is_baseline=True), 7, Outcome.FAILED), quiet("ggml", 4.0)
    answer = answer_of([cpu, ggml])
    assert answer.sentences[0] == "Too few rounds to tell ggml from CPU, which failed after 7 rounds."
    assert answer.cautions == (
        "CPU failed after 7 rounds: too few in common with ggml to tell a difference (8 are needed).",
    )
    once = answer_of([ended(cpu, 1, Outcome.FAILED), ggml, quiet("NPU:0", 3.0)])
    assert once.cautions == (
        "CPU failed after 1 round: too few in common with ggml and NPU:0 to tell a difference (9 are needed).",
    )
    stopped = answer_of([ggml, ended(cpu, 7, Outcome.STOPPED)])
    assert stopped.cautions[0].startswith("CPU was stopped after 7 rounds: too few in common with ggml")


def test_that_rows_without_a_common_round_have_the_same_reason() -> None:
    cpu, ggml = ended(quiet("CPU", 5.0, is_baseline=True), 3, Outcome.FAILED), quiet("ggml", 4.0)
    assert ggml.part is not None
    ggml = replace(ggml, samples=ggml.samples[45:], part=replace(ggml.part, rounds=ggml.part.rounds[3:]))
    answer = answer_of([cpu, ggml])
    assert answer.cautions == (
        "CPU failed after 3 rounds: too few in common with ggml to tell a difference (8 are needed).",
    )


def test_that_so_many_rows_need_more_rounds() -> None:
    rows = [row(name, [level * MS] * 8, rounds=8) for name, level in (("CPU", 5), ("a", 4), ("b", 3))]
    assert answer_of(rows).cautions == ("Intervals of 99 % for so many rows need at least 9 rounds; there are 8.",)


def test_that_other_circumstances_are_cautions() -> None:
    cpu, ggml = quiet("CPU", 5.0), quiet("ggml", 4.0)
    text = cautions(cpu, replace(ggml, machine="Other CPU, Windows"))
    assert "different machines: Some CPU, Linux; Other CPU, Windows." in text
    assert "Whether /m.onnx is the same file on each machine is not known." in text
    assert "versions of ONNX Runtime: 1.32.0, 1.30.0." in cautions(cpu, replace(ggml, onnxruntime="1.30.0"))
    elsewhere = replace(ggml, settings=replace(ggml.settings, model_path="/other/m.onnx"))
    assert "Different model files: /m.onnx, /other/m.onnx;" in cautions(cpu, elsewhere)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seed": 7}, "Their inputs are not the same"),
        ({"intra_op_threads": 3}, "intra-op threads: ORT's choice, 3."),
        ({"callers": 4}, "at the same time: 1, 4."),
        ({"pause_ms": 5.0}, "The pauses between their runs"),
    ],
)
def test_that_other_settings_are_cautions(change: dict[str, float], said: str) -> None:
    cpu, ggml = quiet("CPU", 5.0), quiet("ggml", 4.0)
    assert said in cautions(cpu, replace(ggml, settings=replace(ggml.settings, **change)))  # type: ignore[arg-type]


def test_that_sessions_made_anew_are_a_caution() -> None:
    cpu, ggml = quiet("CPU", 5.0), quiet("ggml", 4.0)
    assert ggml.part is not None
    anew = replace(ggml, part=replace(ggml.part, is_made_anew=True))
    assert cautions(cpu, anew) == "For want of memory the session of ggml was made anew for each round."


def test_that_a_difference_lost_in_the_noise_is_a_caution() -> None:
    rows = [row(name, drawn(seed, 5, noise=0.4).astype(np.int64)) for seed, name in enumerate(("CPU", "ggml"))]
    assert first_sentence(*rows).startswith("No difference larger than the noise")
    assert "may be lost in the noise" in cautions(*rows)


def test_that_nodes_left_to_others_are_a_caution() -> None:
    part = with_placement(quiet("ggml", 4.0), placed(ggml=1, **{CPU: 41}))
    assert cautions(quiet("CPU", 5.0), part).startswith("ggml: ggml ran 1 of 42 nodes; 41 on CPUExecutionProvider")


def test_that_what_failed_early_is_no_caution_about_rounds() -> None:
    early = failed(row("NPU:0", [MS] * 3, rounds=3), "Died.")
    assert cautions(quiet("CPU", 5.0), quiet("ggml", 4.0), early) == ""
