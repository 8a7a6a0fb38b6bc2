"""The trials of the store as a table: 100,000 of them, filtered and sorted at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final

from PySide6.QtCore import QCoreApplication, QDateTime, QLocale, QObject, Qt, QTimer
from PySide6.QtGui import QIcon

from ..records.check import Agreement
from ..records.placement import PlacementVerdict
from ..records.result import Outcome
from ..store.summaries import TrialSummary
from .table import Column, RecordTableModel
from .texts import DASH, count_text, rate_text, time_text
from .verdict_texts import Tone, range_text

_Key = Callable[[TrialSummary], Any]
_NEWEST_FIRST: Final = (0, True)
_FOLDED_AT_ONCE: Final = 5000


def _tr(text: str) -> str:
    return QCoreApplication.translate("HistoryTable", text)


def when_text(created: str) -> str:
    """Return a time (ISO 8601, UTC) as the user's clock and locale have it; a dash for none."""
    time = QDateTime.fromString(created, Qt.DateFormat.ISODateWithMs)
    if not created or not time.isValid():
        return DASH
    local = time.toLocalTime()
    date = QLocale().toString(local.date(), QLocale.FormatType.ShortFormat)
    return f"{date} {QLocale().toString(local.time(), 'HH:mm:ss')}"  # trials follow each other within seconds


def outcome_text(outcome: Outcome) -> str:
    """Return how a trial ended, in a word."""
    return {
        Outcome.RUNNING: _tr("running"),
        Outcome.FINISHED: _tr("finished"),
        Outcome.STOPPED: _tr("stopped"),
        Outcome.FAILED: _tr("failed"),
    }[outcome]


def placement_text(verdict: PlacementVerdict) -> str:
    """Return how many of the nodes the wanted EP got, in a word; a dash where that is not known."""
    return {
        PlacementVerdict.ALL: _tr("all"),
        PlacementVerdict.PART: _tr("part"),
        PlacementVerdict.NONE: _tr("none"),
        PlacementVerdict.EMPTY: _tr("no node left"),
        PlacementVerdict.UNKNOWN: DASH,
    }[verdict]


def outputs_text(agreement: Agreement | None) -> str:
    """Return whether the outputs agree with the CPU's, in a word; a dash where they were not compared."""
    if agreement is None:
        return DASH
    return {
        Agreement.IDENTICAL: _tr("identical"),
        Agreement.WITHIN: _tr("within"),
        Agreement.DIFFERENT: _tr("differ"),
        Agreement.NOT_CHECKED: _tr("not checked"),
    }[agreement]


PLACEMENT_ICONS: Final = {
    PlacementVerdict.ALL: ("loaded", Tone.GOOD),
    PlacementVerdict.PART: ("part", Tone.DOUBTFUL),
    PlacementVerdict.NONE: ("warning", Tone.BAD),
    PlacementVerdict.EMPTY: ("warning", Tone.DOUBTFUL),
}
"""The name and tone of the icon; none where nothing is known."""
OUTPUTS_ICONS: Final = {
    Agreement.IDENTICAL: ("loaded", Tone.GOOD),
    Agreement.WITHIN: ("loaded", Tone.GOOD),
    Agreement.DIFFERENT: ("differs", Tone.DOUBTFUL),
    Agreement.NOT_CHECKED: ("unknown", Tone.PLAIN),
}


class HistoryTableModel(RecordTableModel[TrialSummary]):
    """One row a trial, the newest first. The callables give the icon of an outcome, and one of a name and tone.

    It filters and sorts by itself, as a proxy would ask Python for each of the rows, and tells any change as a reset:
    the view keeps its selection by `row_numbers`.
    """

    def __init__(
        self,
        outcome_icon: Callable[[Outcome], QIcon | None],
        tone_icon: Callable[[str, Tone], QIcon | None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(_columns(outcome_icon, tone_icon), lambda row: row.id, parent)
        self._all: list[TrialSummary] = []
        self._folded: list[str] = []
        self._words: tuple[str, ...] = ()
        self._outcome: Outcome | None = None
        self._verdict: PlacementVerdict | None = None
        self._order: tuple[int, bool] = _NEWEST_FIRST
        self._folding = QTimer(self)
        self._folding.timeout.connect(self._fold_some)

    @property
    def total(self) -> int:
        """How many trials there are, shown or not."""
        return len(self._all)

    def set_rows(self, rows: Sequence[TrialSummary]) -> None:
        """Take all trials, in the order in which they came into the store."""
        self._all = list(rows)
        self._folded = []
        self._folding.start()
        self._show()

    def add_rows(self, rows: Sequence[TrialSummary]) -> None:
        """Take trials that came into the store after those that are there."""
        self._all += rows
        self._show()

    def update_rows(self, rows: Sequence[TrialSummary]) -> None:
        """Take a later state of trials; those that are not there are passed over."""
        places = {row.id: place for place, row in enumerate(self._all)}
        known = [(places[row.id], row) for row in rows if row.id in places]
        for place, row in known:
            self._all[place] = row
            if place < len(self._folded):
                self._folded[place] = _searched(row)
        if known:
            self._show()

    def remove_rows(self, ids: Sequence[str]) -> None:
        """Let go of the trials with these ids."""
        gone = set(ids)
        self.set_rows([row for row in self._all if row.id not in gone])

    def set_filter_text(self, text: str) -> None:
        """Show only trials of which the texts hold each of the words."""
        words = tuple(text.casefold().split())
        if words != self._words:
            self._words = words
            self._show()

    def set_outcome(self, outcome: Outcome | None) -> None:
        """Show only trials that ended so; None shows all."""
        if outcome is not self._outcome:
            self._outcome = outcome
            self._show()

    def set_verdict(self, verdict: PlacementVerdict | None) -> None:
        """Show only trials placed so; None shows all."""
        if verdict is not self._verdict:
            self._verdict = verdict
            self._show()

    @property
    def known_tags(self) -> tuple[str, ...]:
        """All tags in use, sorted."""
        return tuple(sorted({tag for row in self._all for tag in row.tags}, key=str.casefold))

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Qt's; what has no value comes last either way."""
        self._order = (column, order is Qt.SortOrder.DescendingOrder) if column >= 0 else _NEWEST_FIRST
        self._show()

    def row_numbers(self, ids: set[str]) -> list[int]:
        """Return the numbers of the rows that show these trials, ascending."""
        return [number for number, row in enumerate(self._rows) if row.id in ids] if ids else []

    def _show(self) -> None:
        shown = self._sorted(self._filtered())
        self.beginResetModel()
        self._rows = shown
        self.endResetModel()

    def _filtered(self) -> list[TrialSummary]:
        shown = self._all
        if self._words:
            self._fold(len(self._all))
            pairs = list(zip(self._all, self._folded, strict=True))
            for word in self._words:
                pairs = [pair for pair in pairs if word in pair[1]]
            shown = [row for row, _text in pairs]
        if self._outcome is not None:
            shown = [row for row in shown if row.outcome is self._outcome]
        if self._verdict is not None:
            shown = [row for row in shown if row.verdict is self._verdict]
        return shown

    def _fold_some(self) -> None:
        """Fold a part of the texts while nothing else is to be done: the first key typed shall not wait for all."""
        self._fold(len(self._folded) + _FOLDED_AT_ONCE)
        if len(self._folded) == len(self._all):
            self._folding.stop()

    def _fold(self, end: int) -> None:
        self._folded += [_searched(row) for row in self._all[len(self._folded) : end]]

    def _sorted(self, rows: list[TrialSummary]) -> list[TrialSummary]:
        column, backwards = self._order
        key = _KEYS[column] or _comparison_key(self._all)
        newest_first = rows[::-1]
        if column == _NEWEST_FIRST[0]:
            # Those of which the time is not known are the oldest.
            return sorted(newest_first if backwards else rows, key=key, reverse=backwards)
        keys = [key(row) for row in newest_first]
        if None not in keys:
            return sorted(newest_first, key=key, reverse=backwards)
        known = [row for row, value in zip(newest_first, keys, strict=True) if value is not None]
        return sorted(known, key=key, reverse=backwards) + [row for row in newest_first if key(row) is None]


def _searched(row: TrialSummary) -> str:
    """Return what words are looked for in: texts as they are, for 100,000 times in the locale's form take seconds."""
    return (
        f"{row.model_path}\n{row.sizes}\n{row.target}\n{row.eps}\n{row.failure}\n{row.machine}\n{row.onnxruntime}\n"
        f"{' '.join(row.tags)}\n{row.note}\n{row.created}\n{row.cell_label}"
    ).casefold()


def _model_text(row: TrialSummary) -> str:
    """Return the model with those sizes of its free dimensions that are not 1: they tell trials apart."""
    sizes = [size for size in row.sizes.split(", ") if size and not size.endswith("=1")]
    return f"{row.model_name}, {', '.join(sizes)}" if sizes else row.model_name


def _model_tip(row: TrialSummary) -> str:
    return f"{row.model_path}\n{row.sizes}" if row.sizes else row.model_path


def _placement_tip(row: TrialSummary) -> str:
    match row.verdict:
        case PlacementVerdict.ALL:
            return _tr("All nodes ran on {0}.").format(row.eps)
        case PlacementVerdict.PART:
            return _tr("Part of the nodes ran on {0}.").format(row.eps)
        case PlacementVerdict.NONE:
            return _tr("None of the nodes ran on {0}.").format(row.eps)
        case PlacementVerdict.EMPTY:
            return _tr("No node was left to run: ONNX Runtime folded the model into constants.")
    return _tr("Which EPs ran the nodes of the model: not known")


def _outputs_tip(row: TrialSummary) -> str:
    match row.agreement:
        case Agreement.IDENTICAL:
            return _tr("The outputs are identical to those of ORT's CPU EP.")
        case Agreement.WITHIN:
            return _tr("The outputs are within tolerance of those of ORT's CPU EP.")
        case Agreement.DIFFERENT:
            return _tr("The outputs differ from those of ORT's CPU EP.")
    return _tr("The outputs were not compared.")


def _comparison_tip(row: TrialSummary) -> str:
    if row.comparison is None or row.cell is None:
        return _tr("A trial by itself")
    return _tr("“{0}”, number {1} of a comparison").format(row.cell_label, count_text(row.cell + 1))


def _median_tip(row: TrialSummary) -> str:
    if row.median_ns is None:
        return _tr("It has no samples.")
    if row.median_low_ns is None:
        return _tr("The 95 % interval of the median needs 6 samples or more.")
    return _tr("95 % interval of the median: {0}").format(range_text(row.median_low_ns, row.median_high_ns))


def _columns(
    outcome_icon: Callable[[Outcome], QIcon | None], tone_icon: Callable[[str, Tone], QIcon | None]
) -> tuple[Column[TrialSummary], ...]:
    def marked(
        title: str,
        header_tip: str,
        text: Callable[[TrialSummary], str],
        tip: Callable[[TrialSummary], str],
        mark: Callable[[TrialSummary], tuple[str, Tone] | None],
    ) -> Column[TrialSummary]:
        def icon(row: TrialSummary) -> QIcon | None:
            found = mark(row)
            return None if found is None else tone_icon(*found)

        return Column[TrialSummary](title=title, text=text, icon=icon, tip=tip, header_tip=header_tip)

    return (
        Column[TrialSummary](title=_tr("When"), text=lambda row: when_text(row.created)),
        Column[TrialSummary](title=_tr("Model"), text=_model_text, tip=_model_tip),
        Column[TrialSummary](title=_tr("Target"), text=lambda row: row.target),
        marked(
            _tr("Placement"),
            _tr("How many nodes of the model the EP of the target got"),
            lambda row: placement_text(row.verdict),
            _placement_tip,
            lambda row: PLACEMENT_ICONS.get(row.verdict),
        ),
        marked(
            _tr("Outputs"),
            _tr("Whether the outputs agree with those of ORT's CPU EP"),
            lambda row: outputs_text(row.agreement),
            _outputs_tip,
            lambda row: None if row.agreement is None else OUTPUTS_ICONS[row.agreement],
        ),
        Column[TrialSummary](
            title=_tr("Outcome"),
            text=lambda row: outcome_text(row.outcome),
            icon=lambda row: outcome_icon(row.outcome),
            tip=lambda row: row.failure or outcome_text(row.outcome),
        ),
        _number(_tr("Median"), lambda row: time_text(row.median_ns), _median_tip),
        _number(_tr("p90"), lambda row: time_text(row.p90_ns)),
        _number(_tr("p99"), lambda row: time_text(row.p99_ns)),
        _number(_tr("Samples"), lambda row: count_text(row.sample_count)),
        _number(_tr("Throughput"), lambda row: rate_text(row.throughput_per_s)),
        marked(
            _tr("Comparison"),
            _tr("What the trial was called in the comparison it was part of; sorted by it, those of one lie together"),
            lambda row: row.cell_label,
            _comparison_tip,
            lambda row: None if row.comparison is None else ("compare", Tone.PLAIN),
        ),
        Column[TrialSummary](title=_tr("Tags"), text=lambda row: ", ".join(row.tags)),
        Column[TrialSummary](title=_tr("Note"), text=lambda row: " ".join(row.note.split()), tip=lambda row: row.note),
        Column[TrialSummary](title=_tr("Machine"), text=lambda row: row.machine or DASH),
        Column[TrialSummary](
            title=_tr("ORT"),
            text=lambda row: row.onnxruntime or DASH,
            header_tip=_tr("The version of onnxruntime it ran with"),
        ),
    )


def _number(
    title: str, text: Callable[[TrialSummary], str], tip: Callable[[TrialSummary], str] | None = None
) -> Column[TrialSummary]:
    return Column[TrialSummary](title=title, text=text, tip=tip, is_number=True)


@cache
def _folded_tags(tags: tuple[str, ...]) -> tuple[str, ...] | None:
    return tuple(tag.casefold() for tag in tags) or None


@cache
def _version(text: str) -> tuple[int, ...] | None:
    """Return the parts of a version: 1.9 comes before 1.30."""
    parts = text.replace("+", ".").split(".")
    return tuple(int(part) if part.isdigit() else -1 for part in parts) if text else None


_VERDICTS: Final = {
    verdict: place for place, verdict in enumerate((PlacementVerdict.NONE, PlacementVerdict.PART, PlacementVerdict.ALL))
}
_AGREEMENTS: Final = {agreement: place for place, agreement in enumerate(Agreement)}

_KEYS: Final[tuple[_Key | None, ...]] = (
    lambda row: row.created,
    lambda row: f"{row.model_name.casefold()}\n{row.sizes}",
    lambda row: row.target.casefold() or None,
    lambda row: _VERDICTS.get(row.verdict),
    lambda row: None if row.agreement is None else _AGREEMENTS[row.agreement],
    lambda row: row.outcome.value,
    lambda row: row.median_ns,
    lambda row: row.p90_ns,
    lambda row: row.p99_ns,
    lambda row: row.sample_count,
    lambda row: row.throughput_per_s,
    None,
    lambda row: _folded_tags(row.tags),
    lambda row: row.note.casefold() or None,
    lambda row: row.machine.casefold() or None,
    lambda row: _version(row.onnxruntime),
)
"""What each column sorts by, where None comes last; of the comparisons see `_comparison_key`."""


def _comparison_key(rows: list[TrialSummary]) -> _Key:
    """Return a key that puts the trials of one comparison together by their cells, the oldest comparison first."""
    firsts: dict[str | None, int] = {}
    for row in rows:
        firsts.setdefault(row.comparison, row.number)
    return lambda row: None if row.comparison is None else (firsts[row.comparison], row.cell or 0)
