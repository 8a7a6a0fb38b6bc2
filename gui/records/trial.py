"""Trials: one model on one target with its settings, and what is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .codec import StringMap
from .model import TensorInfo
from .placement import Placement

MAX_ITERATIONS = 10_000_000
MAX_WARMUP = 1_000_000
MAX_SECONDS = 24 * 3600.0


class Policy(Enum):
    """OrtExecutionProviderDevicePolicy."""

    DEFAULT = "DEFAULT"
    PREFER_CPU = "PREFER_CPU"
    PREFER_NPU = "PREFER_NPU"
    PREFER_GPU = "PREFER_GPU"
    MAX_PERFORMANCE = "MAX_PERFORMANCE"
    MAX_EFFICIENCY = "MAX_EFFICIENCY"
    MIN_OVERALL_POWER = "MIN_OVERALL_POWER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a trial shall run: devices of one EP, or a policy; never both."""

    device_keys: tuple[str, ...] = ()
    policy: Policy | None = None

    def __post_init__(self) -> None:
        if bool(self.device_keys) == (self.policy is not None):
            raise ValueError("a target is either devices or a policy")


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRule:
    """When measuring ends by itself: after so many samples, or after so many seconds; never both."""

    iterations: int | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        if (self.iterations is None) == (self.seconds is None):
            raise ValueError("a stop rule is either iterations or seconds")
        if self.iterations is not None and not 1 <= self.iterations <= MAX_ITERATIONS:
            raise ValueError(f"iterations must be between 1 and {MAX_ITERATIONS}")
        if self.seconds is not None and not 0 < self.seconds <= MAX_SECONDS:
            raise ValueError(f"seconds must be more than 0 and at most {MAX_SECONDS:g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionSize:
    """The size chosen for a free dimension, under its `records.model.dimension_name`."""

    name: str
    size: int

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"the dimension {self.name} must be at least 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialSettings:
    """Everything a trial needs; the engine reads nothing else."""

    model_path: str
    target: Target
    options: StringMap = ()
    """EP options, key and value."""
    dimensions: tuple[DimensionSize, ...] = ()
    """Free dimensions not named here are 1."""
    warmup: int = 10
    """Runs before measuring, after the first run; not part of the samples."""
    stop_rule: StopRule = StopRule(iterations=200)
    intra_op_threads: int = 0
    """0 leaves the number to ORT."""
    seed: int = 0
    """Of the generated inputs."""

    def __post_init__(self) -> None:
        if not 0 <= self.warmup <= MAX_WARMUP:
            raise ValueError(f"warm-up must be between 0 and {MAX_WARMUP} runs")
        if not 0 <= self.intra_op_threads <= 1024:
            raise ValueError("threads must be between 0 and 1024")
        if self.seed < 0:
            raise ValueError("the seed must not be negative")


class Stage(Enum):
    """What a trial is about to do; told before it is done, so that after a death the last one heard is where."""

    PREPARING = "preparing"
    CREATING_SESSION = "creating session"
    FIRST_RUN = "first run"
    WARMING_UP = "warming up"
    MEASURING = "measuring"
    CHECKING = "checking"
    CLOSING = "closing"


class Ending(Enum):
    """Why measuring ended."""

    ITERATIONS = "iterations"
    SECONDS = "seconds"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderOptions:
    """The options that ORT says an EP got: `session.get_provider_options()`, which echoes unknown ones too."""

    ep_name: str
    options: StringMap


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialFacts:
    """What is known of a trial so far, beside its samples; grows from stage to stage. Times are nanoseconds."""

    stage: Stage = Stage.PREPARING
    target_devices: tuple[str, ...] = ()
    """The keys of the devices handed to ORT, or of those a policy's inputs went to."""
    session_creation_ns: int | None = None
    first_run_ns: int | None = None
    placement: tuple[Placement, ...] | None = None
    """Which EP got which nodes; None until the session exists or when ORT cannot tell."""
    providers: tuple[str, ...] = ()
    """`session.get_providers()`: what ORT was asked to consider, not what ran."""
    provider_options: tuple[ProviderOptions, ...] = ()
    outputs: tuple[TensorInfo, ...] = ()
    """The outputs of the first run with their true shapes."""
    non_finite_outputs: tuple[str, ...] = ()
    """The names of the outputs that hold NaN or infinity."""
    warmup_runs: int = 0
    sample_count: int = 0
    measured_ns: int = 0
    """Wall-clock time of the measuring stage; the source of the throughput."""
    intra_op_threads: int = 0
    ending: Ending | None = None
    """None while it runs, and when it failed or its engine died."""
