"""A process that keeps trials until it is killed, and tells the id of each once it is kept.

python -m tests.store.writer STORE SEED
"""

from __future__ import annotations

import os
import sys
import uuid
from itertools import count
from pathlib import Path

import numpy as np

from gui.records.kept_trial import KeptTrial
from gui.records.samples import Nanoseconds
from gui.store.store import TrialStore

from ..records.test_trial_file import BARE


def samples_of(trial_id: str) -> Nanoseconds:
    """The samples that the trial with this id has: from none to so many that writing them takes a while."""
    source = np.random.default_rng(uuid.UUID(trial_id).int)
    many = int(source.choice([0, 10, 1000, 100_000]))
    return source.integers(0, 1 << 40, many, np.int64)


def trial(trial_id: str) -> KeptTrial:
    """The trial with this id."""
    return KeptTrial(
        id=trial_id, settings=BARE.settings, outcome=BARE.outcome, facts=BARE.facts, samples=samples_of(trial_id)
    )


def main() -> None:
    """Write until killed."""
    path, seed = Path(sys.argv[1]), int(sys.argv[2])
    store = TrialStore(path)
    os.write(1, b"ready\n")
    for number in count():
        kept = trial(str(uuid.uuid5(uuid.NAMESPACE_OID, f"{seed} {number}")))
        store.keep(kept)
        os.write(1, f"{kept.id}\n".encode())


if __name__ == "__main__":
    main()
