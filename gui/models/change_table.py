"""What differs between two device reports as a table."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QCoreApplication, QObject
from PySide6.QtGui import QIcon

from ..records.report_changes import Change, ChangeKind, Part
from .table import Column, RecordTableModel
from .texts import DASH

_KINDS: Final = tuple(ChangeKind)
_PARTS: Final = tuple(Part)


def _tr(text: str) -> str:
    return QCoreApplication.translate("ChangeTable", text)


def kind_text(kind: ChangeKind) -> str:
    """Return what happened as a word."""
    return {
        ChangeKind.CAME: _tr("came"),
        ChangeKind.WENT: _tr("went"),
        ChangeKind.CHANGED: _tr("changed"),
    }[kind]


def part_text(part: Part) -> str:
    """Return the part of a report as a word."""
    return {
        Part.ENVIRONMENT: _tr("environment"),
        Part.LIBRARY: _tr("library"),
        Part.DEVICE: _tr("device"),
        Part.HARDWARE: _tr("hardware"),
    }[part]


class ChangeTableModel(RecordTableModel[Change]):
    """One row a change. `kind_icon` gives the icon of what happened."""

    def __init__(self, kind_icon: Callable[[ChangeKind], QIcon | None], parent: QObject | None = None) -> None:
        columns = (
            Column[Change](
                title=_tr("What"),
                text=lambda change: kind_text(change.kind),
                sort=lambda change: _KINDS.index(change.kind),
                icon=lambda change: kind_icon(change.kind),
            ),
            Column[Change](
                title=_tr("Part"),
                text=lambda change: part_text(change.part),
                sort=lambda change: _PARTS.index(change.part),
                header_tip=_tr("The part of the report"),
            ),
            Column[Change](
                title=_tr("Item"), text=lambda change: change.item, sort=lambda change: _natural(change.item)
            ),
            Column[Change](
                title=_tr("Field"),
                text=lambda change: change.field,
                header_tip=_tr("Which value of the item; empty where the whole item came or went"),
            ),
            Column[Change](
                title=_tr("Then"),
                text=lambda change: _value_text(change.old),
                sort=lambda change: _natural(change.old or ""),
                header_tip=_tr("In the saved report"),
            ),
            Column[Change](
                title=_tr("Now"),
                text=lambda change: _value_text(change.new),
                sort=lambda change: _natural(change.new or ""),
                header_tip=_tr("In the report that it is compared with"),
            ),
        )
        super().__init__(columns, lambda change: change, parent)


def _value_text(value: str | None) -> str:
    return DASH if value is None else value or _tr("(empty)")


def _natural(text: str) -> str:
    """Return a text that sorts with its numbers as numbers: #2 before #10."""
    return re.sub("[0-9]+", lambda found: found[0].lstrip("0").zfill(12), text)
