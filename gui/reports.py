"""The device report from the window: saved, copied, compared with a saved one."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from PySide6.QtCore import QIODevice, QObject, QSaveFile, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QWidget

from .dialogs.failure_box import failure_box
from .records.failure import Failure, FailureError, FailureKind
from .records.report import DeviceReport
from .settings import Settings
from .state import State

_MARKDOWN: Final = (".md", ".markdown")
_MAX_BYTES: Final = 64 << 20
"""No report of this application comes near it."""


class Reports(QObject):
    """Puts reports together from the state."""

    def __init__(self, window: QWidget, state: State, settings: Settings) -> None:
        super().__init__(window)
        self._window = window
        self._state = state
        self._settings = settings

    def current(self) -> DeviceReport | None:
        """The report of what is there now; None before the first engine has said what it is."""
        if self._state.greeting is None:
            return None
        return DeviceReport(
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            environment=self._state.greeting,
            libraries=self._state.libraries,
            devices=self._state.devices,
            hardware=self._state.hardware,
            incompatibilities=self._state.incompatibilities,
        )

    def save(self) -> None:
        """Ask where to save the report, as JSON or Markdown."""
        folder = Path(self._settings.report_folder or Path.home())
        name = f"devices-{platform.node() or 'here'}-{datetime.now().strftime('%Y-%m-%d')}.json"
        dialog = QFileDialog(self._window, self.tr("Save the device report"), str(folder))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters([self.tr("JSON, can be compared (*.json)"), self.tr("Markdown, to be read (*.md)")])
        dialog.setDefaultSuffix("json")
        dialog.filterSelected.connect(lambda chosen: dialog.setDefaultSuffix("md" if "*.md" in chosen else "json"))
        dialog.selectFile(name)
        dialog.fileSelected.connect(self.save_as)
        dialog.open()

    def save_as(self, path: str) -> None:
        """Save the report; a name that ends in .md makes it Markdown."""
        report = self.current()
        if report is None:
            return
        from .records.report_file import report_json
        from .records.report_markdown import report_markdown

        text = report_markdown(report) if path.lower().endswith(_MARKDOWN) else report_json(report)
        file = QSaveFile(path)
        data = text.encode("utf-8", "surrogateescape")
        is_open = file.open(QIODevice.OpenModeFlag.WriteOnly)
        if not is_open or file.write(data) != len(data) or not file.commit():
            self._tell(
                Failure(
                    kind=FailureKind.BAD_SETTING,
                    message=self.tr("{0} cannot be written.").format(path),
                    hint=self.tr("Choose another folder."),
                    detail=file.errorString(),
                )
            )
            return
        self._settings.report_folder = str(Path(path).parent)
        self._state.post(self.tr("The device report is saved: {0}").format(path))

    def copy(self) -> None:
        """Put the report on the clipboard, as Markdown."""
        report = self.current()
        if report is not None:
            from .records.report_markdown import report_markdown

            QGuiApplication.clipboard().setText(report_markdown(report))
            self._state.post(self.tr("The device report is on the clipboard, as Markdown."))

    def compare(self) -> None:
        """Ask for a saved report to compare with."""
        dialog = QFileDialog(self._window, self.tr("Compare with a device report"), self._settings.report_folder)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters([self.tr("Device reports (*.json)"), self.tr("All files (*)")])
        dialog.fileSelected.connect(self.compare_with)
        dialog.open()

    def compare_with(self, path: str) -> None:
        """Show what has changed since a saved report was made."""
        report = self.current()
        if report is None:
            return
        from .records.report_file import read_report

        file = Path(path)
        try:
            if file.stat().st_size > _MAX_BYTES:
                raise OSError(self.tr("it is too large for a device report"))
            saved = read_report(file.read_bytes(), file.name)
        except OSError as error:
            self._tell(
                Failure(
                    kind=FailureKind.NOT_A_REPORT,
                    message=self.tr("{0} cannot be read: {1}.").format(file.name, error.strerror or error),
                    hint=self.tr("Choose a device report that was saved as JSON."),
                )
            )
            return
        except FailureError as error:
            self._tell(error.failure)
            return
        self._settings.report_folder = str(file.parent)
        from .dialogs.compare_reports import CompareReportsDialog  # the window starts without it

        CompareReportsDialog(saved, file.name, report, self._window).show()

    def _tell(self, failure: Failure) -> None:
        failure_box(self.tr("Device report"), failure, self._window).open()
        self._state.post(failure.message)
