"""What a SIGKILL in the middle of writing leaves."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from gui.records.engine_command import PACKAGE_ROOT
from gui.store.store import TrialStore

from .writer import samples_of

KILLS = 50


def test_that_no_trial_that_was_kept_is_lost_by_kills_at_random_moments(tmp_path: Path) -> None:
    path, chance = tmp_path / "trials.sqlite", np.random.default_rng(6)
    told: list[str] = []
    for seed in range(KILLS):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.store.writer", str(path), str(seed)], cwd=PACKAGE_ROOT, stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        if chance.random() < 0.8:  # else it may be killed before the store is open, the first time before it is made
            assert process.stdout.readline() == b"ready\n"
            time.sleep(chance.random() * 0.1)
        else:
            time.sleep(chance.random() * 0.4)
        process.kill()
        rest, _ = process.communicate()
        told += [line.decode() for line in rest.splitlines(keepends=False) if line and line != b"ready"]
        with TrialStore(path) as store:  # opens after each kill
            kept = {summary.id: summary.sample_count for summary in store.summaries()}
        assert set(told) <= set(kept)
    assert len(told) > KILLS
    with TrialStore(path) as store:
        assert store.count() - len(told) <= KILLS  # of each process at most one that it had no time to tell of
        for trial_id in kept:
            assert np.array_equal(store.load(trial_id).samples, samples_of(trial_id))
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
