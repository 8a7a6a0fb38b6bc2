"""Folders for temporary files: yesterday's go, all others stay."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import pytest

from gui.engine.scratch import PREFIX, sweep


def test_that_what_is_older_than_a_day_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    names = (f"{PREFIX}old", f"{PREFIX}new", "of-others")
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "trace.json").write_text("[]", encoding="utf-8")
    yesterday = time.time() - 25 * 3600
    for name in (f"{PREFIX}old", "of-others"):
        os.utime(tmp_path / name, (yesterday, yesterday))
    sweep()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["of-others", f"{PREFIX}new"]
