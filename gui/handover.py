"""What the window does to hand trials over: saves, exports, copies them, and opens those that were saved."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Qt, QThreadPool, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QWidget

from .comparison_run import ComparisonRun
from .dialogs.failure_box import failure_box
from .file_jobs import FileJob, ReadJob, WriteJob
from .keeping import kept_trial_of, trial_run_of
from .records.export_kinds import ENDINGS, ExportKind, export_kind
from .records.failure import Failure, FailureKind
from .records.kept_files import HEAD_BYTES, kind_of
from .records.kept_trial import KeptTrial
from .records.setup import Setup
from .records.setup_file import setup_of
from .settings import Settings
from .state import State
from .trial_run import TrialRun

if TYPE_CHECKING:
    from .records.comparison_file import KeptComparison

_MAX_BYTES: Final = 256 << 20
"""A trial of 20 million samples comes near it, and a comparison of twenty with a million each."""


class Handover(QObject):
    """Acts on the trial that is shown. Files are written and read on threads of the pool: a trial may be large."""

    offered = Signal(bool)
    """Whether there is a trial that can be handed over: one that has ended and of which all is known."""
    comparison_offered = Signal(bool)
    """Whether there is a comparison that can be handed over: one that has ended and of which all is known."""
    comparison_opened = Signal(object, object, tuple)
    """The trials of a comparison that was in a file, a tuple of `TrialRun`, which of them the others are compared
    with, None where they say so themselves, and the notes."""
    setup_requested = Signal(object)
    """The `Setup` of a trial shall be used."""

    def __init__(
        self,
        window: QWidget,
        state: State,
        settings: Settings,
        *,
        selected: Callable[[], tuple[TrialRun, ...]],
        picture: Callable[[TrialRun], bytes],
        comparison_picture: Callable[[], bytes],
    ) -> None:
        """`selected` returns the trials selected in the list; `picture` draws the charts of one as PNG.

        `comparison_picture` draws the chart that is seen of the comparison.
        """
        super().__init__(window)
        self._window = window
        self._state = state
        self._settings = settings
        self._selected = selected
        self._picture = picture
        self._comparison_picture = comparison_picture
        self._jobs: set[FileJob] = set()  # alive until they have answered
        self._is_offered = self._is_comparison_offered = False
        state.trial_changed.connect(self._offer)
        state.current_trial_changed.connect(self._offer)
        for signal in (state.comparison_changed, state.trial_changed):
            signal.connect(self._offer_comparison)

    def _offer(self) -> None:
        is_offered = self._shown() is not None
        if is_offered != self._is_offered:
            self._is_offered = is_offered
            self.offered.emit(is_offered)

    def _shown(self) -> TrialRun | None:
        trial = self._state.current_trial
        return trial if trial is not None and trial.is_settled else None

    def _offer_comparison(self) -> None:
        is_offered = self._shown_comparison() is not None
        if is_offered != self._is_comparison_offered:
            self._is_comparison_offered = is_offered
            self.comparison_offered.emit(is_offered)

    def _shown_comparison(self) -> ComparisonRun | None:
        run = self._state.comparison
        return run if run is not None and not run.is_running and all(trial.is_settled for trial in run.runs) else None

    # ---- A script ----

    def copy_script(self) -> None:
        """Put a script on the clipboard that repeats the trial."""
        text = self._script()
        if text is not None:
            QGuiApplication.clipboard().setText(text)
            self._state.post(self.tr("The script that repeats the trial is on the clipboard."))

    def save_script(self) -> None:
        """Ask where to save a script that repeats the trial; not when there is none."""
        text, trial = self._script(), self._shown()
        if text is None or trial is None:
            return
        self._ask_place(
            self.tr("Save the trial as Python"),
            f"{_file_stem(trial)}.py",
            (self.tr("Python scripts (*.py)"),),
            lambda path: self._write(path, lambda: text.encode("utf-8", "surrogateescape")),
        )

    def _script(self) -> str | None:
        """Return the script; None after telling why there is none."""
        trial = self._shown()
        if trial is None:
            return None
        from .records.trial_script import trial_script  # the window starts without it

        kept = kept_trial_of(trial)
        try:
            return trial_script(kept.settings, kept.devices, kept.libraries, kept.facts, kept.environment)
        except ValueError as error:
            self._tell(
                Failure(
                    kind=FailureKind.BAD_SETTING,
                    message=self.tr("There is no script of this trial."),
                    hint=str(error),
                )
            )
            return None

    # ---- Files ----

    def save(self) -> None:
        """Ask where to save the trial."""
        trial = self._shown()
        if trial is not None:
            self._ask_place(
                self.tr("Save the trial"),
                f"{_file_stem(trial)}.json",
                (self.tr("Trials (*.json)"),),
                partial(self.export_as, (trial,)),
            )

    def export(self) -> None:
        """Ask what to export of the trial, or of those selected, and where to."""
        trial = self._shown()
        if trial is None:
            return
        chosen = tuple(entry for entry in self._selected() if entry.is_settled)
        self._ask_place(
            self.tr("Export the trial"),
            f"{_file_stem(trial)}.html",
            (
                self.tr("Report as HTML (*.html)"),
                self.tr("Report as Markdown (*.md)"),
                self.tr("Samples as CSV (*.csv)"),
                self.tr("Summaries of the selected trials as CSV (*.summary.csv)"),
            ),
            lambda path: self.export_as((trial,), path, chosen or (trial,)),
        )

    def export_as(self, trials: tuple[TrialRun, ...], path: str, summarized: tuple[TrialRun, ...] = ()) -> None:
        """Write what the ending of the name says of the first trial, or summaries of `summarized`."""
        from .records.trial_exports import export_text  # the window starts without it

        kind = self._kind_of(path)
        if kind is None:
            return
        taken = (summarized or trials) if kind is ExportKind.SUMMARIES else trials
        kept = tuple(kept_trial_of(trial) for trial in taken)
        self._write(path, lambda: export_text(kind, kept).encode("utf-8", "surrogateescape"))

    def copy_report(self) -> None:
        """Put the report of the trial on the clipboard, as Markdown."""
        trial = self._shown()
        if trial is not None:
            from .records.trial_report import trial_markdown  # the window starts without it

            QGuiApplication.clipboard().setText(trial_markdown(kept_trial_of(trial)))
            self._state.post(self.tr("The report of the trial is on the clipboard, as Markdown."))

    def save_chart(self) -> None:
        """Ask where to save the charts."""
        trial = self._shown()
        if trial is not None:
            self._ask_place(
                self.tr("Save the charts"),
                f"{_file_stem(trial)}.png",
                (self.tr("PNG, as they are seen (*.png)"), self.tr("SVG, of all samples (*.svg)")),
                partial(self.save_chart_as, trial),
            )

    def save_chart_as(self, trial: TrialRun, path: str) -> None:
        """Save a trial's charts: as they are seen as PNG, of all samples as SVG when the name ends in .svg."""
        if path.lower().endswith(".svg"):
            self.export_as((trial,), path)
            return
        data = self._picture(trial)
        self._write(path, lambda: data)

    # ---- Comparisons ----

    def save_comparison(self) -> None:
        """Ask where to save the comparison that is shown, to be opened again."""
        self._ask_comparison_place(self.tr("Save the comparison"), "json", self.tr("Comparisons (*.json)"))

    def export_comparison(self) -> None:
        """Ask what to export of the comparison that is shown, and where to."""
        self._ask_comparison_place(
            self.tr("Export the comparison"),
            "html",
            self.tr("Report as HTML (*.html)"),
            self.tr("Report as Markdown (*.md)"),
            self.tr("Charts of medians as SVG (*.svg)"),
            self.tr("Chart that is seen, as PNG (*.png)"),
            self.tr("Samples as CSV (*.csv)"),
            self.tr("Summaries as CSV (*.summary.csv)"),
        )

    def _ask_comparison_place(self, title: str, ending: str, *filters: str) -> None:
        run = self._shown_comparison()
        if run is not None:
            stem = f"{_file_stem_of(run.runs[0].model_name, self.tr('comparison'), run.runs[0].created[:10])}.{ending}"
            self._ask_place(title, stem, filters, partial(self.export_comparison_as, run))

    def export_comparison_as(self, run: ComparisonRun, path: str) -> None:
        """Write what the ending of the name says of a comparison that has ended."""
        from .records.comparison_exports import comparison_export_text  # the window starts without them
        from .records.comparison_table import compared_trials

        if path.lower().endswith(".png"):
            picture = self._comparison_picture()
            self._write(path, lambda: picture)
            return
        kind = self._kind_of(path)
        if kind is not None:
            kept = tuple(kept_trial_of(trial) for trial in run.runs)
            self._write(
                path,
                lambda: comparison_export_text(kind, compared_trials(kept, run.baseline, run.notes)).encode(
                    "utf-8", "surrogateescape"
                ),
            )

    def copy_comparison_report(self) -> None:
        """Put the report of the comparison that is shown on the clipboard, as Markdown."""
        run = self._shown_comparison()
        if run is not None:
            from .records.comparison_report import comparison_markdown  # the window starts without them
            from .records.comparison_table import compared_trials

            kept = tuple(kept_trial_of(trial) for trial in run.runs)
            QGuiApplication.clipboard().setText(comparison_markdown(compared_trials(kept, run.baseline, run.notes)))
            self._state.post(self.tr("The report of the comparison is on the clipboard, as Markdown."))

    def use_setup(self) -> None:
        """Have the trial's set-up used for the next one."""
        trial = self._shown()
        if trial is not None:
            self.setup_requested.emit(setup_of_trial(trial))

    # ---- Opening ----

    def open(self) -> None:
        """Ask for trials to open."""
        dialog = QFileDialog(self._window, self.tr("Open trials"), self._settings.trial_folder)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.setNameFilters([self.tr("Trials (*.json)"), self.tr("All files (*)")])
        dialog.filesSelected.connect(self.open_paths)
        dialog.open()

    def open_paths(self, paths: list[str]) -> None:
        """Show the trials in these files."""
        for path in paths:
            self.open_path(path)

    def open_path(self, path: str) -> None:
        """Show the trial in a file, beside those of this sitting; one that is listed already is shown again."""
        job = ReadJob(Path(path).expanduser().absolute(), _MAX_BYTES)
        job.signals.done.connect(self._on_read)
        self._start(job)

    def is_trial(self, path: str) -> bool:
        """Whether a file is a trial or a comparison, by its name and its first bytes."""
        if not path.lower().endswith(".json"):
            return False
        try:
            with Path(path).open("rb") as file:
                return kind_of(file.read(HEAD_BYTES)) is not None
        except OSError:
            return False

    def _on_read(self, job: ReadJob) -> None:
        self._jobs.discard(job)
        if job.failure is not None:
            self._tell(job.failure)
            return
        self._settings.trial_folder = str(job.path.parent)
        if job.kept is not None:
            self._show(job.kept, job.path)
        elif job.comparison is not None:
            self._show_comparison(job.comparison, job.path)

    def _show(self, kept: KeptTrial, path: Path) -> None:
        listed = next((trial for trial in self._state.trials if trial.id == kept.id), None)
        if listed is not None:
            self._state.show_trial(listed)
            self._state.post(self.tr("The trial of {0} is in the list already, as #{1}.").format(path, listed.number))
            return
        self._add(kept, path)
        self._state.post(self.tr("The trial is open: {0}").format(path))

    def _show_comparison(self, found: KeptComparison, path: Path) -> None:
        """List the trials that are not listed yet, and have all of them compared."""
        listed = {trial.id: trial for trial in self._state.trials}
        trials = tuple(
            listed[kept.id] if kept.id in listed else self._add(kept, path, show=False) for kept in found.trials
        )
        self._state.post(self.tr("The comparison is open: {0}").format(path))
        baseline = None if found.baseline is None else trials[found.baseline]
        self.comparison_opened.emit(trials, baseline, found.notes)

    def _add(self, kept: KeptTrial, path: Path, *, show: bool = True) -> TrialRun:
        number = 1 + max((trial.number for trial in self._state.trials), default=0)
        trial = trial_run_of(kept, number, path.name)
        self._state.add_trial(trial, show=show)
        return trial

    # ---- What all of them need ----

    def _ask_place(self, title: str, name: str, filters: tuple[str, ...], write: Callable[[str], None]) -> None:
        folder = Path(self._settings.trial_folder or Path.home())
        dialog = QFileDialog(self._window, title, str(folder))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters([*filters, self.tr("All files (*)")])
        dialog.setDefaultSuffix(_suffix(filters[0]))
        dialog.filterSelected.connect(lambda chosen: dialog.setDefaultSuffix(_suffix(chosen)))
        dialog.selectFile(name)
        dialog.fileSelected.connect(write)
        dialog.open()

    def _kind_of(self, path: str) -> ExportKind | None:
        """Return what the ending of a name says; None after telling that it says nothing."""
        kind = export_kind(path)
        if kind is None:
            self._tell(
                Failure(
                    kind=FailureKind.BAD_SETTING,
                    message=self.tr("{0} has an ending that says of no kind of file.").format(Path(path).name),
                    hint=self.tr("Choose one of {0}.").format(ENDINGS),
                )
            )
        return kind

    def _write(self, path: str, render: Callable[[], bytes]) -> None:
        """Write what `render` returns, on a thread of the pool; it must not touch the window."""
        job = WriteJob(path, render)
        job.signals.done.connect(self._on_written)
        self._start(job)

    def _on_written(self, job: WriteJob) -> None:
        self._jobs.discard(job)
        if job.error:
            self._tell(
                Failure(
                    kind=FailureKind.BAD_SETTING,
                    message=self.tr("{0} cannot be written.").format(job.path),
                    hint=self.tr("Choose another place."),
                    detail=job.error,
                )
            )
            return
        self._settings.trial_folder = str(Path(job.path).parent)
        self._state.post(self.tr("Saved: {0}").format(job.path))

    def _start(self, job: FileJob) -> None:
        self._jobs.add(job)
        QThreadPool.globalInstance().start(job)

    def _tell(self, failure: Failure) -> None:
        failure_box(self.tr("Trial"), failure, self._window).open()
        self._state.post(failure.message)


def setup_of_trial(trial: TrialRun) -> Setup:
    """Return the set-up that a trial was run by, its devices and libraries as they were."""
    return setup_of(trial.settings, (), trial.libraries, trial.reachable)


def _suffix(name_filter: str) -> str:
    """Return the ending that a filter of names asks for: `csv` of `CSV (*.csv)`."""
    found = re.search(r"\(\*\.([\w.]+)\)", name_filter)
    return "" if found is None else found[1]


def _file_stem(trial: TrialRun) -> str:
    """Return MODEL_TARGET_DATE, without what a file's name should not have."""
    return _file_stem_of(trial.model_name, trial.target_text, trial.created[:10])


def _file_stem_of(*parts: str) -> str:
    return "_".join(re.sub(r"[^\w.-]+", "_", part).strip("_") for part in parts if part)
