#!/usr/bin/env python3
"""What a double-click starts: the window, or with --report and --run the same engine without one.

This file stays readable for old Pythons and imports nothing heavy before it has looked whether it is there: whatever
is missing is named with the one command that mends it.
"""

import sys


def main() -> int:
    """Look what is there, then start the window or the command line; return the exit code."""
    if sys.version_info < (3, 11):  # noqa: UP036 a double-click takes whatever Python there is
        found = ".".join(map(str, sys.version_info[:2]))
        sys.stderr.write("ORT Device Explorer needs Python 3.11 or newer; this is " + found + ".\n")
        sys.stderr.write("Install a newer Python and start it with that:  python3.13 main.py\n")
        return 1
    from gui.cli import main as run

    return run(sys.argv[1:])


if __name__ == "__main__":
    try:
        code = main()
    except KeyboardInterrupt:  # while modules were still imported
        sys.stderr.write("ort-device-explorer: Stopped.\n")
        code = 1
    sys.exit(code)
