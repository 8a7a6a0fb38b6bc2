"""A model's inputs and outputs as a table."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, QObject

from ..records.model import ModelDescription, TensorInfo
from .table import Column, RecordTableModel


def _tr(text: str) -> str:
    return QCoreApplication.translate("TensorTable", text)


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorRow:
    """An input or an output."""

    is_input: bool
    number: int
    tensor: TensorInfo


class TensorTableModel(RecordTableModel[TensorRow]):
    """One row a tensor, the inputs first."""

    def __init__(self, parent: QObject | None = None) -> None:
        columns = (
            Column[TensorRow](title="", text=lambda row: _tr("in") if row.is_input else _tr("out")),
            Column[TensorRow](title=_tr("Name"), text=lambda row: row.tensor.name),
            Column[TensorRow](title=_tr("Type"), text=lambda row: _short_type(row.tensor.type)),
            Column[TensorRow](title=_tr("Shape"), text=lambda row: row.tensor.shape_text),
        )
        super().__init__(columns, lambda row: (row.is_input, row.number), parent)


def tensor_rows(description: ModelDescription) -> tuple[TensorRow, ...]:
    """Return the rows of a model."""
    inputs = (TensorRow(is_input=True, number=n, tensor=tensor) for n, tensor in enumerate(description.inputs))
    outputs = (TensorRow(is_input=False, number=n, tensor=tensor) for n, tensor in enumerate(description.outputs))
    return (*inputs, *outputs)


def _short_type(type_text: str) -> str:
    return type_text.removeprefix("tensor(").removesuffix(")") if type_text.startswith("tensor(") else type_text
