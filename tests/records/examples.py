"""One record of each kind that crosses a boundary, every field set to something that is not its default."""

from __future__ import annotations

from typing import Any

from gui.records.device import Device, DeviceType, HardwareDevice, MemoryInfo
from gui.records.failure import Failure, FailureKind
from gui.records.library import Library, LibraryState
from gui.records.log import LogRecord, LogSeverity
from gui.records.model import ModelDescription, TensorInfo
from gui.records.placement import OpCount, Placement
from gui.records.process_exit import ProcessExit
from gui.records.protocol import Greeting, Inventory
from gui.records.report import DeviceReport
from gui.records.result import Outcome, TrialResult
from gui.records.statistics import LatencyStatistics
from gui.records.trial import (
    DimensionSize,
    Ending,
    Policy,
    ProviderOptions,
    Stage,
    StopRule,
    Target,
    TrialFacts,
    TrialSettings,
)

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
LIBRARY = Library(
    name="ggml",
    path="/a b/ä/\udcff.so",
    state=LibraryState.FAILED,
    device_keys=("one", "two"),
    error=FAILURE,
    killed_engine=True,
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
SETTINGS = TrialSettings(
    model_path="/m.onnx",
    target=Target(device_keys=("one", "two")),
    options=(("b", "1"), ("a", "2")),
    dimensions=(DimensionSize(name="batch", size=4),),
    warmup=0,
    stop_rule=StopRule(seconds=0.5),
    intra_op_threads=2,
    seed=9,
)
FACTS = TrialFacts(
    stage=Stage.CLOSING,
    target_devices=("one",),
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
)
STATISTICS = LatencyStatistics(
    count=2,
    min_ns=1,
    median_ns=1,
    mean_ns=1.5,
    p90_ns=2,
    p95_ns=2,
    p99_ns=2,
    max_ns=2,
    std_ns=0.7071067811865476,
    throughput_per_s=1e9 / 3,
)

RECORDS: tuple[Any, ...] = (
    FAILURE,
    DEVICE,
    LIBRARY,
    GREETING,
    TENSOR,
    MODEL,
    SETTINGS,
    TrialSettings(model_path="", target=Target(policy=Policy.MIN_OVERALL_POWER), stop_rule=StopRule(iterations=1)),
    FACTS,
    TrialFacts(),
    STATISTICS,
    LogRecord(time=1.5, severity=LogSeverity.FATAL, source="native", message="boom"),
    ProcessExit(code=11, crashed=True, intended=True, last_lines=("a", "b")),
    Inventory(libraries=(LIBRARY,), devices=(DEVICE,)),
    DeviceReport(created="2026-01-01T00:00:00Z", environment=GREETING, libraries=(LIBRARY,), devices=(DEVICE,)),
    TrialResult(settings=SETTINGS, outcome=Outcome.FAILED, facts=FACTS, statistics=STATISTICS, failure=FAILURE),
)
