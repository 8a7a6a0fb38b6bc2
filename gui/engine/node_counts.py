"""Counts the nodes of a run where ORT's own record of them has gaps. Lives on the worker thread.

An EP with kernels of its own that prefers the layout NHWC (WebGPU) gets its nodes before ORT changes the layout, and
ORT (seen with 1.30) records only what it gives away after that: a few Transposes of its own, or nothing. EPs that
compile are recorded as a whole. So a record that cannot be all there is, is checked against a run under ORT's profiler.
"""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ..records.failure import FailureError
from ..records.library import CPU_EP_NAME
from ..records.placement import NodeGroup, OpCount, PlacedNodes
from ..records.profile import FUSED
from ..records.trial import TrialSettings
from . import ort
from .cancellation import Cancellation
from .registry import Registry
from .runners import Runner
from .scratch import PREFIX, sweep
from .sessions import session_options
from .traces import nodes_that_ran

_INSERTED: Final = frozenset({"Transpose"})
"""What ORT adds around nodes of another layout; on its own it tells nothing of the model's nodes."""
_COPIES: Final = frozenset({"MemcpyFromHost", "MemcpyToHost"})
_FOLDED: Final = frozenset({"Constant", "Identity"})
"""Nodes of a model file that no session keeps."""


def is_doubtful(nodes: PlacedNodes | None, wanted: tuple[str, ...], op_counts: tuple[OpCount, ...] | None) -> bool:
    """Return whether ORT's record may miss nodes of a wanted EP.

    `op_counts` are those of the model file. Fusions make a model smaller, too: a record of more than half of the file's
    nodes is doubted only when it has none for a wanted EP.
    """
    plugins = [name for name in wanted if name != CPU_EP_NAME]
    if nodes is None or not plugins:
        return False
    total = sum(len(group.names) for group in nodes.groups)
    in_file = None if op_counts is None else sum(op.count for op in op_counts if op.op_type not in _FOLDED)
    if in_file is not None and total >= in_file:
        return False
    real = {group.ep_name for group in nodes.groups if group.op_type not in _INSERTED}
    return any(name not in real for name in plugins) or (in_file is not None and 2 * total < in_file)


def count_nodes(
    settings: TrialSettings,
    registry: Registry,
    sizes: Mapping[str, int],
    feeds: dict[str, Any],
    cancellation: Cancellation,
) -> PlacedNodes | None:
    """Return the nodes that run on each EP, by a session of its own and one run; None where that fails.

    What an EP compiled is one node here.
    """
    sweep()
    try:
        with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as folder:
            prefix = Path(folder) / "trace"
            ran = nodes_that_ran(_trace_of_a_run(settings, registry, sizes, feeds, cancellation, prefix))
    except (FailureError, OSError):
        return None
    except ort.ERRORS:
        return None
    finally:
        gc.collect()  # the session, and the error's traceback that held it
    if ran is None:
        return None
    names: dict[tuple[str, str], list[str]] = {}
    for ep_name, op_type, name in ran:
        if op_type not in _COPIES:
            names.setdefault((ep_name, op_type), []).append(name)
    return PlacedNodes(
        groups=tuple(
            NodeGroup(ep_name=ep_name, op_type=op_type, domain="", names=tuple(found))
            for (ep_name, op_type), found in names.items()
        )
    )


def better_of(recorded: PlacedNodes, counted: PlacedNodes | None, wanted: tuple[str, ...]) -> PlacedNodes | None:
    """Return what was counted if it shows nodes of a wanted EP's own kernels, else what was recorded."""
    if counted is None:
        return None
    own = {group.ep_name for group in counted.groups if group.op_type != FUSED}
    return counted if any(name in own for name in wanted if name != CPU_EP_NAME) else recorded


def _trace_of_a_run(
    settings: TrialSettings,
    registry: Registry,
    sizes: Mapping[str, int],
    feeds: dict[str, Any],
    cancellation: Cancellation,
    prefix: Path,
) -> Path:
    options = session_options(settings, registry, sizes, strict=settings.session.strict, trace_prefix=prefix)
    options.optimized_model_filepath = ""  # a trial has written it already
    run_options = ort.RunOptions()
    cancellation.watch(session_options=options, run_options=run_options)
    session = ort.InferenceSession(settings.model_path, options, enable_fallback=0)
    registry.track_session(session)
    function, arguments = Runner(session, feeds, settings.binding, run_options).calls(1)[0]
    function(*arguments)
    return Path(session.end_profiling())
