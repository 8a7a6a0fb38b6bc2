"""A trial of this sitting: what was asked, what is known, and the samples, growing while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from .records.comparison import ComparisonPart
from .records.device import Device
from .records.failure import Failure
from .records.identity import new_id, now_text
from .records.latency_remarks import Remark, latency_remarks
from .records.library import Library
from .records.placement import PlacedNodes, PlacementVerdict, judge_placement
from .records.profile import Profile
from .records.protocol import Greeting
from .records.result import Outcome
from .records.samples import SampleSeries
from .records.statistics import LatencyStatistics, summarize
from .records.trial import Stage, TrialFacts, TrialSettings
from .records.trial_log import TrialLog

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
    exact: LatencyStatistics | None = None
    """Of all samples, once it has ended and they are computed."""
    nodes: PlacedNodes | None = None
    """The names of the nodes behind `facts.placement`."""
    log: TrialLog = field(default_factory=TrialLog)
    """What ORT and the EPs said while it ran."""
    remarks: tuple[Remark, ...] = ()
    """What is to be said of its latencies, once it has ended."""
    registrations: tuple[tuple[str, int | None], ...] = ()
    """The libraries of its devices (of a policy: all that were loaded) and how long ORT took to register each, ns."""
    profile: Profile | None = None
    """Made on request, in a session of its own."""
    profile_failure: Failure | None = None
    id: str = field(default_factory=new_id)
    """A UUID as text, the same wherever the trial is kept."""
    created: str = field(default_factory=now_text)
    """When it began: ISO 8601, UTC."""
    environment: Greeting | None = None
    """The engine it ran in."""
    libraries: tuple[Library, ...] = ()
    """Those of `registrations`, as they were when it began."""
    reachable: tuple[Device, ...] = ()
    """All devices there were when it began: a policy takes some of them."""
    file_name: str = ""
    """The file it was opened from, without its folder; empty for one of this sitting or of the history."""
    is_from_history: bool = False
    """Whether it was opened from the store of trials."""
    is_being_kept: bool = False
    """Whether it has ended and is still to be written into the store of trials; `gui.trial_archive` writes this."""
    tags: tuple[str, ...] = ()
    """Those that were kept with it."""
    note: str = ""
    """That which was kept with it."""
    comparison: ComparisonPart | None = None
    """What it is part of, its rounds growing while they run; None for a trial by itself."""
    _estimate: LatencyStatistics | None = None
    _estimate_of: int = -1

    @property
    def is_running(self) -> bool:
        """Whether it is under way."""
        return self.outcome is Outcome.RUNNING

    @property
    def is_settled(self) -> bool:
        """Whether it has ended and its statistics are those of all samples: nothing of it changes any more."""
        return not self.is_running and (self.exact is not None or not len(self.series))

    @property
    def is_opened(self) -> bool:
        """Whether it comes from a file or the history, not from this sitting."""
        return bool(self.file_name) or self.is_from_history

    @property
    def verdict(self) -> PlacementVerdict:
        """How many of the nodes the wanted EP got."""
        return judge_placement(self.facts.placement, self.facts.wanted_eps)

    @property
    def is_estimate(self) -> bool:
        """Whether the percentiles shown are of a part of the samples, spread evenly."""
        return self.exact is None and len(self.series) > LIVE_SAMPLES

    @property
    def progress(self) -> float | None:
        """How much of it is done by its stop rule, from 0 to 1; None where that cannot be known: *until stable*."""
        rule = self.settings.stop_rule
        if rule.stable_percent is not None:
            return None
        if rule.iterations is not None:
            return min(1.0, len(self.series) / rule.iterations)
        return min(1.0, self.elapsed_ns / 1e9 / rule.seconds) if rule.seconds else 0.0

    @property
    def seconds_left(self) -> float | None:
        """How long measuring will still take, at most so when `may_end_sooner`; None before it is known.

        By the wall clock, so pauses and concurrent callers are part of it.
        """
        rule = self.settings.stop_rule
        if self.facts.stage is not Stage.MEASURING or not len(self.series):
            return None
        if rule.seconds is not None:
            return max(0.0, rule.seconds - self.elapsed_ns / 1e9)
        to_go = max(0, (rule.iterations or 0) - len(self.series))
        return to_go * self.elapsed_ns / 1e9 / len(self.series)

    @property
    def may_end_sooner(self) -> bool:
        """Whether `seconds_left` is a limit rather than an estimate: it may be stable any time."""
        return self.settings.stop_rule.stable_percent is not None

    def statistics(self) -> LatencyStatistics | None:
        """Return the statistics: exact once computed, before that of at most `LIVE_SAMPLES` samples."""
        if self.exact is not None:
            return self.exact
        if len(self.series) != self._estimate_of:
            self._estimate = self._estimated()
            self._estimate_of = len(self.series)
        return self._estimate

    def exact_statistics(self) -> LatencyStatistics | None:
        """Return the statistics of all samples; takes a while for millions, and may be called on any thread."""
        return summarize(self.series.values, self.elapsed_ns, len(self.series) + self.series.dropped)

    def latency_remarks(self, statistics: LatencyStatistics | None, cpu_count: int) -> tuple[Remark, ...]:
        """Return what is to be said of the samples of an ended trial; may be called on any thread."""
        return latency_remarks(
            self.series.values,
            statistics,
            callers=self.settings.callers,
            intra_op_threads=self.settings.intra_op_threads,
            cpu_count=cpu_count,
        )

    def _estimated(self) -> LatencyStatistics | None:
        count = len(self.series) + self.series.dropped
        estimate = summarize(self.series.subsample(LIVE_SAMPLES), self.elapsed_ns, count)
        if estimate is None or not self.is_estimate:
            return estimate
        low, high = self.series.extremes()
        return replace(estimate, min_ns=low, max_ns=high)

    def warmup_mean_ns(self) -> float | None:
        """Return the mean of the warm-up runs, nanoseconds; None without any."""
        return float(np.mean(self.warmup.values)) if len(self.warmup) else None
