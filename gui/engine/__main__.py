"""The entry point of the engine process."""

from __future__ import annotations

import os
import sys
from typing import Final

from .channel import Channel

_BLAS_THREADS: Final = "OPENBLAS_NUM_THREADS"


def main() -> int:
    """Serve requests until the other side hangs up or asks for the end."""
    channel = Channel.from_standard_streams()  # first of all: whatever is imported next may print
    import_numpy()
    from .server import Server

    return Server(channel).serve()


def import_numpy() -> None:
    """Import numpy without its BLAS starting a thread per core, a third of the CPU time of this process's start.

    Nothing here computes with it. The environment stays as it was: an EP may bring a BLAS that reads the same variable.
    """
    if _BLAS_THREADS in os.environ:
        return
    os.environ[_BLAS_THREADS] = "1"
    try:
        import numpy as np  # noqa: F401 only once is it read
    finally:
        del os.environ[_BLAS_THREADS]


if __name__ == "__main__":
    sys.exit(main())
