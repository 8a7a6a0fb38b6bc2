"""`--profile` without a window: which operators and nodes of a trial's model take the time."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Final

from .console import fail, say, say_columns, say_table, write_text
from .headless import HeadlessEngine
from .records.failure import FailureError, FailureKind, failure_error
from .records.profile import Profile, ep_times, profile_json, share_of_nodes, unexplained_share
from .records.trial import TrialSettings
from .records.units import time_text

_TOP: Final = 12


def profile_trial(engine: HeadlessEngine, settings: TrialSettings, path: str, trace: str | None) -> bool:
    """Profile the model of a trial, print what is slowest and write it all to a file; copy ORT's trace if wanted.

    Return whether that went well; a failure is printed.
    """
    try:
        engine.revive()
        profile = _with_trace(engine.profile(settings), trace)
        data = profile_json(profile, settings, engine.greeting)
        write_text(path, json.dumps(data, ensure_ascii=False) + "\n")
    except FailureError as error:
        fail(error.failure)
        return False
    say("")
    say_table(_summary_rows(profile))
    say("")
    say_columns(_op_rows(profile))
    return True


def _summary_rows(profile: Profile) -> list[tuple[str, str]]:
    runs = max(1, profile.runs)
    rows = [("Profiled", f"{profile.runs} runs, {time_text(profile.wall_ns / runs)} each on average")]
    rows += [
        (f"Nodes on {ep_name}", f"{_percent(share_of_nodes(profile, total_ns))}, {time_text(total_ns / runs)} a run")
        for ep_name, total_ns in ep_times(profile)
    ]
    unexplained = unexplained_share(profile)
    if unexplained is not None:
        rows.append(("No node's", f"{_percent(unexplained)} of a run"))
    return rows + [("Note", note) for note in profile.notes]


def _op_rows(profile: Profile) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("Operator", "EP", "Nodes", "Time per run", "Share")]
    for op in profile.ops[:_TOP]:
        time = time_text(op.total_ns / max(1, profile.runs))
        share = _percent(share_of_nodes(profile, op.total_ns))
        rows.append((op.op_type, op.ep_name, str(op.node_count), time, share))
    if len(profile.ops) > _TOP:
        rows.append((f"and {len(profile.ops) - _TOP} more", "", "", "", ""))
    return rows


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _with_trace(profile: Profile, target: str | None) -> Profile:
    """Return the profile with ORT's trace where it is wanted, and nowhere else. Raises `FailureError`."""
    written = Path(profile.trace_path)
    try:
        if target is None:
            return replace(profile, trace_path="", trace_bytes=0)
        place = Path(target).expanduser().absolute()
        shutil.copyfile(written, place)
        return replace(profile, trace_path=str(place))
    except OSError as error:
        message = f"{target} cannot be written: {error.strerror or error}."
        raise failure_error(FailureKind.BAD_SETTING, message, hint="Choose another file.") from error
    finally:
        shutil.rmtree(written.parent, ignore_errors=True)
