"""Does a SIGKILL of the window, at a random moment of a comparison, lose a finished trial or spoil the store?

    python -m tests.benchmarks.kills [--kills 50] [--seed 6]

Each time the real window is started in a process of its own, drawn into memory, with a real engine and one data folder
for all of them. It compares the CPU with itself again and again, and is killed: mostly up to six seconds after the
first comparison began, else at any moment since it was started. What it tells by then are the trials that a table of
the window called finished (see `killed_window.py`). After each kill its engine must end by itself, the store must open,
and each of those trials must be in it with all its samples and rounds.

Printed, too: trials that had been measured to the end and were not called finished yet, for they were still being
written, and whether they are in the store all the same; trials that were under way, and are in the store as far as
they had come.

Bounds: no finished trial lost, no store that does not open, no process left. The exit code is 1 when one is not met.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import psutil

from gui.records.result import Outcome
from gui.store.errors import StoreError
from gui.store.store import TrialStore

from .harness import LIMIT_S, ROOT, Bound, interpreter, print_heading, private_environment

_STORE: Final = "trials.sqlite"
_SOON_AFTER: Final = 0.8
"""How many of the kills come after the first comparison began."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """What was told before the kills, and what was found after them."""

    kills: int = 0
    finished: dict[str, int] = field(default_factory=dict)
    """How many samples each trial had that the window called finished."""
    measured: set[str] = field(default_factory=set)
    """Trials with all that was planned, whatever was shown of them."""
    comparisons: int = 0
    lost: list[str] = field(default_factory=list)
    """What is wrong with finished trials, a sentence each."""
    unopened: list[str] = field(default_factory=list)
    """What was said of stores that did not open or are not whole."""
    processes_left: list[str] = field(default_factory=list)
    being_kept: int = 0
    """Those measured to the end that the window did not call finished yet."""
    being_kept_found: int = 0
    under_way_found: int = 0
    """Stopped trials in the store: those that were under way, as far as they had come."""


def kill_one(folder: Path, moment: Callable[[subprocess.Popen[bytes]], list[bytes]], tally: Tally) -> None:
    """Start a window on a folder, kill it once `moment` returns the lines it has read, and look at what is left."""
    environment = {**os.environ, **private_environment(folder), "QT_QPA_PLATFORM": "offscreen"}
    command = [interpreter(), "-m", "tests.benchmarks.killed_window", str(folder)]
    with (folder / "stderr.txt").open("ab") as errors:
        window = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=errors)
    try:
        lines = moment(window)
        children = psutil.Process(window.pid).children(recursive=True)
    finally:
        window.kill()
    code = window.wait()
    assert window.stdout is not None
    lines += window.stdout.read().splitlines()
    window.stdout.close()
    if code != -signal.SIGKILL:
        raise RuntimeError(f"the window ended by itself ({code}): {(folder / 'stderr.txt').read_text()[-2000:]}")
    tally.kills += 1
    told = _take(lines, tally)
    engines = [int(line.split()[1]) for line in lines if line.startswith(b"engine ")]
    tally.processes_left += _left(children, engines)
    _look(folder, told, tally)


def after_a_while(seconds: float, first: bytes = b"") -> Callable[[subprocess.Popen[bytes]], list[bytes]]:
    """Return a moment so many seconds after a line that begins so, or after the start."""

    def moment(window: subprocess.Popen[bytes]) -> list[bytes]:
        lines: list[bytes] = []
        assert window.stdout is not None
        while first and not (lines and lines[-1].startswith(first)):
            line = window.stdout.readline()
            if not line:
                break  # it has ended by itself, which is told
            lines.append(line.rstrip(b"\n"))
        time.sleep(seconds)
        return lines

    return moment


def store_path(folder: Path) -> Path | None:
    """Return where the window keeps its trials below its folder; None before it has made the store."""
    return next(iter((folder / "XDG_DATA_HOME").rglob(_STORE)), None)


def check_whole(folder: Path, tally: Tally) -> None:
    """Look whether the database is whole, once nothing writes to it any more."""
    path = store_path(folder)
    if path is None:
        tally.unopened.append("there is no store")
        return
    with closing(sqlite3.connect(path)) as connection:
        for pragma in ("integrity_check", "foreign_key_check"):
            found = [str(row[0]) for row in connection.execute(f"PRAGMA {pragma}") if row[0] != "ok"]
            tally.unopened += [f"{pragma}: {text}" for text in found]
    asides = [entry.name for entry in path.parent.iterdir() if "damaged" in entry.name]
    tally.unopened += [f"set aside: {name}" for name in asides]


def _take(lines: list[bytes], tally: Tally) -> dict[str, int]:
    """Take what a window told; return its finished trials."""
    told = [line.decode().split() for line in lines if line]
    finished = {words[1]: int(words[2]) for words in told if words[0] == "finished"}
    tally.finished |= finished
    tally.measured |= {words[1] for words in told if words[0] == "measured"}
    tally.comparisons += sum(words[0] == "running" for words in told)
    return finished


def _left(children: list[psutil.Process], engines: list[int]) -> list[str]:
    """Return the processes of a killed window that do not end by themselves."""
    for number in set(engines) - {child.pid for child in children}:
        with contextlib.suppress(psutil.NoSuchProcess):
            children.append(psutil.Process(number))
    ends = time.monotonic() + LIMIT_S
    while (alive := [child for child in children if not _has_ended(child)]) and time.monotonic() < ends:
        time.sleep(0.01)
    return [f"process {child.pid} is left" for child in alive]


def _has_ended(process: psutil.Process) -> bool:
    """Whether a process has ended; in a container there may be nobody to ask how, and it stays as a zombie."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def _look(folder: Path, told: dict[str, int], tally: Tally) -> None:
    """Look for the trials that a window called finished."""
    path = store_path(folder)
    if path is None:
        tally.lost += [f"{trial_id}: there is no store" for trial_id in told]
        return
    try:
        with TrialStore(path) as store:
            tally.lost += [text for trial_id, count in told.items() if (text := _complaint(store, trial_id, count))]
            rows = {row.id: row for row in store.summaries()}
    except StoreError as error:
        tally.unopened.append(str(error))
        return
    tally.lost += [f"{trial_id}: kept once, gone now" for trial_id in tally.finished if trial_id not in rows]
    unsaid = tally.measured - set(tally.finished)
    tally.being_kept = len(unsaid)
    tally.being_kept_found = sum(row.id in unsaid and row.outcome is Outcome.FINISHED for row in rows.values())
    tally.under_way_found = sum(row.outcome is Outcome.STOPPED for row in rows.values())


def _complaint(store: TrialStore, trial_id: str, count: int) -> str:
    """Return what is wrong with a finished trial in the store; empty when it is complete."""
    try:
        kept = store.load(trial_id)
    except StoreError as error:
        return f"{trial_id}: {error}"
    part = kept.comparison
    rounds = () if part is None else part.rounds
    if kept.outcome is not Outcome.FINISHED or len(kept.samples) != count or kept.statistics is None:
        return f"{trial_id}: {kept.outcome.value}, {len(kept.samples)} samples of {count}"
    if part is None or len(rounds) != part.planned_rounds or sum(each.sample_count for each in rounds) != count:
        return f"{trial_id}: {len(rounds)} rounds"
    return ""


def main() -> int:
    """Run the benchmark, print what came out and return the exit code."""
    parser = argparse.ArgumentParser(description="What kills of the window lose.")
    parser.add_argument("--kills", type=int, default=50, help="how often the window is killed (50)")
    parser.add_argument("--seed", type=int, default=6, help="of the moments (6)")
    arguments = parser.parse_args()
    tally, chance = Tally(), np.random.default_rng(arguments.seed)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        print_heading(f"kills: the window, {arguments.kills} times", f"offscreen, in {folder}")
        began = time.perf_counter()
        for _ in range(arguments.kills):
            if chance.random() < _SOON_AFTER:
                kill_one(folder, after_a_while(chance.random() * 6, b"running "), tally)
            else:
                kill_one(folder, after_a_while(chance.random() * 6), tally)
        check_whole(folder, tally)
    print(f"{tally.kills} kills in {time.perf_counter() - began:.0f} s, {tally.comparisons} comparisons begun")
    print(f"{len(tally.finished)} trials called finished, {len(tally.lost)} lost")
    print(f"{tally.being_kept} measured and not called finished yet, {tally.being_kept_found} of them in the store")
    print(f"{tally.under_way_found} trials that were under way are in the store as far as they had come")
    for text in (*tally.lost, *tally.unopened, *tally.processes_left):
        print(f"  {text}")
    bounds = (
        Bound(name="finished trials lost", figure=len(tally.lost), limit=0),
        Bound(name="stores not opened or not whole", figure=len(tally.unopened), limit=0),
        Bound(name="processes left", figure=len(tally.processes_left), limit=0),
    )
    for bound in bounds:
        print(bound)
    return int(any(bound.figure > bound.limit for bound in bounds) or not tally.finished)


if __name__ == "__main__":
    sys.exit(main())
