"""A trial's settings in words."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication

from gui.models.trial_texts import inputs_text, run_texts, stop_rule_text
from gui.records.inputs import Fill, InputFact, InputSource, SourceKind
from gui.records.trial import (
    Binding,
    ExecutionMode,
    Optimization,
    Policy,
    SessionSettings,
    StopRule,
    Target,
    TrialSettings,
)

PLAIN = TrialSettings(model_path="m.onnx", target=Target(policy=Policy.DEFAULT))


def fact(name: str, kind: SourceKind = SourceKind.GENERATED, note: str = "") -> InputFact:
    source = InputSource(name=name, kind=kind, fill=Fill.ONES, path="/data/cat.png")
    return InputFact(name=name, type="tensor(float)", shape=(1,), source=source, note=note)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (StopRule(iterations=200), "200 iterations"),
        (StopRule(seconds=5), "5 s"),
        (StopRule(seconds=90, stable_percent=0.5), "until stable within 0.5 %, 1 min 30 s at most"),
    ],
)
def test_that_the_stop_rule_is_told(qapp: QApplication, rule: StopRule, words: str) -> None:
    assert stop_rule_text(rule) == words


def test_that_nothing_is_told_of_what_is_as_it_is_by_itself(qapp: QApplication) -> None:
    assert run_texts(PLAIN) == []


def test_that_all_that_was_chosen_is_told(qapp: QApplication) -> None:
    chosen = TrialSettings(
        model_path="m.onnx",
        target=Target(policy=Policy.DEFAULT),
        binding=Binding.IO_BINDING,
        callers=4,
        pause_ms=2.5,
        run_timeout_s=10,
        session=SessionSettings(
            strict=True,
            optimization=Optimization.BASIC,
            execution_mode=ExecutionMode.PARALLEL,
            inter_op_threads=3,
            memory_pattern=False,
            memory_arena=False,
            deterministic=True,
            config=(("a.b", "1"),),
        ),
    )
    assert run_texts(chosen) == [
        "IO binding",
        "4 callers",
        "pause 2.5 ms",
        "a run may take 10 s",
        "strict",
        "optimisation: basic",
        "parallel execution",
        "inter-op threads: 3",
        "no memory pattern",
        "no memory arena",
        "deterministic",
        "a.b = 1",
    ]


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ((), "inputs generated"),
        ((fact("x"),), "inputs generated"),
        ((fact("x", SourceKind.FILE),), "x: cat.png"),
        (
            (fact("x"), fact("y", SourceKind.FILE, "byte order changed")),
            "y: cat.png (byte order changed); other inputs generated",
        ),
        ((fact("p", SourceKind.IMAGE, "resized"),), "p: cat.png (0 to 1, RGB) (resized)"),
    ],
)
def test_that_the_source_of_the_inputs_is_told(qapp: QApplication, facts: tuple[InputFact, ...], words: str) -> None:
    assert inputs_text(facts) == words
