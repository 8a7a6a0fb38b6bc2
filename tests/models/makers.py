"""Records for the tests of the item models."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, Qt

from gui.records.codec import StringMap
from gui.records.device import Device, DeviceType, HardwareDevice, Incompatibility
from gui.records.library import Library, LibraryState
from gui.records.library_check import Finding, FoundLibrary, LibraryCheck, Mark
from gui.records.log import LogRecord, LogSeverity
from gui.records.trial import Target, TrialSettings
from gui.trial_run import TrialRun


class ModelTester(Protocol):
    """pytest-qt's `qtmodeltester`: what Qt warns of, now and after later changes, fails the test."""

    def check(self, model: QAbstractItemModel) -> None: ...


def device(key: str, **fields: Any) -> Device:
    """A device of a CPU; `vendor_id`, `device_id`, `type`, `hardware` (its metadata) and `version` may be given."""
    version = fields.pop("version", "")
    metadata: StringMap = fields.pop("metadata", ())
    hardware = HardwareDevice(
        type=fields.pop("type", DeviceType.CPU),
        vendor=fields.pop("vendor", ""),
        vendor_id=fields.pop("vendor_id", 0),
        device_id=fields.pop("device_id", 0),
        metadata=fields.pop("hardware", ()),
    )
    if version:
        metadata = (("version", version), *metadata)
    return Device(ep_name=fields.pop("ep_name", "Ep"), ep_metadata=metadata, device=hardware, key=key, **fields)


def library(name: str, state: LibraryState = LibraryState.NOT_LOADED, **fields: Any) -> Library:
    """A library in /opt/eps."""
    return Library(name=name, path=f"/opt/eps/lib{name}.so", state=state, **fields)


def check(*findings: tuple[str, Mark], **fields: Any) -> LibraryCheck:
    """A check of /opt/eps/libit.so with these findings, topic and mark each."""
    fields.setdefault("path", "/opt/eps/libit.so")
    lines = tuple(Finding(topic=topic, mark=mark, text=f"{topic} told") for topic, mark in findings)
    return LibraryCheck(findings=lines, **fields)


def found(path: str, **fields: Any) -> FoundLibrary:
    """A library that was found at this path."""
    return FoundLibrary(path=path, **fields)


def gpu(**fields: Any) -> HardwareDevice:
    """A graphics card of Maker's."""
    return HardwareDevice(type=DeviceType.GPU, vendor="Maker", vendor_id=0x10DE, **fields)


def told(hardware: HardwareDevice, *reasons: str, **fields: Any) -> Incompatibility:
    """What the EP “Fast” says of a piece of hardware that it does not offer."""
    return Incompatibility(ep_name=fields.pop("ep_name", "Fast"), hardware=hardware, reasons=reasons, **fields)


def record(message: str, severity: LogSeverity = LogSeverity.INFO, time: float = 0.0) -> LogRecord:
    """A message of ORT's."""
    return LogRecord(time=time, severity=severity, source="onnxruntime", message=message)


def trial(number: int, *samples_ns: int, **fields: Any) -> TrialRun:
    """A trial of `/models/net.onnx` with these samples."""
    run = TrialRun(
        number=number,
        settings=fields.pop(
            "settings", TrialSettings(model_path="/models/net.onnx", target=Target(device_keys=("cpu",)))
        ),
        model_name="net",
        target_text=fields.pop("target_text", "CPUExecutionProvider"),
        devices=(),
        **fields,
    )
    run.series.append(np.array(samples_ns, np.int64))
    return run


def texts(model: QAbstractItemModel, column: int = 0) -> list[str]:
    """What the top rows show in a column, from top to bottom."""
    return [model.index(row, column).data() for row in range(model.rowCount())]


def column_named(model: QAbstractItemModel, title: str) -> int:
    """The number of the column with this title."""
    titles = [model.headerData(column, Qt.Orientation.Horizontal) for column in range(model.columnCount())]
    return titles.index(title)


def row_of(index: QModelIndex | QPersistentModelIndex) -> int:
    """The row of an index that is still valid, -1 of one that is not."""
    return index.row() if index.isValid() else -1
