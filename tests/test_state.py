"""The state: setters compare, then emit."""

from __future__ import annotations

from collections import Counter

import pytest

from gui.records.device import Device, DeviceType, HardwareDevice
from gui.records.failure import Failure, FailureKind
from gui.records.library import Library, LibraryState
from gui.records.protocol import Greeting
from gui.records.result import Outcome
from gui.records.trial import Target, TrialSettings
from gui.state import EngineStatus, ModelChoice, State
from gui.trial_run import TrialRun

FAILURE = Failure(kind=FailureKind.DIED, message="It died.")
GREETING = Greeting(protocol=1, application="0", onnxruntime="1", python="3", platform="p", numpy="2", process_id=1)


class Told:
    """Counts what a state's signals tell."""

    def __init__(self, state: State) -> None:
        self._counts: Counter[str] = Counter()
        for name in ("engine", "libraries", "devices", "selection", "model", "current_trial"):
            getattr(state, f"{name}_changed").connect(lambda name=name: self._counts.update([name]))
        state.trial_added.connect(lambda _trial: self._counts.update(["added"]))
        state.trial_changed.connect(lambda _trial: self._counts.update(["trial"]))

    def take(self) -> dict[str, int]:
        """What was told since the last time."""
        counts, self._counts = dict(self._counts), Counter()
        return counts


@pytest.fixture
def state() -> State:
    return State()


@pytest.fixture
def told(state: State) -> Told:
    return Told(state)


def device(key: str) -> Device:
    return Device(ep_name=key, device=HardwareDevice(type=DeviceType.CPU), key=key)


def keys_of(state: State) -> tuple[str, ...]:
    return state.selected_keys


def trial(number: int, outcome: Outcome = Outcome.FINISHED) -> TrialRun:
    settings = TrialSettings(model_path="/net.onnx", target=Target(device_keys=("a",)))
    return TrialRun(number=number, settings=settings, model_name="net", target_text="a", devices=(), outcome=outcome)


def test_that_a_state_begins_with_nothing_but_a_starting_engine(state: State) -> None:
    assert state.engine_status is EngineStatus.STARTING
    assert (state.greeting, state.engine_failure, state.model, state.current_trial) == (None, None, None, None)
    assert (state.libraries, state.devices, state.selected_keys, state.trials) == ((), (), (), ())


def test_that_each_new_fact_is_told_once_and_an_old_one_not(state: State, told: Told) -> None:
    library = Library(name="a", path="/a.so")
    for _ in range(2):
        state.set_engine(EngineStatus.READY, GREETING)
        state.set_libraries((library,))
        state.set_devices((device("a"),))
        state.set_model(ModelChoice(path="/net.onnx"))
    assert told.take() == {"engine": 1, "libraries": 1, "devices": 1, "selection": 1, "model": 1}
    state.set_libraries((Library(name="a", path="/a.so", state=LibraryState.LOADED),))
    state.set_model(ModelChoice(path="/net.onnx", failure=FAILURE))
    assert told.take() == {"libraries": 1, "model": 1}


def test_that_the_greeting_is_kept_while_the_engine_is_replaced(state: State, told: Told) -> None:
    state.set_engine(EngineStatus.READY, GREETING)
    state.set_engine(EngineStatus.STARTING)
    assert (state.engine_status, state.greeting) == (EngineStatus.STARTING, GREETING)
    assert told.take() == {"engine": 2}


def test_that_the_reason_for_giving_up_goes_with_the_next_engine(state: State, told: Told) -> None:
    state.set_engine(EngineStatus.GAVE_UP, failure=FAILURE)
    failures = [state.engine_failure]
    state.set_engine(EngineStatus.READY, GREETING)
    failures.append(state.engine_failure)
    assert failures == [FAILURE, None]
    assert told.take() == {"engine": 2}


def test_that_a_library_is_found_by_its_name(state: State) -> None:
    library = Library(name="a", path="/a.so")
    state.set_libraries((library,))
    assert state.library("a") == library
    assert state.library("b") is None


def test_that_the_first_device_is_selected_when_none_is(state: State) -> None:
    state.set_devices((device("a"), device("b")))
    assert keys_of(state) == ("a",)


def test_that_the_selection_shrinks_with_its_devices_and_falls_back_to_the_first(state: State, told: Told) -> None:
    state.set_devices((device("a"), device("b"), device("c")))
    state.select_devices(("c", "b"))
    told.take()
    state.set_devices((device("a"), device("b")))
    assert keys_of(state) == ("b",)
    state.set_devices((device("a"),))
    assert keys_of(state) == ("a",)
    state.set_devices(())
    assert keys_of(state) == ()
    assert told.take() == {"devices": 3, "selection": 3}


def test_that_a_selection_that_can_stay_stays(state: State, told: Told) -> None:
    state.set_devices((device("a"), device("b")))
    state.select_devices(("b",))
    told.take()
    state.set_devices((device("c"), device("b")))
    assert keys_of(state) == ("b",)
    assert told.take() == {"devices": 1}


def test_that_selected_devices_come_in_the_order_of_the_table(state: State) -> None:
    state.set_devices((device("a"), device("b"), device("c")))
    state.select_devices(("c", "a", "gone"))
    assert [device.key for device in state.selected_devices] == ["a", "c"]


def test_that_preferred_devices_are_selected_as_soon_as_they_are_there(state: State, told: Told) -> None:
    state.prefer_devices(("c", "b"))
    state.set_devices((device("a"),))
    assert keys_of(state) == ("a",)
    state.set_devices((device("a"), device("b")))
    assert keys_of(state) == ("b",)
    state.set_devices((device("a"), device("b"), device("c")))
    assert keys_of(state) == ("c", "b")
    assert told.take() == {"devices": 3, "selection": 3}


def test_that_a_choice_made_before_wins_over_the_preferred_devices(state: State) -> None:
    state.set_devices((device("a"), device("b")))
    state.prefer_devices(("c",))
    state.select_devices(("b",))
    state.set_devices((device("a"), device("b"), device("c")))
    assert keys_of(state) == ("b",)


@pytest.mark.parametrize(
    ("choice", "loading"),
    [(ModelChoice(path="/a"), True), (ModelChoice(path="/a", failure=FAILURE), False)],
)
def test_that_a_model_is_loading_until_something_is_known(choice: ModelChoice, loading: bool) -> None:
    assert choice.is_loading is loading


def test_that_an_added_trial_is_shown(state: State, told: Told) -> None:
    first, second = trial(1), trial(2)
    state.add_trial(first)
    state.add_trial(second)
    assert state.trials == (first, second)
    assert state.current_trial is second
    assert told.take() == {"added": 2, "current_trial": 2}
    state.show_trial(first)
    state.show_trial(first)
    assert state.current_trial is first
    assert told.take() == {"current_trial": 1}


def test_that_the_running_trial_is_found(state: State) -> None:
    running = trial(1, Outcome.RUNNING)
    state.add_trial(running)
    state.add_trial(trial(2))
    assert state.running_trial is running
    running.outcome = Outcome.STOPPED
    assert state.running_trial is None


def test_that_a_running_trial_is_not_removed(state: State) -> None:
    running, done = trial(1, Outcome.RUNNING), trial(2)
    state.add_trial(running)
    state.add_trial(done)
    state.remove_trials((running, done))
    assert state.trials == (running,)
    assert state.current_trial is running


def test_that_removing_the_shown_trial_shows_the_last_one_left(state: State) -> None:
    trials = trial(1), trial(2), trial(3)
    for each in trials:
        state.add_trial(each)
    state.show_trial(trials[0])
    state.remove_trials(trials[:1])
    assert state.current_trial is trials[2]
    state.remove_trials(trials)
    assert state.trials == ()
    assert state.current_trial is None


def test_that_removing_others_leaves_the_shown_trial(state: State) -> None:
    first, second = trial(1), trial(2)
    state.add_trial(first)
    state.add_trial(second)
    state.remove_trials((first,))
    assert state.current_trial is second


def test_that_a_notice_is_passed_on(state: State) -> None:
    notices: list[str] = []
    state.notice_posted.connect(notices.append)
    state.post("Done.")
    state.post("Done.")  # twice is twice
    assert notices == ["Done.", "Done."]
