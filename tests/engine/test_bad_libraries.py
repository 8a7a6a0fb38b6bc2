"""Files that don't load, and EPs that refuse: each with its kind, a sentence and what to do; the engine stays."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gui.records.failure import Failure, FailureError, FailureKind

from ..conftest import DoubleFactory
from ..doubles import build
from ..engine_process import EngineProcess

RefusalOf = Callable[[Path | str], Failure]


@pytest.fixture
def refusal_of(engine: EngineProcess) -> Iterator[RefusalOf]:
    """Register a file that does not load and return why; nothing may be registered then, and the name stays free."""

    def refuse(path: Path | str) -> Failure:
        before = engine.inventory()
        with pytest.raises(FailureError) as caught:
            engine.register("bad", path)
        assert engine.inventory() == before
        failure = caught.value.failure
        assert failure.message.endswith("."), failure
        assert "\n" not in failure.message
        assert "onnxruntime_src" not in failure.message
        assert "[ONNXRuntimeError]" not in failure.message
        assert failure.hint
        return failure

    yield refuse
    assert engine.is_alive()


# ---- Files ----


def test_that_a_missing_file_is_told_with_its_folder(refusal_of: RefusalOf, tmp_path: Path) -> None:
    failure = refusal_of(tmp_path / "libgone.so")
    assert failure.kind is FailureKind.NO_SUCH_FILE
    assert failure.message == f"There is no file libgone.so in {tmp_path}."


@pytest.mark.parametrize("name", ["x" * 300 + ".so", "a\0b.so", "libgone.so/inside.so"])
def test_that_a_path_no_file_can_have_is_no_file(refusal_of: RefusalOf, tmp_path: Path, name: str) -> None:
    assert refusal_of(f"{tmp_path}/{name}").kind is FailureKind.NO_SUCH_FILE


def test_that_a_dangling_link_is_no_file(refusal_of: RefusalOf, tmp_path: Path) -> None:
    link = tmp_path / "libdangling.so"
    link.symlink_to(tmp_path / "gone")
    assert refusal_of(link).kind is FailureKind.NO_SUCH_FILE


@pytest.mark.parametrize("content", [b"", b"not a library, although it is called one\n", b"\x7f", bytes(range(256))])
def test_that_a_file_without_the_marks_of_a_library_is_none(
    refusal_of: RefusalOf, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "libtext.so"
    path.write_bytes(content)
    failure = refusal_of(path)
    assert failure.kind is FailureKind.NOT_A_LIBRARY
    assert "libtext.so" in failure.message
    assert failure.detail


@pytest.mark.parametrize("content", [b"\x7fELF", b"\x7fELF" + b"\0" * 5000, b"MZ" + b"\0" * 5000, b"\xcf\xfa\xed\xfe"])
def test_that_a_broken_library_or_one_of_another_system_is_none(
    refusal_of: RefusalOf, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "libbroken.so"
    path.write_bytes(content)
    failure = refusal_of(path)
    assert failure.kind is FailureKind.NOT_A_LIBRARY
    assert "libbroken.so" in failure.message


def test_that_a_folder_is_no_library(refusal_of: RefusalOf, tmp_path: Path) -> None:
    folder = tmp_path / "libfolder.so"
    folder.mkdir()
    failure = refusal_of(folder)
    assert failure.kind is FailureKind.NOT_A_LIBRARY
    assert "folder" in failure.message


def test_that_an_empty_path_is_no_library(refusal_of: RefusalOf) -> None:
    assert refusal_of("").kind in (FailureKind.NOT_A_LIBRARY, FailureKind.NO_SUCH_FILE)


@pytest.mark.skipif(
    sys.platform == "win32" or not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything"
)
def test_that_a_file_that_may_not_be_read_is_told_so(
    refusal_of: RefusalOf, double_library: DoubleFactory, tmp_path: Path
) -> None:
    path = tmp_path / "libsecret.so"
    path.write_bytes(double_library("").read_bytes())
    path.chmod(0)
    failure = refusal_of(path)
    assert failure.kind is FailureKind.NO_SUCH_FILE
    assert "cannot be read" in failure.message


def test_that_the_c_library_is_no_ep_library(refusal_of: RefusalOf) -> None:
    try:
        path = build.system_library()
    except build.DoubleUnavailableError as error:
        pytest.skip(str(error))
    failure = refusal_of(path)
    assert failure.kind is FailureKind.NOT_AN_EP_LIBRARY
    assert path.name in failure.message
    assert "CreateEpFactories" in failure.message


def test_that_a_missing_dependency_is_named(
    refusal_of: RefusalOf, double_library: DoubleFactory, tmp_path: Path
) -> None:
    double_library("")  # skips where there is no compiler
    failure = refusal_of(build.missing_dependency(tmp_path))
    assert failure.kind is FailureKind.MISSING_DEPENDENCY
    assert "libmissing_dependency.so needs libnot_installed.so" in failure.message
    assert "libnot_installed.so" in failure.hint


def test_that_a_library_for_another_processor_is_not_called_missing(
    refusal_of: RefusalOf, double_library: DoubleFactory, tmp_path: Path
) -> None:
    double_library("")
    failure = refusal_of(build.wrong_architecture(tmp_path))
    assert failure.kind is FailureKind.NOT_A_LIBRARY
    assert "libwrong_architecture.so" in failure.message
    assert "processor" in failure.hint


LIBRARY_WITHOUT = """
extern int not_defined_anywhere(void);
void *CreateEpFactories(void) { return not_defined_anywhere() ? 0 : 0; }
void *ReleaseEpFactory(void) { return 0; }
"""
LIBRARY_OF_NOTHING = """
void *CreateEpFactories(const char *n, void *b, void *l, void **f, unsigned long m, unsigned long *c) {
    *c = 1; f[0] = 0; return 0;
}
void *ReleaseEpFactory(void *f) { return 0; }
"""


def compile_library(folder: Path, source: str, *flags: str) -> Path:
    """Make a library of C; skips where there is no compiler."""
    path = folder / "libmade.so"
    (folder / "made.c").write_text(source)
    try:
        subprocess.run(["gcc", "-shared", "-fPIC", *flags, "-o", str(path), str(folder / "made.c")], check=True)
    except OSError:
        pytest.skip("gcc is not installed")
    return path


def test_that_a_missing_symbol_is_named(refusal_of: RefusalOf, tmp_path: Path) -> None:
    failure = refusal_of(compile_library(tmp_path, LIBRARY_WITHOUT, "-Wl,-z,now"))
    assert failure.kind is FailureKind.MISSING_SYMBOL
    assert failure.message == "libmade.so needs the symbol not_defined_anywhere, which no library it uses has."


# ---- EPs ----


def test_that_a_factory_that_is_none_is_told_as_the_librarys_fault(refusal_of: RefusalOf, tmp_path: Path) -> None:
    failure = refusal_of(compile_library(tmp_path, LIBRARY_OF_NOTHING))
    assert failure.kind is FailureKind.REFUSED_BY_EP
    assert failure.message == "libmade.so promised an EP factory and gave none."


def test_that_an_ep_for_a_newer_ort_is_told_with_both_versions(
    refusal_of: RefusalOf, double_library: DoubleFactory
) -> None:
    failure = refusal_of(double_library("api=99"))
    assert failure.kind is FailureKind.NEEDS_NEWER_ORT
    assert "99" in failure.message
    assert importlib.metadata.version("onnxruntime") in failure.message
    assert "onnxruntime" in failure.hint


@pytest.mark.parametrize("stage", ["factory", "devices"])
def test_that_an_ep_that_refuses_is_quoted(refusal_of: RefusalOf, double_library: DoubleFactory, stage: str) -> None:
    failure = refusal_of(double_library(f"{stage}=error,text=no licence found"))
    assert failure.kind is FailureKind.REFUSED_BY_EP
    assert "no licence found" in failure.message
    assert "no licence found" in failure.detail


def test_that_an_order_the_double_does_not_understand_is_a_refusal(
    refusal_of: RefusalOf, double_library: DoubleFactory
) -> None:
    assert "order 'compile=sing' is not understood" in refusal_of(double_library("compile=sing")).message


def test_that_a_bad_library_leaves_the_good_ones_and_the_name(
    engine: EngineProcess, refusal_of: RefusalOf, double_library: DoubleFactory
) -> None:
    engine.register("good", double_library(""))
    refusal_of(double_library("factory=error"))
    refusal_of(double_library("devices=error"))
    inventory = engine.register("bad", double_library("count=2"))
    assert [library.name for library in inventory.libraries] == ["good", "bad"]
    assert len(inventory.devices) == 1 + 1 + 2
