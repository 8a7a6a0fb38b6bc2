"""Folders for what the engine writes on the way. Lives on the worker thread."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import Final

PREFIX: Final = "ort-device-explorer-"
"""All of them begin like this, below the system's folder for temporary files."""
_OLD_S: Final = 24 * 3600


def sweep() -> None:
    """Remove what is older than a day: drafts of engines that died while they compiled, traces of old profiles."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            is_old = time.time() - folder.stat().st_mtime > _OLD_S
        except OSError:  # another engine has just removed it
            continue
        if is_old:
            shutil.rmtree(folder, ignore_errors=True)
