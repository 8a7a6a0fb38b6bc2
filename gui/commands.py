"""What the command line does without a window: the device report, and a trial."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .headless import HeadlessEngine
from .records.codec import from_json
from .records.device import Device
from .records.failure import Failure, FailureError, FailureKind, failure_error
from .records.library import CPU_EP_NAME, Library, LibraryState
from .records.library_remarks import remarks_of
from .records.placement import placement_text
from .records.protocol import EventKind
from .records.report import DeviceReport
from .records.report_file import report_json
from .records.report_markdown import report_markdown
from .records.result import Outcome, TrialResult, result_json
from .records.samples import SampleSeries, decode_samples
from .records.statistics import LatencyStatistics, summarize
from .records.trial import DimensionSize, Ending, Policy, Stage, StopRule, Target, TrialFacts, TrialSettings
from .records.units import time_text


def run_report(arguments: argparse.Namespace) -> int:
    """Write the device report; a library that fails is part of it."""
    engine = HeadlessEngine(show_stderr=arguments.verbose)
    try:
        greeting = engine.start()
        libraries = engine.load(arguments.library, arguments.timeout)
        explained = [
            entry
            for library in libraries
            if library.error is None
            for entry in engine.explain_hardware(library.name, arguments.timeout)
        ]
        inventory = engine.inventory()
        report = DeviceReport(
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            environment=greeting,
            libraries=libraries,
            devices=inventory.devices,
            hardware=inventory.hardware,
            incompatibilities=tuple(explained),
        )
        for library in libraries:
            remarks = remarks_of(library, libraries, inventory.devices, explained)
            for told in (library.error, *remarks):
                if told is not None:
                    _complain(f"{library.name}: {told}")
        _write_report(arguments.report, report)
    except FailureError as error:
        return _fail(error.failure)
    finally:
        engine.close()
    return 0


def run_trial(arguments: argparse.Namespace) -> int:
    """Run a trial, print its summary and write its result."""
    engine = HeadlessEngine(show_stderr=arguments.verbose)
    trial = _Trial()
    try:
        engine.start()
        libraries = engine.load(arguments.library, arguments.timeout)
        devices = engine.inventory().devices
        failed = next((library for library in libraries if library.error is not None), None)
        if failed is not None and failed.error is not None:
            return _fail(failed.error)
        settings = _settings(arguments, devices)
        trial.run(engine, settings)
        result = trial.result(settings)
        if result.facts.session_creation_ns is not None:
            _print_summary(settings, result, _names(settings, devices))
        if arguments.output is not None:
            used = tuple(device for device in devices if device.key in result.facts.target_devices)
            _write_result(arguments.output, trial, result, engine, libraries, used)
        if result.failure is not None:
            return _fail(result.failure)
    except FailureError as error:
        return _fail(error.failure)
    finally:
        engine.close()
    return 0


class _Trial:
    """Collects what the engine tells of a trial."""

    def __init__(self) -> None:
        self.samples = SampleSeries()
        self.warmup = SampleSeries()
        self._facts = TrialFacts()
        self._failure: Failure | None = None
        self._elapsed_ns = 0

    def run(self, engine: HeadlessEngine, settings: TrialSettings) -> None:
        try:
            self._facts = from_json(TrialFacts, engine.run_trial(settings, self._on_event))
            self._elapsed_ns = self._facts.measured_ns
        except FailureError as error:
            self._failure = error.failure

    def result(self, settings: TrialSettings) -> TrialResult:
        return TrialResult(
            settings=settings,
            outcome=self._outcome(),
            facts=self._facts,
            statistics=summarize(self.samples.values, self._elapsed_ns, len(self.samples) + self.samples.dropped),
            failure=self._failure,
        )

    def _outcome(self) -> Outcome:
        if self._failure is not None:
            return Outcome.STOPPED if self._failure.kind is FailureKind.STOPPED else Outcome.FAILED
        return Outcome.STOPPED if self._facts.ending is Ending.STOPPED else Outcome.FINISHED

    def _on_event(self, message: dict[str, Any]) -> None:
        if message["event"] == EventKind.STAGE.value:
            self._facts = from_json(TrialFacts, message["facts"])
        elif message["event"] == EventKind.SAMPLES.value:
            measuring = message["stage"] == Stage.MEASURING.value
            (self.samples if measuring else self.warmup).append(decode_samples(message["samples"]))
            if measuring:
                self._elapsed_ns = message["elapsed_ns"]


def _settings(arguments: argparse.Namespace, devices: tuple[Device, ...]) -> TrialSettings:
    if arguments.policy is not None:
        target = Target(policy=Policy(arguments.policy))
    else:
        target = Target(device_keys=(_device(arguments.device or CPU_EP_NAME, devices).key,))
    if arguments.seconds is not None:
        stop_rule = StopRule(seconds=arguments.seconds)
    else:
        stop_rule = StopRule(iterations=200 if arguments.iterations is None else arguments.iterations)
    return TrialSettings(
        model_path=str(Path(arguments.run).expanduser().absolute()),
        target=target,
        options=tuple(arguments.option),
        dimensions=tuple(DimensionSize(name=name, size=size) for name, size in arguments.dim),
        warmup=arguments.warmup,
        stop_rule=stop_rule,
        intra_op_threads=arguments.threads,
        seed=arguments.seed,
    )


def _device(wish: str, devices: tuple[Device, ...]) -> Device:
    """Return the device that `EP_NAME[:N]` means. Raises `FailureError`."""
    name, number = wish, 0
    head, separator, tail = wish.rpartition(":")
    if separator and tail.isdecimal() and not any(device.ep_name == wish for device in devices):
        name, number = head, int(tail)
    found = [device for device in devices if device.ep_name == name]
    if number < len(found):
        return found[number]
    there = ", ".join(dict.fromkeys(device.ep_name for device in devices))
    message = f"There is no device {wish}; EPs here: {there}."
    if found:
        message = f"{name} has {len(found)} device(s), counted from 0; there is no {name}:{number}."
    raise failure_error(FailureKind.DEVICE_VANISHED, message, hint="Load its library with --library NAME=PATH.")


def _names(settings: TrialSettings, devices: tuple[Device, ...]) -> str:
    if settings.target.policy is not None:
        return settings.target.policy.value
    chosen = (device for device in devices if device.key in settings.target.device_keys)
    return ", ".join(f"{device.ep_name} ({device.type.value} {device.device.vendor})" for device in chosen)


def _print_summary(settings: TrialSettings, result: TrialResult, target: str) -> None:
    facts, statistics = result.facts, result.statistics
    rows = [
        ("Model", settings.model_path),
        ("Target", target),
        ("Ran on", placement_text(facts.placement) or "–"),
        ("Outcome", result.outcome.value),
        ("Session creation", time_text(facts.session_creation_ns)),
        ("First run", time_text(facts.first_run_ns)),
    ]
    if statistics is not None:
        rows += _statistics_rows(statistics)
    if facts.non_finite_outputs:
        rows.append(("Warning", f"NaN or infinity in {', '.join(facts.non_finite_outputs)}"))
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        _print(f"{name:<{width}}  {value}")


def _statistics_rows(statistics: LatencyStatistics) -> list[tuple[str, str]]:
    throughput = statistics.throughput_per_s
    return [
        ("Samples", str(statistics.count)),
        ("Min", time_text(statistics.min_ns)),
        ("Median", time_text(statistics.median_ns)),
        ("Mean", time_text(statistics.mean_ns)),
        ("p90", time_text(statistics.p90_ns)),
        ("p95", time_text(statistics.p95_ns)),
        ("p99", time_text(statistics.p99_ns) + (" (fewer than 100 samples)" if statistics.count < 100 else "")),
        ("Max", time_text(statistics.max_ns)),
        ("Std deviation", time_text(statistics.std_ns)),
        ("Throughput", "–" if throughput is None else f"{throughput:.1f} /s"),
    ]


def _write_result(
    target: str,
    trial: _Trial,
    result: TrialResult,
    engine: HeadlessEngine,
    libraries: tuple[Library, ...],
    devices: tuple[Device, ...],
) -> None:
    data = result_json(
        result,
        samples=trial.samples.values,
        warmup=trial.warmup.values,
        environment=engine.greeting,
        libraries=tuple(library for library in libraries if library.state is LibraryState.LOADED),
        devices=devices,
    )
    _write(target, data)


def _write_report(target: str, report: DeviceReport) -> None:
    """Write Markdown to a file named so, else JSON. Raises `FailureError`."""
    is_markdown = target.lower().endswith((".md", ".markdown"))
    _write_text(target, report_markdown(report) if is_markdown else report_json(report))


def _write(target: str, data: dict[str, Any]) -> None:
    """Write JSON to a file, or to the console for `-`. Raises `FailureError`."""
    _write_text(target, json.dumps(data, ensure_ascii=False, indent=2 if "samples_ns" not in data else None) + "\n")


def _write_text(target: str, text: str) -> None:
    """Write to a file, or to the console for `-`. Raises `FailureError`."""
    if target == "-":
        _print(text, end="")
        return
    try:
        Path(target).expanduser().write_text(text, encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        message = f"{target} cannot be written: {error.strerror or error}."
        raise failure_error(FailureKind.BAD_SETTING, message, hint="Choose another file.") from error


def _fail(failure: Failure) -> int:
    _complain(str(failure))
    return 1


def _complain(text: str) -> None:
    print("ort-device-explorer: " + " ".join(text.split()), file=sys.stderr)


def _print(text: str, end: str = "\n") -> None:
    """Print also where the console cannot show every character."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding) + end)
