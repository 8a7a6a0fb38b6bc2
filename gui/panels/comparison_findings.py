"""What is found of a comparison while it grows: its rows as they are now, and the answer, which takes longer."""

from __future__ import annotations

import contextlib
from typing import Final

from PySide6.QtCore import QElapsedTimer, QObject, QRunnable, QThreadPool, Signal

from ..comparison_run import ComparisonRun
from ..keeping import compared_run
from ..models.comparison_table import ComparisonRow, styles_of
from ..records.compared import Compared, with_labels
from ..records.comparison_answer import Answer, answer_of, items_of, varying_dimension
from ..records.comparison_answer import Verdict as RatioVerdict
from .series_styles import COLOR_COUNT

_ANSWER_MS: Final = 500
_AT_ONCE: Final = 20_000
"""Samples; the answer of more is computed on a thread of the pool."""


class ComparisonFindings(QObject):
    """The rows are made anew when asked for; the answer at most twice a second."""

    answered = Signal()
    """An answer that took a while has come."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._comparison: ComparisonRun | None = None
        self._job: _AnswerJob | None = None
        self._is_due = False
        self._since_answer = QElapsedTimer()
        self._answer_of: tuple[str, ...] = ()
        self.rows: tuple[ComparisonRow, ...] = ()
        """One a run, in their order."""
        self.answer: Answer | None = None
        """The newest; None before the first."""
        self.dimension: str | None = None
        """The one whose sizes differ among the rows."""

    @property
    def is_due(self) -> bool:
        """Whether the answer is older than what it is about."""
        return self._is_due

    @property
    def can_tell(self) -> bool:
        """Whether there is enough to compare any row with another."""
        ratios = () if self.answer is None else self.answer.ratios
        return any(ratio is not None and ratio.verdict is not RatioVerdict.TOO_FEW for ratio in ratios)

    def set_comparison(self, comparison: ComparisonRun | None) -> None:
        """Take a comparison, or the same with something new in it."""
        if comparison is not self._comparison:
            self.answer, self._answer_of, self._job = None, (), None
        self._comparison = comparison
        self._is_due = comparison is not None

    def set_due(self) -> None:
        """Tell that something new is known of it."""
        self._is_due = True

    def find_rows(self) -> None:
        """Make the rows as they are now."""
        comparison, found = self._comparison, self._compared()
        self.dimension = varying_dimension(found)
        if comparison is None:
            self.rows = ()
            return
        answer = self.answer if self._answer_of == tuple(row.id for row in found) else None
        bases = set() if answer is None else {group.baseline for group in answer.groups}
        styles = styles_of(found, self.dimension, COLOR_COUNT)
        self.rows = tuple(
            ComparisonRow(
                number=number,
                style=styles[number],
                trial=run,
                compared=row,
                ratio=None if answer is None else answer.ratios[number],
                is_baseline=number in bases,
                is_current=comparison.is_running and comparison.current == number,
                items=None if self.dimension is None else items_of(row, self.dimension),
            )
            for number, (run, row) in enumerate(zip(comparison.runs, found, strict=True))
        )

    def find_answer(self, *, now: bool) -> None:
        """Look for the answer if it is due: now, or when the last is old enough. That of many samples comes later."""
        is_early = self._since_answer.isValid() and self._since_answer.elapsed() < _ANSWER_MS
        comparison = self._comparison
        if comparison is None or not self._is_due or self._job is not None or (is_early and not now):
            return
        self._is_due = False
        self._since_answer.restart()
        found = self._compared()
        if not found:
            return
        job = _AnswerJob(comparison, found)
        if sum(len(row.samples) for row in found) <= _AT_ONCE:
            job.work()
            self._take(job)
            return
        self._job = job
        job.signals.done.connect(self._on_done)
        QThreadPool.globalInstance().start(job)

    def _compared(self) -> tuple[Compared, ...]:
        comparison = self._comparison
        return () if comparison is None else with_labels([compared_run(run) for run in comparison.runs])

    def _on_done(self, job: _AnswerJob) -> None:
        if job is not self._job:  # of a comparison that is not shown any more
            return
        self._job = None
        if job.baseline != job.comparison.baseline:
            self.find_answer(now=True)
            return
        self._take(job)
        self.answered.emit()

    def _take(self, job: _AnswerJob) -> None:
        self.answer, self._answer_of = job.answer, tuple(row.id for row in job.rows)


class _Signals(QObject):
    done = Signal(object)


class _AnswerJob(QRunnable):
    """Finds the answer on a thread of the pool; what it is given does not change any more."""

    def __init__(self, comparison: ComparisonRun, rows: tuple[Compared, ...]) -> None:
        super().__init__()
        self.setAutoDelete(False)
        self.signals = _Signals()
        self.comparison = comparison
        self.baseline = comparison.baseline
        self.rows = rows
        self.answer: Answer | None = None

    def run(self) -> None:
        """Runs on the pool's thread; the answer comes by a queued signal."""
        self.work()
        with contextlib.suppress(RuntimeError):  # the window has gone meanwhile, and the signal with it
            self.signals.done.emit(self)

    def work(self) -> None:
        """Find it."""
        self.answer = answer_of(self.rows, baseline=self.baseline)
