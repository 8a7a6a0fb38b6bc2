"""A comparison run on the engine without a window: asks for what `Experiment` says, and keeps a trial for each cell."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from .comparison_run import Phase
from .experiment import Action, Close, Experiment, Measure, Open
from .headless import HeadlessEngine
from .headless_trial import HeardTrial, Surroundings
from .memory import available_bytes
from .records.codec import from_json
from .records.comparison import ComparisonPlan
from .records.failure import Failure, FailureError, FailureKind
from .records.kept_trial import KeptTrial
from .records.protocol import EventKind
from .records.result import Outcome
from .records.samples import Nanoseconds
from .records.trial import TrialFacts

_ENOUGH_SAMPLES: Final = 100_000


class HeadlessComparison:
    """Runs one plan, whatever becomes of its cells. Ctrl-C ends it in order: what was measured is kept."""

    def __init__(
        self,
        engine: HeadlessEngine,
        plan: ComparisonPlan,
        surroundings: Surroundings,
        progress: Callable[[str], None],
    ) -> None:
        """`progress` is told a line on what is being done, each time that changes."""
        self._engine = engine
        self._plan = plan
        self._surroundings = surroundings
        self._progress = progress
        self._heard = tuple(HeardTrial() for _cell in plan.cells)
        self._environments = [engine.greeting] * len(plan.cells)
        self._experiment = Experiment(
            plan,
            available_bytes,
            model_bytes=self._model_bytes(),
            samples_of=self._samples_of,
        )
        self.failure: Failure | None = None
        """Why there is no engine any more, when that ended the comparison."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be known of how it ran, a sentence each."""
        return self._experiment.notes

    def run(self) -> tuple[KeptTrial, ...]:
        """Run it to its end and return a trial for each cell, in the order of the plan."""
        with self._engine.interrupts_in_turn():
            while (action := self._experiment.next_action()) is not None:
                self._progress(self._progress_text(action))
                if self._has_engine(action):
                    self._do(action)
                if self._engine.is_interrupted:
                    self._experiment.request_stop()
        return tuple(self._kept(number) for number in range(len(self._plan.cells)))

    def _has_engine(self, action: Action) -> bool:
        """See to it that there is an engine for an action; one that cannot be done for want of it is answered."""
        if self._engine.is_running:
            return True
        if not isinstance(action, Open):  # it ended between two requests, and the sessions with it
            gone = Failure(kind=FailureKind.ENGINE_UNAVAILABLE, message="The engine ended before this was begun.")
            self._experiment.failed(gone, engine_lost=True)
            return False
        try:
            self._engine.revive()
        except KeyboardInterrupt:  # while its libraries were loaded again: there is nothing that could end in order
            self._give_up(Failure(kind=FailureKind.STOPPED, message="Stopped while an engine was started."))
            return False
        except FailureError as error:
            self._give_up(error.failure)
            return False
        return True

    def _give_up(self, failure: Failure) -> None:
        """End the comparison: there is no other engine to be had. What was measured is kept."""
        self.failure = failure
        self._engine.close()
        self._experiment.failed(replace(failure, kind=FailureKind.STOPPED), engine_lost=True)

    def _do(self, action: Action) -> None:
        """Ask the engine for what comes next and tell how it went."""
        heard = self._heard[action.cell]
        trial_id, log = self._experiment.trial_id(action.cell), heard.log
        began = time.monotonic()
        try:
            match action:
                case Open(cell=cell):
                    self._environments[cell] = self._engine.greeting
                    settings = self._plan.cells[cell].settings
                    opened = self._engine.open_session(trial_id, settings, self._hear, log)
                    self._experiment.opened(opened, seconds=time.monotonic() - began)
                case Measure(limits=limits):
                    measured = self._engine.measure_round(trial_id, limits, self._hear, log)
                    self._experiment.measured(measured, seconds=time.monotonic() - began)
                case Close(check=check):
                    closed = self._engine.close_session(trial_id, self._hear, log, check=check)
                    self._experiment.closed(closed, seconds=time.monotonic() - began)
        except FailureError as error:
            self._experiment.failed(error.failure, engine_lost=not self._engine.is_running)

    def _hear(self, message: dict[str, Any]) -> None:
        """Take an event of the request under way."""
        action = self._experiment.next_action()
        if action is None:
            return
        kind = EventKind(message["event"])
        heard = self._heard[action.cell]
        count = heard.hear(message)
        if kind is EventKind.STAGE:
            self._experiment.told(from_json(TrialFacts, message["facts"]))
        elif count:
            self._experiment.sampled(count, heard.elapsed_ns, now_ns=time.time_ns())

    def _kept(self, number: int) -> KeptTrial:
        experiment, heard, cell = self._experiment, self._heard[number], self._plan.cells[number]
        heard.facts = experiment.facts(number)
        heard.elapsed_ns = heard.facts.measured_ns
        outcome = experiment.outcome(number)
        return self._surroundings.kept(
            heard,
            cell.settings,
            outcome if outcome is not Outcome.RUNNING else Outcome.STOPPED,
            experiment.failure(number),
            created=self._plan.created,
            environment=self._environments[number],
            trial_id=experiment.trial_id(number),
            comparison=experiment.part(number),
        )

    def _model_bytes(self) -> int:
        """Return the size of the model; 0 when it cannot be read, which each cell will say."""
        try:
            return self._engine.describe_model(self._plan.cells[0].settings.model_path).size_bytes
        except FailureError:
            return 0

    def _samples_of(self, cell: int) -> Nanoseconds:
        return self._heard[cell].samples.subsample(_ENOUGH_SAMPLES)

    def _progress_text(self, action: Action) -> str:
        label = self._plan.cells[action.cell].label
        phase, left = self._experiment.phase, self._experiment.seconds_left
        doing = {Open: "creating a session", Close: "closing" if self._experiment.is_stopping else "checking outputs"}
        what = doing.get(type(action), "measuring")
        where = "" if phase is not Phase.MEASURING else f"Round {self._experiment.round} of {self._plan.rounds} · "
        return f"{where}{label}: {what}" + ("" if left is None else f" · about {left:.0f} s left")


class ProgressLine:
    """One line on stderr that is written over; nothing where stderr is no terminal."""

    def __init__(self) -> None:
        self._is_shown = sys.stderr.isatty()

    def show(self, text: str) -> None:
        """Show a text in the place of the one before."""
        if self._is_shown:
            width = max(20, shutil.get_terminal_size().columns - 1)
            encoding = sys.stderr.encoding or "utf-8"
            plain = text[:width].encode(encoding, "replace").decode(encoding)
            self._write(f"\r{plain:<{width}}")

    def clear(self) -> None:
        """Take it away."""
        if self._is_shown:
            self.show("")
            self._write("\r")

    def _write(self, text: str) -> None:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except OSError:  # the terminal has gone: there is nobody left to be shown anything
            self._is_shown = False
