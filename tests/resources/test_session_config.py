"""The catalogue of session-config keys: its form, and that ONNX Runtime takes the values it lists."""

from __future__ import annotations

import re
from pathlib import Path

import onnxruntime as ort
import pytest

from gui.panels.session_config import CATALOGUE_FORMAT, MAX_KEY_LENGTH, ConfigKey, config_catalogue

from ..conftest import SAMPLE_MODELS

KEYS = config_catalogue().keys
NOT_FOR_EVERY_MODEL = {
    ("session.load_model_format", "ORT"),  # the model is in ONNX format
    ("optimization.minimal_build_optimizations", "save"),  # only with an optimised model in ORT format
}
VALUES = [(entry.key, value) for entry in KEYS for value in entry.values]


def test_that_the_catalogue_names_format_source_and_version() -> None:
    catalogue = config_catalogue()
    assert catalogue.format == CATALOGUE_FORMAT
    assert catalogue.source.startswith("include/onnxruntime/core/session/onnxruntime_session_options_config_keys.h")
    assert re.match(r"1\.\d\d", catalogue.version)


def test_that_a_key_is_there_once() -> None:
    keys = [entry.key for entry in KEYS]
    assert len(keys) > 30
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("entry", KEYS, ids=[entry.key for entry in KEYS])
def test_that_an_entry_is_well_formed(entry: ConfigKey) -> None:
    assert re.fullmatch(r"(session|ep|optimization|mlas)(\.[a-z0-9_]+)+", entry.key)
    assert len(entry.key) <= MAX_KEY_LENGTH
    assert re.fullmatch(r"[A-Z][^.]*(\.[a-z0-9][^.]*)*\.", entry.description), "one sentence"
    assert len(entry.description) <= 140, "two lines of the panel"
    assert len(set(entry.values)) == len(entry.values)
    assert not entry.default or not entry.values or entry.default in entry.values


@pytest.mark.parametrize(("key", "value"), VALUES)
def test_that_a_session_can_be_created_with_each_value_listed(
    key: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # some of them make ORT write files
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.add_session_config_entry(key, value)
    model = str(SAMPLE_MODELS / "tiny_mlp.onnx")
    if (key, value) in NOT_FOR_EVERY_MODEL:
        with pytest.raises(Exception, match=r"ORT format|ORT model"):
            ort.InferenceSession(model, options, providers=["CPUExecutionProvider"], enable_fallback=0)
        return
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"], enable_fallback=0)
    assert session.get_inputs()
