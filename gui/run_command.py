"""`--run` without a window: one trial or several, or the model compiled."""

from __future__ import annotations

import argparse
from dataclasses import replace
from functools import partial
from pathlib import Path

from .console import complain, fail, say, say_table, write_all, write_text
from .export_command import summary_exports, trial_exports
from .headless import HeadlessEngine
from .headless_trial import HeardTrial, Surroundings
from .profile_command import profile_trial
from .records.codec import from_json
from .records.device import Device
from .records.failure import Failure, FailureError, FailureKind, failure_error
from .records.identity import now_text
from .records.kept_trial import KeptTrial
from .records.library import Library
from .records.result import Outcome, TrialResult
from .records.setup import Setup, numbered, trials_of
from .records.setup_file import setup_json
from .records.trial import Ending, TrialFacts, TrialSettings
from .records.trial_file import trial_file_json
from .records.trial_log import TrialLog
from .records.trial_script import trial_script
from .run_setup import RunOrder
from .trial_summary import comparison_rows, compiled_rows, sizes_text, trial_rows
from .written_places import check_places, resolved


def run(arguments: argparse.Namespace) -> int:
    """Run what the arguments or the set-up say, print summaries and write results; or compile the model."""
    engine = HeadlessEngine(show_stderr=arguments.verbose)
    try:
        order = RunOrder(arguments)
        wanted = order.libraries()
        engine.start()
        libraries = engine.load_all(wanted, arguments.timeout)
        devices = engine.inventory().devices
        setup = order.setup(libraries, devices)
        for remark in order.remarks:
            complain(remark)
        _check_places(arguments, setup)
        if arguments.save_setup is not None:
            base = None if arguments.save_setup == "-" else Path(arguments.save_setup).expanduser().absolute().parent
            write_text(arguments.save_setup, setup_json(setup, base))
        if arguments.compile is not None:
            return _compile(engine, setup.settings, arguments.compile, devices)
        return _Runner(engine, libraries, devices, arguments).run(setup)
    except FailureError as error:
        return fail(error.failure)
    finally:
        engine.close()


def _check_places(arguments: argparse.Namespace, setup: Setup) -> None:
    """Raise `FailureError` when what is written would replace what is read, or cannot be written: before the work."""
    settings = setup.settings
    sources = (settings.model_path, *(source.path for source in settings.inputs))
    places = {
        "--output": arguments.output,
        "--save-setup": arguments.save_setup,
        "--profile": arguments.profile,
        "--trace": arguments.trace,
        "--python": arguments.python,
        **{f"--export {path}": path for path in arguments.export},
    }
    read = [*(path for path in sources if path), *(library.path for library in setup.libraries)]
    check_places(places, read, reader="the trial", shared=("--save-setup",))
    output, run = arguments.output, arguments.run
    others = (arguments.save_setup, run if run.lower().endswith(".json") else None)
    if output not in (None, "-") and any(
        other not in (None, "-") and resolved(other) == resolved(output) for other in others
    ):
        message = "--output would replace the set-up."
        raise failure_error(FailureKind.BAD_SETTING, message, hint="Choose another file.")


def _compile(engine: HeadlessEngine, settings: TrialSettings, path: str, devices: tuple[Device, ...]) -> int:
    """Compile the model of a trial. Raises `FailureError`."""
    compiled = engine.compile(settings, str(Path(path).expanduser().absolute()), lambda _message: None)
    say_table(compiled_rows(settings, compiled, devices))
    return 0


class _Runner:
    """Runs the trials of a set-up one after the other, whatever becomes of each."""

    def __init__(
        self,
        engine: HeadlessEngine,
        libraries: tuple[Library, ...],
        devices: tuple[Device, ...],
        arguments: argparse.Namespace,
    ) -> None:
        self._engine = engine
        self._libraries = libraries
        self._devices = devices
        self._surroundings = Surroundings(libraries=libraries, devices=devices)
        self._output: str | None = arguments.output
        self._profile: str | None = arguments.profile
        self._trace: str | None = arguments.trace
        self._python: str | None = arguments.python
        self._export: list[str] = arguments.export

    def run(self, setup: Setup) -> int:
        """Run them and return the exit code. Raises `FailureError` when there is no engine or no place for a result."""
        trials = trials_of(setup)
        results: list[tuple[str, TrialResult]] = []
        kept_trials: list[KeptTrial] = []
        are_written = are_profiled = are_scripted = True
        for number, settings in enumerate(trials, start=1):
            sizes = sizes_text(settings, setup)
            if len(trials) > 1:
                say(f"Trial {number} of {len(trials)}: {sizes}")
            output, profile, trace, python = (
                path if len(trials) == 1 or path is None else numbered(path, number)
                for path in (self._output, self._profile, self._trace, self._python)
            )
            kept, log = self._run(settings)
            result = kept.result
            results.append((sizes, result))
            are_written &= self._write(kept, output, number if len(trials) > 1 else None)
            if kept.facts.session_creation_ns is not None:
                say_table(trial_rows(result, self._devices, log, kept.remarks))
            if output == "-":
                write_text(output, trial_file_json(kept, one_line=True))
            kept_trials.append(replace(kept, samples=kept.samples[:0], warmup=kept.warmup[:0]))
            if profile is not None and result.outcome is Outcome.FINISHED:
                are_profiled &= profile_trial(self._engine, settings, profile, trace)
            if python is not None:
                are_scripted &= self._write_script(result, python)
            if len(trials) > 1:
                say("")
            if result.failure is not None:
                fail(result.failure)
            if result.outcome is Outcome.STOPPED:
                break
        are_written &= write_all(summary_exports(self._export, kept_trials))
        if len(results) > 1:
            say_table(comparison_rows(results))
        is_well = are_written and are_profiled and are_scripted
        return 0 if is_well and all(result.failure is None for _sizes, result in results) else 1

    def _write(self, kept: KeptTrial, output: str | None, number: int | None) -> bool:
        """Write all files of a trial and return whether all could be."""
        files = trial_exports(self._export, kept, number)
        if output not in (None, "-"):
            files.insert(0, (output, partial(trial_file_json, kept)))
        return write_all(files)

    def _write_script(self, result: TrialResult, path: str) -> bool:
        """Write the script that repeats a trial, and return whether it is there."""
        try:
            text = trial_script(result.settings, self._devices, self._libraries, result.facts, self._engine.greeting)
        except ValueError as error:
            complain(f"There is no script of this trial. {error}")
            return False
        return write_all([(path, lambda: text)])

    def _run(self, settings: TrialSettings) -> tuple[KeptTrial, TrialLog]:
        self._engine.revive()
        created, heard = now_text(), HeardTrial()
        failure: Failure | None = None
        try:
            heard.facts = from_json(TrialFacts, self._engine.run_trial(settings, heard.hear, heard.log))
            heard.elapsed_ns = heard.facts.measured_ns
        except FailureError as error:
            failure = error.failure
        kept = self._surroundings.kept(
            heard,
            settings,
            _outcome(failure, heard.facts),
            failure,
            created=created,
            environment=self._engine.greeting,
        )
        return kept, heard.log


def _outcome(failure: Failure | None, facts: TrialFacts) -> Outcome:
    if failure is not None:
        return Outcome.STOPPED if failure.kind is FailureKind.STOPPED else Outcome.FAILED
    return Outcome.STOPPED if facts.ending is Ending.STOPPED else Outcome.FINISHED
