"""Does the engine run what plain ONNX Runtime runs? All models of ONNX's own backend test suite, each three times.

    python -m tests.benchmarks.onnx_suite [--only TEXT] [--limit N] [--jobs 1] [--outcomes FILE]

1. Plain ONNX Runtime (`bare_session.py`, the CPU provider, a process of its own) with the suite's inputs. The models
   that it runs are what is counted; whether its outputs are those the suite expects is told, but no condition.
2. The engine with the same inputs, given as files: it must run, and its outputs must be those of plain ONNX Runtime to
   the bit. Where a second plain run gives something else, types and shapes must be the same.
3. The engine with the inputs it generates by itself: it must run.

An engine that dies is replaced and the model counted as failed. Exits with 1 unless all models pass the second and 95 %
the third; each that does not is named with its reason.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final

from gui.records.failure import FailureError
from gui.records.inputs import InputSource, SourceKind
from gui.records.trial import StopRule, Target, TrialFacts, TrialSettings

from ..engine_process import EngineEndedError, EngineProcess
from .harness import interpreter
from .onnx_cases import Case, files_of, node_cases, packaged_cases, read_value

_BARE_SESSION: Final = Path(__file__).with_name("bare_session.py")
_TRIALS_PER_ENGINE: Final = 200
_FILES_LIMIT: Final = 100.0
_GENERATED_LIMIT: Final = 95.0


@dataclass(slots=True)
class Outcome:
    """What became of a model. An empty text says that all went well, None that it was not tried."""

    name: str
    plain: str | None = None
    reference: str | None = None
    files: str | None = None
    generated: str | None = None


@dataclass(slots=True)
class Results:
    """What became of all of them."""

    outcomes: list[Outcome] = field(default_factory=list)
    ort_version: str = ""
    seconds: float = 0.0

    @property
    def base(self) -> list[Outcome]:
        """The models that plain ONNX Runtime runs."""
        return [outcome for outcome in self.outcomes if outcome.plain == ""]

    def percent(self, stage: str) -> float:
        """How many of the base passed a stage."""
        return 100 * (1 - len(self.failed(stage)) / max(1, len(self.base)))

    def failed(self, stage: str) -> list[tuple[str, str]]:
        """The names of the base that did not, with their reasons."""
        found = [(outcome.name, getattr(outcome, stage)) for outcome in self.base]
        return [(name, "not tried" if reason is None else reason) for name, reason in found if reason != ""]

    @property
    def is_passed(self) -> bool:
        """Whether what is asked for is met."""
        within = self.percent("files") >= _FILES_LIMIT and self.percent("generated") >= _GENERATED_LIMIT
        return within and bool(self.base)


class PlainSession:
    """The process that runs models in plain ONNX Runtime; one that ended is replaced."""

    def __init__(self) -> None:
        self._process = self._started()

    def run(self, model: Path, files: Sequence[Path], folder: Path) -> dict[str, Any]:
        """Return its answer; its end is one, too."""
        request = {"model": str(model), "files": [str(file) for file in files], "folder": str(folder)}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except OSError:
            line = b""
        if not line:
            code = self._process.wait()
            self.close()
            self._process = self._started()
            return {"error": f"plain ONNX Runtime ended with {code}"}
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except OSError:
                continue

    @staticmethod
    def _started() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [interpreter(), str(_BARE_SESSION)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )


class Engine:
    """The real engine's process; one that ended, or has run many trials, is replaced."""

    def __init__(self) -> None:
        self._process: EngineProcess | None = None
        self._cpu = ""
        self._trials = 0

    def run(self, model: Path, inputs: tuple[InputSource, ...] = (), outputs: Path | None = None) -> TrialFacts:
        """Run a model once on the CPU. Raises `FailureError`, `EngineEndedError` or `TimeoutError`."""
        if self._process is None or self._trials >= _TRIALS_PER_ENGINE:
            self._start()
        assert self._process is not None
        self._trials += 1
        settings = TrialSettings(
            model_path=str(model),
            target=Target(device_keys=(self._cpu,)),
            warmup=0,
            stop_rule=StopRule(iterations=1),
            intra_op_threads=1,
            inputs=inputs,
            outputs_folder="" if outputs is None else str(outputs),
        )
        try:
            return self._process.run_trial(settings)
        except (EngineEndedError, TimeoutError):
            self.close()
            raise

    def close(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.kill()
        self._process = None

    def _start(self) -> None:
        self.close()
        self._process, self._trials = EngineProcess(), 0
        devices = self._process.inventory().devices
        self._cpu = next(device.key for device in devices if device.ep_name == "CPUExecutionProvider")


class Examiner:
    """Takes one model after the other through the three stages."""

    def __init__(self) -> None:
        self._plain = PlainSession()
        self._engine = Engine()

    def close(self) -> None:
        """End its processes."""
        self._plain.close()
        self._engine.close()

    def examine(self, case: Case) -> Outcome:
        """Return what became of a model."""
        outcome = Outcome(case.name)
        with tempfile.TemporaryDirectory(prefix="onnx-suite-") as name:
            folders = [Path(name) / str(index) for index in range(len(case.data_sets))]
            plain = [self._run_plain(case, *pair) for pair in zip(case.data_sets, folders, strict=True)]
            outcome.plain = next((answer["error"] for answer in plain if "error" in answer), "")
            if outcome.plain:
                return outcome
            compared, given = [], []
            for data_set, folder, answer in zip(case.data_sets, folders, plain, strict=True):
                compared.append(_against_reference(case, data_set, folder / "plain", answer["types"]))
                given.append(self._with_files(case, data_set, folder, answer))
            outcome.reference = next((reason for reason in compared if reason), "")
            outcome.files = next((reason for reason in given if reason), "")
        outcome.generated = self._tried(case.model)[0]
        return outcome

    def _run_plain(self, case: Case, data_set: Path, folder: Path) -> dict[str, Any]:
        for name in ("plain", "engine"):
            (folder / name).mkdir(parents=True)
        return self._plain.run(case.model, files_of(data_set, "input"), folder / "plain")

    def _with_files(self, case: Case, data_set: Path, folder: Path, plain: dict[str, Any]) -> str:
        files = files_of(data_set, "input")
        sources = [
            InputSource(name=name, kind=SourceKind.FILE, path=str(file))
            for name, file in zip(plain["names"], files, strict=True)
        ]
        sources += [InputSource(name=name, kind=SourceKind.OMITTED) for name in plain["omitted"]]
        reason, facts = self._tried(case.model, tuple(sources), folder / "engine")
        if facts is None:
            return reason
        written = [Path(name) for name in facts.saved_files if name.endswith(".pb")]
        if len(written) != len(plain["types"]):
            return f"{len(written)} of {len(plain['types'])} outputs were written"
        for index, (kind, file) in enumerate(zip(plain["types"], written, strict=True)):
            try:
                expected, found = read_value(folder / "plain" / f"output_{index}.pb", kind), read_value(file, kind)
            except ValueError as error:
                return str(error)
            if not expected.resembles(found):
                return f"output {index} is {found}, in plain ONNX Runtime {expected}"
            if not plain["random"] and not expected.equals(found):
                return f"output {index} ({expected}) holds other values than in plain ONNX Runtime"
        return ""

    def _tried(
        self, model: Path, inputs: tuple[InputSource, ...] = (), outputs: Path | None = None
    ) -> tuple[str, TrialFacts | None]:
        """Return why a trial failed, or an empty text and what is known of it."""
        try:
            return "", self._engine.run(model, inputs, outputs)
        except FailureError as error:
            return f"{error.failure.kind.value}: {error.failure.message}", None
        except EngineEndedError as error:
            return f"the engine ended: {error.process_exit}", None
        except TimeoutError:
            return "the engine did not answer in time", None


def _against_reference(case: Case, data_set: Path, folder: Path, types: Sequence[str]) -> str:
    expected = files_of(data_set, "output")
    for index, (kind, file) in enumerate(zip(types, expected, strict=False)):
        try:
            reference, value = read_value(file, kind), read_value(folder / f"output_{index}.pb", kind)
        except ValueError as error:
            return str(error)
        if not value.resembles(reference):
            return f"output {index} is {value}, expected {reference}"
        if not value.is_close(reference, case.rtol, case.atol):
            return f"output {index} ({value}) holds other values than expected"
    return ""


def examine_all(cases: Sequence[Case], jobs: int) -> Results:
    """Examine models, several at a time when asked to, and tell on stderr how far it is."""
    results, began, idle = Results(), time.monotonic(), SimpleQueue[Examiner]()
    examiners = [Examiner() for _ in range(jobs)]
    for examiner in examiners:
        idle.put(examiner)

    def examine(case: Case) -> Outcome:
        examiner = idle.get()
        try:
            return examiner.examine(case)
        finally:
            idle.put(examiner)

    try:
        with ThreadPoolExecutor(jobs) as pool:
            for count, outcome in enumerate(pool.map(examine, cases), start=1):
                results.outcomes.append(outcome)
                if count % 100 == 0 or count == len(cases):
                    print(f"{count} of {len(cases)}, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    finally:
        for examiner in examiners:
            examiner.close()
    results.seconds = time.monotonic() - began
    return results


def print_results(results: Results) -> None:
    """Print counts, then each model that did not pass with its reason."""
    base, count = results.base, len(results.outcomes)
    print(f"plain ONNX Runtime {results.ort_version} runs {len(base)} of {count} models ({results.seconds:.0f} s)")
    for stage, title, limit in _STAGES:
        passed = sum(getattr(outcome, stage) == "" for outcome in base)
        verdict = ""
        if limit is not None:
            verdict = f", at least {limit:g} % asked for: {'met' if results.percent(stage) >= limit else 'not met'}"
        print(f"{title}: {passed} of {len(base)} = {_percent(results.percent(stage))} %{verdict}")
    for stage, title, limit in _STAGES:
        if limit is not None and results.failed(stage):
            print(f"\n{title}, but not:")
            for name, reason in results.failed(stage):
                print(f"  {name}: {reason}")


_STAGES: Final = (
    ("reference", "  outputs as the suite expects them", None),
    ("files", "inputs as files, outputs as in plain ONNX Runtime", _FILES_LIMIT),
    ("generated", "inputs generated", _GENERATED_LIMIT),
)


def _percent(number: float) -> str:
    """Never rounded up to what it is not."""
    return f"{int(number * 100) / 100:.2f}"


@contextmanager
def all_cases() -> Iterator[list[Case]]:
    """The suite's models, for as long as their files are there."""
    with tempfile.TemporaryDirectory(prefix="onnx-suite-") as name:
        yield [*packaged_cases(), *node_cases(Path(name))]


def main() -> int:
    """Do it and print what came out; return the exit code."""
    parser = argparse.ArgumentParser(description="ONNX's backend test suite in the engine.")
    parser.add_argument("--only", default="", metavar="TEXT", help="only the models with this in their name")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N of them")
    parser.add_argument("--jobs", type=int, default=1, help="so many models at a time (1)")
    parser.add_argument("--outcomes", type=Path, metavar="FILE", help="write what became of each model, as JSON")
    arguments = parser.parse_args()
    with all_cases() as cases:
        chosen = [case for case in cases if arguments.only in case.name][: arguments.limit]
        print(f"{len(chosen)} models", file=sys.stderr)
        results = examine_all(chosen, max(1, arguments.jobs))
    with EngineProcess() as engine:
        results.ort_version = engine.greeting().onnxruntime
    print_results(results)
    if arguments.outcomes is not None:
        lines = [{key: getattr(it, key) for key in Outcome.__slots__} for it in results.outcomes]
        arguments.outcomes.write_text(json.dumps(lines, indent=1), encoding="utf-8")
    return 0 if results.is_passed else 1


if __name__ == "__main__":
    sys.exit(main())
