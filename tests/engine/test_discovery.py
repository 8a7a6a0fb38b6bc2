"""Finding EP libraries: in a made-up site-packages, in folders, and among what is really installed."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from gui.engine import discovery
from gui.engine.discovery import find_libraries
from gui.engine.ep_names import stated_ep_name
from gui.records.library_check import FoundLibrary

from ..conftest import DoubleFactory
from ..doubles import build

with_lief = pytest.mark.skipif(importlib.util.find_spec("lief") is None, reason="LIEF is not installed")


class Site:
    """A folder for distributions that is all that `sys.path` holds."""

    def __init__(self, folder: Path, library: Path) -> None:
        self.folder = folder
        self.library = library
        folder.mkdir(exist_ok=True)

    def install(self, name: str, files: dict[str, str | Path], version: str = "1.2", *, record: bool = True) -> None:
        """Install a distribution; a file's content is text or a file to copy."""
        information = self.folder / f"{name.replace('-', '_')}-{version}.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        for file, content in files.items():
            path = self.folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Path):
                shutil.copy(content, path)
            else:
                path.write_text(content, encoding="utf-8")
        if record:
            lines = [f'"{file}",sha256=x,1' for file in (*files, f"{information.name}/METADATA")]
            (information / "RECORD").write_text("\n".join(lines))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, double_library: DoubleFactory) -> Site:
    made = Site(tmp_path / "site", double_library(""))
    if importlib.util.find_spec("lief") is not None:
        importlib.import_module("lief")  # it is not found any more below
    monkeypatch.setattr("sys.path", [str(made.folder)])
    return made


def found_names(*folders: Path) -> list[str]:
    return [Path(library.path).name for library in find_libraries(map(str, folders))]


# ---- Distributions ----


def test_that_a_distributions_ep_library_is_found_with_all_that_is_known(site: Site) -> None:
    files: dict[str, str | Path] = {
        "my_ep/__init__.py": 'raise SystemExit("never imported")\nEP_NAME = "MyEP"\n',
        "my_ep/lib/libmy_ep.so": site.library,
    }
    site.install("my-ep", files)
    path = str(site.folder / "my_ep" / "lib" / "libmy_ep.so")
    assert list(find_libraries([])) == [
        FoundLibrary(path=path, distribution="my-ep", distribution_version="1.2", ep_name="MyEP")
    ]


@with_lief
def test_that_helpers_and_libraries_that_only_mention_the_factory_are_passed_over(site: Site, tmp_path: Path) -> None:
    try:
        c_library = build.system_library()
    except build.DoubleUnavailableError as error:
        pytest.skip(str(error))
    mention = tmp_path / "libmention.so"
    mention.write_bytes(c_library.read_bytes() + b"CreateEpFactories")
    text = "CreateEpFactories"
    site.install("a", {"a/libhelper.so": c_library, "a/libmention.so": mention, "a/libtext.so": text, "a/x.txt": text})
    assert found_names() == []


@pytest.mark.parametrize("name", ["x.cpython-311-x86_64-linux-gnu.so", "x.abi3.so", "x.pyd", "x.so.txt", "so"])
def test_that_extension_modules_and_other_files_are_not_looked_at(site: Site, name: str) -> None:
    site.install("a", {f"a/{name}": site.library})
    assert found_names() == []


@pytest.mark.parametrize(
    "names", [["libx.so.1.8.1", "libx.so.1", "libx.so"], ["libx.so", "libx.so.1", "libx.so.1.8.1"]]
)
def test_that_copies_under_versioned_names_come_once(site: Site, names: list[str]) -> None:
    site.install("a", {f"a/{name}": site.library for name in names})
    (found,) = find_libraries([])
    assert Path(found.path).name == "libx.so"
    assert found.library_version == "1.8.1"


def test_that_two_libraries_of_one_distribution_both_come(site: Site, double_library: DoubleFactory) -> None:
    other = double_library("count=2")
    site.install("a", {"a/libone.so": site.library, "a/libtwo.so": other, "b/libone.so": other})
    assert sorted(found_names()) == ["libone.so", "libone.so", "libtwo.so"]


def test_that_a_distribution_seen_twice_on_the_path_comes_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.install("a", {"a/liba.so": site.library})
    link = site.folder.with_name("link")
    link.symlink_to(site.folder)
    monkeypatch.setattr("sys.path", [str(site.folder), f"{site.folder}/", str(link)])
    assert found_names() == ["liba.so"]


def test_that_a_file_that_is_gone_or_a_file_list_is_no_error(site: Site) -> None:
    site.install("a", {"a/liba.so": site.library})
    (site.folder / "a" / "liba.so").unlink()
    site.install("b", {"b/libb.so": site.library}, record=False)
    problems: list[str] = []
    assert list(find_libraries([], problems)) == []
    assert problems == []


@pytest.mark.parametrize("url", ["project", "http://elsewhere/x", None])
def test_that_an_editable_distribution_is_searched_where_it_lies(site: Site, tmp_path: Path, url: str | None) -> None:
    project = tmp_path / "my project"
    (project / "target").mkdir(parents=True)
    shutil.copy(site.library, project / "target" / "libmine.so")
    site.install("mine", {"__editable__.mine.pth": str(project)})
    origin = {"url": project.as_uri() if url == "project" else url, "dir_info": {"editable": True}}
    (site.folder / "mine-1.2.dist-info" / "direct_url.json").write_text(json.dumps(origin))
    found = list(find_libraries([]))
    assert [library.distribution for library in found] == (["mine"] if url == "project" else [])


def test_that_without_lief_what_mentions_the_factory_is_taken(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lief", None)
    site.install("a", {"a/liba.so": site.library, "a/libtext.so": "CreateEpFactories"})
    assert found_names() == ["liba.so"]


def test_that_a_truncated_ep_library_is_listed_so_that_its_check_can_tell(site: Site, tmp_path: Path) -> None:
    site.install("a", {"a/liba.so": build.truncated_copy(site.library, tmp_path)})
    assert found_names() == ["liba.so"]


# ---- Folders ----


def test_that_folders_are_searched_below_but_not_through_links(site: Site, tmp_path: Path) -> None:
    folder = tmp_path / "libraries"
    (folder / "a" / "b").mkdir(parents=True)
    shutil.copy(site.library, folder / "a" / "b" / "libdeep.so")
    (tmp_path / "elsewhere").mkdir()
    shutil.copy(site.library, tmp_path / "elsewhere" / "liblinked.so")
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    (found,) = find_libraries([str(folder)])
    assert found == FoundLibrary(path=str(folder / "a" / "b" / "libdeep.so"), folder=str(folder))


def test_that_a_linked_file_comes_once_by_its_plain_name(site: Site, tmp_path: Path) -> None:
    folder = tmp_path / "libraries"
    folder.mkdir()
    shutil.copy(site.library, folder / "libx.so.1.8.1")
    (folder / "libx.so.1").symlink_to("libx.so.1.8.1")
    (folder / "libx.so").symlink_to("libx.so.1")
    (found,) = find_libraries([str(folder)])
    assert (Path(found.path).name, found.library_version) == ("libx.so", "1.8.1")


def test_that_what_a_distribution_has_is_not_listed_again_for_a_folder(site: Site) -> None:
    site.install("a", {"a/liba.so": site.library})
    assert [library.distribution for library in find_libraries([str(site.folder), str(site.folder / "a")])] == ["a"]


def test_that_a_folder_that_cannot_be_read_is_told(site: Site, tmp_path: Path) -> None:
    problems: list[str] = []
    (tmp_path / "file").write_text("")
    assert list(find_libraries([str(tmp_path / "gone"), str(tmp_path / "file"), "a\0b"], problems)) == []
    assert problems[0] == f"{tmp_path / 'gone'} cannot be read: {os.strerror(2)}"
    assert len(problems) == 3


def test_that_the_search_goes_six_folders_deep(site: Site, tmp_path: Path) -> None:
    deepest = tmp_path / "1" / "2" / "3" / "4" / "5" / "6"
    (deepest / "7").mkdir(parents=True)
    shutil.copy(site.library, deepest / "libsix.so")
    shutil.copy(site.library, deepest / "7" / "libseven.so")
    assert found_names(tmp_path / "1") == ["libsix.so"]


def test_that_a_folder_with_too_many_files_is_told(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "_MOST_FILES", 10)
    folder = tmp_path / "many"
    folder.mkdir()
    for index in range(11):
        (folder / f"{index}.txt").write_text("")
    problems: list[str] = []
    assert list(find_libraries([str(folder)], problems)) == []
    assert problems == [f"{folder} holds too many files: only 10 were looked at"]


# ---- Names of EPs ----


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('EP_NAME = "A"', "A"),
        ('_EP_NAME: str = "A"', "A"),
        ('def get_ep_name():\n    return "A"', "A"),
        (
            'def get_ep_name() -> str:\n    """D."""\n    return "A"\ndef get_ep_names():\n    return [get_ep_name()]',
            "A",
        ),
        ('N = "A"\ndef get_ep_names():\n    return [N]', "A"),
        ('EP_NAME = "wrong"\ndef get_ep_name():\n    return "A"', "A"),
        ('def get_ep_names():\n    return ["A", "B"]', ""),
        ("def get_ep_name():\n    return get_ep_name()", ""),
        ('def get_ep_name():\n    if x:\n        return "A"\n    return "B"', ""),
        ('EP_NAME = "A" + x', ""),
        ("EP_NAME = 7", ""),
        ("EP_NAME = EP_NAME", ""),
        ("this is no Python", ""),
        ('EP_NAME = "\\d"  # warns', "\\d"),
        ("\0", ""),
    ],
)
def test_that_the_name_is_read_from_the_source(tmp_path: Path, source: str, expected: str) -> None:
    (tmp_path / "__init__.py").write_text(source, encoding="utf-8")
    assert stated_ep_name(tmp_path) == expected


def test_that_the_name_may_stand_in_a_module_beside(tmp_path: Path) -> None:
    (tmp_path / "__init__.py").write_text("from .names import *\n")
    (tmp_path / "names.py").write_text('EP_NAME = "A"\n')
    assert stated_ep_name(tmp_path) == "A"


# ---- What is installed ----


@pytest.mark.ggml
def test_that_an_installed_plugin_is_found(ggml_library: Path) -> None:
    found = [library for library in find_libraries([]) if library.distribution == "onnxruntime-ggml"]
    version = importlib.metadata.version("onnxruntime-ggml")
    assert found == [
        FoundLibrary(
            path=str(ggml_library), distribution="onnxruntime-ggml", distribution_version=version, ep_name="ggml"
        )
    ]


def test_that_nothing_found_belongs_to_onnxruntime_itself() -> None:
    assert not [library for library in find_libraries([]) if library.distribution == "onnxruntime"]
