"""The report of a trial: the verdict first, all that is known below, nothing that a name could break."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from gui.records.check import Agreement, OutputCheck, OutputDifference
from gui.records.failure import Failure, FailureKind
from gui.records.kept_trial import KeptTrial
from gui.records.placement import OpCount, Placement
from gui.records.result import Outcome
from gui.records.statistics import summarize
from gui.records.trial import Ending, Policy, SessionSettings, Stage, StopRule, Target, TrialFacts
from gui.records.trial_report import trial_html, trial_markdown
from gui.records.trial_sections import verdicts
from gui.records.trial_setup_rows import setup_rows

from .examples import DEVICE, FACTS, LIBRARY_CHECK, SETTINGS
from .test_trial_file import KEPT

SAMPLES = np.arange(1_000_000, 1_000_300, dtype=np.int64)
GOOD = replace(
    KEPT,
    outcome=Outcome.FINISHED,
    failure=None,
    samples=SAMPLES,
    statistics=summarize(SAMPLES, 300_000_000),
    facts=replace(FACTS, non_finite_outputs=(), stage=Stage.CHECKING, ending=Ending.ITERATIONS),
)
CPU_PART = Placement(ep_name="CPUExecutionProvider", node_count=2, op_types=(OpCount(op_type="Softmax", count=2),))
EP_PART = Placement(ep_name="ggml", node_count=5, op_types=(OpCount(op_type="Add", count=5),))
NASTY = "</td><script>alert(1)</script> | `x` *b* _i_ <b> \udcff\x1b[31m"


class Outline(HTMLParser):
    """The elements of a document, which must all be closed in their order, and the text in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 HTMLParser's
        self.tags.append(tag)
        if tag != "meta":
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 HTMLParser's
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def with_placement(*parts: Placement, wanted: tuple[str, ...] = ("ggml",)) -> KeptTrial:
    return replace(GOOD, facts=replace(GOOD.facts, placement=parts, wanted_eps=wanted))


def checked(agreement: Agreement) -> KeptTrial:
    output = OutputDifference(name="scores", type="tensor(float)", agreement=agreement, max_absolute=0.125)
    return replace(GOOD, facts=replace(GOOD.facts, check=OutputCheck(agreement=agreement, outputs=(output,))))


# ---- The verdict ----


def test_that_the_verdict_says_how_fast_and_how_sure() -> None:
    assert "Median 1.000 ms; 95 % interval 1.000 ms to 1.000 ms, within 0.0 %; 300 samples." in verdicts(GOOD)
    few = replace(GOOD, statistics=summarize(SAMPLES[:3]))
    assert "Median 1.000 ms of 3 samples: too few to say how sure it is." in verdicts(few)


def test_that_an_ep_that_ran_no_node_comes_before_the_latency() -> None:
    first, second, *_rest = verdicts(with_placement(CPU_PART))
    assert first == "ALARM: ggml ran no node; these latencies are those of CPUExecutionProvider."
    assert second.startswith("Median ")


def test_that_the_verdict_says_what_ran_where() -> None:
    assert "ggml ran 5 of 7 nodes; 2 on CPUExecutionProvider: Softmax ×2." in verdicts(
        with_placement(EP_PART, CPU_PART)
    )
    unknown = replace(GOOD, facts=replace(GOOD.facts, placement=None))
    assert "Which EP ran which nodes is not known." in verdicts(unknown)


@pytest.mark.parametrize(
    ("agreement", "sentence"),
    [
        (Agreement.IDENTICAL, "Outputs identical to the CPU's."),
        (Agreement.WITHIN, "Outputs within tolerance."),
        (Agreement.DIFFERENT, "Outputs different from the CPU's: scores."),
    ],
)
def test_that_the_verdict_says_whether_the_outputs_are_right(agreement: Agreement, sentence: str) -> None:
    assert sentence in verdicts(checked(agreement))


def test_that_outputs_that_were_not_checked_are_not_called_right() -> None:
    assert "The outputs were not checked." in verdicts(replace(GOOD, facts=replace(GOOD.facts, check=None)))


def test_that_a_failure_is_the_first_that_is_said() -> None:
    failure = Failure(kind=FailureKind.DIED, message="The engine died.", hint="Go on.")
    failed = replace(GOOD, outcome=Outcome.FAILED, failure=failure, facts=TrialFacts(stage=Stage.COMPILING))
    assert verdicts(failed)[0] == "Failed while compiling: The engine died. Go on."
    assert trial_markdown(failed).splitlines()[2] == "- **Failed while compiling: The engine died. Go on.**"


def test_that_a_policy_that_missed_what_it_prefers_is_said() -> None:
    settings = replace(SETTINGS, target=Target(policy=Policy.PREFER_NPU))
    facts = replace(GOOD.facts, target_devices=("/CPUExecutionProvider/CPU:8086:0000/00000000#0",))
    said = verdicts(replace(GOOD, settings=settings, facts=facts))
    assert any("NPU" in sentence for sentence in said)


# ---- All that is known ----


@pytest.mark.parametrize("text", [trial_markdown(GOOD), Outline(trial_html(GOOD)).text], ids=["Markdown", "HTML"])
def test_that_the_report_holds_what_makes_a_number_believable(text: str) -> None:
    plain = re.sub(r"\\(?=[\W_])", "", text)
    for part in (
        *("Median", "p99.9", "Nearest rank", "300", "Two levels. Pin the threads."),
        *("1.32.0", "Some CPU", "Linux", "3.13.0", KEPT.created, KEPT.id),
        *(DEVICE.ep_name, "Maker", "0x10DE", "is_virtual", LIBRARY_CHECK.sha256, LIBRARY_CHECK.version),
        *("It was read as NHWC.", "baseline, two words", "of two lines", "batch", "/m.onnx"),
    ):
        assert part in plain, part


def test_that_markdown_tables_have_as_many_cells_in_each_row() -> None:
    rows = [line for line in trial_markdown(GOOD).splitlines() if line.startswith("|")]
    assert len(rows) > 30
    block: list[int] = []
    for line in trial_markdown(GOOD).splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line))
        if line.startswith("|"):
            block.append(cells)
        else:
            assert len(set(block)) <= 1
            block = []


def test_that_the_html_needs_no_other_file_and_has_its_charts_in_it() -> None:
    text = trial_html(GOOD)
    assert Outline(text).tags.count("svg") == 1
    assert not re.search(r"(src|href)=", text)
    assert "svg" not in Outline(trial_html(replace(GOOD, samples=SAMPLES[:0], statistics=None))).tags


def named(text: str) -> KeptTrial:
    """A trial in which everything has this name."""
    return replace(
        GOOD,
        target_text=text,
        note=f"# {text}",
        tags=(text,),
        settings=replace(SETTINGS, model_path=f"/m/{text}.onnx", options=((text, text),)),
        devices=(replace(DEVICE, ep_name=text, ep_metadata=((text, text),)),),
    )


def test_that_names_of_others_break_neither_kind() -> None:
    nasty = named(NASTY)
    html = trial_html(nasty)
    assert "<script" not in html
    assert Outline(html).tags == Outline(trial_html(named("plain"))).tags
    markdown = trial_markdown(nasty)
    assert not any(line.startswith("# ") for line in markdown.splitlines()[1:])
    assert "<script" not in re.sub(r"(`+).*?(?<!`)\1(?!`)", "", markdown.replace("\\<", ""))
    for text in (html, markdown):
        text.encode("utf-8")
        assert "\x1b" not in text


def test_that_a_trial_of_which_nothing_is_known_has_a_report_all_the_same() -> None:
    bare = KeptTrial(settings=SETTINGS, outcome=Outcome.STOPPED, facts=TrialFacts())
    assert trial_markdown(bare).endswith("\n")
    assert "Stopped while preparing." in Outline(trial_html(bare)).text


# ---- The set-up ----


def test_that_only_session_options_that_were_changed_are_told() -> None:
    plain = dict(setup_rows(replace(GOOD, settings=replace(SETTINGS, session=SessionSettings()))))
    assert not {"Strict", "Optimisation", "Execution"} & set(plain)
    strict = SessionSettings(strict=True, config=(("a.b", "1"),))
    changed = dict(setup_rows(replace(GOOD, settings=replace(SETTINGS, session=strict))))
    assert (changed["Strict"], changed["Session config a.b"]) == ("yes", "1")


@pytest.mark.parametrize(
    ("rule", "ending", "text"),
    [
        (StopRule(iterations=5), Ending.ITERATIONS, "5 iterations"),
        (StopRule(seconds=2.5), Ending.STOPPED, "2.5 s; stopped"),
        (
            StopRule(seconds=60, stable_percent=1),
            Ending.SECONDS,
            "until the median is certain within 1 %, 60 s at most; it was not",
        ),
        (
            StopRule(seconds=60, stable_percent=1),
            Ending.STABLE,
            "until the median is certain within 1 %, 60 s at most; it was",
        ),
    ],
)
def test_that_the_set_up_says_when_measuring_was_to_end_and_whether_it_did(
    rule: StopRule, ending: Ending, text: str
) -> None:
    kept = replace(GOOD, settings=replace(SETTINGS, stop_rule=rule), facts=replace(GOOD.facts, ending=ending))
    assert dict(setup_rows(kept))["Measuring"] == text
