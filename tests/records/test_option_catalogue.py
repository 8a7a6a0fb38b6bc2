"""Catalogues of EP options: reading and checking them, and telling which one is a device's."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from gui.records.codec import DecodeError, StringMap
from gui.records.device import Device, DeviceType, HardwareDevice
from gui.records.option_catalogue import (
    CATALOGUE_FORMAT,
    CatalogueOption,
    OptionType,
    catalogue_for,
    catalogues,
    find,
    read_catalogue,
    read_catalogues,
)

GOOD: dict[str, Any] = {
    "format": CATALOGUE_FORMAT,
    "title": "Good",
    "version": "1",
    "source": "https://example.org",
    "ep_names": ["GoodEp"],
    "options": [{"key": "mode", "type": "choice", "values": ["fast", "slow"], "description": "How."}],
}


def written(path: Path, data: object) -> Path:
    path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return path


def option(kind: OptionType, **fields: Any) -> CatalogueOption:
    if kind in (OptionType.BOOL, OptionType.CHOICE):
        fields.setdefault("values", ("0", "1"))
    return CatalogueOption(key="key", type=kind, description="What it is.", **fields)


def device(ep_name: str, **fields: Any) -> Device:
    metadata: StringMap = fields.pop("metadata", ())
    library = fields.pop("library_path", "")
    if library:
        metadata = (*metadata, ("library_path", library))
    return Device(ep_name=ep_name, ep_metadata=metadata, device=HardwareDevice(type=DeviceType.CPU), key="key")


# ---- Reading ----


def test_that_a_catalogue_is_read(tmp_path: Path) -> None:
    catalogue = read_catalogue(written(tmp_path / "good.json", GOOD))
    assert (catalogue.title, catalogue.libraries, catalogue.metadata) == ("Good", (), ())
    mode = catalogue.option("mode")
    assert mode is not None
    assert (mode.type, mode.values) == (OptionType.CHOICE, ("fast", "slow"))
    assert catalogue.option("Mode") is None


@pytest.mark.parametrize(
    "data",
    [
        "",
        "{",
        "[]",
        {**GOOD, "format": "something else 1"},
        {**GOOD, "title": ""},
        {**GOOD, "version": ""},
        {**GOOD, "source": ""},
        {**GOOD, "ep_names": []},
        {**GOOD, "ep_names": "GoodEp"},
        {key: value for key, value in GOOD.items() if key != "options"},
        {**GOOD, "options": [*GOOD["options"], *GOOD["options"]]},
        {**GOOD, "options": [{"key": k, "type": "text", "description": "Words."} for k in "ba"]},
        {**GOOD, "options": [{"key": "a", "type": "switch", "description": "A."}]},
        {**GOOD, "options": [{"key": "a", "type": "text"}]},
        {**GOOD, "options": [{"key": "", "type": "text", "description": "A."}]},
        {**GOOD, "options": [{"key": "a", "type": "text", "description": ""}]},
        {**GOOD, "options": [{"key": "a", "type": "bool", "description": "A."}]},
        {**GOOD, "options": [{"key": "a", "type": "int", "values": ["1"], "description": "A."}]},
        {**GOOD, "options": [{"key": "a", "type": "choice", "values": ["x", "x"], "description": "A."}]},
        {**GOOD, "options": [{"key": "a", "type": "text", "minimum": 1, "description": "A."}]},
        {**GOOD, "options": [{"key": "a", "type": "int", "minimum": 2, "maximum": 1, "description": "A."}]},
        {**GOOD, "options": [{"key": "a", "type": "int", "minimum": 2, "default": "1", "description": "A."}]},
    ],
)
def test_that_a_file_that_is_no_catalogue_is_refused_by_name(tmp_path: Path, data: object) -> None:
    path = written(tmp_path / "bad.json", data)
    with pytest.raises(DecodeError, match=r"^bad\.json: "):
        read_catalogue(path)


def test_that_text_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(b'{"title": "\xff"}')
    with pytest.raises(DecodeError):
        read_catalogue(path)


def test_that_a_catalogue_that_cannot_be_used_does_not_spoil_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    written(tmp_path / "a.json", "{")
    written(tmp_path / "b.json", GOOD)
    with caplog.at_level(logging.WARNING):
        assert [catalogue.title for catalogue in read_catalogues(tmp_path)] == ["Good"]
    assert "a.json" in caplog.text


def test_that_a_folder_that_is_not_there_holds_none(tmp_path: Path) -> None:
    assert read_catalogues(tmp_path / "nowhere") == ()


# ---- What an option takes ----


@pytest.mark.parametrize(
    ("entry", "allowed", "not_allowed"),
    [
        (option(OptionType.BOOL), ("0", "1", ""), ("2", "true", "yes")),
        (option(OptionType.BOOL, values=("true", "false")), ("True", "FALSE"), ("1",)),
        (option(OptionType.CHOICE, values=("auto", "cpu")), ("auto", ""), ("Auto", "auto,cpu", "gpu")),
        (option(OptionType.CHOICE, values=("68", "73"), is_list=True), ("68", "68,73", "68, 73"), ("68,99", "68,")),
        (option(OptionType.INT), ("-3", "+4", "0", "99999999999999999999"), ("1.0", "x", "1e3", "٣", "1 2")),
        (option(OptionType.INT, minimum=1, maximum=4), ("1", "4"), ("0", "5", "-1")),
        (option(OptionType.INT, minimum=1, is_list=True), ("1,2,3",), ("1,0", "1;2")),
        (option(OptionType.FLOAT, minimum=0), ("0", "0.5", "1e3"), ("-0.1", "nan", "many")),
        (option(OptionType.TEXT), ("anything, at all",), ()),
        (option(OptionType.PATH), ("/no/such/file",), ()),
    ],
)
def test_that_a_value_is_told_from_one_that_is_not_taken(
    entry: CatalogueOption, allowed: tuple[str, ...], not_allowed: tuple[str, ...]
) -> None:
    assert [value for value in allowed if not entry.allows(value)] == []
    assert [value for value in not_allowed if entry.allows(value)] == []


# ---- Whose it is ----


@pytest.mark.parametrize(
    ("found", "title"),
    [
        (device("ggml"), "ggml"),
        (device("GGML"), "ggml"),
        (device("my-name", metadata=(("backend", "ggml"), ("version", "9"))), "ggml"),
        (device("my-name", library_path="/opt/eps/libonnxruntime_ggml.so"), "ggml"),
        (device("qnn"), "Qualcomm QNN"),
        (device("QNNExecutionProvider"), "Qualcomm QNN"),
        (device("npu", library_path=r"C:\eps\onnxruntime_providers_QNN.dll"), "Qualcomm QNN"),
        (device("ggml", library_path="/x/libonnxruntime_providers_qnn.so"), "Qualcomm QNN"),
        (device("WebGpuExecutionProvider"), "WebGPU"),
        (device("openvinoexecutionprovider"), "Intel OpenVINO"),
        (device("x", library_path="/e/libonnxruntime_providers_openvino_plugin.so.1.8.1"), "Intel OpenVINO"),
        (device("NvTensorRTRTXExecutionProvider"), "NVIDIA TensorRT RTX"),
        (device("x", library_path="/e/libonnxruntime_providers_nv_tensorrt_rtx.so"), "NVIDIA TensorRT RTX"),
        (device("CudaPluginExecutionProvider"), "NVIDIA CUDA (plugin)"),
        (device("CPUExecutionProvider"), "ONNX Runtime CPU"),
    ],
)
def test_that_the_catalogue_of_a_device_is_told_by_library_metadata_and_name(found: Device, title: str) -> None:
    catalogue = catalogue_for(found)
    assert catalogue is not None
    assert catalogue.title == title


@pytest.mark.parametrize(
    "unknown",
    [
        device("Nobody"),
        device("MyEp", library_path="/opt/libmyep.so", metadata=(("backend", "mine"),)),
        device("MyEp", library_path="/opt/onnxruntime_ggml/libmyep.so"),
    ],
)
def test_that_an_ep_nobody_knows_has_no_catalogue(unknown: Device) -> None:
    assert catalogue_for(unknown) is None
    assert find(unknown.ep_name) is None


def test_that_the_catalogues_are_read_once() -> None:
    assert catalogues() is catalogues()
    assert find("GGML") is find("ggml") is not None
