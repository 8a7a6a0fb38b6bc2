"""A Python that has the packages of this one and not this application: what a script of a trial is run with."""

from __future__ import annotations

import json
import site
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx

LIMIT_S = 120.0
"""How long a script may take before its test fails; nothing is measured by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptRun:
    """How a script ended."""

    code: int
    out: str
    errors: str
    found: dict[str, Any]
    """What it wrote for `--json`; empty when it did not get there."""


class CleanPython:
    """A virtual environment of its own, which sees the packages of this one but none of their `.pth` files."""

    def __init__(self, folder: Path) -> None:
        """Make it in a folder. Raises `RuntimeError` when this application can be imported there all the same."""
        venv.create(folder / "clean", with_pip=False, symlinks=sys.platform != "win32")
        self._program = folder / "clean" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        self._folder = folder / "elsewhere"
        self._folder.mkdir()
        asked = self.run_code("import sysconfig; print(sysconfig.get_path('purelib'))")
        (Path(asked.out.strip()) / "packages.pth").write_text("\n".join(site.getsitepackages()), encoding="utf-8")
        if self.run_code("import numpy, onnxruntime; import gui").errors.count("No module named 'gui'") != 1:
            raise RuntimeError("the clean environment holds this application, or lacks the packages")

    def run_code(self, code: str) -> ScriptRun:
        """Run a line of code."""
        return self._run("-c", code)

    def run_script(self, text: str, *arguments: str, name: str = "script.py") -> ScriptRun:
        """Write a script and run it, with warnings as errors, from a folder that is not this application's."""
        script, result = self._folder / name, self._folder / "result.json"
        script.write_text(text, encoding="utf-8")
        result.unlink(missing_ok=True)
        return self._run("-W", "error", str(script), "--json", str(result), *arguments, result=result)

    def _run(self, *arguments: str, result: Path | None = None) -> ScriptRun:
        done = subprocess.run(
            [str(self._program), "-I", "-X", "utf8", *arguments],
            cwd=self._folder,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=LIMIT_S,
            check=False,
        )
        found = {}
        if result is not None and result.exists():
            found = json.loads(result.read_text(encoding="utf-8"))
        return ScriptRun(code=done.returncode, out=done.stdout, errors=done.stderr, found=found)


def content_of_pb(path: Path, type_text: str) -> bytes:
    """Return the bytes of an output that a trial saved, as scripts put them together for their digests."""
    data = path.read_bytes()
    if type_text.startswith("seq("):
        return b"".join(map(_content, onnx.SequenceProto.FromString(data).tensor_values))
    return _content(onnx.TensorProto.FromString(data))


def _content(tensor: Any) -> bytes:
    if tensor.data_type == onnx.TensorProto.STRING:
        return b"\0".join(tensor.string_data)
    return bytes(tensor.raw_data)
