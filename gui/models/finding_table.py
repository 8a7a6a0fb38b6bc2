"""What reading a library file told, a row a finding."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QLocale, QObject
from PySide6.QtGui import QIcon

from ..records.library_check import Finding, LibraryCheck, Mark
from .table import Column, RecordTableModel


def _tr(text: str) -> str:
    return QCoreApplication.translate("FindingTable", text)


def mark_text(mark: Mark) -> str:
    """Return a mark as a word."""
    return {
        Mark.GOOD: _tr("in order"),
        Mark.NOTE: _tr("to be known"),
        Mark.DOUBTFUL: _tr("doubtful"),
        Mark.BAD: _tr("wrong"),
        Mark.UNKNOWN: _tr("not available"),
    }[mark]


def check_summary(check: LibraryCheck) -> str:
    """Return in a few words what the file is, and whether something is wrong with it."""
    what = ", ".join(
        part
        for part in (
            check.format,
            check.architecture,
            QLocale().formattedDataSize(check.size_bytes, 1) if check.size_bytes else "",
            check.version and _tr("version {0}").format(check.version),
        )
        if part
    )
    counts = {mark: sum(finding.mark is mark for finding in check.findings) for mark in Mark}
    if counts[Mark.BAD]:
        verdict = _tr("cannot be loaded")
    elif counts[Mark.DOUBTFUL]:
        verdict = _tr("doubtful")
    elif counts[Mark.UNKNOWN]:
        verdict = _tr("not all is known")
    else:
        verdict = _tr("in order")
    return _tr("File {0}: {1}").format(verdict, what) if what else _tr("File {0}").format(verdict)


class FindingTableModel(RecordTableModel[Finding]):
    """One row a finding. `mark_icon` gives the icon of its mark."""

    def __init__(self, mark_icon: Callable[[Mark], QIcon | None], parent: QObject | None = None) -> None:
        columns = (
            Column[Finding](
                title=_tr("What"),
                text=lambda finding: finding.topic,
                icon=lambda finding: mark_icon(finding.mark),
                tip=lambda finding: f"{finding.topic}: {mark_text(finding.mark)}",
            ),
            Column[Finding](title=_tr("Mark"), text=lambda finding: mark_text(finding.mark)),
            Column[Finding](title=_tr("Finding"), text=_finding_text),
        )
        super().__init__(columns, lambda finding: finding.topic, parent)


def _finding_text(finding: Finding) -> str:
    """Return a finding with its mark as a word, where it is not simply in order."""
    is_plain = finding.mark in (Mark.GOOD, Mark.NOTE)
    return finding.text if is_plain else f"{mark_text(finding.mark)}: {finding.text}"
