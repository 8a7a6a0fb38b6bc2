"""What is true of a trial in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import QLocale

from gui.models.verdict_texts import (
    Tone,
    TrialPage,
    alarms,
    check_hint,
    check_sentence,
    median_verdict,
    outputs_verdict,
    placement_hint,
    placement_verdict,
    range_text,
    taken_type,
)
from gui.records.check import Agreement, CheckSettings, OutputCheck, OutputDifference
from gui.records.device import DeviceType, with_keys
from gui.records.log import LogSeverity
from gui.records.placement import Placement
from gui.records.result import Outcome
from gui.records.trial import Policy, Target, TrialFacts, TrialSettings
from gui.records.trial_log import TrialLogLine
from gui.trial_run import TrialRun

from .makers import device, record, trial

CPU = "CPUExecutionProvider"


@pytest.fixture(autouse=True)
def _c_locale() -> Iterator[None]:
    before = QLocale()
    QLocale.setDefault(QLocale.c())
    yield
    QLocale.setDefault(before)


def placement(**counts: int) -> tuple[Placement, ...]:
    return tuple(Placement(ep_name=name, node_count=count) for name, count in counts.items())


def placed(counts: dict[str, int], wanted: tuple[str, ...] = ("ggml",)) -> TrialRun:
    return trial(1, 1000, facts=TrialFacts(placement=placement(**counts), wanted_eps=wanted))


def checked(agreement: Agreement, **fields: Any) -> TrialRun:
    output = OutputDifference(name="y", type="tensor(float)", agreement=agreement, element_count=4, **fields)
    check = OutputCheck(agreement=agreement, outputs=(output,), reference="Against the CPU.")
    return trial(1, 1000, facts=TrialFacts(check=check))


# ---- Placement ----


@pytest.mark.parametrize(
    ("counts", "text", "tone"),
    [
        ({"ggml": 12}, "All 12 nodes on ggml", Tone.GOOD),
        ({"ggml": 1}, "The only node on ggml", Tone.GOOD),
        ({"ggml": 41, CPU: 1}, "41 of 42 nodes on ggml", Tone.DOUBTFUL),
        ({CPU: 12}, "None of the nodes on ggml", Tone.BAD),
        ({}, "No node left to run", Tone.DOUBTFUL),
    ],
)
def test_that_the_placement_is_told_with_its_tone(counts: dict[str, int], text: str, tone: Tone) -> None:
    found = placement_verdict(placed(counts))
    assert (found.text, found.tone, found.page) == (text, tone, TrialPage.PLACEMENT)


def test_that_what_the_first_ep_leaves_to_the_second_counts_as_wanted() -> None:
    found = placement_verdict(placed({"ggml": 3, "Other": 2}, ("ggml", "Other")))
    assert (found.text, found.tone) == ("All 5 nodes on ggml and Other", Tone.GOOD)


@pytest.mark.parametrize(
    ("facts", "outcome", "words"),
    [
        (TrialFacts(), Outcome.RUNNING, "not created yet"),
        (TrialFacts(), Outcome.FAILED, "was not created"),
        (TrialFacts(session_creation_ns=5), Outcome.FINISHED, "does not tell"),
        (TrialFacts(session_creation_ns=5, placement=()), Outcome.FINISHED, "folded"),
    ],
)
def test_that_an_unknown_placement_says_why(facts: TrialFacts, outcome: Outcome, words: str) -> None:
    run = trial(1, facts=facts, outcome=outcome)
    assert words in placement_hint(run)
    assert words in placement_verdict(run).tip


def test_that_none_of_the_nodes_is_an_alarm_that_names_whose_latencies_they_are() -> None:
    (alarm,) = alarms(placed({CPU: 12}))
    assert alarm.text == "None of the 12 nodes ran on ggml. These latencies are the CPU's."
    assert (alarm.tone, alarm.page, alarm.said) == (Tone.BAD, TrialPage.PLACEMENT, "")
    assert CPU in alarm.tip
    (alarm,) = alarms(placed({"Third": 7, "Other": 5}))
    assert alarm.text.endswith("These latencies are those of Third and Other.")


def test_that_the_reason_of_the_ep_stands_beside_the_alarm() -> None:
    run = placed({CPU: 12})
    said = record("device=gpu requested\nbut none is there", LogSeverity.WARNING)
    elsewhere = record("ggml: unsupported", LogSeverity.WARNING)
    run.log.add(
        [TrialLogLine(stage="measuring", record=elsewhere), TrialLogLine(stage="creating session", record=said)]
    )
    (alarm,) = alarms(run)
    assert alarm.said == "device=gpu requested"
    assert "but none is there" in alarm.tip
    assert "unsupported" not in alarm.tip


@pytest.mark.parametrize("counts", [{"ggml": 12}, {"ggml": 11, CPU: 1}])
def test_that_nodes_on_the_wanted_ep_are_no_alarm(counts: dict[str, int]) -> None:
    assert alarms(placed(counts)) == ()


def test_that_a_model_folded_into_constants_is_nobodys_latency() -> None:
    (alarm,) = alarms(placed({}))
    assert alarm.text.startswith("No node is left to run")
    assert alarm.text.endswith("This is nobody's latency.")


def test_that_outputs_are_not_praised_where_the_cpu_was_compared_with_itself() -> None:
    run = placed({CPU: 12})
    run.facts = replace(run.facts, check=OutputCheck(agreement=Agreement.IDENTICAL))
    found = outputs_verdict(run)
    assert (found.text, found.cell, found.tone) == ("Outputs are the CPU's own", "CPU's own", Tone.PLAIN)


# ---- Policies ----


def by_policy(policy: Policy, wanted: str, *types: DeviceType) -> TrialRun:
    keys = tuple(entry.key for entry in with_keys([device("", type=kind, ep_name=wanted) for kind in types]))
    settings = TrialSettings(model_path="/m.onnx", target=Target(policy=policy))
    facts = TrialFacts(wanted_eps=(wanted,), placement=placement(**{wanted: 3}), target_devices=keys)
    return trial(1, 1000, settings=settings, facts=facts)


@pytest.mark.parametrize(
    ("policy", "wanted", "types", "words"),
    [
        (Policy.PREFER_NPU, CPU, (), "PREFER_NPU prefers an NPU and took the CPU."),
        (Policy.PREFER_GPU, "Ep", (DeviceType.CPU,), "PREFER_GPU prefers a GPU and took the CPU."),
        (Policy.PREFER_GPU, "Ep", (DeviceType.NPU,), "PREFER_GPU prefers a GPU and took the NPU."),
    ],
)
def test_that_a_policy_that_lands_elsewhere_is_a_milder_alarm(
    policy: Policy, wanted: str, types: tuple[DeviceType, ...], words: str
) -> None:
    run = by_policy(policy, wanted, *types)
    (alarm,) = alarms(run)
    assert (alarm.text, alarm.tone) == (words, Tone.DOUBTFUL)
    assert placement_verdict(run).tone is Tone.DOUBTFUL
    assert placement_verdict(run).cell == f"all 3 on {wanted.removesuffix('ExecutionProvider')}"


@pytest.mark.parametrize(
    ("policy", "wanted", "types", "taken"),
    [
        (Policy.PREFER_GPU, "Ep", (DeviceType.CPU, DeviceType.GPU), DeviceType.GPU),
        (Policy.PREFER_CPU, CPU, (), DeviceType.CPU),
        (Policy.PREFER_NPU, "Ep", (), None),
    ],
)
def test_that_a_policy_that_got_what_it_prefers_is_none(
    policy: Policy, wanted: str, types: tuple[DeviceType, ...], taken: DeviceType | None
) -> None:
    run = by_policy(policy, wanted, *types)
    assert taken_type(run) is taken
    assert alarms(run) == ()
    assert placement_verdict(run).tone is Tone.GOOD


# ---- Outputs ----


@pytest.mark.parametrize(
    ("agreement", "text", "tone"),
    [
        (Agreement.IDENTICAL, "Outputs identical to the CPU's", Tone.GOOD),
        (Agreement.WITHIN, "Outputs within tolerance of the CPU's", Tone.GOOD),
        (Agreement.DIFFERENT, "Outputs differ from the CPU's", Tone.DOUBTFUL),
        (Agreement.NOT_CHECKED, "Outputs not checked", Tone.PLAIN),
    ],
)
def test_that_the_outputs_are_told_with_their_tone(agreement: Agreement, text: str, tone: Tone) -> None:
    run = checked(agreement)
    found = outputs_verdict(run)
    assert (found.text, found.tone, found.page) == (text, tone, TrialPage.OUTPUTS)
    assert "Against the CPU." in check_sentence(run)
    assert len(alarms(run)) == (1 if agreement is Agreement.DIFFERENT else 0)


@pytest.mark.parametrize(
    ("far", "text"),
    [
        ({"snr_db": 3.0}, "Largest difference 0.25."),
        ({"top1_agreement": 0.5}, "Largest difference 0.25."),
        ({"nan_count": 1}, "y holds 1 NaN and 0 infinite elements, the CPU's 0 and 0."),
        ({"reference_inf_count": 1}, "y holds 0 NaN and 0 infinite elements, the CPU's 0 and 1."),
    ],
)
def test_that_more_than_rounding_is_bad(far: dict[str, Any], text: str) -> None:
    run = checked(Agreement.DIFFERENT, max_absolute=0.25, **far)
    (alarm,) = alarms(run)
    assert (alarm.tone, outputs_verdict(run).tone) == (Tone.BAD, Tone.BAD)
    assert alarm.text == f"The outputs differ from the CPU's: y. {text}"


def test_that_of_many_different_outputs_some_are_named() -> None:
    outputs = tuple(
        OutputDifference(name=f"y{number}", type="tensor(float)", agreement=Agreement.DIFFERENT) for number in range(5)
    )
    check = OutputCheck(agreement=Agreement.DIFFERENT, outputs=outputs)
    assert check_sentence(trial(1, facts=TrialFacts(check=check))) == (
        "Different from the CPU's: y0, y1, y2 and 2 more."
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "not compared yet"),
        ({"outcome": Outcome.FAILED}, "ended before"),
        ({"facts": TrialFacts(check=OutputCheck(agreement=Agreement.NOT_CHECKED, note="Too large."))}, "Too large."),
        (
            {
                "settings": TrialSettings(
                    model_path="/m", target=Target(device_keys=("c",)), check=CheckSettings(enabled=False)
                )
            },
            "switched off",
        ),
    ],
)
def test_that_outputs_not_checked_say_why(fields: dict[str, Any], words: str) -> None:
    run = trial(1, **fields)
    assert words in check_hint(run)
    assert words in outputs_verdict(run).tip


# ---- The median ----


def test_that_the_median_is_told_with_its_interval_in_one_unit() -> None:
    found = median_verdict(trial(1, *(number * 1000 for number in range(1, 201))))
    assert found is not None
    assert found.text == "median 100.0 µs, 95 %: 86.0 to 115.0 µs"
    assert found.short == "median 100.0 µs"
    assert range_text(950_000, 1_050_000) == "0.950–1.050 ms"


def test_that_few_samples_have_a_median_and_no_interval() -> None:
    found = median_verdict(trial(1, 1000, 2000, 3000))
    assert found is not None
    assert found.text == "median 2.000 µs, few samples"
    assert median_verdict(trial(1)) is None
