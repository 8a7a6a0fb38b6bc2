"""Set-ups: which trials one makes, and what cannot be one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gui.records.codec import from_json, to_json
from gui.records.setup import MAX_TRIALS, DimensionSweep, Setup, SetupLibrary, numbered, trials_of
from gui.records.trial import DimensionSize, Policy, SessionSettings, Target, TrialSettings

from .examples import DEVICE, SETTINGS

SETUP = Setup(settings=SETTINGS)


def dimensions(settings: TrialSettings) -> dict[str, int]:
    return {entry.name: entry.size for entry in settings.dimensions}


def with_sweeps(*sweeps: tuple[str, tuple[int, ...]]) -> Setup:
    return replace(SETUP, sweeps=tuple(DimensionSweep(name=name, sizes=sizes) for name, sizes in sweeps))


def test_that_a_set_up_without_sweeps_is_one_trial_as_it_stands() -> None:
    assert trials_of(SETUP) == (SETTINGS,)


def test_that_each_size_of_a_sweep_is_a_trial_in_the_order_given() -> None:
    trials = trials_of(with_sweeps(("batch", (8, 1, 4))))
    assert [dimensions(trial) for trial in trials] == [{"batch": 8}, {"batch": 1}, {"batch": 4}]
    assert {replace(trial, dimensions=()) for trial in trials} == {replace(SETTINGS, dimensions=())}


def test_that_two_sweeps_make_every_combination_the_last_changing_fastest() -> None:
    trials = trials_of(with_sweeps(("batch", (1, 2)), ("length", (16, 32))))
    assert [tuple(dimensions(trial).values()) for trial in trials] == [(1, 16), (1, 32), (2, 16), (2, 32)]


def test_that_a_sweep_of_a_dimension_without_a_size_adds_it() -> None:
    settings = replace(SETTINGS, dimensions=(DimensionSize(name="length", size=7),))
    trials = trials_of(replace(with_sweeps(("batch", (1, 2))), settings=settings))
    assert [dimensions(trial) for trial in trials] == [{"length": 7, "batch": 1}, {"length": 7, "batch": 2}]


def test_that_a_dimension_keeps_its_place_among_the_others() -> None:
    settings = replace(
        SETTINGS, dimensions=tuple(DimensionSize(name=name, size=3) for name in ("first", "batch", "last"))
    )
    (trial, _other) = trials_of(replace(with_sweeps(("batch", (1, 2))), settings=settings))
    assert [entry.name for entry in trial.dimensions] == ["first", "batch", "last"]


def test_that_too_many_trials_are_refused_with_their_number() -> None:
    many = tuple(range(1, MAX_TRIALS + 1))
    assert len(trials_of(with_sweeps(("batch", many)))) == MAX_TRIALS
    with pytest.raises(ValueError, match=f"these sizes make {2 * MAX_TRIALS} trials; at most {MAX_TRIALS}"):
        trials_of(with_sweeps(("batch", many), ("length", (1, 2))))


def test_that_sizes_beyond_all_bounds_are_counted_without_being_made() -> None:
    huge = tuple((f"d{number}", tuple(range(1, 1001))) for number in range(20))
    with pytest.raises(ValueError, match="1000000000000000000000000000000000000000000000000000000000000 trials"):
        trials_of(with_sweeps(*huge))


@pytest.mark.parametrize("sizes", [(), (0,), (1, -1)])
def test_that_a_sweep_of_no_size_or_a_size_below_one_cannot_be_made(sizes: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="the sizes of batch must be at least 1"):
        DimensionSweep(name="batch", sizes=sizes)


def test_that_a_set_up_comes_back_from_json_as_it_was() -> None:
    setup = replace(
        with_sweeps(("batch", (1, 2))),
        libraries=(SetupLibrary(name="ggml", path="/opt/\udcff.so"),),
        devices=(DEVICE,),
    )
    assert from_json(Setup, to_json(setup)) == setup


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("trial.json", "trial-3.json"),
        ("/a.b/trial", "/a.b/trial-3"),
        ("out/net.fp16.onnx", "out/net.fp16-3.onnx"),
        ("-", "-"),
        ("", ""),
    ],
)
def test_that_each_of_several_trials_has_files_of_its_own(target: str, name: str) -> None:
    assert numbered(target, 3) == name


def test_that_several_trials_write_to_places_of_their_own(tmp_path: Path) -> None:
    setup = Setup(
        settings=TrialSettings(
            model_path="m.onnx",
            target=Target(policy=Policy.DEFAULT),
            session=SessionSettings(optimized_model_path=str(tmp_path / "o.onnx")),
            outputs_folder=str(tmp_path / "out"),
        ),
        sweeps=(DimensionSweep(name="n", sizes=(1, 2)),),
    )
    several = trials_of(setup)
    assert [trial.outputs_folder for trial in several] == [str(tmp_path / "out-1"), str(tmp_path / "out-2")]
    assert [Path(trial.session.optimized_model_path).name for trial in several] == ["o-1.onnx", "o-2.onnx"]
    (single,) = trials_of(replace(setup, sweeps=()))
    assert single.outputs_folder == str(tmp_path / "out")
