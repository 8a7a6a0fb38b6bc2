"""Do comparisons say what is so? Two equal targets, and one that is 10 % slower, compared many times.

    python -m tests.benchmarks.comparisons [--times 100] [--seconds 1] [--model image|text|mlp] [--only equal|slower]

Each comparison is a real one, with an engine of its own, as `main.py --compare` runs it: sessions made first, then 20
rounds by turns in an order drawn anew, then the answer. Equal are two sessions of one model on ORT's CPU EP, one thread
each; the slower one is the C double whose runs take 1.1 ms against the same double with 1 ms, on a model that is
nothing beside that. By default a second is measured for each target and comparison, a third of what the program takes
by itself: what is told in less is told in more, too.

Printed are how often the answer was which, and how far the ratios were spread. Exit code 1 where fewer than 95 of 100
comparisons say what is so: *no difference* of the equal ones, and that the slower one is slower of the others.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

from gui.headless import HeadlessEngine
from gui.headless_comparison import HeadlessComparison
from gui.headless_trial import Surroundings
from gui.records.compared import compared_of
from gui.records.comparison import ComparisonCell, ComparisonPlan
from gui.records.comparison_answer import Ratio, Verdict, answer_of
from gui.records.result import Outcome
from gui.records.trial import DimensionSize, StopRule, Target, TrialSettings
from tests.doubles.add_model import write_add_model
from tests.doubles.build import build_double

from .harness import MODELS, print_heading

_NEEDED: Final = 0.95
_LOAD_S: Final = 60.0
_CPU_EP: Final = "CPUExecutionProvider"
_PLAIN_US, _SLOWER_US = 1000, 1100
_MODELS: Final = {
    "image": ("image_classifier.onnx", {"batch": 1}),
    "text": ("text_transformer.onnx", {"batch": 1, "sequence": 32}),
    "mlp": ("tiny_mlp.onnx", {"batch": 1}),
}
_Compare = Callable[[int], tuple[Ratio, str]]
"""Run a comparison with a seed; gives the ratio of its second target to the first, and the answer's first sentence."""


def main() -> int:
    """Run the benchmark, print what came out and return the exit code."""
    parser = argparse.ArgumentParser(description="Comparisons of equal targets, and of one that is 10 % slower.")
    parser.add_argument("--times", type=int, default=100, help="comparisons of each kind (100)")
    parser.add_argument("--seconds", type=float, default=1.0, help="measured of each target in each of them (1)")
    parser.add_argument("--model", choices=list(_MODELS), default="image", help="of the equal targets (image)")
    parser.add_argument("--only", choices=("equal", "slower"), help="only these")
    arguments = parser.parse_args()
    met = []
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        print_heading(
            f"comparisons: {arguments.times} of each kind, {arguments.seconds:g} s a target in 20 rounds", "headless"
        )
        if arguments.only != "slower":
            file, sizes = _MODELS[arguments.model]
            dimensions = tuple(DimensionSize(name=name, size=size) for name, size in sizes.items())
            print(f"\nequal: {file} on ORT's CPU EP, twice", flush=True)
            met.append(
                _many(
                    lambda seed: _compare_equal(str(MODELS / file), dimensions, arguments.seconds, seed),
                    arguments.times,
                    wanted=Verdict.NO_DIFFERENCE,
                )
            )
        if arguments.only != "equal":
            folder = Path(name)
            model = write_add_model(folder / "add.onnx")
            libraries = [
                (ep, str(build_double(folder, f"name={ep},delay_us={delay}")))
                for ep, delay in (("plain", _PLAIN_US), ("slower", _SLOWER_US))
            ]
            print(f"\nslower: the double with {_SLOWER_US} µs a run against {_PLAIN_US} µs", flush=True)
            met.append(
                _many(
                    lambda seed: _compare_doubles(libraries, str(model), arguments.seconds, seed),
                    arguments.times,
                    wanted=Verdict.SLOWER,
                )
            )
    return 0 if all(met) else 1


def _many(compare: _Compare, times: int, *, wanted: Verdict) -> bool:
    """Run so many comparisons and print the counts; return whether enough of them say what is so."""
    verdicts: Counter[Verdict] = Counter()
    values, widths = [], []
    for number in range(1, times + 1):
        ratio, sentence = compare(number)
        verdicts[ratio.verdict] += 1
        values.append(ratio.value)
        if ratio.low is not None and ratio.high is not None:
            widths.append(ratio.high - ratio.low)
        if ratio.verdict is not wanted:
            print(f"{number:>4}: {sentence}", flush=True)
    for verdict, count in verdicts.most_common():
        print(f"{count:>4} × {verdict.value}")
    print(
        f"ratios: median {statistics.median(values):.4f} ({min(values):.4f} to {max(values):.4f}); "
        f"width of the intervals: median {statistics.median(widths or [float('nan')]):.4f}"
    )
    right = verdicts[wanted]
    is_met = right >= _NEEDED * times
    print(f"bound {wanted.value} >= {_NEEDED:.0%}: {'met' if is_met else 'not met'} ({right} of {times})", flush=True)
    return is_met


def _compare_equal(model: str, dimensions: tuple[DimensionSize, ...], seconds: float, seed: int) -> tuple[Ratio, str]:
    engine = HeadlessEngine()
    engine.start()
    try:
        key = next(device.key for device in engine.inventory().devices if device.ep_name == _CPU_EP)
        return _compared(engine, model, {"one": key, "the same": key}, dimensions, seconds, seed)
    finally:
        engine.close()


def _compare_doubles(libraries: list[tuple[str, str]], model: str, seconds: float, seed: int) -> tuple[Ratio, str]:
    engine = HeadlessEngine()
    engine.start()
    try:
        engine.load(libraries, _LOAD_S)
        keys = {
            name: next(device.key for device in engine.inventory().devices if device.ep_name == name)
            for name, _path in libraries
        }
        return _compared(engine, model, keys, (DimensionSize(name="N", size=1),), seconds, seed)
    finally:
        engine.close()


def _compared(
    engine: HeadlessEngine,
    model: str,
    keys: dict[str, str],
    dimensions: tuple[DimensionSize, ...],
    seconds: float,
    seed: int,
) -> tuple[Ratio, str]:
    """Compare two devices, named as the answer shall name them."""
    cells = tuple(
        ComparisonCell(
            label=label,
            target_text=label,
            settings=TrialSettings(
                model_path=model,
                target=Target(device_keys=(key,)),
                dimensions=dimensions,
                intra_op_threads=1,
                stop_rule=StopRule(seconds=seconds),
            ),
        )
        for label, key in keys.items()
    )
    plan = ComparisonPlan(cells=cells, seed=seed)
    inventory = engine.inventory()
    surroundings = Surroundings(devices=inventory.devices, libraries=inventory.libraries)
    trials = HeadlessComparison(engine, plan, surroundings, lambda _text: None).run()
    for trial in trials:
        if trial.outcome is not Outcome.FINISHED:
            raise RuntimeError(f"{trial.target_text} {trial.outcome.value}: {trial.failure}")
    answer = answer_of([compared_of(trial) for trial in trials])
    ratio = answer.ratios[1]
    assert ratio is not None
    return ratio, answer.sentences[0]


if __name__ == "__main__":
    sys.exit(main())
