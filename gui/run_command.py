"""`--run` without a window: one trial or several, or the model compiled."""

from __future__ import annotations

import argparse
import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

from .console import complain, fail, say, say_table, write_text
from .export_command import export_summaries, export_trial
from .headless import HeadlessEngine
from .profile_command import profile_trial
from .records.codec import from_json
from .records.device import Device
from .records.failure import Failure, FailureError, FailureKind, failure_error
from .records.identity import now_text
from .records.kept_trial import KeptTrial
from .records.latency_remarks import Remark, latency_remarks
from .records.library import Library, LibraryState
from .records.placement import PlacedNodes
from .records.protocol import EventKind
from .records.result import Outcome, TrialResult
from .records.samples import SampleSeries, decode_samples
from .records.setup import Setup, numbered, trials_of
from .records.setup_file import setup_json
from .records.statistics import summarize
from .records.trial import Ending, Stage, TrialFacts, TrialSettings
from .records.trial_file import trial_file_json
from .records.trial_log import TrialLog
from .records.trial_script import trial_script
from .run_setup import RunOrder
from .trial_summary import comparison_rows, compiled_rows, sizes_text, target_text, trial_rows


def run(arguments: argparse.Namespace) -> int:
    """Run what the arguments or the set-up say, print summaries and write results; or compile the model."""
    engine = HeadlessEngine(show_stderr=arguments.verbose)
    try:
        order = RunOrder(arguments)
        wanted = order.libraries()
        engine.start()
        libraries = engine.load(wanted, arguments.timeout)
        failed = next((library for library in libraries if library.error is not None), None)
        if failed is not None and failed.error is not None:
            return fail(failed.error)
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
    """Raise `FailureError` when what is written would replace what is read, or has no folder: before the work."""
    settings = setup.settings
    read = {_resolved(path) for path in (settings.model_path, *(source.path for source in settings.inputs)) if path}
    read |= {_resolved(library.path) for library in setup.libraries}
    places = {
        "--output": arguments.output,
        "--save-setup": arguments.save_setup,
        "--profile": arguments.profile,
        "--trace": arguments.trace,
        "--python": arguments.python,
        **{f"--export {path}": path for path in arguments.export},
    }
    written = {name: path for name, path in places.items() if path not in (None, "-")}
    for name, path in written.items():
        place = _resolved(path)
        if place in read:
            message = f"{name} would replace {place.name}, which the trial reads."
            raise failure_error(FailureKind.BAD_SETTING, message, hint="Choose another file.")
        if not place.parent.is_dir():
            message = f"{path} cannot be written: there is no folder {place.parent}."
            raise failure_error(FailureKind.BAD_SETTING, message, hint="Choose another place, or make the folder.")
    for (first, one), (second, other) in itertools.combinations(written.items(), 2):
        if _resolved(one) == _resolved(other) and "--save-setup" not in (first, second):
            message = f"{first} and {second} are the same file."
            raise failure_error(FailureKind.BAD_SETTING, message, hint="Choose two files.")
    output = written.get("--output")
    others = (written.get("--save-setup"), arguments.run if arguments.run.lower().endswith(".json") else None)
    if output is not None and any(other is not None and _resolved(other) == _resolved(output) for other in others):
        message = "--output would replace the set-up."
        raise failure_error(FailureKind.BAD_SETTING, message, hint="Choose another file.")


def _resolved(path: str) -> Path:
    return Path(path).expanduser().resolve()


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
        are_profiled = are_scripted = True
        for number, settings in enumerate(trials, start=1):
            sizes = sizes_text(settings, setup)
            if len(trials) > 1:
                say(f"Trial {number} of {len(trials)}: {sizes}")
            output, profile, trace, python = (
                path if len(trials) == 1 or path is None else numbered(path, number)
                for path in (self._output, self._profile, self._trace, self._python)
            )
            kept = self._run(settings, output)
            result = kept.result
            results.append((sizes, result))
            export_trial(self._export, kept, number if len(trials) > 1 else None)
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
        export_summaries(self._export, kept_trials)
        if len(results) > 1:
            say_table(comparison_rows(results))
        return 0 if are_profiled and are_scripted and all(result.failure is None for _sizes, result in results) else 1

    def _write_script(self, result: TrialResult, path: str) -> bool:
        """Write the script that repeats a trial, and return whether there is one. Raises `FailureError`."""
        try:
            text = trial_script(result.settings, self._devices, self._libraries, result.facts, self._engine.greeting)
        except ValueError as error:
            complain(f"There is no script of this trial. {error}")
            return False
        write_text(path, text)
        return True

    def _run(self, settings: TrialSettings, output: str | None) -> KeptTrial:
        self._engine.revive()
        created = now_text()
        trial = _Trial()
        trial.run(self._engine, settings)
        result = trial.result(settings)
        greeting = self._engine.greeting
        remarks = latency_remarks(
            trial.samples.values,
            result.statistics,
            callers=settings.callers,
            intra_op_threads=settings.intra_op_threads,
            cpu_count=0 if greeting is None else greeting.cpu_count,
        )
        if result.facts.session_creation_ns is not None:
            say_table(trial_rows(result, self._devices, trial.log, remarks))
        kept = self._kept(result, trial, created, remarks)
        if output is not None:
            write_text(output, trial_file_json(kept, one_line=output == "-"))
        return kept

    def _kept(self, result: TrialResult, trial: _Trial, created: str, remarks: tuple[Remark, ...]) -> KeptTrial:
        target = result.settings.target
        used = {*result.facts.target_devices, *target.device_keys, *target.second_keys}
        libraries = tuple(library for library in self._libraries if library.state is LibraryState.LOADED)
        return KeptTrial(
            created=created,
            settings=result.settings,
            outcome=result.outcome,
            facts=result.facts,
            failure=result.failure,
            statistics=result.statistics,
            remarks=remarks,
            samples=trial.samples.values,
            warmup=trial.warmup.values,
            elapsed_ns=trial.elapsed_ns,
            log=trial.log.lines,
            log_left_out=trial.log.left_out,
            nodes=trial.nodes,
            environment=self._engine.greeting,
            devices=tuple(device for device in self._devices if device.key in used),
            target_text=target_text(target, self._devices),
            libraries=libraries,
            registrations=tuple((library.name, library.registration_ns) for library in libraries),
        )


class _Trial:
    """Collects what the engine tells of a trial."""

    def __init__(self) -> None:
        self.samples = SampleSeries()
        self.warmup = SampleSeries()
        self.log = TrialLog()
        self.nodes: PlacedNodes | None = None
        self._facts = TrialFacts()
        self._failure: Failure | None = None
        self.elapsed_ns = 0

    def run(self, engine: HeadlessEngine, settings: TrialSettings) -> None:
        try:
            self._facts = from_json(TrialFacts, engine.run_trial(settings, self._on_event, self.log))
            self.elapsed_ns = self._facts.measured_ns
        except FailureError as error:
            self._failure = error.failure

    def result(self, settings: TrialSettings) -> TrialResult:
        return TrialResult(
            settings=settings,
            outcome=self._outcome(),
            facts=self._facts,
            statistics=summarize(self.samples.values, self.elapsed_ns, len(self.samples) + self.samples.dropped),
            failure=self._failure,
        )

    def _outcome(self) -> Outcome:
        if self._failure is not None:
            return Outcome.STOPPED if self._failure.kind is FailureKind.STOPPED else Outcome.FAILED
        return Outcome.STOPPED if self._facts.ending is Ending.STOPPED else Outcome.FINISHED

    def _on_event(self, message: dict[str, Any]) -> None:
        if message["event"] == EventKind.STAGE.value:
            self._facts = from_json(TrialFacts, message["facts"])
        elif message["event"] == EventKind.NODES.value:
            self.nodes = from_json(PlacedNodes, message["nodes"])
        elif message["event"] == EventKind.SAMPLES.value:
            measuring = message["stage"] == Stage.MEASURING.value
            (self.samples if measuring else self.warmup).append(decode_samples(message["samples"]))
            if measuring:
                self.elapsed_ns = message["elapsed_ns"]
