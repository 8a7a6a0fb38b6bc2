"""The command line: opens the window, or runs the same engine without one. No Qt is imported for the latter."""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Sequence
from typing import Final

from . import __version__, preflight
from .records.trial import MAX_ITERATIONS, MAX_SECONDS, MAX_WARMUP, Policy

_DEFAULTS: Final = {"timeout": 60.0, "warmup": 10, "threads": 0, "seed": 0}
_GO_WITH_RUN: Final = (
    "device",
    "policy",
    "option",
    "dim",
    "warmup",
    "iterations",
    "seconds",
    "threads",
    "seed",
    "output",
)
_EPILOG = """\
Without --report or --run the window opens, with MODEL chosen.

  main.py --report devices.json --library ggml=/path/to/libonnxruntime_ggml.so
  main.py --run model.onnx --library ggml=/path/to/libonnxruntime_ggml.so --device ggml --seconds 5 --output trial.json

Exit codes: 0 done, 1 the trial failed or a file cannot be written, 2 wrong usage.
"""


def main(argv: Sequence[str]) -> int:
    """Do what the arguments ask for and return the exit code."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    _check(parser, arguments)
    without_window = arguments.report is not None or arguments.run is not None
    problem = preflight.engine_problem() if without_window else preflight.window_problem()
    if problem is not None:
        preflight.tell(problem)
        return 1
    if not without_window:
        gc.disable()  # until the window is there: nothing made on the way to it is garbage
        from .app import run

        return run(arguments.model)
    from .commands import run_report, run_trial  # numpy is there now

    try:
        return run_report(arguments) if arguments.report is not None else run_trial(arguments)
    except KeyboardInterrupt:
        sys.stderr.write("ort-device-explorer: Stopped.\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="main.py",
        description="See which devices ONNX Runtime can reach, and try a model on each.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("model", nargs="?", metavar="MODEL", help="open the window with this model chosen")
    parser.add_argument("--version", action="version", version=f"ORT Device Explorer {__version__}")
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--report",
        metavar="FILE",
        help="write libraries, devices and hardware to a file: JSON, or Markdown if it ends in .md (- for the console)",
    )
    what.add_argument("--run", metavar="MODEL", help="run a trial of this model")
    parser.add_argument(
        "--library", metavar="NAME=PATH", action="append", default=[], type=_pair, help="load an EP library; repeatable"
    )
    parser.add_argument("--timeout", metavar="S", type=_seconds, help="seconds a library may take to load (default 60)")
    parser.add_argument("--verbose", action="store_true", help="show what ORT and the EPs print")
    trial = parser.add_argument_group("for --run")
    target = trial.add_mutually_exclusive_group()
    target.add_argument(
        "--device",
        metavar="EP_NAME[:N]",
        help="run on the N-th device of this EP, counted from 0 (default: CPUExecutionProvider)",
    )
    target.add_argument(
        "--policy", metavar="NAME", choices=[policy.value for policy in Policy], help=_words(Policy, "let ORT choose: ")
    )
    trial.add_argument(
        "--option", metavar="KEY=VALUE", action="append", default=[], type=_pair, help="EP option; repeatable"
    )
    trial.add_argument(
        "--dim",
        metavar="NAME=SIZE",
        action="append",
        default=[],
        type=_size,
        help="size of a free dimension; repeatable",
    )
    trial.add_argument("--warmup", metavar="N", type=_whole(0, MAX_WARMUP), help="runs before measuring (10)")
    stop = trial.add_mutually_exclusive_group()
    stop.add_argument("--iterations", metavar="N", type=_whole(1, MAX_ITERATIONS), help="measured runs (default 200)")
    stop.add_argument("--seconds", metavar="S", type=_seconds, help="measure for so long instead")
    trial.add_argument("--threads", metavar="N", type=_whole(0, 1024), help="intra-op threads (0: ORT's choice)")
    trial.add_argument("--seed", metavar="N", type=_whole(0, 2**63 - 1), help="of the generated inputs (0)")
    trial.add_argument("--output", metavar="FILE.json", help="write the result with all samples in nanoseconds")
    return parser


def _words(policies: type[Policy], before: str) -> str:
    return before + ", ".join(policy.value for policy in policies)


def _check(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """Refuse what argparse cannot: options without what they belong to, and names given twice."""
    if arguments.model is not None and (arguments.report is not None or arguments.run is not None):
        parser.error(f"unexpected argument: {arguments.model}")
    if arguments.run is None:
        given = next((name for name in _GO_WITH_RUN if getattr(arguments, name) not in (None, [])), None)
        if given is not None:
            parser.error(f"--{given} goes with --run")
    if arguments.report is None and arguments.run is None:
        if arguments.library:
            parser.error("--library goes with --report or --run; in the window, choose Add library…")
        if arguments.timeout is not None or arguments.verbose:
            parser.error("--timeout and --verbose go with --report or --run")
    for what in ("library", "option", "dim"):
        names = [name for name, _value in getattr(arguments, what)]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            parser.error(f"--{what} {twice} is given twice")
    for name, default in _DEFAULTS.items():
        if getattr(arguments, name) is None:
            setattr(arguments, name, default)


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name.strip() or not value.strip():
        raise argparse.ArgumentTypeError(f"“{text}” is not of the form NAME=VALUE")
    return name.strip(), value.strip()


def _size(text: str) -> tuple[str, int]:
    name, value = _pair(text)
    return name, _whole(1, 2**31 - 1)(value)


class _whole:  # noqa: N801 used like a function
    """A whole number in a range."""

    def __init__(self, low: int, high: int) -> None:
        self._low, self._high = low, high

    def __call__(self, text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = None
        if value is None or not self._low <= value <= self._high:
            raise argparse.ArgumentTypeError(f"“{text}” is not a whole number from {self._low} to {self._high}")
        return value


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value <= MAX_SECONDS:
        raise argparse.ArgumentTypeError(f"“{text}” is not a number of seconds up to {MAX_SECONDS:g}")
    return value
