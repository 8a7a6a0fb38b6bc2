"""The tolerances of outputs as a table of element types and two numbers each, which can be edited."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from PySide6.QtCore import QCoreApplication, QLocale, QObject, Qt, Signal

from ..records.check import TOLERANCE_TYPES, CheckSettings, Tolerance, default_tolerance
from .table import Column, Index, RecordTableModel

ABSOLUTE_COLUMN: Final = 1
RELATIVE_COLUMN: Final = 2
_NUMBERS: Final = (ABSOLUTE_COLUMN, RELATIVE_COLUMN)
_EDIT_ROLE: Final = int(Qt.ItemDataRole.EditRole)


def _tr(text: str) -> str:
    return QCoreApplication.translate("ToleranceTable", text)


class ToleranceTableModel(RecordTableModel[Tolerance]):
    """One row an element type; those other than by themselves are bold."""

    refused = Signal(str)
    """Told what was typed that is no tolerance: a sentence. Empty when a number was taken."""

    def __init__(self, parent: QObject | None = None) -> None:
        columns = (
            Column[Tolerance](title=_tr("Element type"), text=lambda row: row.type, is_bold=is_own, tip=_tip),
            Column[Tolerance](
                title=_tr("Absolute"),
                text=lambda row: number_text(row.absolute),
                is_bold=is_own,
                is_number=True,
                tip=_tip,
                header_tip=_tr("Allowed however small the reference is"),
            ),
            Column[Tolerance](
                title=_tr("Relative"),
                text=lambda row: number_text(row.relative),
                is_bold=is_own,
                is_number=True,
                tip=_tip,
                header_tip=_tr("Allowed for each unit of the reference: 0.01 is one percent"),
            ),
        )
        super().__init__(columns, lambda row: row.type, parent)
        self.show_tolerances(())

    @property
    def tolerances(self) -> tuple[Tolerance, ...]:
        """Those other than by themselves."""
        return CheckSettings().with_tolerances(self.rows).tolerances

    def show_tolerances(self, tolerances: tuple[Tolerance, ...]) -> None:
        """Show these, and what is usual for all other types."""
        settings = CheckSettings(tolerances=tolerances)
        names = dict.fromkeys((*TOLERANCE_TYPES, *(entry.type for entry in tolerances)))
        self.set_rows([settings.tolerance(name) for name in names])

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Qt's."""
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsEditable if index.isValid() and index.column() in _NUMBERS else flags

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """Qt's."""
        if role == _EDIT_ROLE:
            role = int(Qt.ItemDataRole.DisplayRole)
        return super().data(index, role)

    def setData(self, index: Index, value: Any, role: int = _EDIT_ROLE) -> bool:
        """Qt's; takes numbers as the user's locale or as C writes them."""
        if role != _EDIT_ROLE or not index.isValid() or index.column() not in _NUMBERS:
            return False
        text = str(value).strip()
        number = _read(text)
        try:
            if number is None:
                raise ValueError(text)
            row = _with(self.row(index.row()), index.column(), number)
        except ValueError:
            self.refused.emit(_tr("“{0}” is not a number of at least 0.").format(text))
            return False
        self.refused.emit("")
        self.update_row(row)
        return True


def is_own(tolerance: Tolerance) -> bool:
    """Whether a tolerance is other than by itself."""
    return tolerance != default_tolerance(tolerance.type)


def number_text(value: float) -> str:
    """Return a number with as many digits as it needs."""
    return _locale().toString(float(value), "g", QLocale.FloatingPointPrecisionOption.FloatingPointShortest.value)


def _with(tolerance: Tolerance, column: int, number: float) -> Tolerance:
    """Return a tolerance with another number in a column. Raises `ValueError` for one that is none."""
    if column == ABSOLUTE_COLUMN:
        return replace(tolerance, absolute=number)
    return replace(tolerance, relative=number)


def _tip(tolerance: Tolerance) -> str:
    if is_own(tolerance):
        usual = default_tolerance(tolerance.type)
        return _tr("By itself {0} absolute, {1} relative").format(
            number_text(usual.absolute), number_text(usual.relative)
        )
    return _tr("Compared exactly") if not (tolerance.absolute or tolerance.relative) else ""


def _locale() -> QLocale:
    locale = QLocale()
    options = QLocale.NumberOption.OmitGroupSeparator | QLocale.NumberOption.RejectGroupSeparator
    locale.setNumberOptions(options)
    return locale


def _read(text: str) -> float | None:
    for locale in (_locale(), QLocale.c()):
        number, is_number = locale.toDouble(text)
        if is_number:
            return float(number)
    return None
