"""Options of the session, strict trials, and two EPs in order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import onnx
import pytest

from gui.records.failure import Failure, FailureError, FailureKind
from gui.records.library import CPU_EP_NAME
from gui.records.trial import (
    ExecutionMode,
    Optimization,
    Policy,
    SessionSettings,
    Target,
    TrialFacts,
    TrialSettings,
)

from ..engine_process import EngineProcess
from .conftest import Register, settings_for
from .test_targets import echoes_options, options_of, placed


def failure_of(engine: EngineProcess, settings: TrialSettings) -> Failure:
    with pytest.raises(FailureError) as caught:
        engine.run_trial(settings)
    return caught.value.failure


def with_session(settings: TrialSettings, **fields: object) -> TrialSettings:
    return replace(settings, session=replace(SessionSettings(), **fields))  # type: ignore[arg-type]


# ---- Options ----


@pytest.mark.parametrize(
    "session",
    [
        SessionSettings(optimization=Optimization.DISABLED),
        SessionSettings(optimization=Optimization.BASIC),
        SessionSettings(optimization=Optimization.EXTENDED),
        SessionSettings(optimization=Optimization.LAYOUT),
        SessionSettings(execution_mode=ExecutionMode.PARALLEL, inter_op_threads=2),
        SessionSettings(memory_pattern=False, memory_arena=False, deterministic=True),
        SessionSettings(config=(("session.intra_op.allow_spinning", "0"), ("made.up", "x"))),
    ],
    ids=lambda session: str(session)[:60],
)
def test_that_a_trial_runs_with_these_options(
    engine: EngineProcess, register: Register, add_model: Path, session: SessionSettings
) -> None:
    settings = replace(settings_for(add_model, *register(engine)), session=session)
    assert engine.run_trial(settings).sample_count == 20


def test_that_the_optimised_model_is_saved_as_the_level_made_it(engine: EngineProcess, tmp_path: Path) -> None:
    cpu = engine.inventory().devices[0].key
    model = Path(__file__).resolve().parents[2] / "resources" / "models" / "tiny_mlp.onnx"
    nodes: dict[Optimization, int] = {}
    for level in (Optimization.DISABLED, Optimization.ALL):
        saved = tmp_path / f"{level.name}.onnx"
        settings = with_session(
            replace(settings_for(model, cpu), dimensions=()), optimization=level, optimized_model_path=str(saved)
        )
        assert engine.run_trial(settings).saved_files == (str(saved),)
        nodes[level] = len(onnx.load(str(saved)).graph.node)
    assert nodes[Optimization.ALL] < nodes[Optimization.DISABLED]


def test_that_an_optimised_model_needs_a_folder(engine: EngineProcess, add_model: Path, tmp_path: Path) -> None:
    cpu = engine.inventory().devices[0].key
    settings = with_session(settings_for(add_model, cpu), optimized_model_path=str(tmp_path / "no" / "x.onnx"))
    failure = failure_of(engine, settings)
    assert failure.kind is FailureKind.BAD_SETTING
    assert str(tmp_path / "no") in failure.message


def test_that_an_entry_that_ort_does_not_take_is_named(engine: EngineProcess, add_model: Path) -> None:
    cpu = engine.inventory().devices[0].key
    failure = failure_of(engine, with_session(settings_for(add_model, cpu), config=(("k" * 2000, "1"),)))
    assert failure.kind is FailureKind.BAD_OPTION
    assert "kkk" in failure.message


# ---- Strict ----


def test_that_a_strict_trial_runs_when_the_ep_takes_all(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    facts = engine.run_trial(with_session(settings_for(add_model, *register(engine)), strict=True))
    assert facts.sample_count == 20
    assert set(placed(facts)) == {"double"}


@pytest.mark.parametrize("by_policy", [False, True])
def test_that_a_strict_trial_names_the_nodes_in_its_way(
    engine: EngineProcess, register: Register, tail_model: Path, by_policy: bool
) -> None:
    settings = with_session(settings_for(tail_model, *register(engine)), strict=True)
    if by_policy:
        settings = replace(settings, target=Target(policy=Policy.PREFER_CPU))
    failure = failure_of(engine, settings)
    assert failure.kind is FailureKind.FALLS_BACK
    assert "1 of 3 nodes" in failure.message
    assert "Neg" in failure.message
    assert "Add" not in failure.message
    assert "Neg" in failure.detail
    assert failure.hint
    assert engine.unregister("double").libraries == ()  # no session is left


def test_that_a_strict_trial_on_the_cpu_ep_is_refused(engine: EngineProcess, add_model: Path) -> None:
    cpu = engine.inventory().devices[0].key
    failure = failure_of(engine, with_session(settings_for(add_model, cpu), strict=True))
    assert failure.kind is FailureKind.BAD_SETTING
    assert "Strict" in failure.message


# ---- Two EPs in order ----


def two_choices(
    engine: EngineProcess, register: Register, model: Path, first: str, second: str
) -> tuple[TrialFacts, TrialSettings]:
    one, other = register(engine, f"name=one,{first}", "one"), register(engine, f"name=other,{second}", "other")
    settings = replace(settings_for(model, *one), target=Target(device_keys=one, second_keys=other))
    return engine.run_trial(settings), settings


def test_that_the_second_ep_gets_what_the_first_leaves(
    engine: EngineProcess, register: Register, tail_model: Path
) -> None:
    facts, settings = two_choices(engine, register, tail_model, "claim=Add", "claim=Mul")
    assert placed(facts) == {"one": {"Add"}, "other": {"Mul"}, CPU_EP_NAME: {"Neg"}}
    assert facts.target_devices == settings.target.device_keys + settings.target.second_keys


def test_that_the_first_ep_comes_first(engine: EngineProcess, register: Register, add_model: Path) -> None:
    facts, _settings = two_choices(engine, register, add_model, "claim=all", "claim=all")
    assert placed(facts) == {"one": {"Add", "Mul"}}


@echoes_options
def test_that_each_choice_has_its_own_options(engine: EngineProcess, register: Register, add_model: Path) -> None:
    one, other = register(engine, "name=one,claim=Add", "one"), register(engine, "name=other,claim=Mul", "other")
    settings = replace(
        settings_for(add_model, *one, options=(("a", "1"),)),
        target=Target(device_keys=one, second_keys=other),
        second_options=(("b", "2"),),
    )
    facts = engine.run_trial(settings)
    assert options_of(facts, "one")["a"] == "1"
    assert "b" not in options_of(facts, "one")
    assert options_of(facts, "other")["b"] == "2"


def test_that_a_second_choice_of_the_same_ep_is_refused(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    first, second = register(engine, "count=2")
    settings = replace(settings_for(add_model, first), target=Target(device_keys=(first,), second_keys=(second,)))
    assert failure_of(engine, settings).kind is FailureKind.MIXED_TARGET


@echoes_options
def test_that_with_a_policy_a_whole_key_goes_to_the_ep_it_names(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    register(engine, "name=one", "one")
    options = (("ep.one.a", "1"), ("ep.other.b", "2"), ("c", "3"))
    settings = replace(settings_for(add_model, "x", options=options), target=Target(policy=Policy.PREFER_CPU))
    told = options_of(engine.run_trial(settings), "one")
    assert (told.get("a"), told.get("b"), told.get("c")) == ("1", None, "3")
