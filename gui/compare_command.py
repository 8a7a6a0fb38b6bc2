"""`--compare` without a window: several targets measured by turns, the answer, the table, and files of both."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial

from .compare_order import CompareOrder
from .comparison_output import comparison_exports, say_comparison
from .console import complain, fail, write_all
from .headless import HeadlessEngine
from .headless_comparison import HeadlessComparison, ProgressLine
from .headless_trial import Surroundings
from .records.comparison import ComparisonPlan
from .records.comparison_file import comparison_file_json
from .records.comparison_table import ComparedTrials, compared_trials
from .records.failure import FailureError
from .records.library import Library
from .records.result import Outcome
from .written_places import check_places


def run_compare(arguments: argparse.Namespace) -> int:
    """Compare what the arguments say, print the answer and write files; 0 when all rows have finished."""
    engine = HeadlessEngine(show_stderr=arguments.verbose)
    try:
        order = CompareOrder(arguments)
        wanted = order.libraries()
        engine.start()
        libraries = engine.load_all(wanted, arguments.timeout)
        return _compare(engine, order, libraries, arguments)
    except FailureError as error:
        return fail(error.failure)
    finally:
        engine.close()


def _compare(
    engine: HeadlessEngine, order: CompareOrder, libraries: tuple[Library, ...], arguments: argparse.Namespace
) -> int:
    devices = engine.inventory().devices
    plan = order.plan(libraries, devices)
    for remark in order.remarks:
        complain(remark)
    _check_places(plan, libraries, arguments)
    order.check_model(engine.describe_model(plan.cells[0].settings.model_path))
    line = ProgressLine()
    surroundings = Surroundings(libraries=libraries, devices=devices)
    comparison = HeadlessComparison(engine, plan, surroundings, line.show)
    try:
        trials = comparison.run()
    finally:
        line.clear()
    found = compared_trials(trials, notes=(*comparison.notes, *order.notes(plan)))
    is_written = write_all(_files(found, arguments))
    if arguments.output != "-":
        say_comparison(found)
    for kept, row in zip(found.trials, found.rows, strict=True):
        if kept.failure is not None:
            complain(f"{row.label}: {kept.failure}")
    if comparison.failure is not None:
        return fail(comparison.failure)
    return 0 if is_written and all(kept.outcome is Outcome.FINISHED for kept in trials) else 1


def _files(found: ComparedTrials, arguments: argparse.Namespace) -> list[tuple[str, Callable[[], str]]]:
    """Return names and texts of what is written."""
    files = comparison_exports(arguments.export, found)
    path = arguments.output
    if path is not None:
        text = partial(comparison_file_json, found.trials, notes=found.notes, one_line=path == "-")
        files.insert(0, (path, text))
    return files


def _check_places(plan: ComparisonPlan, libraries: tuple[Library, ...], arguments: argparse.Namespace) -> None:
    """Raise `FailureError` when what is written would replace what is read, or cannot be written: before the work."""
    sources = (source.path for cell in plan.cells for source in cell.settings.inputs)
    paths = (library.path for library in libraries)
    read = [*arguments.compare, plan.cells[0].settings.model_path, *sources, *paths]
    check_places(
        {"--output": arguments.output, **{f"--export {path}": path for path in arguments.export}},
        [path for path in read if path],
        reader="the comparison",
    )
