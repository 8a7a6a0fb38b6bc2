"""What files are for that are dropped on the window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

from .library_dialogs import is_library_name
from .models.input_files import is_array_file, is_image_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """Paths by what they are for. What is nothing else is taken for a model."""

    libraries: tuple[str, ...] = ()
    trials: tuple[str, ...] = ()
    setups: tuple[str, ...] = ()
    reports: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    """Arrays and images for the model's inputs, and folders of ONNX test data."""
    models: tuple[str, ...] = ()


def sort_files(paths: tuple[str, ...], is_setup: Callable[[str], bool], is_trial: Callable[[str], bool]) -> Dropped:
    """Return the files by what they are for."""
    found: dict[str, list[str]] = {field.name: [] for field in fields(Dropped)}
    for path in paths:
        found[_use_of(path, is_setup, is_trial)].append(path)
    return Dropped(**{use: tuple(those) for use, those in found.items()})


def _use_of(path: str, is_setup: Callable[[str], bool], is_trial: Callable[[str], bool]) -> str:
    if is_library_name(path):
        return "libraries"
    if path.lower().endswith(".json"):
        return "trials" if is_trial(path) else "setups" if is_setup(path) else "reports"
    is_data_set = Path(path).is_dir()
    return "values" if is_array_file(path) or is_image_file(path) or is_data_set else "models"
