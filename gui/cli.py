"""The command line: opens the window, or runs the same engine without one. No Qt is imported for the latter."""

from __future__ import annotations

import argparse
import gc
import math
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Any, Final

from . import __version__, compare_arguments, preflight
from . import arguments as read
from .console import OutputError, complain, flush_output, output_lost, prepare_output
from .records.inputs import ChannelOrder, ImageLayout
from .records.setup import MAX_TRIALS
from .records.trial import (
    MAX_CALLERS,
    MAX_ITERATIONS,
    MAX_PAUSE_MS,
    MAX_STABLE_PERCENT,
    MAX_THREADS,
    MAX_WARMUP,
    MIN_STABLE_PERCENT,
    Optimization,
    Policy,
)

SCALINGS: Final = ("unit", "symmetric", "bytes", "imagenet")
_TIMEOUT: Final = 60.0
_WITH_ENGINE: Final = "--report, --run, --compare or --explain-policies"
_EPILOG = f"""\
Without --report, --run, --compare, --show or --explain-policies the window opens, with MODEL chosen or the file open.

  main.py --report devices.json --library ggml=/path/to/libonnxruntime_ggml.so
  main.py --explain-policies model.onnx --library ggml=/path/to/libonnxruntime_ggml.so
  main.py --run model.onnx --library ggml=/path/to/libonnxruntime_ggml.so --device ggml --seconds 5 --output trial.json
  main.py --run model.onnx --input image=cat.png --image-scaling imagenet --dim batch=1,2,4,8 --stable 1
  main.py --run model.onnx --policy PREFER_NPU --save-setup setup.json
  main.py --run setup.json --device CPUExecutionProvider --iterations 1000
  main.py --run model.onnx --library qnn=/path/to/qnn.so --device QNNExecutionProvider --compile model_ctx.onnx
  main.py --run model.onnx --iterations 1000 --export report.html --export samples.csv
  main.py --show trial.json --export report.html
{compare_arguments.EXAMPLES}
SPEC is one of {read.FILLS},
values:V,V,… and omitted. Inputs without --input or --fill get values that suit the model.

TYPE is an element type such as float16. An output a agrees with the CPU's b when |a - b| <= A + R * |b| for every
element, and of floats the noise is at most a tenth of the signal. R is 0 when it is not given; integers are to be equal
without a tolerance.

A set-up (--save-setup, or “Save set-up” in the window) holds all that a trial needs; the result of a trial (--output)
holds one, too. What is given beside it counts instead: --library replaces the library of that name, --device and
--policy the whole target (its EP options stay only when its EP does), --iterations, --seconds and --stable the stop
rule, --input, --fill, --dim and --tolerance what they name, --option and --config their keys, all others their one
value.

Several sizes of --dim give a trial each, of several dimensions one for each combination, {MAX_TRIALS} at most. One
that fails does not keep the next from running. FILE.json of --output is then FILE-1.json, FILE-2.json, …; likewise
what --export, --python, --profile, --trace, --save-outputs and --save-optimized write; summaries are one file.

{compare_arguments.HELP}
--explain-policies tries each selection policy with a session: which device it takes, how many nodes that gets, and
why it fails where it does; free dimensions are 1. A policy that fails, or takes longer than --timeout, is a row.

Exit codes: 0 done, 1 the trial or a row of the comparison failed or was stopped, or a file cannot be read or written,
2 wrong usage.
"""


def main(argv: Sequence[str]) -> int:
    """Do what the arguments ask for and return the exit code.

    Files are written before anything is said of them: whoever closes a pipe early loses no more than what is said.
    """
    prepare_output()
    try:
        try:
            return _main(argv)
        except KeyboardInterrupt:
            complain("Stopped.")
            return 1
        finally:
            flush_output()
    except OutputError as lost:
        return output_lost(lost)


def _main(argv: Sequence[str]) -> int:
    arguments = read_arguments(argv)
    without_window = _is_without_window(arguments)
    problem = preflight.engine_problem() if without_window else preflight.window_problem()
    if problem is not None:
        preflight.tell(problem)
        return 1
    if not without_window:
        gc.disable()  # until the window is there: nothing made on the way to it is garbage
        from .app import run

        return run(arguments.model)
    _end_in_order()
    from . import commands, compare_command, export_command, run_command  # numpy is there now

    if arguments.show is not None:
        return export_command.run_show(arguments)
    if arguments.compare is not None:
        return compare_command.run_compare(arguments)
    if arguments.explain_policies is not None:
        return commands.run_explain_policies(arguments)
    return commands.run_report(arguments) if arguments.report is not None else run_command.run(arguments)


def _end_in_order() -> None:
    """Have the wish to end, and the end of the terminal, taken as Ctrl-C: what was measured is kept and written.

    What ignores them already, as under nohup, goes on doing so.
    """
    if sys.platform == "win32":
        return
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _as_interrupt)


def _as_interrupt(number: int, frame: FrameType | None) -> None:
    take = signal.getsignal(signal.SIGINT)
    if not callable(take):  # Ctrl-C is ignored, as in the background of a shell script
        raise KeyboardInterrupt
    take(number, frame)


def read_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """Return the arguments; what is not given is None or empty. Wrong usage ends the process with code 2."""
    parser, go_with_run = _parser()
    arguments = parser.parse_args(argv)
    _check(parser, arguments, go_with_run)
    return arguments


class _RunOptions:
    """Adds options that go with --run, in groups, and keeps their names."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._parser = parser
        self._group: Any = parser
        self.names: list[str] = []

    def group(self, title: str) -> None:
        self._group = self._parser.add_argument_group(f"with --run: {title}")

    def add(self, name: str, metavar: str | None, help_text: str, *, to: Any = None, **how: Any) -> None:
        action = (to or self._group).add_argument(name, metavar=metavar, help=help_text, **how)
        self.names.append(action.dest)

    def add_many(self, name: str, metavar: str, help_text: str, reader: Any) -> None:
        self.add(name, metavar, f"{help_text}; repeatable", action="append", default=[], type=reader)

    def add_flag(self, name: str, help_text: str) -> None:
        action = self._group.add_argument(name, help=help_text, action="store_const", const=True)
        self.names.append(action.dest)

    def either(self) -> Any:
        return self._group.add_mutually_exclusive_group()


def _parser() -> tuple[argparse.ArgumentParser, list[str]]:
    """Return the parser, and the names of what goes with --run only."""
    parser = argparse.ArgumentParser(
        prog="main.py",
        usage="main.py [MODEL | SETUP.json | TRIAL.json]\n"
        "       main.py --report FILE [--library NAME=PATH …] [--timeout S] [--verbose]\n"
        "       main.py --explain-policies [MODEL] [--library NAME=PATH …] [--output FILE.json] [--timeout S]\n"
        "       main.py --run MODEL|SETUP.json [--library NAME=PATH …] [--device EP | --policy NAME] [options]\n"
        f"       {compare_arguments.USAGE}\n"
        "       main.py --show TRIAL.json|COMPARISON.json … [--baseline LABEL] [--export FILE …]",
        description="See which devices ONNX Runtime can reach, and try a model on each.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("model", nargs="?", metavar="MODEL", help="open the window with this model, set-up or trial")
    parser.add_argument("--version", action="version", version=f"ORT Device Explorer {__version__}")
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--report",
        metavar="FILE",
        help="write libraries, devices and hardware to a file: JSON, or Markdown if it ends in .md (- for the console)",
    )
    what.add_argument(
        "--explain-policies",
        metavar="MODEL",
        nargs="?",
        const="",
        help="tell what each selection policy takes for this model, or for a tiny one",
    )
    what.add_argument("--run", metavar="MODEL", help="run a trial of this model, or those of a set-up (.json)")
    what.add_argument(
        "--show",
        metavar="TRIAL.json",
        nargs="+",
        help="tell what saved trials and comparisons were; several are compared, and --export writes that comparison",
    )
    compare_arguments.add_compare(what, parser)
    parser.add_argument(
        "--library",
        metavar="NAME=PATH",
        action="append",
        default=[],
        type=read.pair,
        help="load an EP library; repeatable",
    )
    parser.add_argument(
        "--timeout",
        metavar="S",
        type=read.seconds,
        help=f"seconds a library may take to load, or a policy to be tried ({_TIMEOUT:g})",
    )
    parser.add_argument("--verbose", action="store_true", help="show what ORT and the EPs print")
    options = _RunOptions(parser)
    _add_target(options)
    _add_inputs(options)
    _add_measuring(options)
    _add_check(options)
    _add_session(options)
    _add_files(options)
    return parser, options.names


def _add_target(options: _RunOptions) -> None:
    options.group("where")
    either = options.either()
    first = "run on the N-th device of this EP, counted from 0 (CPUExecutionProvider); a short form will do: webgpu"
    options.add("--device", "EP[:N]", first, to=either)
    policies = [policy.value for policy in Policy]
    options.add("--policy", "NAME", "let ORT choose: " + ", ".join(policies), to=either, choices=policies)
    options.add_many("--option", "KEY=VALUE", "EP option", read.pair)
    options.add("--second-device", "EP[:N]", "offer what the first EP leaves to the N-th device of this one")
    options.add_many("--second-option", "KEY=VALUE", "EP option of the second one", read.pair)


def _add_inputs(options: _RunOptions) -> None:
    options.group("inputs")
    options.add_many(
        "--input", "NAME=FILE", "values from a .npy, .npz (.npz:ENTRY), .pb or image file", read.file_source
    )
    options.add_many("--fill", "NAME=SPEC", "how to generate the values, see below", read.fill_source)
    options.add_many("--dim", "NAME=N[,N…]", "size of a free dimension (1); several make a trial each", read.sizes)
    options.add_many("--shape", "NAME=N,N…", "shape of an input whose rank the model leaves open", read.shape)
    options.add_many("--length", "NAME=N", "entries of a sequence or a map (1)", read.length)
    layouts, orders = [entry.value for entry in ImageLayout], [entry.value for entry in ChannelOrder]
    options.add("--image-scaling", "S", f"of all images: {', '.join(SCALINGS)} (unit: 0 to 1)", choices=SCALINGS)
    options.add("--image-layout", "L", f"of all images: {', '.join(layouts)}", choices=layouts)
    options.add("--image-colors", "C", f"of all images: {' or '.join(orders)} ({orders[0]})", choices=orders)
    options.add("--seed", "N", "of the generated values (0)", type=read.whole(0, 2**63 - 1))


def _add_measuring(options: _RunOptions) -> None:
    options.group("measuring")
    options.add("--warmup", "N", "runs before measuring (10)", type=read.whole(0, MAX_WARMUP))
    stop = options.either()
    options.add("--iterations", "N", "measured runs (200)", to=stop, type=read.whole(1, MAX_ITERATIONS))
    options.add("--seconds", "S", "measure for so long instead", to=stop, type=read.seconds)
    options.add(
        "--stable",
        "PERCENT",
        "measure until the median is certain within so many percent, for --seconds at most (60)",
        type=read.number(MIN_STABLE_PERCENT, MAX_STABLE_PERCENT),
    )
    options.add("--callers", "N", "run in so many threads at once (1)", type=read.whole(1, MAX_CALLERS))
    options.add("--pause", "MS", "milliseconds between two runs of a caller (0)", type=read.number(0, MAX_PAUSE_MS))
    options.add_flag("--io-binding", "bind inputs and outputs once instead of handing arrays over")
    options.add("--run-timeout", "S", "end the trial when a run takes longer", type=read.seconds)


def _add_check(options: _RunOptions) -> None:
    options.group("right or wrong")
    options.add_flag("--no-check", "do not compare the outputs of the first run with those of ORT's own CPU EP")
    options.add_many("--tolerance", "TYPE=A[:R]", "how far outputs of a type may be off, see below", read.tolerance)


def _add_session(options: _RunOptions) -> None:
    options.group("session")
    levels = [level.value for level in Optimization]
    options.add("--threads", "N", "intra-op threads (0: ORT's choice)", type=read.whole(0, MAX_THREADS))
    options.add("--inter-threads", "N", "inter-op threads (0: ORT's choice)", type=read.whole(0, MAX_THREADS))
    options.add_flag("--parallel", "run branches of the graph at the same time")
    options.add("--optimization", "LEVEL", f"{', '.join(levels)} ({levels[0]})", choices=levels)
    options.add_flag("--strict", "refuse a model of which nodes would run on ORT's own CPU EP")
    options.add_flag("--no-memory-pattern", "plan no memory ahead")
    options.add_flag("--no-arena", "use no memory arena on the CPU")
    options.add_flag("--deterministic", "use deterministic kernels where there are some")
    options.add("--log-severity", "N", "0 (all) to 4 (fatal only); 2: warnings", type=read.whole(0, 4))
    options.add_many("--config", "KEY=VALUE", "session-config entry", read.pair)


def _add_files(options: _RunOptions) -> None:
    options.group("what is written")
    options.add("--output", "FILE.json", "the result with all samples in nanoseconds (- for the console)")
    options.add_many(
        "--export",
        "FILE",
        "a report (.html, .md), samples (.csv), a chart (.svg), the trial or comparison (.json), or one line a trial"
        " (.summary.csv)",
        read.export_file,
    )
    options.add("--profile", "FILE.json", "profile the model afterwards: which operators and nodes take the time")
    options.add("--trace", "FILE.json", "the trace of ORT's profiler; opens in ui.perfetto.dev")
    options.add("--python", "FILE.py", "a script with onnxruntime and numpy that repeats the trial (- for the console)")
    options.add("--save-outputs", "FOLDER", "the model's outputs of the first run, as .pb")
    options.add("--save-optimized", "FILE", "the model as ORT optimised it")
    options.add("--save-setup", "FILE.json", "the set-up of what is run, to run it again")
    options.add("--compile", "FILE.onnx", "compile the model for the target (EPContext) instead of running it")


def _check(parser: argparse.ArgumentParser, arguments: argparse.Namespace, go_with_run: list[str]) -> None:
    """Refuse what argparse cannot: options without what they belong to, and names given twice."""
    if arguments.model is not None and _is_without_window(arguments):
        parser.error(f"unexpected argument: {arguments.model}")
    compare_arguments.check_compare(parser, arguments)
    if arguments.run is None and arguments.compare is None:
        fits = {
            "output": arguments.explain_policies,
            "option": arguments.explain_policies,
            "export": arguments.show,
        }
        too_much = [name for name in go_with_run if fits.get(name) is None]
        given = next((name for name in too_much if getattr(arguments, name) not in (None, [])), None)
        if given is not None:
            parser.error(f"--{given.replace('_', '-')} goes with --run")
    if not _is_without_window(arguments) or arguments.show is not None:
        if arguments.library:
            parser.error(f"--library goes with {_WITH_ENGINE}; in the window, choose Add library…")
        if arguments.timeout is not None or arguments.verbose:
            parser.error(f"--timeout and --verbose go with {_WITH_ENGINE}")
    _check_together(parser, arguments)
    for what in ("library", "option", "second_option", "dim", "shape", "length", "config"):
        _check_twice(parser, f"--{what.replace('_', '-')}", [name for name, _value in getattr(arguments, what)])
    _check_twice(parser, "--tolerance", [entry.type for entry in arguments.tolerance])
    _check_twice(parser, "--input or --fill", [source.name for source in (*arguments.input, *arguments.fill)])
    count = math.prod(len(sizes) for _name, sizes in arguments.dim)
    if count > MAX_TRIALS:
        parser.error(f"--dim: these sizes make {count} trials; at most {MAX_TRIALS} are run in a row")
    if arguments.timeout is None:
        arguments.timeout = _TIMEOUT


def _is_without_window(arguments: argparse.Namespace) -> bool:
    ways = (arguments.report, arguments.run, arguments.compare, arguments.explain_policies, arguments.show)
    return any(way is not None for way in ways)


def _check_together(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    if arguments.stable is not None and arguments.iterations is not None:
        parser.error("argument --stable: not allowed with argument --iterations")
    if arguments.no_check and arguments.tolerance:
        parser.error("argument --tolerance: not allowed with argument --no-check")
    for name in ("second_device", "second_option"):
        option = f"--{name.replace('_', '-')}"
        if getattr(arguments, name) and arguments.policy is not None:
            parser.error(f"argument {option}: not allowed with argument --policy")
    if arguments.run is not None and not arguments.run.lower().endswith(".json"):
        if arguments.second_device is not None and arguments.device is None:
            parser.error("--second-device goes with --device")
        if arguments.second_option and arguments.second_device is None:
            parser.error("--second-option goes with --second-device")
    if arguments.trace is not None and arguments.profile is None:
        parser.error("--trace goes with --profile")
    for name in ("output", "export", "profile", "python", "save_outputs"):
        if arguments.compile is not None and getattr(arguments, name) not in (None, []):
            parser.error(f"argument --{name.replace('_', '-')}: not allowed with argument --compile")


def _check_twice(parser: argparse.ArgumentParser, option: str, names: list[str]) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        parser.error(f"{option} {twice} is given twice")
