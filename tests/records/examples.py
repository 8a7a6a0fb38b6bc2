"""One record of each kind that crosses a boundary, every field set to something that is not its default."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gui.records.check import Agreement, CheckSettings, OutputCheck, OutputDifference, Tolerance
from gui.records.comparison import ComparisonPart, Round, RoundFacts, RoundLimits
from gui.records.costs import AcceleratorUse, TrialCosts
from gui.records.device import Device, DeviceType, HardwareDevice, Incompatibility, MemoryInfo
from gui.records.failure import Failure, FailureKind
from gui.records.inputs import (
    ChannelOrder,
    Fill,
    ImageLayout,
    ImageReading,
    ImageScaling,
    InputFact,
    InputSource,
    SourceKind,
)
from gui.records.latency_remarks import Remark, RemarkKind
from gui.records.library import Library, LibraryState
from gui.records.library_check import Finding, FoundLibrary, LibraryCheck, Mark, NeededLibrary
from gui.records.log import LogRecord, LogSeverity
from gui.records.model import ExternalFile, ModelDescription, TensorInfo
from gui.records.placement import NodeGroup, OpCount, PlacedNodes, Placement
from gui.records.policies import PolicyOutcome
from gui.records.process_exit import ProcessExit
from gui.records.profile import NodeTime, OpTime, Profile
from gui.records.protocol import Explanation, Greeting, Inventory
from gui.records.report import DeviceReport
from gui.records.result import Outcome, TrialResult
from gui.records.statistics import LatencyStatistics
from gui.records.trial import (
    Binding,
    CompiledModel,
    DimensionSize,
    Ending,
    ExecutionMode,
    Optimization,
    Policy,
    ProviderOptions,
    SessionSettings,
    Stage,
    StopRule,
    Target,
    TrialFacts,
    TrialSettings,
)
from gui.records.trial_log import TrialLogLine

FAILURE = Failure(
    kind=FailureKind.REFUSED_BY_EP, message="Refused: “no”.", hint="Ask again.", detail="raw\nwords \x1b[0m"
)
DEVICE = Device(
    ep_name="ggml",
    ep_vendor="Someone",
    ep_metadata=(("version", "1.2"), ("backend", "ggml")),
    ep_options=(("threads", "4"),),
    device=HardwareDevice(
        type=DeviceType.GPU, vendor="Maker", vendor_id=0x10DE, device_id=7, metadata=(("is_virtual", "1"),)
    ),
    memory_info=(MemoryInfo(kind="DEFAULT", name="Cuda", fields=(("id", "0"),)),),
    library="ggml",
    key="ggml/…#0",
)
INCOMPATIBILITY = Incompatibility(
    ep_name="ggml",
    library="ggml",
    hardware=DEVICE.device,
    offered=True,
    reasons=("driver incompatible",),
    notes="old driver",
    error_code=-3,
)
LIBRARY = Library(
    name="ggml",
    path="/a b/ä/\udcff.so",
    state=LibraryState.FAILED,
    device_keys=("one", "two"),
    error=FAILURE,
    killed_engine=True,
)
LIBRARY_CHECK = LibraryCheck(
    path="/a b/ep.so",
    size_bytes=1 << 33,
    modified="2026-01-01T00:00:00Z",
    sha256="00ff",
    format="ELF",
    architecture="x86_64",
    version="1.2.3",
    needed=(NeededLibrary(name="libm.so.6", path="/lib/libm.so.6", needed_by="ep.so"),),
    findings=(Finding(topic="exports", mark=Mark.BAD, text="CreateEpFactories is missing."),),
    failure=FAILURE,
)
GREETING = Greeting(
    protocol=1,
    application="0.1.0",
    onnxruntime="1.32.0",
    python="3.13.0",
    platform="Linux",
    numpy="2.4",
    process_id=42,
    cpu="Some CPU",
    cpu_count=8,
)
TENSOR = TensorInfo(name="x", type="tensor(float)", shape=(1, "batch", None))
MODEL = ModelDescription(
    path="/m.onnx",
    size_bytes=1 << 40,
    inputs=(TENSOR,),
    outputs=(TensorInfo(name="y", type="seq(tensor(float))"),),
    node_count=3,
    producer="me",
    graph_name="graph",
    description="what\nit is",
    opsets=(("ai.onnx", "13"),),
)
TOLERANCE = Tolerance(type="float", absolute=0.25, relative=0.5)
INPUT = InputSource(
    name="x",
    kind=SourceKind.IMAGE,
    fill=Fill.INTEGERS,
    low=-2,
    high=2.5,
    value="7",
    shape=(1, 3),
    length=2,
    path="/a b/cat.png",
    entry="first",
    image=ImageReading(layout=ImageLayout.CHANNELS_LAST, scaling=ImageScaling.IMAGENET, channels=ChannelOrder.BGR),
)
SETTINGS = TrialSettings(
    model_path="/m.onnx",
    target=Target(device_keys=("one", "two")),
    options=(("b", "1"), ("a", "2")),
    dimensions=(DimensionSize(name="batch", size=4),),
    warmup=0,
    stop_rule=StopRule(seconds=0.5),
    intra_op_threads=2,
    seed=9,
    inputs=(INPUT,),
    second_options=(("c", "3"),),
    session=SessionSettings(
        optimization=Optimization.BASIC,
        inter_op_threads=2,
        execution_mode=ExecutionMode.PARALLEL,
        memory_pattern=False,
        memory_arena=False,
        deterministic=True,
        log_severity=LogSeverity.INFO,
        strict=True,
        config=(("session.intra_op.allow_spinning", "0"),),
    ),
    binding=Binding.IO_BINDING,
    callers=3,
    pause_ms=1.5,
    run_timeout_s=30.0,
    check=CheckSettings(enabled=False, tolerances=(TOLERANCE,)),
)
PLACED_NODES = PlacedNodes(
    groups=(NodeGroup(ep_name="ggml", op_type="Add", domain="com.microsoft", names=("first", "")),), left_out=1
)
CHECK = OutputCheck(
    agreement=Agreement.DIFFERENT,
    outputs=(
        OutputDifference(
            name="y",
            type="tensor(float)",
            shape=(2, 3),
            agreement=Agreement.DIFFERENT,
            element_count=6,
            mismatches=1,
            max_absolute=0.5,
            max_relative=0.25,
            cosine=0.875,
            snr_db=18.5,
            top1_agreement=0.5,
            nan_count=1,
            inf_count=2,
            reference_nan_count=3,
            reference_inf_count=4,
            tolerance=TOLERANCE,
            note="It holds NaN.",
        ),
    ),
    note="One output has no reference.",
    reference="ORT's CPU EP on the same inputs.",
)
COSTS = TrialCosts(
    memory_before_bytes=1,
    memory_created_bytes=2,
    memory_peak_bytes=1 << 40,
    peak_since_start=True,
    cpu_wall_ns=77,
    cpu_ns=1 << 62,
    cpu_count=8,
    accelerators=(
        AcceleratorUse(
            name="amdgpu 0000:03:00.0, engine gfx",
            source="/proc/1/fdinfo",
            busy_share=0.5,
            memory_bytes=3,
            of_this_engine=False,
        ),
    ),
)
FACTS = TrialFacts(
    stage=Stage.CLOSING,
    target_devices=("one",),
    wanted_eps=("ggml",),
    session_creation_ns=1 << 62,
    first_run_ns=0,
    placement=(Placement(ep_name="ggml", node_count=3, op_types=(OpCount(op_type="Add", count=3),)),),
    providers=("ggml", "CPUExecutionProvider"),
    provider_options=(ProviderOptions(ep_name="ggml", options=(("threads", "4"),)),),
    outputs=(TENSOR,),
    non_finite_outputs=("y",),
    warmup_runs=1,
    sample_count=2,
    measured_ns=3,
    intra_op_threads=4,
    ending=Ending.STOPPED,
    inputs=(InputFact(name="x", type="tensor(float)", shape=(1, 3), source=INPUT, reason="an image", note="resized"),),
    dimensions=(DimensionSize(name="batch", size=4),),
    saved_files=("/out/y.pb",),
    notes=("It was read as NHWC.",),
    check=CHECK,
    costs=COSTS,
)
STATISTICS = LatencyStatistics(
    count=2,
    min_ns=1,
    median_ns=1,
    mean_ns=1.5,
    p90_ns=2,
    p95_ns=2,
    p99_ns=2,
    p999_ns=2,
    max_ns=2,
    std_ns=0.7071067811865476,
    throughput_per_s=1e9 / 3,
    median_low_ns=1,
    median_high_ns=2,
)
PROFILE = Profile(
    runs=3,
    wall_ns=1 << 40,
    nodes_ns=5,
    run_median_ns=2,
    plain_median_ns=1,
    ops=(OpTime(op_type="Add", ep_name="ggml", node_count=3, total_ns=4),),
    nodes=(
        NodeTime(
            name="add", op_type="Add", ep_name="ggml", calls=6, total_ns=4, max_ns=1, output_shapes="float[1,1000]"
        ),
    ),
    node_total=3,
    trace_path="/tmp/a b/trace.json",
    trace_bytes=99,
    notes=("ORT left nodes out.",),
)
POLICY_OUTCOME = PolicyOutcome(
    policy=Policy.PREFER_NPU,
    order=("two", "one"),
    ep_name="ggml",
    device_key="one",
    providers=("ggml", "CPUExecutionProvider"),
    placement=(Placement(ep_name="ggml", node_count=1, op_types=(OpCount(op_type="Add", count=1),)),),
    failure=FAILURE,
    creation_ns=7,
)

PART = ComparisonPart(
    id="7d1a3a52-6f7a-4a3b-9c1d-2f0a6b8f4e21",
    created="2026-01-01T00:00:00.000+00:00",
    label="ggml, batch 8",
    cell=2,
    cell_count=3,
    is_baseline=True,
    planned_rounds=20,
    rounds=(Round(number=1, position=2, began_ns=1 << 60, sample_count=2, measured_ns=1 << 40),),
    is_alone=True,
    is_made_anew=True,
)
RECORDS: tuple[Any, ...] = (
    FAILURE,
    DEVICE,
    LIBRARY,
    replace(LIBRARY, overdue=True, check=LIBRARY_CHECK, registration_ns=7, said=("one", "two")),
    LIBRARY_CHECK,
    FoundLibrary(
        path="/a b/ep.so",
        distribution="onnxruntime-ggml",
        distribution_version="0.2.0",
        library_version="1.2.3",
        ep_name="ggml",
        folder="/a b",
    ),
    GREETING,
    TENSOR,
    MODEL,
    replace(
        MODEL,
        initializers=(TENSOR,),
        op_counts=(OpCount(op_type="Add", count=3),),
        external_files=(ExternalFile(name="weights.bin", size_bytes=1 << 34),),
        domain="org.example",
        model_version=1 << 40,
        ir_version=10,
        metadata=(("author", "me"),),
        context_eps=("ggml",),
    ),
    SETTINGS,
    replace(
        SETTINGS,
        target=Target(device_keys=("one",), second_keys=("two",)),
        stop_rule=StopRule(seconds=9.5, stable_percent=2.0),
        session=replace(SETTINGS.session, optimized_model_path="/o.onnx"),
        outputs_folder="/out",
    ),
    TrialSettings(model_path="", target=Target(policy=Policy.MIN_OVERALL_POWER), stop_rule=StopRule(iterations=1)),
    FACTS,
    TrialFacts(),
    STATISTICS,
    PLACED_NODES,
    CHECK,
    COSTS,
    PROFILE,
    POLICY_OUTCOME,
    TrialLogLine(
        stage="creating session", record=LogRecord(time=2.5, severity=LogSeverity.ERROR, source="ggml", message="no")
    ),
    Remark(kind=RemarkKind.BIMODAL, text="Two levels.", advice="Pin the threads."),
    LogRecord(time=1.5, severity=LogSeverity.FATAL, source="native", message="boom"),
    ProcessExit(code=11, crashed=True, intended=True, last_lines=("a", "b")),
    Inventory(libraries=(LIBRARY,), devices=(DEVICE,), hardware=(DEVICE.device,), still_mapped=("/ep.so",)),
    Explanation(incompatibilities=(INCOMPATIBILITY,)),
    CompiledModel(
        path="/m_ctx.onnx",
        size_bytes=1 << 40,
        duration_ns=5,
        files=("/m_ctx.onnx", "/m.bin"),
        context_nodes=1,
        other_nodes=2,
    ),
    DeviceReport(
        format="another",
        created="2026-01-01T00:00:00Z",
        environment=GREETING,
        libraries=(LIBRARY,),
        devices=(DEVICE,),
        hardware=(DEVICE.device,),
        incompatibilities=(INCOMPATIBILITY,),
    ),
    TrialResult(settings=SETTINGS, outcome=Outcome.FAILED, facts=FACTS, statistics=STATISTICS, failure=FAILURE),
    RoundLimits(iterations=7),
    RoundLimits(seconds=0.25, lead_in_s=0.02),
    RoundFacts(began_ns=1 << 60, sample_count=12, measured_ns=1 << 40, lead_in_runs=3, stopped=True),
    PART,
)
