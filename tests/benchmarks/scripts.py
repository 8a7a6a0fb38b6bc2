"""Does a script of *Copy as Python* measure what the trial measured? Medians of trials over those of their scripts.

    python -m tests.benchmarks.scripts [--repeats 7] [--seconds 2] [--case NAME] [--control]

A trial runs in an engine of its own, as `--run` has it; its script runs in a process without this application
(tests/clean_python.py). They run in turn, A B A B …, and each ratio is that of two neighbours. What is printed last of
a case is the median of these ratios. Placement and outputs have to be the same each time, or the benchmark ends.

`--control` runs the script twice a repeat and prints the second over the first: how far from 1 this machine is by
itself. Where that is not near 1, the other ratio tells little.

Bound, for each case: the ratio of the medians is at most 1.05, to either side.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from gui.records.check import CheckSettings
from gui.records.inputs import InputSource, SourceKind
from gui.records.statistics import summarize
from gui.records.trial import Binding, DimensionSize, Policy, StopRule, Target, TrialFacts, TrialSettings
from gui.records.trial_script import trial_script

from ..clean_python import CleanPython, content_of_pb
from ..engine_process import EngineProcess
from .harness import MODELS, Bound, print_heading

_CPU: Final = "CPUExecutionProvider"
_WARMUP: Final = 50
_LIMIT: Final = 1.05


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """What is measured: a model on an EP or by a policy, and what else is set."""

    model: str = "image_classifier"
    ep_name: str = _CPU
    policy: Policy | None = None
    options: tuple[tuple[str, str], ...] = ()
    sizes: tuple[DimensionSize, ...] = ()
    binding: Binding = Binding.ARRAYS
    callers: int = 1
    from_file: bool = False
    """Whether its first input is read from an `.npy` file."""

    @property
    def needs_ggml(self) -> bool:
        return self.ep_name == "ggml"


_SIZES: Final = (DimensionSize(name="batch", size=2), DimensionSize(name="sequence", size=32))
_CASES: Final = {
    "cpu": _Case(),
    "small": _Case(model="tiny_mlp"),
    "ggml": _Case(ep_name="ggml"),
    "options": _Case(ep_name="ggml", options=(("weights", "f32"), ("threads", "1"))),
    "policy": _Case(policy=Policy.PREFER_CPU),
    "file": _Case(model="tiny_mlp", from_file=True),
    "dimensions": _Case(model="text_transformer", sizes=_SIZES),
    "binding": _Case(model="tiny_mlp", binding=Binding.IO_BINDING),
    "callers": _Case(model="tiny_mlp", callers=2),
}


def main() -> None:
    """Run the benchmark and print what came out."""
    parser = argparse.ArgumentParser(description="Trials against the scripts that repeat them.")
    parser.add_argument("--repeats", type=int, default=7, help="pairs a case (7)")
    parser.add_argument("--seconds", type=float, default=2.0, help="about how long a trial and a script takes (2)")
    parser.add_argument("--case", choices=list(_CASES), help="only this one")
    parser.add_argument("--control", action="store_true", help="compare the script with itself, too")
    arguments = parser.parse_args()
    print_heading("scripts: a trial in the engine over the script of it", "without a window")
    has_ggml = importlib.util.find_spec("onnxruntime_ggml") is not None
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        clean = CleanPython(Path(folder))
        for name in [arguments.case] if arguments.case else list(_CASES):
            if _CASES[name].needs_ggml and not has_ggml:
                print(f"\n{name}: left out, onnxruntime-ggml is not installed")
                continue
            with _engine(_CASES[name]) as engine:
                _Comparison(engine, clean, Path(folder), name).run(arguments)


@contextmanager
def _engine(case: _Case) -> Iterator[EngineProcess]:
    with EngineProcess() as engine:
        engine.greeting()
        if case.needs_ggml:
            import onnxruntime_ggml

            engine.register("ggml", onnxruntime_ggml.library_path())
        yield engine


class _Comparison:
    """One case: its trial, its script, and what came out of both."""

    def __init__(self, engine: EngineProcess, clean: CleanPython, folder: Path, name: str) -> None:
        self._engine = engine
        self._clean = clean
        self._outputs = folder / "outputs"
        self._name = name
        self._settings = _settings(engine, folder, _CASES[name])

    def run(self, arguments: argparse.Namespace) -> None:
        """Measure in turn and print."""
        first, _median = self._trial(replace(self._settings, stop_rule=StopRule(iterations=100)))
        rate = first.sample_count / (first.measured_ns / 1e9)
        settings = replace(self._settings, stop_rule=StopRule(iterations=max(100, round(arguments.seconds * rate))))
        print(f"\n{self._name}: {Path(settings.model_path).name}, {settings.stop_rule.iterations} iterations")
        control_title = f"{'control':>9}" if arguments.control else ""
        print(f"{'':>4}{'trial ms':>10}{'script ms':>11}{'ratio':>9}{control_title}")
        ratios: list[float] = []
        control: list[float] = []
        for repeat in range(1, arguments.repeats + 1):
            facts, trial = self._trial(settings)
            inventory = self._engine.inventory()
            text = trial_script(settings, inventory.devices, inventory.libraries, facts, self._engine.greeting())
            script = self._script(text, facts)
            ratios.append(trial / script)
            line = f"{repeat:>3}:{trial / 1e6:>10.4f}{script / 1e6:>11.4f}{ratios[-1]:>9.3f}"
            if arguments.control:
                control.append(self._script(text, facts) / script)
                line += f"{control[-1]:>9.3f}"
            print(line, flush=True)
        middle = statistics.median(ratios)
        print(f"trial over script:  {middle:.3f} ({min(ratios):.3f} to {max(ratios):.3f})")
        if control:
            print(f"script over script: {statistics.median(control):.3f} ({min(control):.3f} to {max(control):.3f})")
        print(Bound(name="ratio of medians, to either side", figure=max(middle, 1 / middle), limit=_LIMIT), flush=True)

    def _trial(self, settings: TrialSettings) -> tuple[TrialFacts, int]:
        """Run the trial and return its facts and its median, nanoseconds."""
        request = self._engine.start_trial(replace(settings, outputs_folder=str(self._outputs)))
        facts = self._engine.answer(request, TrialFacts)
        found = summarize(self._engine.samples(request), facts.measured_ns)
        assert found is not None
        return facts, found.median_ns

    def _script(self, text: str, facts: TrialFacts) -> int:
        """Run the script, hold what it found against the trial, and return its median, nanoseconds."""
        done = self._clean.run_script(text)
        if done.code:
            raise RuntimeError(f"the script failed:\n{done.errors}")
        expected: dict[str, Any] = {
            "placement": {part.ep_name: part.node_count for part in facts.placement or ()},
            "outputs": [
                hashlib.blake2b(content_of_pb(self._outputs / f"output_{number}.pb", output.type)).hexdigest()
                for number, output in enumerate(facts.outputs)
            ],
        }
        found = {
            "placement": done.found["placement"],
            "outputs": [output["blake2b"] for output in done.found["outputs"].values()],
        }
        if found != expected:
            raise RuntimeError(f"the script did not find what the trial found:\n{found}\n{expected}")
        return int(done.found["statistics"]["median_ns"])


def _settings(engine: EngineProcess, folder: Path, case: _Case) -> TrialSettings:
    model = MODELS / f"{case.model}.onnx"
    inputs: tuple[InputSource, ...] = ()
    if case.from_file:
        tensor = engine.describe_model(model).inputs[0]
        shape = [size if isinstance(size, int) else 1 for size in tensor.shape or ()]
        path = folder / f"{case.model}.npy"
        np.save(path, np.random.default_rng(0).random(shape, np.float32))
        inputs = (InputSource(name=tensor.name, kind=SourceKind.FILE, path=str(path)),)
    keys = tuple(device.key for device in engine.inventory().devices if device.ep_name == case.ep_name)[:1]
    return TrialSettings(
        model_path=str(model),
        target=Target(device_keys=keys) if case.policy is None else Target(policy=case.policy),
        options=case.options,
        dimensions=case.sizes,
        warmup=_WARMUP,
        intra_op_threads=1,
        inputs=inputs,
        binding=case.binding,
        callers=case.callers,
        check=CheckSettings(enabled=False),
    )


if __name__ == "__main__":
    main()
