"""A trial of this sitting: what was asked, what is known, and the samples, growing while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .records.device import Device
from .records.failure import Failure
from .records.result import Outcome
from .records.samples import SampleSeries
from .records.statistics import LatencyStatistics, summarize
from .records.trial import Stage, TrialFacts, TrialSettings

LIVE_SAMPLES = 20_000
"""While a trial runs, percentiles are computed from at most so many samples, spread evenly."""


@dataclass(eq=False, slots=True, kw_only=True)
class TrialRun:
    """Belongs to the window's thread; `gui.trials` writes it, panels read it."""

    number: int
    """Counted from 1 in this sitting."""
    settings: TrialSettings
    model_name: str
    target_text: str
    devices: tuple[Device, ...]
    """Those chosen; none for a policy."""
    series: SampleSeries = field(default_factory=SampleSeries)
    warmup: SampleSeries = field(default_factory=SampleSeries)
    facts: TrialFacts = field(default_factory=TrialFacts)
    outcome: Outcome = Outcome.RUNNING
    failure: Failure | None = None
    elapsed_ns: int = 0
    """Wall-clock time of the measuring stage so far."""
    stopping: bool = False
    _statistics: LatencyStatistics | None = None
    _statistics_of: tuple[int, bool] = (-1, False)

    @property
    def is_running(self) -> bool:
        """Whether it is under way."""
        return self.outcome is Outcome.RUNNING

    @property
    def is_estimate(self) -> bool:
        """Whether the statistics are of a part of the samples, because it is still running."""
        return self.is_running and len(self.series) > LIVE_SAMPLES

    @property
    def progress(self) -> float:
        """How much of it is done by its stop rule, from 0 to 1."""
        rule = self.settings.stop_rule
        if rule.iterations is not None:
            return min(1.0, len(self.series) / rule.iterations)
        return min(1.0, self.elapsed_ns / 1e9 / rule.seconds) if rule.seconds else 0.0

    @property
    def seconds_left(self) -> float | None:
        """How long measuring will still take; None before it is known."""
        rule = self.settings.stop_rule
        if self.facts.stage is not Stage.MEASURING or not len(self.series):
            return None
        if rule.seconds is not None:
            return max(0.0, rule.seconds - self.elapsed_ns / 1e9)
        return (rule.iterations or 0) * self.elapsed_ns / 1e9 / len(self.series) - self.elapsed_ns / 1e9

    def statistics(self) -> LatencyStatistics | None:
        """Return the statistics: exact once it has ended, of evenly spread samples while it runs."""
        state = (len(self.series), self.is_running)
        if state != self._statistics_of:
            samples = self.series.subsample(LIVE_SAMPLES) if self.is_running else self.series.values
            self._statistics = summarize(samples, self.elapsed_ns, len(self.series) + self.series.dropped)
            if self._statistics is not None and self.is_estimate:
                self._statistics = self.series.with_true_extremes(self._statistics)
            self._statistics_of = state
        return self._statistics

    def warmup_mean_ns(self) -> float | None:
        """Return the mean of the warm-up runs, nanoseconds; None without any."""
        return float(np.mean(self.warmup.values)) if len(self.warmup) else None
