"""The catalogues of EP options: their form, and that the plugin libraries know every key."""

from __future__ import annotations

import importlib.util
import json
import mmap
import re
from pathlib import Path

import pytest

from gui.models.known_options import EpKnowledge, KnownOption, details_of
from gui.records.option_catalogue import (
    CATALOGUE_FOLDER,
    CatalogueOption,
    OptionCatalogue,
    OptionType,
    read_catalogue,
)

FILES = sorted(CATALOGUE_FOLDER.glob("*.json"))
CATALOGUES = {path.stem: read_catalogue(path) for path in FILES}
OPTIONS = [(name, option) for name, catalogue in CATALOGUES.items() for option in catalogue.options]
PACKAGES = {
    "ggml": ("onnxruntime_ggml", "lib/*onnxruntime_ggml.*"),
    "openvino": ("onnxruntime_ep_openvino", "*providers_openvino_plugin*"),
    "qnn": ("onnxruntime_qnn", "*onnxruntime_providers_qnn.*"),
    "webgpu": ("onnxruntime_ep_webgpu", "*onnxruntime_providers_webgpu.*"),
}
"""Packages on PyPI that hold a plugin, and where its library lies in them."""


def library_of(package: str, pattern: str) -> Path | None:
    """The library in an installed package, which is not imported; None where it is not installed."""
    spec = importlib.util.find_spec(package)
    folders = [] if spec is None else list(spec.submodule_search_locations or ())
    return next((path for folder in folders for path in sorted(Path(folder).glob(pattern)) if path.is_file()), None)


# ---- Form ----


def test_that_there_are_catalogues_of_the_plugins_on_pypi() -> None:
    assert set(PACKAGES) <= set(CATALOGUES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_that_a_file_holds_only_fields_that_are_read(path: Path) -> None:
    data = json.loads(path.read_text(encoding="utf-8"))
    assert set(data) <= set(OptionCatalogue.__dataclass_fields__)
    for option in data["options"]:
        assert set(option) <= set(CatalogueOption.__dataclass_fields__), option["key"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_that_a_file_says_where_it_is_from_and_the_readme_names_it(path: Path) -> None:
    catalogue = CATALOGUES[path.stem]
    assert re.match(r"https://\S+$", catalogue.source)
    assert catalogue.version
    assert f"`{path.name}`" in (CATALOGUE_FOLDER / "README.md").read_text(encoding="utf-8")


def test_that_no_two_catalogues_are_of_the_same_ep() -> None:
    names = [name.casefold() for catalogue in CATALOGUES.values() for name in catalogue.ep_names]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("name", "option"), OPTIONS, ids=[f"{name}-{option.key}" for name, option in OPTIONS])
def test_that_an_option_is_well_formed(name: str, option: CatalogueOption) -> None:
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_.]*", option.key)
    assert re.fullmatch(r"[A-Z].*[^.]\.", option.description), "a sentence"
    assert not option.instead.endswith("."), "a clause"
    if option.type is OptionType.CHOICE:
        assert list(option.values) == sorted(option.values)


@pytest.mark.parametrize(("name", "option"), OPTIONS, ids=[f"{name}-{option.key}" for name, option in OPTIONS])
def test_that_what_is_said_of_an_option_fits_three_lines_of_the_panel(name: str, option: CatalogueOption) -> None:
    knowledge = EpKnowledge(ep_name=name, catalogue=CATALOGUES[name], option=option)
    text = details_of(KnownOption(key=option.key, eps=(knowledge,)), "")
    assert option.description in text
    assert len(text) <= 170


# ---- The real libraries ----


@pytest.mark.parametrize("name", PACKAGES)
def test_that_the_library_of_the_plugin_holds_every_key(name: str) -> None:
    package, pattern = PACKAGES[name]
    library = library_of(package, pattern)
    if library is None:
        pytest.skip(f"{package} is not installed")
    assert CATALOGUES[name].is_of_library(str(library))
    with library.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        missing = [option.key for option in CATALOGUES[name].options if content.find(option.key.encode()) < 0]
        assert missing == []
        assert content.find(b"no_such_option_at_all") < 0
