"""Makes the SessionOptions and the session of a trial. Lives on the worker thread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from ..records.failure import FailureError, FailureKind, failure_error
from ..records.library import CPU_EP_NAME
from ..records.placement import MAX_NODE_NAMES, NodeGroup, OpCount, PlacedNodes, Placement
from ..records.trial import ExecutionMode, Optimization, TrialSettings
from . import ort
from .registry import Registry

STRICT_KEY: Final = "session.disable_cpu_ep_fallback"
_RECORD_KEY: Final = "session.record_ep_graph_assignment_info"
_MAX_NAMES: Final = 200
_LEVELS: Final = {
    Optimization.ALL: "ORT_ENABLE_ALL",
    Optimization.LAYOUT: "ORT_ENABLE_LAYOUT",
    Optimization.EXTENDED: "ORT_ENABLE_EXTENDED",
    Optimization.BASIC: "ORT_ENABLE_BASIC",
    Optimization.DISABLED: "ORT_DISABLE_ALL",
}
_MODES: Final = {ExecutionMode.SEQUENTIAL: "ORT_SEQUENTIAL", ExecutionMode.PARALLEL: "ORT_PARALLEL"}


def session_options(
    settings: TrialSettings,
    registry: Registry,
    sizes: Mapping[str, int],
    *,
    strict: bool,
    trace_prefix: Path | None = None,
) -> Any:
    """Return SessionOptions with target, EP options and all else of `settings`. Raises `FailureError`.

    `sizes` are the free dimensions by name. With a `trace_prefix` ORT's profiler is on: its trace's path begins so. Use
    the options at once: they hold devices, which dangle when their library goes.
    """
    options = ort.SessionOptions()
    _apply_session(options, settings)
    options.add_session_config_entry(_RECORD_KEY, "1")
    if trace_prefix is not None:
        options.enable_profiling = True
        options.profile_file_prefix = str(trace_prefix)
    for name, size in sizes.items():
        options.add_free_dimension_override_by_name(name, size)
    if strict:
        _check_strict(settings, registry)
        options.add_session_config_entry(STRICT_KEY, "1")
    _choose_target(options, settings, registry)
    return options


def _apply_session(options: Any, settings: TrialSettings) -> None:
    session = settings.session
    options.intra_op_num_threads = settings.intra_op_threads
    options.inter_op_num_threads = session.inter_op_threads
    level = getattr(ort.GraphOptimizationLevel, _LEVELS[session.optimization], None)
    if level is None:
        raise failure_error(
            FailureKind.BAD_SETTING,
            f"ONNX Runtime {ort.VERSION} has no optimisation level “{session.optimization.value}”.",
            hint="Choose another level.",
        )
    options.graph_optimization_level = level
    options.execution_mode = getattr(ort.ExecutionMode, _MODES[session.execution_mode])
    options.enable_mem_pattern = session.memory_pattern
    options.enable_cpu_mem_arena = session.memory_arena
    options.use_deterministic_compute = session.deterministic
    if session.log_severity is not None:
        options.log_severity_level = session.log_severity.value
    if session.optimized_model_path:
        folder = Path(session.optimized_model_path).parent
        if not folder.is_dir():
            raise failure_error(
                FailureKind.BAD_SETTING,
                f"The optimised model cannot be saved: there is no folder {folder}.",
                hint="Choose another place, or make the folder.",
            )
        target, model = Path(session.optimized_model_path), Path(settings.model_path)
        if target.exists() and model.exists() and target.samefile(model):
            raise failure_error(
                FailureKind.BAD_SETTING,
                "The optimised model would replace the model itself.",
                hint="Choose another file.",
            )
        options.optimized_model_filepath = session.optimized_model_path
    for key, value in session.config:
        _add_entry(options, key, value)


def _add_entry(options: Any, key: str, value: str) -> None:
    try:
        options.add_session_config_entry(key, value)
    except ort.ERRORS as error:
        raise failure_error(
            FailureKind.BAD_OPTION,
            f"ORT does not take the session-config entry “{key[:80]}”.",
            hint="Correct it or take it out.",
            detail=str(error),
        ) from error


def _check_strict(settings: TrialSettings, registry: Registry) -> None:
    chosen = settings.target.device_keys + settings.target.second_keys
    if CPU_EP_NAME in registry.ep_names_of(chosen):
        raise failure_error(
            FailureKind.BAD_SETTING,
            "Strict refuses ORT's own CPU EP, and that is the target.",
            hint="Switch Strict off, or choose another device.",
        )


def _choose_target(options: Any, settings: TrialSettings, registry: Registry) -> None:
    target = settings.target
    if target.policy is None:
        options.add_provider_for_devices(registry.resolve(target.device_keys), dict(settings.options))
        if target.second_keys:
            if set(registry.ep_names_of(target.second_keys)) & set(registry.ep_names_of(target.device_keys)):
                raise failure_error(
                    FailureKind.MIXED_TARGET,
                    "First and second choice belong to the same EP.",
                    hint="Choose another second EP, or none.",
                )
            options.add_provider_for_devices(registry.resolve(target.second_keys), dict(settings.second_options))
        return
    options.set_provider_selection_policy(ort.policy_of(target.policy.value))
    for key, value in settings.options:
        if key.startswith("ep."):  # the whole key: for the one EP it names
            _add_entry(options, key, value)
            continue
        for ep_name in registry.plugin_ep_names():
            _add_entry(options, f"ep.{ep_name.lower()}.{key}", value)


def placed_nodes(session: Any) -> PlacedNodes | None:
    """Return the nodes that each EP got, by operator; None where an ORT or an EP cannot tell."""
    try:
        subgraphs = session.get_provider_graph_assignment_info()
    except ort.ERRORS:
        return None
    names: dict[tuple[str, str, str], list[str]] = {}
    for subgraph in subgraphs:
        for node in subgraph.get_nodes():
            names.setdefault((subgraph.ep_name, node.op_type, node.domain), []).append(node.name)
    return PlacedNodes(
        groups=tuple(
            NodeGroup(ep_name=ep_name, op_type=op_type, domain=domain, names=tuple(found))
            for (ep_name, op_type, domain), found in names.items()
        )
    )


def placement_of(nodes: PlacedNodes | None) -> tuple[Placement, ...] | None:
    """Return how many nodes each EP got."""
    if nodes is None:
        return None
    counts: dict[str, Counter[str]] = {}
    for group in nodes.groups:
        counts.setdefault(group.ep_name, Counter())[group.op_type] += len(group.names)
    return tuple(
        Placement(
            ep_name=name,
            node_count=sum(ops.values()),
            op_types=tuple(OpCount(op_type=op, count=count) for op, count in ops.most_common()),
        )
        for name, ops in counts.items()
    )


def without_excess(nodes: PlacedNodes) -> PlacedNodes:
    """Return the nodes with at most `MAX_NODE_NAMES` names."""
    kept, room = [], MAX_NODE_NAMES
    for group in nodes.groups:
        names = group.names[:room]
        room -= len(names)
        kept.append(replace(group, names=names))
    total = sum(len(group.names) for group in nodes.groups)
    return replace(nodes, groups=tuple(kept), left_out=total - (MAX_NODE_NAMES - room))


def is_strict_refusal(error: Exception) -> bool:
    """Whether `error` is how ORT refuses a model of which nodes are left to its CPU EP."""
    return "fallback to CPU EP has been explicitly disabled" in str(error)


def explain_refusal(model_path: str, options: Any, detail: str) -> FailureError:
    """Return the failure that names the nodes in the way: made with `options`, which are not strict."""
    kind, hint = FailureKind.FALLS_BACK, "Switch Strict off, choose another target, or change these nodes of the model."
    try:
        session = ort.InferenceSession(model_path, options, enable_fallback=0)
        subgraphs = session.get_provider_graph_assignment_info()
    except ort.ERRORS as error:
        message = "Strict: some nodes would run on ORT's CPU EP; which ones cannot be told."
        return failure_error(kind, message, hint=hint, detail=f"{detail}\n{error}")
    nodes = [node for subgraph in subgraphs if subgraph.ep_name == CPU_EP_NAME for node in subgraph.get_nodes()]
    total = sum(len(subgraph.get_nodes()) for subgraph in subgraphs)
    counts = Counter(node.op_type for node in nodes).most_common()
    ops = ", ".join(f"{op} ×{count}" for op, count in counts[:6]) + (", …" if len(counts) > 6 else "")
    names = [f"{node.op_type} {node.name}".strip() for node in nodes[:_MAX_NAMES]]
    if len(nodes) > _MAX_NAMES:
        names.append(f"and {len(nodes) - _MAX_NAMES} more")
    message = f"Strict: {len(nodes)} of {total} nodes would run on ORT's CPU EP: {ops}."
    return failure_error(kind, message, hint=hint, detail="\n".join([*names, "", detail]))
