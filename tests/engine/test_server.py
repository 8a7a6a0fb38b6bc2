"""The protocol: who is answered when, and when the engine goes."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gui import __version__
from gui.records.codec import from_json
from gui.records.engine_command import engine_command, engine_environment
from gui.records.failure import Failure, FailureError, FailureKind
from gui.records.process_exit import ProcessExit
from gui.records.protocol import PROTOCOL_VERSION, Greeting, Inventory, Op, decode_line, encode_line
from gui.records.trial import Ending, TrialFacts

from ..conftest import ORT_VERSION, DoubleFactory, StartEngine
from ..engine_process import LIMIT_S, EngineProcess
from .conftest import Register, settings_for

since_1_32 = pytest.mark.skipif(
    ORT_VERSION < (1, 32),
    reason="before onnxruntime 1.32 creating a session holds the GIL: only a kill ends an engine that hangs there",
)

ENDLESS = 10_000_000
"""Iterations enough for any test to cancel before they are done."""


def failure_of(engine: EngineProcess, line: bytes, request_id: object) -> Failure:
    """Send one line and return the failure that answers it."""
    engine.send_bytes(line)
    message = engine.wait_for(lambda entry: "error" in entry and entry["id"] == request_id)
    return from_json(Failure, message["error"])


# ---- The start ----


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="numpy's BLAS is another one elsewhere")
@pytest.mark.parametrize("wanted", [None, "2"])
def test_that_numpy_starts_no_threads_and_the_environment_stays_as_eps_should_find_it(wanted: str | None) -> None:
    code = (
        "from gui.engine.__main__ import import_numpy\n"
        "import_numpy()\n"
        "import numpy, os, psutil\n"
        "print(psutil.Process().num_threads(), os.environ.get('OPENBLAS_NUM_THREADS'))"
    )
    environment = {name: text for name, text in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    if wanted is not None:
        environment["OPENBLAS_NUM_THREADS"] = wanted
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    threads, left = ran.stdout.split()
    assert left == str(wanted)
    assert int(threads) == (1 if wanted is None else min(2, os.cpu_count() or 1))


# ---- Greeting ----


def test_that_the_greeting_is_the_first_line_and_tells_what_the_engine_is(start_engine: StartEngine) -> None:
    engine = start_engine()
    request = engine.send(Op.PING)
    assert engine.ok(request) == {}
    assert engine.messages()[0].get("event") == "greeting"
    greeting = engine.greeting()
    assert greeting.protocol == PROTOCOL_VERSION
    assert greeting.application == __version__
    assert greeting.onnxruntime == importlib.metadata.version("onnxruntime")
    assert greeting.python == platform.python_version()
    assert greeting.numpy == np.__version__
    assert greeting.process_id == engine.process_id
    assert greeting.cpu_count == os.cpu_count()


def test_that_every_event_without_a_request_has_a_null_id(engine: EngineProcess) -> None:
    assert engine.messages()[0]["id"] is None


# ---- Requests ----


def test_that_a_ping_is_answered_while_a_trial_runs(engine: EngineProcess, register: Register, add_model: Path) -> None:
    trial = engine.start_trial(settings_for(add_model, *register(engine, ""), iterations=ENDLESS))
    engine.wait_for_samples(trial)
    assert engine.ok(engine.send(Op.PING)) == {}
    assert not any(entry.get("id") == trial and "event" not in entry for entry in engine.messages())
    engine.send(Op.CANCEL, request=trial)
    assert engine.answer(trial, TrialFacts).ending is Ending.STOPPED


def test_that_a_ping_is_answered_while_a_library_hangs_in_a_run(
    start_engine: StartEngine, register: Register, add_model: Path
) -> None:
    engine = start_engine()
    engine.start_trial(settings_for(add_model, *register(engine, "compute=hang,trace=1")))
    engine.wait_for_stderr("double: compute")
    assert engine.ok(engine.send(Op.PING)) == {}


def test_that_work_is_done_one_job_at_a_time_in_the_order_asked(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    trial = engine.start_trial(settings_for(add_model, *register(engine, ""), iterations=500))
    devices = engine.send(Op.DEVICES)
    unregister = engine.send(Op.UNREGISTER, name="double")
    assert len(engine.answer(devices, Inventory).libraries) == 1
    assert engine.answer(unregister, Inventory).libraries == ()
    told = [entry for entry in engine.messages() if entry["id"] in (trial, devices, unregister)]
    order = [(entry["id"], entry.get("event", "answer")) for entry in told]
    ends = [(devices, "begun"), (devices, "answer"), (unregister, "begun"), (unregister, "answer")]
    assert order[0] == (trial, "begun")
    assert order[-5:] == [(trial, "answer"), *ends]
    assert engine.answer(trial, TrialFacts).sample_count == 500


@pytest.mark.parametrize("op", ["fly", "", "PING", 1, None, [], {}, "\ud800"])
def test_that_an_unknown_request_is_refused_under_its_id(engine: EngineProcess, op: object) -> None:
    request_id = f"is no number: {op!r}" if op is None else 1_000_000 + hash(repr(op)) % 1000
    failure = failure_of(engine, encode_line({"id": request_id, "op": op}), request_id)
    assert failure.kind is FailureKind.BAD_REQUEST


@pytest.mark.parametrize("request_id", [None, "1", [1], 1.5])
def test_that_a_request_without_a_number_is_refused(engine: EngineProcess, request_id: object) -> None:
    before = len(engine.messages())
    engine.send_bytes(encode_line({"id": request_id, "op": "devices"}))
    engine.ok(engine.send(Op.PING))
    (answer,) = [entry for entry in engine.messages()[before:] if "error" in entry]
    assert answer["id"] == request_id
    assert from_json(Failure, answer["error"]).kind is FailureKind.BAD_REQUEST


@pytest.mark.parametrize(
    ("op", "parameters"),
    [
        (Op.REGISTER, {}),
        (Op.REGISTER, {"name": "a"}),
        (Op.REGISTER, {"name": 1, "path": "/a"}),
        (Op.UNREGISTER, {"name": None}),
        (Op.DESCRIBE_MODEL, {"path": ["/a"]}),
    ],
)
def test_that_a_request_lacking_a_parameter_is_refused(
    engine: EngineProcess, op: Op, parameters: dict[str, object]
) -> None:
    with pytest.raises(FailureError) as caught:
        engine.call(op, Inventory, **parameters)
    assert caught.value.failure.kind is FailureKind.BAD_REQUEST


@pytest.mark.parametrize("settings", [None, {}, {"model_path": "m", "target": {"device_keys": ["a"]}, "warmup": -1}])
def test_that_settings_that_can_not_be_read_are_refused(engine: EngineProcess, settings: object) -> None:
    with pytest.raises(FailureError) as caught:
        engine.call(Op.RUN_TRIAL, TrialFacts, settings=settings)
    assert caught.value.failure.kind is FailureKind.BAD_SETTING
    assert "TrialSettings" in caught.value.failure.message


@pytest.mark.parametrize("target", [10**9, None, [], "1", True])
def test_that_cancelling_what_is_not_there_is_no_error(engine: EngineProcess, target: object) -> None:
    assert engine.ok(engine.send(Op.CANCEL, request=target)) == {}


def test_that_a_request_cancelled_while_it_waits_is_not_begun(
    start_engine: StartEngine, register: Register, add_model: Path, double_library: DoubleFactory
) -> None:
    engine = start_engine()
    trial = engine.start_trial(settings_for(add_model, *register(engine, ""), iterations=ENDLESS))
    engine.wait_for_samples(trial)
    waiting = engine.send(Op.REGISTER, name="another", path=str(double_library("count=2")))
    engine.ok(engine.send(Op.CANCEL, request=waiting))
    engine.send(Op.CANCEL, request=trial)
    with pytest.raises(FailureError) as caught:
        engine.answer(waiting, Inventory)
    assert caught.value.failure.kind is FailureKind.STOPPED
    assert [library.name for library in engine.inventory().libraries] == ["double"]


def test_that_the_same_id_twice_does_not_stop_the_worker(start_engine: StartEngine) -> None:
    engine = start_engine()
    engine.send_bytes(encode_line({"id": 77, "op": "devices"}) * 3)
    engine.inventory()
    assert [entry["id"] for entry in engine.messages()[1:4]] == [77, 77, 77]


def test_that_an_id_answered_as_stopped_can_be_used_again(
    engine: EngineProcess, register: Register, add_model: Path
) -> None:
    trial = engine.start_trial(settings_for(add_model, *register(engine, ""), iterations=ENDLESS))
    engine.wait_for_samples(trial)
    engine.send_bytes(encode_line({"id": 888, "op": "unregister", "name": "double"}))
    engine.ok(engine.send(Op.CANCEL, request=888))
    engine.send_bytes(encode_line({"id": 888, "op": "devices"}))
    engine.send(Op.CANCEL, request=trial)
    message = engine.wait_for(lambda entry: entry["id"] == 888 and "ok" in entry)
    assert len(from_json(Inventory, message["ok"]).libraries) == 1


# ---- What native code prints ----


def test_that_native_noise_arrives_on_stderr_and_not_in_the_protocol(engine: EngineProcess, register: Register) -> None:
    assert len(register(engine, "stdout=# NATIVE: hello,stderr=found nothing,lines=3")) == 1
    engine.wait_for_stderr("found nothing")
    engine.wait_for_stderr("# NATIVE: hello")
    engine.ok(engine.send(Op.PING))  # each line of the protocol was understood, or the reader had ended


def test_that_what_a_library_prints_is_there_before_it_ends_the_engine(
    start_engine: StartEngine, tmp_path: Path, double_library: DoubleFactory
) -> None:
    double_library("")  # skips where there is no compiler
    source, library = tmp_path / "printer.c", tmp_path / "libprinter.so"
    source.write_text(
        "#include <stdio.h>\n#include <unistd.h>\n"
        '__attribute__((constructor)) static void last_words(void) { printf("last words\\n"); _exit(5); }\n',
        encoding="ascii",
    )
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    # PYTHONUNBUFFERED would change C's stdout too, and nobody sets it for the real engine.
    engine = start_engine({name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"})
    engine.send(Op.REGISTER, name="printer", path=str(library))
    assert str(engine.wait_for_end()) == "it exited with code 5"
    assert "last words" in engine.stderr()


def test_that_a_flood_on_stderr_does_not_block_the_protocol(start_engine: StartEngine, register: Register) -> None:
    engine = start_engine()
    register(engine, "stderr=" + "x" * 99 + ",lines=20000")
    assert engine.ok(engine.send(Op.PING)) == {}
    engine.hang_up()
    engine.wait_for_end()
    assert engine.stderr().count("x" * 99) == 20_000


# ---- The end ----


def test_that_the_engine_exits_when_its_input_ends(start_engine: StartEngine) -> None:
    engine = start_engine()
    engine.greeting()
    engine.hang_up()
    assert str(engine.wait_for_end()) == "it exited with code 0"


def test_that_the_engine_exits_at_once_while_a_trial_runs(
    start_engine: StartEngine, register: Register, add_model: Path
) -> None:
    engine = start_engine()
    trial = engine.start_trial(settings_for(add_model, *register(engine, ""), iterations=ENDLESS))
    engine.wait_for_samples(trial)
    engine.hang_up()
    assert str(engine.wait_for_end()) == "it exited with code 0"


@pytest.mark.parametrize(
    "stage",
    [
        pytest.param("create", marks=since_1_32),
        pytest.param("compile", marks=since_1_32),
        "compute",
    ],
)
def test_that_the_engine_exits_while_a_library_hangs(
    start_engine: StartEngine, register: Register, add_model: Path, stage: str
) -> None:
    engine = start_engine()
    engine.start_trial(settings_for(add_model, *register(engine, f"{stage}=hang,trace=1")))
    engine.wait_for_stderr(f"double: {stage}")
    engine.hang_up()
    assert str(engine.wait_for_end()) == "it exited with code 0"


def test_that_a_shutdown_is_answered_before_the_end(start_engine: StartEngine) -> None:
    engine = start_engine()
    request = engine.send(Op.SHUTDOWN)
    assert str(engine.wait_for_end()) == "it exited with code 0"
    assert engine.ok(request) == {}


@pytest.mark.parametrize("line", [b"garbage\n", b"[]\n", b"\xff\xfe\n", b"[" * 100_000 + b"\n"])
def test_that_a_peer_that_does_not_speak_the_protocol_ends_the_engine_cleanly(
    start_engine: StartEngine, line: bytes
) -> None:
    engine = start_engine()
    engine.greeting()
    engine.send_bytes(line)
    assert str(engine.wait_for_end()) == "it exited with code 0"
    assert any("does not speak the protocol" in entry for entry in engine.stderr())
    assert not any("Traceback" in entry for entry in engine.stderr())


def test_that_blank_lines_are_passed_over(start_engine: StartEngine) -> None:
    engine = start_engine()
    engine.send_bytes(b"\n \r\n")
    assert engine.ok(engine.send(Op.PING)) == {}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_that_the_engine_ends_with_its_parent_even_while_a_library_holds_the_gil(
    double_library: DoubleFactory,
) -> None:
    """The parent is a process of its own, which is killed; the engine hangs in a library's constructor."""
    request = encode_line({"id": 1, "op": "register", "name": "a", "path": str(double_library("load=hang,trace=1"))})
    parent_program = (
        "import subprocess, sys, time\n"
        "engine = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE)\n"
        "engine.stdin.write(sys.argv[1].encode())\n"
        "engine.stdin.flush()\n"
        "engine.wait()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", parent_program, request.decode(), *engine_command()],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=engine_environment(),
    ) as parent:
        assert parent.stdout is not None
        assert parent.stderr is not None
        greeting = from_json(Greeting, decode_line(parent.stdout.readline())["greeting"])
        try:
            assert any(line == b"double: load\n" for line in iter(parent.stderr.readline, b""))
            parent.kill()
            # The engine has the other ends of these pipes too: they are not at their end before it is gone.
            parent.communicate(timeout=LIMIT_S)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(greeting.process_id, signal.SIGKILL)


def test_that_an_unexpected_end_is_told_by_the_helper(start_engine: StartEngine) -> None:
    engine = start_engine()
    engine.greeting()
    engine.kill()
    assert engine.wait_for_end() == ProcessExit(code=9, crashed=True)
