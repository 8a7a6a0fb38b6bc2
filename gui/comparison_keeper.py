"""Runs comparisons: asks the engine for what an `Experiment` says, and fills one trial a cell with the answers."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from .client.client import EngineClient
from .client.requests import PendingRequest
from .comparison_run import ComparisonRun, Phase
from .experiment import Action, Experiment, Measure, Open
from .memory import available_bytes, file_bytes
from .records.comparison import ComparisonPlan, RoundFacts
from .records.failure import Failure
from .records.library import LibraryState
from .records.placement import PlacedNodes
from .records.process_exit import ProcessExit
from .records.protocol import Op
from .records.result import Outcome
from .records.samples import Nanoseconds
from .records.trial import Stage, TrialFacts
from .records.trial_log import TrialLogLine
from .state import EngineStatus, State
from .trial_run import TrialRun
from .trial_work import TrialSettler, add_samples, lost_samples_text, may_use, new_trial

KEEPING_S: Final = 5.0
"""`rounds_done` is told at most so often."""
_STABLE_SAMPLES: Final = 100_000
"""Whether a median is stable is judged by at most so many samples, spread evenly: a few milliseconds."""


@dataclass(slots=True, kw_only=True)
class _Known:
    """A comparison of this sitting: what is shown of it, and what decides on its steps."""

    run: ComparisonRun
    experiment: Experiment


class ComparisonKeeper(QObject):
    """Owns the comparisons of this sitting and their trials in the state."""

    rounds_done = Signal(object)
    """A `ComparisonRun`, after a whole round; not after each when they are short."""
    ended = Signal(object)
    """A `ComparisonRun` that has ended, or was stopped."""

    def __init__(self, client: EngineClient, state: State, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._client = client
        self._state = state
        self._settler = TrialSettler(state, self)
        self._known: list[_Known] = []
        self._running: _Known | None = None
        self._request: PendingRequest | None = None
        self._trial: TrialRun | None = None  # the one that the request is about
        self._asked_at = 0.0
        self._told_round = 0
        self._told_at = -KEEPING_S
        self._must_wait = False  # for an engine with all its libraries
        client.died.connect(self._on_died)
        state.engine_changed.connect(self._step_soon)
        state.libraries_changed.connect(self._step_soon)

    def run(self, plan: ComparisonPlan) -> None:
        """Run a comparison, unless the engine is busy or not there."""
        if not self._can_begin():
            return
        experiment = Experiment(
            plan,
            available_bytes,
            model_bytes=file_bytes(plan.cells[0].settings.model_path),
            samples_of=self._samples_of,
        )
        runs = tuple(self._new_run(plan, experiment, index) for index in range(len(plan.cells)))
        run = ComparisonRun(id=plan.id, runs=runs, baseline=plan.baseline, plan=plan, phase=Phase.OPENING)
        self._known.append(_Known(run=run, experiment=experiment))
        self._begin(self._known[-1])

    def stop(self) -> None:
        """Stop the one that runs; what does not end by itself is killed after the client's grace period."""
        known = self._running
        if known is None or known.experiment.is_stopping:
            return
        known.experiment.request_stop()
        for trial in known.run.runs:
            if trial.is_running:
                trial.stopping = True
                self._state.trial_changed.emit(trial)
        if self._request is not None and (self._request.is_begun or self._request.op is not Op.CLOSE_SESSION):
            self._client.cancel(self._request)
        self._tell(known)
        self._step_soon()

    def resume(self) -> None:
        """Go on with the comparison that is shown, where it was stopped: the same trials grow."""
        known = self._shown()
        if known is None or not known.experiment.can_resume or not self._can_begin():
            return
        known.experiment.resume()
        for index, trial in enumerate(known.run.runs):
            if known.experiment.outcome(index) is Outcome.RUNNING:
                trial.outcome, trial.failure, trial.exact, trial.remarks = Outcome.RUNNING, None, None, ()
                if trial not in self._state.trials:  # it was taken from the list
                    self._state.add_trial(trial, show=False)
                self._take(known, index)
        self._begin(known)

    def repeat(self, index: int) -> None:
        """Measure one cell of the comparison that is shown anew, as another trial in the place of the first."""
        known = self._shown()
        if known is None or known.run.plan is None or not self._can_begin():
            return
        if not 0 <= index < len(known.run.runs) or not known.run.can_repeat:
            return
        known.experiment.repeat(index)
        fresh = self._new_run(known.run.plan, known.experiment, index)
        known.run.runs = tuple(fresh if at == index else trial for at, trial in enumerate(known.run.runs))
        self._begin(known)

    def make_way_for(self, library_name: str) -> None:
        """Stop the one that runs when a cell of it uses, or by a policy may use, a library that shall go."""
        if self._running is not None and any(may_use(trial, library_name) for trial in self._running.run.runs):
            self.stop()

    # ---- Beginning ----

    def _can_begin(self) -> bool:
        return not self._state.is_busy and self._state.engine_status is EngineStatus.READY

    def _shown(self) -> _Known | None:
        return next((known for known in self._known if known.run is self._state.comparison), None)

    def _new_run(self, plan: ComparisonPlan, experiment: Experiment, index: int) -> TrialRun:
        cell = plan.cells[index]
        trial = new_trial(
            self._state,
            cell.settings,
            target_text=cell.target_text,
            id=experiment.trial_id(index),
            comparison=experiment.part(index),
        )
        self._state.add_trial(trial, show=False)
        return trial

    def _begin(self, known: _Known) -> None:
        self._running = known
        self._told_round, self._told_at = known.experiment.rounds_done, -KEEPING_S
        self._must_wait = True
        targets, model = len(known.run.runs), Path(known.run.runs[0].settings.model_path).stem
        self._state.set_work(self.tr("comparing {0} targets with {1}").format(targets, model))
        self._update(known)
        self._state.show_comparison(known.run)
        self._step_soon()

    # ---- Step by step ----

    def _step_soon(self) -> None:
        """After all others have heard of what happened: a failure is told before the death that caused it."""
        if self._running is not None:
            QTimer.singleShot(0, self, self._step)

    def _step(self) -> None:
        known = self._running
        if known is None or self._request is not None:
            return
        if self._state.engine_status is EngineStatus.GAVE_UP:
            known.experiment.request_stop()
        elif not known.experiment.is_stopping and not self._is_engine_there():
            return
        action = known.experiment.next_action()
        if action is None:
            self._end(known)
            return
        self._ask(known, action)
        self._tell(known)
        self._tell_rounds(known)

    def _is_engine_there(self) -> bool:
        """Whether there is an engine, and after a death with all its libraries."""
        if self._state.engine_status is not EngineStatus.READY:
            return False
        if self._must_wait and any(entry.state is LibraryState.LOADING for entry in self._state.libraries):
            return False
        self._must_wait = False
        return True

    def _ask(self, known: _Known, action: Action) -> None:
        trial = self._trial = known.run.runs[action.cell]
        if isinstance(action, Open):
            request = self._client.open_session(trial.id, trial.settings)
            request.succeeded.connect(self._on_opened)
        elif isinstance(action, Measure):
            request = self._client.measure_round(trial.id, action.limits)
            request.succeeded.connect(self._on_measured)
        else:
            request = self._client.close_session(trial.id, check=action.check)
            request.succeeded.connect(self._on_closed)
        request.begun.connect(self._on_begun)
        request.facts_received.connect(self._on_facts)
        request.samples_received.connect(self._on_samples)
        request.nodes_received.connect(self._on_nodes)
        request.logged.connect(self._on_logged)
        request.failed.connect(self._on_failed)
        self._request = request
        self._asked_at = time.monotonic()

    def _end(self, known: _Known) -> None:
        for index in range(len(known.run.runs)):
            self._take(known, index)
        self._running = self._trial = None
        self._update(known)
        self._state.set_work("")
        self._show(known)
        self.ended.emit(known.run)

    # ---- What the engine tells ----

    def _on_begun(self) -> None:
        """A library may hang in closing, too. One that was cancelled before it began would not be done."""
        if self._running is not None and self._request is not None and self._running.experiment.is_stopping:
            self._client.cancel(self._request)

    def _on_facts(self, facts: TrialFacts) -> None:
        if self._running is not None:
            self._running.experiment.told(facts)
            self._take_current()

    def _on_samples(self, stage: Stage, samples: Nanoseconds, elapsed_ns: int) -> None:
        if self._running is not None and self._trial is not None:
            add_samples(self._trial, stage, samples)
            if stage is not Stage.WARMING_UP:
                self._running.experiment.sampled(len(samples), elapsed_ns, now_ns=time.time_ns())
            self._take_current()

    def _on_nodes(self, nodes: PlacedNodes) -> None:
        if self._trial is not None:
            self._trial.nodes = nodes
            self._state.trial_changed.emit(self._trial)

    def _on_logged(self, lines: tuple[TrialLogLine, ...]) -> None:
        if self._trial is not None:
            self._trial.log.add(lines)
            self._state.trial_changed.emit(self._trial)

    def _on_opened(self, facts: TrialFacts) -> None:
        if self._running is not None:
            self._running.experiment.opened(facts, seconds=self._seconds())
            self._go_on(self._running)

    def _on_measured(self, facts: RoundFacts) -> None:
        if self._running is not None:
            self._running.experiment.measured(facts, seconds=self._seconds())
            self._go_on(self._running)

    def _on_closed(self, facts: TrialFacts) -> None:
        if self._running is not None:
            self._running.experiment.closed(facts, seconds=self._seconds())
            self._go_on(self._running)

    def _on_failed(self, failure: Failure) -> None:
        if self._running is not None:
            is_lost = self._client.greeting is None
            self._must_wait = self._must_wait or is_lost
            self._running.experiment.failed(failure, engine_lost=is_lost)
            self._go_on(self._running)

    def _on_died(self, _process_exit: ProcessExit) -> None:
        """The engine may have ended while nothing was asked of it."""
        if self._running is not None:
            self._running.experiment.engine_lost()
            self._must_wait = True
            self._step_soon()

    def _go_on(self, known: _Known) -> None:
        """An action is answered."""
        trial, self._request, self._trial = self._trial, None, None
        if trial is not None:
            self._take(known, known.run.runs.index(trial))
        self._step_soon()

    def _seconds(self) -> float:
        return time.monotonic() - self._asked_at

    # ---- What is shown ----

    def _take_current(self) -> None:
        known = self._running
        if known is not None and known.experiment.current is not None:
            self._take(known, known.experiment.current)

    def _take(self, known: _Known, index: int) -> None:
        """Bring a trial that runs up to what the experiment knows of it, and settle it once nothing is added more."""
        trial, experiment = known.run.runs[index], known.experiment
        if not trial.is_running:
            return
        trial.facts = experiment.facts(index)
        trial.elapsed_ns = trial.facts.measured_ns
        trial.comparison = experiment.part(index)
        if not experiment.is_final(index):
            self._state.trial_changed.emit(trial)
            return
        trial.outcome, trial.failure, trial.stopping = experiment.outcome(index), experiment.failure(index), False
        if complaint := lost_samples_text(trial):
            self._state.post(complaint)
        self._settler.settle(trial)

    def _tell(self, known: _Known) -> None:
        self._update(known)
        self._show(known)

    def _update(self, known: _Known) -> None:
        run, experiment = known.run, known.experiment
        run.phase, run.round, run.current = experiment.phase, experiment.round, experiment.current
        run.seconds_left, run.stopping, run.notes = experiment.seconds_left, experiment.is_stopping, experiment.notes

    def _show(self, known: _Known) -> None:
        """Tell that it has moved on; not when the user looks at another one meanwhile."""
        if self._state.comparison is known.run:
            self._state.show_comparison(known.run)

    def _tell_rounds(self, known: _Known) -> None:
        now, done = time.monotonic(), known.experiment.rounds_done
        if done > self._told_round and now - self._told_at >= KEEPING_S:
            self._told_round, self._told_at = done, now
            self.rounds_done.emit(known.run)

    def _samples_of(self, cell: int) -> Nanoseconds:
        assert self._running is not None  # noqa: S101 it is asked only while it runs
        return self._running.run.runs[cell].series.subsample(_STABLE_SAMPLES)
