"""Tries what a selection policy takes. Lives on the worker thread."""

from __future__ import annotations

from ..records.policies import PolicyOutcome
from ..records.trial import Policy
from .cancellation import Cancellation
from .registry import Registry


def explain_policy(policy: Policy, model_path: str, registry: Registry, cancellation: Cancellation) -> PolicyOutcome:
    """Return what the policy takes for a model; an empty path stands for a tiny one. Raises `FailureError`."""
    raise NotImplementedError
