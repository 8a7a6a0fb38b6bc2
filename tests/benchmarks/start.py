"""How much later than the emptiest window is this one there? Time from process start to the first painted window.

    python -m tests.benchmarks.start [--repeats 10]

`main.py` over a minimal script that shows an empty QMainWindow with one pyqtgraph PlotWidget (`first_paint.py` holds
both): fresh processes in turn, each with settings of its own, as at a first start; the engine is started beside the
window as in real life. The first pair, which fills the disk cache, is thrown away. The clock runs from just before the
process is made until the window's content is given to the screen; the screen's own time is not in it.

Then where the time goes: medians of the parts one after the other, and how long it takes until the engine has answered
and the CPU stands in the table of devices.

Bound: the median of `main.py` over the median of the minimal script at most 1.3.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Final

from .harness import LIMIT_S, ROOT, Bound, interpreter, print_heading, private_environment, screen

_FIRST_PAINT: Final = Path(__file__).with_name("first_paint.py")
_LIMIT: Final = 1.3
_PARTS: Final = {
    "entered": "Python starts",
    "looked": "looks whether everything is there",
    "imported": "imports",
    "made": "makes the window",
    "shown": "shows it (layout, styles)",
    "exposed": "waits for the screen to map it",
    "painted": "paints it",
}

_Times = dict[str, float]
"""Milliseconds since just before the process was made, by what happened then."""


def main() -> None:
    """Run the benchmark and print what came out."""
    parser = argparse.ArgumentParser(description="Start of main.py against the emptiest window.")
    parser.add_argument("--repeats", type=int, default=10, help="pairs, one more is thrown away (10)")
    arguments = parser.parse_args()
    bare: list[_Times] = []
    application: list[_Times] = []
    with screen() as where:
        print_heading("start: from process start to the first painted window, main.py over a minimal script", where)
        print(f"{'':>4}{'main.py ms':>12}{'minimal ms':>12}{'ratio':>8}{'devices ms':>12}")
        for repeat in range(arguments.repeats + 1):
            bare.append(_start("bare"))
            application.append(_start("application"))
            ours, theirs = application[-1], bare[-1]
            ratio = ours["painted"] / theirs["painted"]
            thrown_away = "" if repeat else "   (thrown away)"
            numbers = f"{ours['painted']:>12.0f}{theirs['painted']:>12.0f}{ratio:>8.3f}{ours['devices']:>12.0f}"
            print(f"{repeat:>3}:{numbers}{thrown_away}", flush=True)
    bare, application = bare[1:], application[1:]
    _print_parts(application, bare)
    print(f"until the engine is ready: {_median(application, 'engine'):.0f} ms")
    print(f"until the CPU is in the table of devices: {_median(application, 'devices'):.0f} ms")
    ratio = _median(application, "painted") / _median(bare, "painted")
    print(Bound(name="ratio of the medians", figure=ratio, limit=_LIMIT))


def _print_parts(application: list[_Times], bare: list[_Times]) -> None:
    print(f"\n    {'medians':<38}{'main.py ms':>12}{'minimal ms':>12}")
    for name, text in _PARTS.items():
        print(f"    {text:<38}{_part(application, name):>12}{_part(bare, name):>12}")
    print(f"    {'first painted window':<38}{_median(application, 'painted'):>12.0f}{_median(bare, 'painted'):>12.0f}")


def _part(starts: list[_Times], name: str) -> str:
    """The median time from the part before to this one, as text."""
    if name not in starts[0]:
        return "-"
    parts = []
    for times in starts:
        known = [0.0, *(times[part] for part in _PARTS if part in times)]
        after = {later: later - earlier for earlier, later in pairwise(known)}
        parts.append(after[times[name]])
    return f"{statistics.median(parts):.1f}"


def _median(starts: list[_Times], name: str) -> float:
    return statistics.median(times[name] for times in starts)


def _start(what: str) -> _Times:
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        environment = os.environ | private_environment(Path(folder))
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # users start what is compiled; the first pair sees to it
        command = [interpreter(), str(_FIRST_PAINT), what]
        began = time.monotonic_ns()
        done = subprocess.run(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, timeout=LIMIT_S, check=True
        )
    times: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return {name: (at - began) / 1e6 for name, at in times.items()}


if __name__ == "__main__":
    main()
