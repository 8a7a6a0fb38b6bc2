"""The file of a comparison: one JSON with all its trials, each as a file of its own has it; see docs/trial_file.md.

`--compare` and the window write the same file. It may be of trials that were measured by turns, or of any others that
were put side by side.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from .codec import DecodeError, from_json
from .comparison import COMPARISON_FORMAT
from .identity import new_id, now_text
from .kept_files import COMPARISON_FILE, TRIAL_FILE, damaged, object_of, text_of, with_format
from .kept_trial import KeptTrial
from .samples import MAX_SAMPLES
from .trial_file import ABOUT as ABOUT_TRIAL
from .trial_file import trial_object, trial_of_object

ABOUT: Final = {
    "about_trials": "what the fields of each trial mean",
    "id": "a UUID: that of the comparison in which all trials were measured by turns, or one of its own",
    "created": "when the comparison began, or was put together: ISO 8601, UTC",
    "baseline": "the place among the trials, counted from 0, of the one that the others are compared with; or null",
    "notes": "what is to be known of how they were measured, a sentence each",
    "trials": "one a row, each a whole trial file with all its samples; comparison says which of them belong to which "
    "round",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptComparison:
    """Trials that are compared, as a file holds them."""

    id: str
    """A UUID as text: of the comparison they were measured in, if all were measured in one."""
    created: str
    """ISO 8601, UTC."""
    baseline: int | None
    """The index of the trial that the others are compared with; None leaves it to what the trials say."""
    notes: tuple[str, ...] = ()
    """What is to be known of how they were measured, a sentence each."""
    trials: tuple[KeptTrial, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """Everything in the file but the trials, under the names it has there."""

    id: str
    created: str = ""
    baseline: int | None = None
    notes: tuple[str, ...] = ()


def comparison_file_json(
    trials: Sequence[KeptTrial],
    baseline: int | None = None,
    notes: Sequence[str] = (),
    *,
    one_line: bool = False,
) -> str:
    """Return the text of a comparison's file, to be written as UTF-8: a trial a line, or all in one.

    `baseline` is the index of the trial that the others are compared with, where it is another than the trials say.
    """
    kept = comparison_of(trials, baseline)
    objects = [json.dumps(trial_object(trial), ensure_ascii=False) for trial in kept.trials]
    entries = {
        "format": json.dumps(COMPARISON_FORMAT),
        "about": json.dumps(ABOUT),
        "about_trials": json.dumps(ABOUT_TRIAL, ensure_ascii=False),
        "id": json.dumps(kept.id),
        "created": json.dumps(kept.created),
        "baseline": json.dumps(kept.baseline),
        "notes": json.dumps(list(notes), ensure_ascii=False),
        "trials": f"[{', '.join(objects)}]" if one_line else "[\n    " + ",\n    ".join(objects) + "\n  ]",
    }
    return text_of(entries, one_line=one_line)


def comparison_of(trials: Sequence[KeptTrial], baseline: int | None = None) -> KeptComparison:
    """Return trials as a comparison: that in which all were measured by turns, else a new one of them."""
    parts = [trial.comparison for trial in trials]
    told = next((number for number, part in enumerate(parts) if part is not None and part.is_baseline), None)
    first = parts[0] if parts else None
    is_one = first is not None and all(part is not None and part.id == first.id for part in parts)
    return KeptComparison(
        id=first.id if first is not None and is_one else new_id(),
        created=first.created if first is not None and is_one else now_text(),
        baseline=told if baseline is None else baseline,
        trials=tuple(trials),
    )


def parse_comparison_file(text: str | bytes, name: str = "The file") -> KeptComparison:
    """Return the comparison that a file holds. Raises `FailureError` (NOT_A_TRIAL), which calls the file `name`."""
    data = object_of(text, name, COMPARISON_FILE)
    try:
        told = from_json(_Told, data)
        trials = _trials(data.get("trials"), name)
        if told.baseline is not None and not 0 <= told.baseline < len(trials):
            raise DecodeError(f"baseline: there is no trial {told.baseline}")
    except (DecodeError, RecursionError) as error:
        raise damaged(name, COMPARISON_FILE, error, "_Told") from error
    return KeptComparison(id=told.id, created=told.created, baseline=told.baseline, notes=told.notes, trials=trials)


def _trials(entries: Any, name: str) -> tuple[KeptTrial, ...]:
    """Return the trials of a file called `name`. Raises `DecodeError`, which names the trial, and `FailureError`."""
    if not isinstance(entries, list):
        raise DecodeError("trials: expected an array")
    if not entries:
        raise DecodeError("trials: there is none")
    found = []
    for number, entry in enumerate(entries):
        place = f"trials[{number}]"
        if not isinstance(entry, dict):
            raise DecodeError(f"{place}: expected an object")
        if "format" not in entry:
            raise DecodeError(f"{place}.format is missing")
        try:
            found.append(_whole(trial_of_object(with_format(entry, f"{name} ({place})", TRIAL_FILE))))
        except DecodeError as error:
            where = str(error)
            where = where.replace("_Told", place, 1) if where.startswith("_Told") else f"{place}: {where}"
            raise DecodeError(where) from error
    ids = [trial.id for trial in found]
    if len(ids) != len(set(ids)):
        raise DecodeError("trials: two have the same id")
    return tuple(found)


def _whole(kept: KeptTrial) -> KeptTrial:
    """Return a trial whose rounds have their samples. Raises `DecodeError`."""
    counts = [] if kept.comparison is None else [entry.sample_count for entry in kept.comparison.rounds]
    if any(count < 0 for count in counts):
        raise DecodeError("comparison.rounds: a number of samples is below 0")
    if sum(counts) > len(kept.samples) < MAX_SAMPLES:  # of very many the last are not kept
        raise DecodeError(f"comparison.rounds: they have {sum(counts)} samples, of which {len(kept.samples)} are there")
    return kept
