"""The proof that the double EP does what it is told. Each case is a process of its own: ORT and nothing of ours."""

import contextlib
import importlib.metadata
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from . import build
from .add_model import COLUMNS, add_model_output, write_add_model

# Goes through all a double can be asked, a JSON line before each step, and one for what came out of it.
CHILD = """
import json, resource, sys, time
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # these processes are meant to crash

def tell(**facts):
    print(json.dumps(facts), flush=True)

def attempt(step, action):
    tell(step=step)
    try:
        return action()
    except Exception as error:
        tell(error=type(error).__name__, text=str(error))
        sys.exit(0)

import numpy as np, onnxruntime as ort
library, model, runs = sys.argv[1], sys.argv[2], int(sys.argv[3])
before = len(ort.get_ep_devices())
attempt("register", lambda: ort.register_execution_provider_library("registered", library))
devices = ort.get_ep_devices()[before:]
tell(devices=[dict(ep_name=d.ep_name, vendor=d.ep_vendor, metadata=dict(d.ep_metadata), options=dict(d.ep_options),
                   type=d.device.type.name, hardware_vendor=d.device.vendor, hardware_metadata=dict(d.device.metadata))
              for d in devices])
if devices:
    options = ort.SessionOptions()
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    options.add_provider_for_devices(devices[:1], {})
    session = attempt("session", lambda: ort.InferenceSession(model, options, enable_fallback=0))
    if hasattr(session, "get_provider_graph_assignment_info"):
        tell(assigned={node.op_type: part.ep_name
                       for part in session.get_provider_graph_assignment_info() for node in part.get_nodes()})
    x = np.arange(8, dtype=np.float32).reshape(2, 4)
    for _ in range(runs):
        start = time.perf_counter()
        output = attempt("run", lambda: session.run(None, {"x": x}))[0].tolist()
        tell(output=output, duration_s=time.perf_counter() - start)
    del session, options
del devices
attempt("unregister", lambda: ort.unregister_execution_provider_library("registered"))
tell(step="done")
"""

INPUT = np.arange(8, dtype=np.float32).reshape(2, COLUMNS)
LIMIT_S = 60

# The call of ONNX Runtime during which each stage is reached.
STEP_OF_STAGE = {
    "load": "register",
    "factory": "register",
    "devices": "register",
    "create": "session",
    "capability": "session",
    "compile": "session",
    "compute": "run",
    "release": "unregister",
}
EXIT_STATUS = {"abort": -signal.SIGABRT, "segv": -signal.SIGSEGV, "exit": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a child process said and how it ended. `str()` of it says all, for a failed assertion."""

    returncode: int
    stdout: str
    stderr: str

    @property
    def facts(self) -> list[dict[str, object]]:
        """The JSON lines, in order."""
        return [json.loads(line) for line in self.stdout.splitlines() if line.startswith("{")]

    @property
    def last_step(self) -> object:
        """The last step begun."""
        return self.all_of("step")[-1]

    @property
    def stages(self) -> list[str]:
        """The stages the double traced."""
        return [line.removeprefix("double: ") for line in self.stderr.splitlines() if line.startswith("double: ")]

    def all_of(self, key: str) -> list[object]:
        """Every value told under `key`."""
        return [fact[key] for fact in self.facts if key in fact]

    def only(self, key: str) -> object:
        """The one value told under `key`."""
        (value,) = self.all_of(key)
        return value

    def devices(self) -> list[dict[str, object]]:
        """The devices of the double."""
        devices = self.only("devices")
        assert isinstance(devices, list)
        return devices


Run = Callable[..., Outcome]


def command_for(library: Path, model: Path, runs: int) -> list[str]:
    return [sys.executable, "-c", CHILD, str(library), str(model), str(runs)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_add_model(tmp_path_factory.mktemp("model") / "add.onnx")


@pytest.fixture
def double(tmp_path: Path) -> Callable[[str], Path]:
    def make(orders: str) -> Path:
        try:
            return build.build_double(tmp_path, orders)
        except build.DoubleUnavailableError as error:
            pytest.skip(str(error))

    return make


@pytest.fixture
def run_library(model: Path) -> Run:
    def run(library: Path, *, runs: int = 1, on: Path = model, environment_orders: str = "") -> Outcome:
        done = subprocess.run(
            command_for(library, on, runs),
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
            env=build.double_environment(environment_orders),
        )
        return Outcome(returncode=done.returncode, stdout=done.stdout, stderr=done.stderr)

    return run


@pytest.fixture
def run_double(double: Callable[[str], Path], run_library: Run) -> Run:
    def run(orders: str = "", *, runs: int = 1, environment_orders: str = "", **more: Path) -> Outcome:
        return run_library(double(orders), runs=runs, environment_orders=environment_orders, **more)

    return run


@contextlib.contextmanager
def started(command: list[str]) -> Iterator["subprocess.Popen[str]"]:
    """A child process with its stderr in its stdout, killed and reaped at the end, whatever it does then."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=build.double_environment("")
    ) as child:
        try:
            yield child
        finally:
            child.kill()


HOST_VERSION = tuple(int(part) for part in importlib.metadata.version("onnxruntime").split(".")[:2])
since_1_24 = pytest.mark.skipif(HOST_VERSION < (1, 24), reason="needs onnxruntime 1.24")


def output_of(outcome: Outcome) -> npt.NDArray[np.float32]:
    """The one output of a child that ended well."""
    assert outcome.returncode == 0, outcome
    assert outcome.last_step == "done", outcome
    return np.array(outcome.only("output"), np.float32)


# ---- Behaving well ----


def test_that_a_double_without_orders_computes_the_right_output(run_double: Run) -> None:
    np.testing.assert_array_equal(output_of(run_double()), add_model_output(INPUT))


@since_1_24
def test_that_a_double_claims_the_whole_model(run_double: Run) -> None:
    assert run_double().only("assigned") == {"Add": "registered", "Mul": "registered"}


def test_that_a_session_goes_through_every_stage_in_order(run_double: Run) -> None:
    stages = run_double("trace=1").stages
    # Some versions of ONNX Runtime load a library, let it go and load it again.
    assert stages[stages.count("load") - 1 :] == list(STEP_OF_STAGE)


def test_that_a_node_unknown_to_the_double_runs_on_the_cpu(run_double: Run, tmp_path: Path) -> None:
    outcome = run_double(on=write_add_model(tmp_path / "tail.onnx", unclaimed_tail=True))
    np.testing.assert_array_equal(output_of(outcome), add_model_output(INPUT, unclaimed_tail=True))
    if HOST_VERSION >= (1, 24):
        assert outcome.only("assigned") == {"Add": "registered", "Mul": "registered", "Neg": "CPUExecutionProvider"}


@since_1_24
@pytest.mark.parametrize(
    ("claim", "claimed"),
    [
        ("none", set()),
        ("Add", {"Add"}),
        ("all", {"Add", "Mul"}),
        ("Mul+Add", {"Add", "Mul"}),
        ("Relu+Mul", {"Mul"}),
        ("Ad+Mulx+A", set()),  # whole names only
    ],
)
def test_that_claim_chooses_the_nodes(run_double: Run, claim: str, claimed: set[str]) -> None:
    outcome = run_double(f"claim={claim}")
    np.testing.assert_array_equal(output_of(outcome), add_model_output(INPUT))
    assigned = outcome.only("assigned")
    assert isinstance(assigned, dict)
    assert {op for op, ep in assigned.items() if ep == "registered"} == claimed


@since_1_24
@pytest.mark.parametrize(
    ("orders", "claimed"),
    [
        ("claim_first=0", set()),
        ("claim_first=1", {"Add"}),
        ("claim_first=2", {"Add", "Mul"}),
        ("claim_first=1,claim=Mul+Neg", {"Mul"}),  # the first of those that the double can run
    ],
)
def test_that_claim_first_takes_no_more_than_so_many_nodes(
    run_double: Run, tmp_path: Path, orders: str, claimed: set[str]
) -> None:
    outcome = run_double(orders, on=write_add_model(tmp_path / "tail.onnx", unclaimed_tail=True))
    np.testing.assert_array_equal(output_of(outcome), add_model_output(INPUT, unclaimed_tail=True))
    assigned = outcome.only("assigned")
    assert isinstance(assigned, dict)
    assert {op for op, ep in assigned.items() if ep == "registered"} == claimed
    assert {ep for ep in assigned.values() if ep != "registered"} == {"CPUExecutionProvider"}


def test_that_relu_identity_and_broadcasting_are_computed(run_double: Run, tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Mul", ["x", "column"], ["scaled"]),  # [N, 4] by [2, 1]
        helper.make_node("Add", ["scaled", "scalar"], ["moved"]),
        helper.make_node("Mul", ["moved", "moved"], ["square"]),  # one value as both inputs
        helper.make_node("Relu", ["moved"], ["positive"]),
        helper.make_node("Identity", ["square"], ["same"]),
        helper.make_node("Add", ["positive", "same"], ["y"]),
    ]
    column, scalar = np.array([[1.0], [-2.0]], np.float32), np.array(-1.5, np.float32)
    graph = helper.make_graph(
        nodes,
        "all_operators",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", COLUMNS])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(column, "column"), numpy_helper.from_array(scalar, "scalar")],
    )
    path = tmp_path / "all_operators.onnx"
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)]), str(path))
    moved = INPUT * column + scalar
    outcome = run_double(on=path)
    np.testing.assert_array_equal(output_of(outcome), np.maximum(moved, 0) + moved * moved)
    if HOST_VERSION >= (1, 24):
        assert set(dict(outcome.only("assigned")).values()) == {"registered"}  # type: ignore[call-overload]


def test_that_factor_multiplies_the_output_once(run_double: Run) -> None:
    np.testing.assert_array_equal(output_of(run_double("factor=1.5")), add_model_output(INPUT) * np.float32(1.5))


def test_that_wrong_from_leaves_that_many_runs_right(run_double: Run) -> None:
    right = add_model_output(INPUT)
    outputs = np.array(run_double("factor=1.5,wrong_from=2", runs=4).all_of("output"), np.float32)
    np.testing.assert_array_equal(outputs, [right, right, right * np.float32(1.5), right * np.float32(1.5)])


@pytest.mark.parametrize(("orders", "factor"), [("nan=1", 1.0), ("nan=1,factor=2", 2.0)])
def test_that_nan_spoils_the_first_element_only(run_double: Run, orders: str, factor: float) -> None:
    expected = add_model_output(INPUT) * np.float32(factor)
    expected[0, 0] = np.nan
    np.testing.assert_array_equal(output_of(run_double(orders)), expected)


def test_that_nan_waits_for_its_compute_too(run_double: Run) -> None:
    outputs = np.array(run_double("nan=1,wrong_from=1", runs=2).all_of("output"), np.float32)
    assert np.isnan(outputs).sum(axis=(1, 2)).tolist() == [0, 1]


def test_that_delay_us_sets_the_shortest_duration(run_double: Run) -> None:
    duration_s = run_double("delay_us=20000").only("duration_s")
    assert isinstance(duration_s, float)
    assert duration_s >= 0.02


def durations_us(outcome: Outcome) -> list[float]:
    """How long each run of a child took; none of them can be shorter than its compute."""
    assert outcome.returncode == 0, outcome
    return [duration_s * 1e6 for duration_s in outcome.all_of("duration_s") if isinstance(duration_s, float)]


def jitter_us(most_us: int, number: int) -> float:
    """What `jitter_us` adds to compute `number`: SplitMix64's finish, as the double has it."""
    mask = 2**64 - 1
    mixed = (number + 1) * 0x9E3779B97F4A7C15 & mask
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & mask
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & mask
    return most_us * ((mixed ^ mixed >> 31) >> 32) / 2**32


def test_that_jitter_is_of_any_length_and_the_same_every_time(run_double: Run) -> None:
    expected = [jitter_us(40_000, number) for number in range(16)]
    assert min(expected) < 5_000
    assert max(expected) > 35_000
    durations = durations_us(run_double("jitter_us=40000", runs=16))
    assert all(took >= least - 0.001 for took, least in zip(durations, expected, strict=True))  # whole nanoseconds
    assert min(durations) < 20_000  # not as long for every one


def test_that_slow_every_makes_each_of_so_many_slow(run_double: Run) -> None:
    durations = durations_us(run_double("slow_every=3,slow_by_us=40000", runs=9))
    assert min(durations[2::3]) >= 40_000
    assert min(durations[0::3] + durations[1::3]) < 40_000


def test_that_drift_adds_to_every_compute(run_double: Run) -> None:
    durations = durations_us(run_double("drift_ns=4000000", runs=9))
    assert all(took >= 4_000 * number for number, took in enumerate(durations))
    assert durations[0] < durations[8]


def test_that_delay_jitter_slowness_and_drift_add_up(run_double: Run) -> None:
    orders = "delay_us=5000,jitter_us=8000,slow_every=2,slow_by_us=9000,drift_ns=1000000"
    durations = durations_us(run_double(orders, runs=4))
    expected = [5_000 + jitter_us(8_000, number) + 9_000 * (number % 2) + 1_000 * number for number in range(4)]
    # Rounded down to nanoseconds by the double.
    assert all(took >= least - 0.001 for took, least in zip(durations, expected, strict=True))


# ---- What is offered ----


@pytest.mark.parametrize("count", [0, 1, 3, 8])
def test_that_count_sets_the_number_of_devices(run_double: Run, count: int) -> None:
    outcome = run_double(f"count={count}")
    assert len(outcome.devices()) == count
    assert outcome.last_step == "done"


@pytest.mark.parametrize(("factories", "devices"), [(0, 0), (4, 32)])
def test_that_each_factory_offers_its_devices(run_double: Run, factories: int, devices: int) -> None:
    outcome = run_double(f"factories={factories},count=8")
    assert len(outcome.devices()) == devices
    assert outcome.last_step == "done"


@since_1_24
@pytest.mark.parametrize("kind", ["CPU", "GPU", "NPU"])
def test_that_a_device_of_each_type_runs_the_model(run_double: Run, kind: str) -> None:
    outcome = run_double(f"type={kind}")
    assert [device["type"] for device in outcome.devices()] == [kind]
    np.testing.assert_array_equal(output_of(outcome), add_model_output(INPUT))


@since_1_24
def test_that_listed_types_are_taken_in_turn(run_double: Run) -> None:
    devices = run_double("type=NPU+CPU,count=4,virtual=1,device_vendor=Maker").devices()
    assert [device["type"] for device in devices] == ["NPU", "CPU", "NPU", "CPU"]
    assert devices[0]["hardware_vendor"] == "Maker"
    assert devices[0]["hardware_metadata"] == {"is_virtual": "1"}
    assert devices[1]["hardware_vendor"] != "Maker"


@pytest.mark.skipif(HOST_VERSION >= (1, 24), reason="needs onnxruntime 1.23")
def test_that_an_old_host_is_told_it_can_not_have_a_gpu(run_double: Run) -> None:
    assert "since ORT 1.24" in str(run_double("type=GPU").only("text"))


def test_that_the_ep_describes_itself_as_ordered(run_double: Run) -> None:
    (device,) = run_double("name=Foo,vendor=Bar,version=2.5.0,meta.serial=42,option.mode=fast").devices()
    assert (device["ep_name"], device["vendor"], device["options"]) == ("Foo", "Bar", {"mode": "fast"})
    metadata = device["metadata"]
    assert isinstance(metadata, dict)
    assert (metadata["version"], metadata["serial"]) == ("2.5.0", "42")


def test_that_the_host_refuses_a_version_that_is_not_semantic(run_double: Run) -> None:
    outcome = run_double("version=2.5")
    assert outcome.only("error") == "Fail"
    assert "not in semantic versioning format: '2.5'" in str(outcome.only("text"))


def test_that_the_registration_name_is_the_default_ep_name(run_double: Run) -> None:
    assert [device["ep_name"] for device in run_double().devices()] == ["registered"]


# ---- How orders are given ----


def test_that_orders_come_from_the_environment(run_double: Run) -> None:
    outcome = run_double(environment_orders="count=2,vendor=from the environment")
    assert [device["vendor"] for device in outcome.devices()] == ["from the environment"] * 2


def test_that_the_file_name_wins_over_the_environment(run_double: Run) -> None:
    outcome = run_double("vendor=from the name", environment_orders="count=2,vendor=from the environment")
    assert [device["vendor"] for device in outcome.devices()] == ["from the name"] * 2


def test_that_two_doubles_in_one_process_follow_orders_of_their_own(double: Callable[[str], Path]) -> None:
    program = (
        "import sys, onnxruntime as ort\n"
        "for path in sys.argv[1:]: ort.register_execution_provider_library(path[-8:], path)\n"
        "print(*(device.ep_name for device in ort.get_ep_devices()[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(double("name=one,count=2")), str(double("name=two"))],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=True,
        env=build.double_environment(""),
    )
    assert done.stdout.split() == ["one", "one", "two"]


@pytest.mark.parametrize(
    "order",
    ["nonsense", "compile=sing", "count=9", "count=", "factor=x", "load=error", "api=2x", "slow_every=0", "nan=2"],
)
def test_that_an_order_not_understood_is_refused(run_double: Run, order: str) -> None:
    outcome = run_double(order)
    assert outcome.only("error") == "Fail"
    assert f"order '{order}' is not understood" in str(outcome.only("text"))


def test_that_a_type_not_understood_is_refused(run_double: Run) -> None:
    assert "order 'type=CPU+TPU' is not understood" in str(run_double("type=CPU+TPU,count=2").only("text"))


@pytest.mark.parametrize("orders", ["text=a/b", "text=a--b", "text=" + "a" * 300])
def test_that_orders_which_fit_no_file_name_are_refused(tmp_path: Path, orders: str) -> None:
    with pytest.raises(ValueError, match="fit into a file name"):
        build.build_double(tmp_path, orders)


# ---- Misbehaving ----


@pytest.mark.parametrize("action", list(EXIT_STATUS))
@pytest.mark.parametrize("stage", list(STEP_OF_STAGE))
def test_that_an_ending_action_ends_the_process_in_its_stage(run_double: Run, stage: str, action: str) -> None:
    outcome = run_double(f"{stage}={action},trace=1")
    assert outcome.returncode == EXIT_STATUS[action], outcome
    assert outcome.last_step == STEP_OF_STAGE[stage]
    assert outcome.stages[-1] == stage


@pytest.mark.parametrize("stage", list(STEP_OF_STAGE))
def test_that_a_hanging_stage_is_ended_by_a_signal_only(double: Callable[[str], Path], model: Path, stage: str) -> None:
    with started(command_for(double(f"{stage}=hang,trace=1"), model, 1)) as child:
        assert child.stdout is not None
        assert any(line == f"double: {stage}\n" for line in iter(child.stdout.readline, ""))
        # Without the hang the child ends within milliseconds of this stage.
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(timeout=1)
        child.terminate()
        assert child.wait(timeout=LIMIT_S) == -signal.SIGTERM


@pytest.mark.parametrize("stage", ["factory", "devices", "compile", "compute"])
def test_that_an_error_reaches_python_with_its_text_and_code(run_double: Run, stage: str) -> None:
    outcome = run_double(f"{stage}=error,trace=1")
    assert outcome.only("error") == "Fail"
    assert f"double: {stage} refused as told" in str(outcome.only("text"))
    assert outcome.last_step == STEP_OF_STAGE[stage]

    outcome = run_double(f"{stage}=error,text=no such luck,code=11")
    assert outcome.only("error") == "EPFail"
    assert "no such luck" in str(outcome.only("text"))


@pytest.mark.parametrize(("code", "class_name"), [(1, "Fail"), (11, "EPFail")])
def test_that_an_error_in_create_reaches_python_with_its_text(run_double: Run, code: int, class_name: str) -> None:
    outcome = run_double(f"create=error,code={code}")
    # Before ONNX Runtime 1.32 the code is lost here, and only here.
    assert outcome.only("error") == ("RuntimeError" if HOST_VERSION < (1, 32) else class_name)
    assert "double: create refused as told" in str(outcome.only("text"))
    assert outcome.last_step == "session"


def test_that_an_error_in_capability_leaves_the_model_to_the_cpu(run_double: Run) -> None:
    outcome = run_double("capability=error")
    np.testing.assert_array_equal(output_of(outcome), add_model_output(INPUT))
    if HOST_VERSION >= (1, 24):
        assert outcome.only("assigned") == {"Add": "CPUExecutionProvider", "Mul": "CPUExecutionProvider"}


def test_that_an_error_in_release_goes_unnoticed(run_double: Run) -> None:
    outcome = run_double("release=error,trace=1")
    np.testing.assert_array_equal(output_of(outcome), add_model_output(INPUT))
    assert outcome.stages[-1] == "release"


def test_that_a_slow_stage_goes_on_after_its_time(run_double: Run) -> None:
    outcome = run_double("compute=slow,slow_ms=30")
    np.testing.assert_array_equal(output_of(outcome), add_model_output(INPUT))
    duration_s = outcome.only("duration_s")
    assert isinstance(duration_s, float)
    assert duration_s >= 0.03


def test_that_run_after_leaves_that_many_runs_good(run_double: Run) -> None:
    outcome = run_double("compute=abort,run_after=3", runs=5)
    assert outcome.returncode == -signal.SIGABRT
    assert [np.array(output).tolist() for output in outcome.all_of("output")] == [add_model_output(INPUT).tolist()] * 3


def test_that_a_newer_api_is_asked_for_politely(run_double: Run) -> None:
    outcome = run_double("api=99")
    assert outcome.returncode == 0
    assert outcome.only("error") == "Fail"
    assert f"needs ORT API 99, host is {importlib.metadata.version('onnxruntime')}" in str(outcome.only("text"))


def test_that_noise_comes_when_devices_are_listed(run_double: Run) -> None:
    outcome = run_double("stderr=found nothing,stdout=# NATIVE: hello,lines=3")
    assert outcome.stderr.count("found nothing\n") == 3
    assert outcome.stdout.count("# NATIVE: hello\n") == 3
    assert outcome.stdout.index("# NATIVE") < outcome.stdout.index('"devices"')


@pytest.mark.parametrize("claim", ["none", "all"])
def test_that_what_it_says_is_a_warning_of_the_session_s_logger(run_double: Run, claim: str) -> None:
    outcome = run_double(f"say=no Conv of rank 7 here,claim={claim},trace=1")
    np.testing.assert_array_equal(output_of(outcome), add_model_output(INPUT))
    (line,) = [line for line in outcome.stderr.splitlines() if "no Conv of rank 7 here" in line]
    assert "[W:onnxruntime:" in line
    assert "double_ep.c" in line
    # It is told between being asked what it claims and being asked to compile that.
    rest = outcome.stderr.partition("double: capability\n")[2].partition("double: compile\n")[0]
    assert line in rest.partition("double: release\n")[0]


# ---- Files that can't be loaded ----


def test_that_a_truncated_library_ends_the_process(
    double: Callable[[str], Path], run_library: Run, tmp_path: Path
) -> None:
    outcome = run_library(build.truncated_copy(double(""), tmp_path))
    assert outcome.returncode == -signal.SIGBUS
    assert outcome.last_step == "register"


def test_that_a_missing_dependency_is_named(double: Callable[[str], Path], run_library: Run, tmp_path: Path) -> None:
    double("")  # skips where there is no compiler
    outcome = run_library(build.missing_dependency(tmp_path))
    assert outcome.only("error") == "Fail"
    assert "libnot_installed.so: cannot open shared object file" in str(outcome.only("text"))


def test_that_a_library_for_another_processor_is_refused(
    double: Callable[[str], Path], run_library: Run, tmp_path: Path
) -> None:
    double("")
    outcome = run_library(build.wrong_architecture(tmp_path))
    assert outcome.only("error") == "Fail"
    assert "libwrong_architecture.so: cannot open shared object file" in str(outcome.only("text"))


def test_that_a_system_library_lacks_the_entry_points(run_library: Run) -> None:
    outcome = run_library(build.system_library())
    assert outcome.only("error") == "Fail"
    assert "undefined symbol: CreateEpFactories" in str(outcome.only("text"))


def test_that_a_missing_compiler_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(build.DoubleUnavailableError, match="gcc is not installed"):
        build.missing_dependency(tmp_path)
