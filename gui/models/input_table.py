"""A model's inputs as a table, and where the values of each come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from PySide6.QtCore import QCoreApplication, QObject, Qt
from PySide6.QtGui import QColor, QFont, QIcon

from ..records.inputs import Fill, InputProposal, InputSource, SourceKind, source_text
from ..records.model import ModelDescription, TensorInfo
from .input_types import short_type, source_problem, value_type
from .table import Column, Index, RecordTableModel

VALUES_COLUMN: Final = 3


def _tr(text: str) -> str:
    return QCoreApplication.translate("InputTable", text)


@dataclass(frozen=True, slots=True, kw_only=True)
class InputRow:
    """An input, or an initializer that may be overridden."""

    tensor: TensorInfo
    is_initializer: bool = False
    source: InputSource | None = None
    """What the user set; None leaves it to the engine, or an initializer its own value."""
    proposal: InputProposal | None = None
    """None while it is not known."""
    problem: str | None = None
    """Why the source cannot be used."""

    @property
    def is_automatic(self) -> bool:
        """Whether the user has set nothing."""
        return self.source is None


class InputTableModel(RecordTableModel[InputRow]):
    """One row an input, in the model's order; what is automatic is written in another style."""

    def __init__(self, warning: Callable[[], QIcon], parent: QObject | None = None) -> None:
        """`warning` returns the mark of a source that cannot be used."""
        columns = (
            Column[InputRow](title=_tr("Input"), text=lambda row: row.tensor.name, tip=_name_tip),
            Column[InputRow](
                title=_tr("Type"), text=lambda row: short_type(row.tensor.type), tip=lambda row: row.tensor.type
            ),
            Column[InputRow](title=_tr("Shape"), text=lambda row: row.tensor.shape_text),
            Column[InputRow](
                title=_tr("Values"),
                text=values_text,
                tip=_values_tip,
                icon=lambda row: warning() if row.problem else None,
            ),
        )
        super().__init__(columns, lambda row: (row.is_initializer, row.tensor.name), parent)
        self._muted: QColor | None = None

    def set_muted(self, color: QColor) -> None:
        """Write what is automatic in this colour."""
        if color != self._muted:
            self._muted = color
            self.set_rows(self.rows)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """Qt's."""
        if index.isValid() and role in (Qt.ItemDataRole.FontRole, Qt.ItemDataRole.ForegroundRole):
            row = self.row(index.row())
            is_quiet = row.is_automatic and index.column() == VALUES_COLUMN
            if role == Qt.ItemDataRole.ForegroundRole:
                return self._muted if is_quiet else None
            return _italic() if is_quiet or (row.is_initializer and index.column() == 0) else None
        return super().data(index, role)


def input_rows(
    description: ModelDescription, sources: Mapping[str, InputSource], proposals: Mapping[str, InputProposal]
) -> tuple[InputRow, ...]:
    """Return the rows of a model: its inputs, then the initializers that may be overridden."""
    tensors = [(tensor, False) for tensor in description.inputs]
    names = {tensor.name for tensor in description.inputs}
    tensors += [(tensor, True) for tensor in description.initializers or () if tensor.name not in names]
    return tuple(
        InputRow(
            tensor=tensor,
            is_initializer=is_initializer,
            source=(source := sources.get(tensor.name)),
            proposal=proposals.get(tensor.name),
            problem=None if source is None else source_problem(tensor, source, is_initializer=is_initializer),
        )
        for tensor, is_initializer in tensors
    )


def values_text(row: InputRow) -> str:
    """Return where the values come from, as in `cat.png (0 to 1, RGB)`, `automatic: integers 0 to 30521`."""
    if row.source is not None and not (row.is_initializer and row.source.kind is SourceKind.OMITTED):
        return described(row.tensor, row.source)
    if row.is_initializer:
        return _tr("model's own value")
    if row.proposal is None:
        return _tr("automatic")
    return _tr("automatic: {0}").format(described(row.tensor, row.proposal.source))


def described(tensor: TensorInfo, source: InputSource) -> str:
    """Return `source_text` with the entries of a sequence or a map, and a shape that was chosen."""
    text = source_text(source)
    if source.kind is SourceKind.GENERATED:
        if value_type(tensor.type).has_entries:
            text = _tr("{0} × {1}").format(source.length, text)
        if tensor.shape is None and source.shape is not None:
            text = _tr("{0}, shape {1}").format(text, shape_text(source.shape))
    return text


def shape_text(shape: tuple[int, ...]) -> str:
    """Return a shape as people write it: `[2, 3]`."""
    return f"[{', '.join(map(str, shape))}]"


def is_automatic(source: InputSource, tensor: TensorInfo, *, is_initializer: bool) -> bool:
    """Whether a source says no more than what happens without it."""
    if source.kind is SourceKind.OMITTED:
        return is_initializer
    return (
        source.kind is SourceKind.GENERATED
        and source.fill is Fill.AUTOMATIC
        and not is_initializer
        and (source.shape is None or tensor.shape is not None)
        and (source.length == 1 or not value_type(tensor.type).has_entries)
    )


def _name_tip(row: InputRow) -> str:
    if not row.is_initializer:
        return row.tensor.name
    return _tr("{0}: an initializer, which an input of its name may override").format(row.tensor.name)


def _values_tip(row: InputRow) -> str:
    lines = [values_text(row)]
    if row.source is None and row.proposal is not None and not row.is_initializer:
        lines.append(row.proposal.reason)
    if row.source is not None:
        lines += [row.source.path, row.problem or ""]
    return "\n".join(line for line in lines if line)


def _italic() -> QFont:
    font = QFont()
    font.setItalic(True)
    return font
