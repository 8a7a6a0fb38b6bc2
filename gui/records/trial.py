"""Trials: one model on one target with its settings, and what is known of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from .check import CheckSettings, OutputCheck
from .codec import StringMap
from .costs import TrialCosts
from .inputs import InputFact, InputSource
from .log import LogSeverity
from .model import TensorInfo
from .placement import Placement

MAX_ITERATIONS = 10_000_000
MAX_WARMUP = 1_000_000
MAX_SECONDS = 24 * 3600.0
MAX_THREADS = 1024
MAX_CALLERS = 256
MAX_PAUSE_MS = 3_600_000.0
MIN_STABLE_PERCENT, MAX_STABLE_PERCENT = 0.1, 50.0


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
    """Where a trial shall run: devices of one EP, then perhaps those of a second one, or a policy; never both."""

    device_keys: tuple[str, ...] = ()
    policy: Policy | None = None
    second_keys: tuple[str, ...] = ()
    """Devices of another EP, which is offered what the first leaves."""

    def __post_init__(self) -> None:
        if bool(self.device_keys) == (self.policy is not None):
            raise ValueError("a target is either devices or a policy")
        if self.second_keys and not self.device_keys:
            raise ValueError("there is no second choice without a first")


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRule:
    """When measuring ends by itself: after so many samples, or after so many seconds, or when the median is stable."""

    iterations: int | None = None
    seconds: float | None = None
    """With `stable_percent` the longest it may take."""
    stable_percent: float | None = None
    """Ends when the 95 % interval of the median lies within so many percent of it, to both sides."""

    def __post_init__(self) -> None:
        if (self.iterations is None) == (self.seconds is None):
            raise ValueError("a stop rule is either iterations or seconds")
        if self.stable_percent is not None:
            if self.seconds is None:
                raise ValueError("a stop rule “until stable” needs the longest time it may take, in seconds")
            if not MIN_STABLE_PERCENT <= self.stable_percent <= MAX_STABLE_PERCENT:
                raise ValueError(f"the percentage must be between {MIN_STABLE_PERCENT} and {MAX_STABLE_PERCENT:g}")
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


class Optimization(Enum):
    """GraphOptimizationLevel."""

    ALL = "all"
    LAYOUT = "layout"
    EXTENDED = "extended"
    BASIC = "basic"
    DISABLED = "disabled"


class ExecutionMode(Enum):
    """ExecutionMode."""

    SEQUENTIAL = "sequential"
    PARALLEL = "parallel"


class Binding(Enum):
    """How inputs and outputs are handed over."""

    ARRAYS = "arrays"
    """`InferenceSession.run` with numpy arrays."""
    IO_BINDING = "IO binding"
    """`run_with_iobinding`, inputs and outputs bound once to CPU memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """Options of the session beside the EP's; the names are those of `SessionOptions`."""

    optimization: Optimization = Optimization.ALL
    inter_op_threads: int = 0
    """0 leaves the number to ORT."""
    execution_mode: ExecutionMode = ExecutionMode.SEQUENTIAL
    memory_pattern: bool = True
    memory_arena: bool = True
    deterministic: bool = False
    log_severity: LogSeverity | None = None
    """None leaves it at the engine's: warnings and worse."""
    strict: bool = False
    """`session.disable_cpu_ep_fallback`: refuse a model of which nodes would run on ORT's own CPU EP."""
    config: StringMap = ()
    """Free entries of `add_session_config_entry`."""
    optimized_model_path: str = ""
    """Where ORT writes the model as it optimised it; empty for nowhere."""

    def __post_init__(self) -> None:
        if not 0 <= self.inter_op_threads <= MAX_THREADS:
            raise ValueError(f"inter-op threads must be between 0 and {MAX_THREADS}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialSettings:
    """Everything a trial needs; the engine reads nothing else."""

    model_path: str
    target: Target
    options: StringMap = ()
    """EP options, key and value."""
    dimensions: tuple[DimensionSize, ...] = ()
    """Free dimensions not named here are as the files of the inputs say, else 1."""
    warmup: int = 10
    """Runs before measuring, after the first run; not part of the samples."""
    stop_rule: StopRule = StopRule(iterations=200)
    intra_op_threads: int = 0
    """0 leaves the number to ORT."""
    seed: int = 0
    """Of the generated inputs."""
    inputs: tuple[InputSource, ...] = ()
    """Inputs not named here are generated as proposed."""
    second_options: StringMap = ()
    """EP options of the second choice."""
    session: SessionSettings = SessionSettings()
    binding: Binding = Binding.ARRAYS
    callers: int = 1
    """So many threads run the session at the same time."""
    pause_ms: float = 0.0
    """Between the end of a run and the next, of each caller."""
    run_timeout_s: float | None = None
    """A run that takes longer ends the trial."""
    outputs_folder: str = ""
    """Where the outputs of the first run are written, as `.pb`; empty for nowhere."""
    check: CheckSettings = field(default_factory=CheckSettings)
    """How the outputs of the first run are compared with those of ORT's CPU EP."""

    def __post_init__(self) -> None:
        if not 0 <= self.warmup <= MAX_WARMUP:
            raise ValueError(f"warm-up must be between 0 and {MAX_WARMUP} runs")
        if not 0 <= self.intra_op_threads <= MAX_THREADS:
            raise ValueError(f"threads must be between 0 and {MAX_THREADS}")
        if self.seed < 0:
            raise ValueError("the seed must not be negative")
        if not 1 <= self.callers <= MAX_CALLERS:
            raise ValueError(f"callers must be between 1 and {MAX_CALLERS}")
        if not 0 <= self.pause_ms <= MAX_PAUSE_MS:
            raise ValueError(f"the pause must be between 0 and {MAX_PAUSE_MS:g} ms")
        if self.run_timeout_s is not None and not 0 < self.run_timeout_s <= MAX_SECONDS:
            raise ValueError(f"the longest run must be more than 0 and at most {MAX_SECONDS:g} seconds")
        names = [source.name for source in self.inputs]
        if len(names) != len(set(names)):
            raise ValueError("an input has two sources")


class Stage(Enum):
    """What a trial is about to do; told before it is done, so that after a death the last one heard is where."""

    PREPARING = "preparing"
    CREATING_SESSION = "creating session"
    COMPILING = "compiling"
    FIRST_RUN = "first run"
    WARMING_UP = "warming up"
    MEASURING = "measuring"
    CHECKING = "checking"
    CLOSING = "closing"


class Ending(Enum):
    """Why measuring ended."""

    ITERATIONS = "iterations"
    SECONDS = "seconds"
    STABLE = "stable"
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
    wanted_eps: tuple[str, ...] = ()
    """The EPs that were to run the model: those of the devices, in their order, or the one that the policy took."""
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
    inputs: tuple[InputFact, ...] = ()
    """What each input got."""
    dimensions: tuple[DimensionSize, ...] = ()
    """The sizes of all free dimensions: those of the settings, of files, what follows from them, else 1."""
    saved_files: tuple[str, ...] = ()
    """What was written on request: outputs, the optimised model."""
    notes: tuple[str, ...] = ()
    """What else is to be known of how it ran, a sentence each."""
    check: OutputCheck | None = None
    """The outputs against the CPU's; None until they are compared."""
    costs: TrialCosts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledModel:
    """What `ModelCompiler` made of a model. Times are nanoseconds."""

    path: str
    size_bytes: int
    """Of all files written."""
    duration_ns: int
    files: tuple[str, ...] = ()
    """Those written, the model first."""
    context_nodes: int | None = None
    """`EPContext` nodes in it; None when they cannot be counted."""
    other_nodes: int | None = None
    """Nodes that were not compiled."""
