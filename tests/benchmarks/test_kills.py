"""A window killed while it compares, a few times; `kills.py` does so fifty times."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from .kills import Tally, after_a_while, check_whole, kill_one, store_path

_KILLS = 3


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="data folder and SIGKILL are Linux's")
def test_that_a_kill_of_the_window_loses_no_finished_trial_and_leaves_a_store_that_opens(tmp_path: Path) -> None:
    tally, chance = Tally(), np.random.default_rng()
    for _ in range(_KILLS):
        kill_one(tmp_path, after_a_while(chance.random() / 2, b"finished "), tally)
    check_whole(tmp_path, tally)
    assert store_path(tmp_path) is not None
    assert (tally.lost, tally.unopened, tally.processes_left) == ([], [], [])
    assert tally.kills == _KILLS
    assert len(tally.finished) >= _KILLS
    assert tally.measured >= set(tally.finished)
