"""The arguments of `--compare`: those of its own, how they are read, and which of `--run` go with it."""

from __future__ import annotations

import argparse
from typing import Final

from . import arguments as read
from .compare_targets import ALL, ALL_POLICIES, POLICY_PREFIX, TargetWord
from .records.comparison import DEFAULT_ROUNDS, DEFAULT_SECONDS, MAX_ROUNDS, MIN_ROUNDS
from .records.trial import Policy

USAGE: Final = "main.py --compare MODEL|SETUP.json … [--targets T,T…] [--rounds N] [options of --run]"
EXAMPLES: Final = """\
  main.py --compare model.onnx --library ggml=/path/to/libonnxruntime_ggml.so --targets cpu,ggml,policy:PREFER_GPU
  main.py --compare model.onnx --targets cpu,ggml,ggml+threads=2 --library … --dim batch=1,8 --export report.html
  main.py --compare cpu.json gpu.json --rounds 30 --seconds 10 --output comparison.json
  main.py --show comparison.json --export report.md
  main.py --show monday.json tuesday.json --baseline monday --export report.html
"""
HELP: Final = f"""\
--compare measures each target in many short rounds, in an order drawn anew for each round, so that drift hits all
alike, and says which is faster, by how much, and how sure that is (docs/comparing.md). T is an EP’s name or its short
form (cpu, ggml, webgpu), EP:N for its N-th device, policy:NAME, {ALL} for every device or {ALL_POLICIES}; +KEY=VALUE
behind it sets an EP option for that one alone. --option is for all targets but ORT’s own CPU EP, and as
ep.NAME.KEY=VALUE for one EP. Each size of --dim makes a row with each target. --seconds ({DEFAULT_SECONDS:g})
or --iterations are what each row gets in all rounds together. Of several set-ups each is a row: they must be of one
model, and their own stop rules do not count.
"""
_RUN_ONLY: Final = (
    *("device", "policy", "second_device", "second_option", "profile", "trace", "python"),
    *("save_outputs", "save_optimized", "save_setup", "compile"),
)
_OWN: Final = ("targets", "rounds", "baseline")


def add_compare(what: argparse._MutuallyExclusiveGroup, parser: argparse.ArgumentParser) -> None:
    """Add `--compare` to what can be done, and the options that go with it alone."""
    what.add_argument(
        "--compare",
        metavar="MODEL",
        nargs="+",
        help="compare targets of this model, or several set-ups (.json), measured by turns",
    )
    group = parser.add_argument_group("with --compare, beside the options of --run")
    group.add_argument(
        "--targets",
        metavar="T,T…",
        action="extend",
        type=targets,
        help=f"what to compare, the first being the baseline ({ALL}); see below; repeatable",
    )
    group.add_argument(
        "--rounds",
        metavar="N",
        type=read.whole(MIN_ROUNDS, MAX_ROUNDS),
        help=f"so many rounds by turns ({DEFAULT_ROUNDS}); fewer than 8 cannot tell a difference",
    )
    group.add_argument(
        "--baseline", metavar="LABEL", help="compare with this row instead of the first; also with --show"
    )


def targets(text: str) -> tuple[TargetWord, ...]:
    """Read `T,T…`, each a target with options behind it: `cpu,ggml:1+threads=4`."""
    return tuple(_target(word.strip()) for word in text.split(","))


def _target(text: str) -> TargetWord:
    name, *options = text.split("+")
    if not name:
        raise argparse.ArgumentTypeError("a target has no name")
    if name.lower() in (ALL, ALL_POLICIES):
        name = name.lower()
    elif name.lower().startswith(POLICY_PREFIX):
        policy = name[len(POLICY_PREFIX) :].upper()
        known = [entry.value for entry in Policy]
        if policy not in known:
            raise argparse.ArgumentTypeError(f"“{policy}” is none of the policies {', '.join(known)}")
        name = f"{POLICY_PREFIX}{policy}"
    return TargetWord(text=name, options=tuple(read.pair(option) for option in options))


def check_compare(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """Refuse what does not go together."""
    if arguments.compare is None:
        given = next((name for name in _OWN if getattr(arguments, name) is not None), None)
        if given is not None and (given != "baseline" or arguments.show is None):
            parser.error(f"--{given} goes with --compare")
        return
    given = next((name for name in _RUN_ONLY if getattr(arguments, name) not in (None, [])), None)
    if given is not None:
        hint = "; see --targets" if given in ("device", "policy") else ""
        parser.error(f"argument --{given.replace('_', '-')}: not allowed with argument --compare{hint}")
    if len(arguments.compare) > 1:
        if not all(path.lower().endswith(".json") for path in arguments.compare):
            parser.error("argument --compare: several must all be set-ups (.json); a comparison is of one model")
        if arguments.targets is not None:
            parser.error("argument --targets: not allowed with several set-ups, which have targets of their own")
