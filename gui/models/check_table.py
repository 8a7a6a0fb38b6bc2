"""The outputs of a trial against the CPU's as a table; see `records.check` for the terms."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QLocale, QObject
from PySide6.QtGui import QIcon

from ..records.check import Agreement, OutputDifference, Tolerance
from .table import Column, RecordTableModel
from .texts import DASH, count_text
from .verdict_texts import agreement_text


def _tr(text: str) -> str:
    return QCoreApplication.translate("CheckTable", text)


def figure_text(value: float | None, digits: int = 3) -> str:
    """Return a difference with so many significant digits; a dash for None."""
    if value is None:
        return DASH
    return QLocale().toString(float(value), "g", digits)


def tolerance_text(tolerance: Tolerance | None) -> str:
    """Return the tolerance that was applied, as it is computed with."""
    if tolerance is None:
        return _tr("Compared exactly: every element must be equal.")
    return _tr("Within tolerance when |a − b| ≤ {0} + {1} · |b| for every element.").format(
        figure_text(tolerance.absolute), figure_text(tolerance.relative)
    )


def _cosine_text(value: float | None) -> str:
    """Return a cosine so that what differs from 1 does not read as 1."""
    if value is None:
        return DASH
    away = abs(1 - value)
    decimals = 4 if away == 0 else min(12, max(4, math.ceil(-math.log10(away)) + 1))
    return QLocale().toString(float(value), "f", decimals)


def _shape_text(shape: tuple[int, ...] | None) -> str:
    return DASH if shape is None else " × ".join(map(str, shape)) or _tr("scalar")


def _percent_text(share: float | None) -> str:
    if share is None:
        return DASH
    shown = share * 100 if share == 1 else min(share * 100, 99.99)  # rounding must not make it all of them
    return _tr("{0} %").format(QLocale().toString(shown, "g", 4))


def _mismatches_text(row: OutputDifference) -> str:
    if row.agreement is Agreement.NOT_CHECKED:
        return DASH
    return _tr("{0} of {1}").format(count_text(row.mismatches), count_text(row.element_count))


def _not_finite_text(row: OutputDifference) -> str:
    """Return the counts of NaN and infinities; with the CPU's where these are others."""
    ours, others = (row.nan_count, row.inf_count), (row.reference_nan_count, row.reference_inf_count)
    if ours == others == (0, 0):
        return _tr("none")
    text = f"{count_text(ours[0])} / {count_text(ours[1])}"
    return text if ours == others else _tr("{0}, CPU {1} / {2}").format(text, *map(count_text, others))


class CheckTableModel(RecordTableModel[OutputDifference]):
    """One row an output. `agreement_icon` gives the icon of how it compares."""

    def __init__(self, agreement_icon: Callable[[Agreement], QIcon | None], parent: QObject | None = None) -> None:
        def number(
            title: str,
            value: Callable[[OutputDifference], float | None],
            tip: str,
            text: Callable[[float | None], str] = figure_text,
        ) -> Column[OutputDifference]:
            def sort(row: OutputDifference) -> float:
                found = value(row)
                return -math.inf if found is None else found

            return Column[OutputDifference](
                title=title, text=lambda row: text(value(row)), sort=sort, is_number=True, header_tip=tip
            )

        columns = (
            Column[OutputDifference](title=_tr("Output"), text=lambda row: row.name, tip=_tip),
            Column[OutputDifference](
                title=_tr("Agreement"),
                text=lambda row: agreement_text(row.agreement),
                sort=lambda row: list(Agreement).index(row.agreement),
                icon=lambda row: agreement_icon(row.agreement),
                tip=_tip,
            ),
            number(
                _tr("Max difference"),
                lambda row: row.max_absolute,
                _tr("Maximum absolute difference: the largest |a − b| of output a and reference b"),
            ),
            number(
                _tr("SNR (dB)"),
                lambda row: row.snr_db,
                _tr("Signal-to-noise ratio: 10 log₁₀(Σ b² / Σ (a − b)²). More is better; a dash without noise."),
                _snr_text,
            ),
            number(
                _tr("Top-1"),
                lambda row: row.top1_agreement,
                _tr("Of outputs that look like scores of classes: the share of rows whose largest element is the same"),
                _percent_text,
            ),
            Column[OutputDifference](
                title=_tr("Beyond tolerance"),
                text=_mismatches_text,
                sort=lambda row: row.mismatches,
                tip=lambda row: tolerance_text(row.tolerance),
                is_number=True,
                header_tip=_tr("Elements whose difference is larger than the tolerance allows"),
            ),
            number(
                _tr("Max relative"),
                lambda row: row.max_relative,
                _tr("Maximum relative difference: the largest |a − b| / |b|, where b is not 0. Large near 0."),
            ),
            number(
                _tr("Cosine"),
                lambda row: row.cosine,
                _tr("Cosine similarity: a·b / (|a| |b|). 1 is the same direction."),
                _cosine_text,
            ),
            Column[OutputDifference](
                title=_tr("NaN / Inf"),
                text=_not_finite_text,
                sort=lambda row: row.nan_count + row.inf_count,
                is_number=True,
                header_tip=_tr("How many elements are not a number, and infinite; the CPU's where these are others"),
            ),
            Column[OutputDifference](title=_tr("Type"), text=lambda row: row.type),
            Column[OutputDifference](title=_tr("Shape"), text=lambda row: _shape_text(row.shape)),
        )
        super().__init__(columns, lambda row: row.name, parent)


def _snr_text(value: float | None) -> str:
    return DASH if value is None else QLocale().toString(float(value), "f", 1)


def _tip(row: OutputDifference) -> str:
    lines = [f"{row.name}: {agreement_text(row.agreement)}"]
    if row.agreement is not Agreement.NOT_CHECKED:
        lines.append(tolerance_text(row.tolerance))
    return "\n".join([*lines, *([row.note] if row.note else [])])
