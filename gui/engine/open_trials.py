"""The trials that are open: their sessions are there and wait to be measured. Lives on the worker thread."""

from __future__ import annotations

from ..records.comparison import RoundFacts, RoundLimits
from ..records.failure import FailureKind, failure_error
from ..records.trial import TrialFacts, TrialSettings
from .cancellation import Cancellation
from .references import References
from .registry import Registry
from .settling import Rest
from .trial import Trial, TrialListener


class OpenTrials:
    """Opens trials, finds them again by their id, and closes them."""

    def __init__(self, registry: Registry, references: References) -> None:
        self._registry = registry
        self._references = references
        self._trials: dict[str, Trial] = {}
        self._last = ""  # the trial that was measured last
        self._rest = Rest()

    def open(
        self, trial_id: str, settings: TrialSettings, cancellation: Cancellation, listener: TrialListener
    ) -> TrialFacts:
        """Open a trial. Raises `FailureError`: then it is not open, and has no session."""
        if not trial_id:
            raise failure_error(FailureKind.BAD_REQUEST, "A trial that is opened needs an id.")
        if trial_id in self._trials:
            raise failure_error(FailureKind.BAD_REQUEST, f"The trial “{trial_id}” is open already.")
        self._rest.wait(cancellation)
        trial = Trial(settings, self._registry, self._references, cancellation, listener)
        facts = trial.open()
        self._trials[trial_id] = trial
        return facts

    def measure_round(
        self, trial_id: str, limits: RoundLimits, cancellation: Cancellation, listener: TrialListener
    ) -> RoundFacts:
        """Measure some runs of a trial, once another that was measured before it rests.

        Raises `FailureError`; it stays open then, too.
        """
        trial = self._expected(trial_id)
        if trial_id != self._last:
            self._rest.wait(cancellation)
        self._last = trial_id
        try:
            return trial.measure_round(limits, cancellation, listener)
        finally:
            self._rest.begins(trial.rest_s)

    def close(self, trial_id: str, cancellation: Cancellation, listener: TrialListener, *, check: bool) -> TrialFacts:
        """Close a trial; with `check` its outputs are compared. Raises `FailureError` when none is open by that id."""
        trial = self._expected(trial_id)
        del self._trials[trial_id]
        return trial.close(cancellation, listener, check=check)

    def _expected(self, trial_id: str) -> Trial:
        trial = self._trials.get(trial_id)
        if trial is None:
            raise failure_error(FailureKind.BAD_REQUEST, f"There is no open trial “{trial_id}”.")
        return trial
