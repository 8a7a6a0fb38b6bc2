"""Profiles a model on a target with ORT's profiler, in a session of its own. Lives on the worker thread."""

from __future__ import annotations

from collections.abc import Callable

from ..records.profile import Profile
from ..records.trial import TrialFacts, TrialSettings
from .cancellation import Cancellation
from .registry import Registry


def profile_model(
    settings: TrialSettings,
    registry: Registry,
    cancellation: Cancellation,
    tell: Callable[[TrialFacts], None],
) -> Profile:
    """Profile the model of `settings` and return where its time goes. Raises `FailureError`."""
    raise NotImplementedError
