"""The entry point of the engine process."""

from __future__ import annotations

import sys

from .channel import Channel


def main() -> int:
    """Serve requests until the other side hangs up or asks for the end."""
    channel = Channel.from_standard_streams()  # first of all: whatever is imported next may print
    from .server import Server

    return Server(channel).serve()


if __name__ == "__main__":
    sys.exit(main())
