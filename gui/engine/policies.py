"""Tries what a selection policy takes. Lives on the worker thread."""

from __future__ import annotations

import gc
import time
from dataclasses import replace
from typing import Any, Final

from ..records.codec import StringMap
from ..records.device import Device
from ..records.dimensions import with_derived
from ..records.engine_command import PACKAGE_ROOT
from ..records.failure import Failure, FailureError, FailureKind, failure_error
from ..records.model import free_names
from ..records.placement import OpCount, PlacedNodes
from ..records.policies import PolicyOutcome, expected_device
from ..records.trial import Policy, Stage, Target, TrialSettings
from . import ort
from .cancellation import Cancellation
from .failures import is_cancellation, trial_failure
from .models import describe_model
from .node_counts import better_of, count_nodes, is_doubtful
from .registry import Registry
from .sessions import placed_nodes, placement_of, session_options
from .trial_inputs import prepare_inputs

_TINY_MODEL: Final = PACKAGE_ROOT / "resources" / "policy_model.onnx"


class _LookedError(Exception):
    """Ends the creation of a session of which only ORT's order of preference was wanted."""


def explain_policy(
    policy: Policy, model_path: str, ep_options: StringMap, registry: Registry, cancellation: Cancellation
) -> PolicyOutcome:
    """Return what the policy takes for a model; an empty path stands for a tiny one. `ep_options` are as a trial's.

    A session is really made, as a trial makes it, each free dimension being 1 or what follows from that; so it may end
    the process. What fails in it is part of the outcome. Raises `FailureError` for a model that cannot be read and when
    it was stopped.
    """
    path = model_path or str(_TINY_MODEL)
    try:
        description = describe_model(path)
        sizes = with_derived(free_names(description.inputs), {})
    except ValueError as error:
        message = f"A free dimension has no usable size: {error}."
        raise failure_error(FailureKind.BAD_DIMENSION, message, hint="Choose another model.") from error
    outcome = PolicyOutcome(policy=policy, order=_order_of_preference(path, registry))
    _end_if_wanted(cancellation)
    try:
        outcome = _created(outcome, path, ep_options, sizes, description.op_counts, registry, cancellation)
    except FailureError as error:
        outcome = _failed(outcome, error.failure, registry)
    except ort.ERRORS as error:
        if cancellation.is_requested() and is_cancellation(error):
            _end_if_wanted(cancellation)
        outcome = _failed(outcome, trial_failure(error, Stage.CREATING_SESSION, by_policy=True), registry)
    finally:
        gc.collect()  # the session, and the error's traceback that held it
    _end_if_wanted(cancellation)
    return outcome


def _failed(outcome: PolicyOutcome, failure: Failure, registry: Registry) -> PolicyOutcome:
    """Return an outcome without a session, with the device that it was to be made on."""
    key = expected_device(outcome.policy, outcome.order or (), registry.inventory().devices)
    return replace(outcome, failure=failure, device_key=key)


def _end_if_wanted(cancellation: Cancellation) -> None:
    if cancellation.is_requested():
        raise failure_error(FailureKind.STOPPED, "Trying the policy was stopped.")


def _order_of_preference(path: str, registry: Registry) -> tuple[str, ...] | None:
    """Return the keys of all devices in ORT's order, the most preferred first; None where ORT does not tell it."""
    if ort.set_policy_delegate is None:
        return None
    seen: list[Any] = []

    def look(devices: list[Any], *_about: Any) -> list[Any]:
        seen.extend(devices)
        raise _LookedError

    options = ort.SessionOptions()
    try:
        ort.set_policy_delegate(options, look)
        ort.InferenceSession(path, options, enable_fallback=0)
    except ort.ERRORS:  # ORT's own, in which ours is wrapped; what else is wrong is met again by the session itself
        pass
    keys = registry.keys_of(seen)
    seen.clear()  # they dangle when their library goes
    return keys or None


def _created(
    outcome: PolicyOutcome,
    path: str,
    ep_options: StringMap,
    sizes: dict[str, int],
    op_counts: tuple[OpCount, ...] | None,
    registry: Registry,
    cancellation: Cancellation,
) -> PolicyOutcome:
    """Make the session and return the outcome with what it took."""
    settings = TrialSettings(model_path=path, target=Target(policy=outcome.policy), options=ep_options)
    options = session_options(settings, registry, sizes, strict=False)
    cancellation.watch(session_options=options, run_options=ort.RunOptions())
    began = time.perf_counter_ns()
    session = ort.InferenceSession(path, options, enable_fallback=0)
    took = time.perf_counter_ns() - began
    registry.track_session(session)
    providers = tuple(session.get_providers())
    ep_name = providers[0] if providers else ""
    of_inputs = registry.keys_of(list(session.get_input_epdevices()))
    nodes = placed_nodes(session)
    if nodes is not None and is_doubtful(nodes, (ep_name,), op_counts):
        del session
        gc.collect()
        nodes = _counted(nodes, ep_name, settings, sizes, registry, cancellation)
    return replace(
        outcome,
        ep_name=ep_name,
        device_key=_device_of(outcome, ep_name, of_inputs, registry.inventory().devices),
        providers=providers,
        placement=placement_of(nodes),
        creation_ns=took,
    )


def _counted(
    recorded: PlacedNodes,
    ep_name: str,
    settings: TrialSettings,
    sizes: dict[str, int],
    registry: Registry,
    cancellation: Cancellation,
) -> PlacedNodes | None:
    """Return the nodes after a run with generated inputs; None where it fails: a trial will tell why."""
    try:
        feeds = prepare_inputs(settings).feeds
    except FailureError:
        return None
    return better_of(recorded, count_nodes(settings, registry, sizes, feeds, cancellation), (ep_name,))


def _device_of(outcome: PolicyOutcome, ep_name: str, of_inputs: tuple[str, ...], devices: tuple[Device, ...]) -> str:
    """Return the key of the EP's device that was taken: the one an input goes to, else the EP's most preferred one."""
    known = tuple(device for device in devices if device.ep_name == ep_name)
    keys = tuple(device.key for device in known)
    # Where no input goes to it, it takes nothing, or nothing at the model's beginning.
    return next((key for key in of_inputs if key in keys), "") or expected_device(
        outcome.policy, outcome.order or keys, known
    )
