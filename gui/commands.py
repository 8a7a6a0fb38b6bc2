"""The device report and what policies take, without a window."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from .arguments import absolute
from .console import complain, fail, say, say_columns, write_text
from .headless import HeadlessEngine
from .records.device import Device
from .records.failure import FailureError
from .records.library_remarks import remarks_of
from .records.policies import (
    POLICY_MEANING,
    PolicyOutcome,
    nodes_text,
    order_text,
    policies_json,
    result_text,
    taken_text,
    with_expected_devices,
)
from .records.report import DeviceReport
from .records.report_file import report_json
from .records.report_markdown import report_markdown
from .records.trial import Policy


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
                    complain(f"{library.name}: {told}")
        _write_report(arguments.report, report)
    except FailureError as error:
        return fail(error.failure)
    finally:
        engine.close()
    return 0


def run_explain_policies(arguments: argparse.Namespace) -> int:
    """Print what each policy takes, and ORT's order of preference; one that fails, or costs an engine, is a row."""
    model = arguments.explain_policies and absolute(arguments.explain_policies)
    engine = HeadlessEngine(show_stderr=arguments.verbose)
    try:
        engine.start()
        libraries = engine.load(arguments.library, arguments.timeout)
        for library in libraries:
            if library.error is not None:
                complain(f"{library.name}: {library.error}")
        if model:
            engine.describe_model(model)
        devices = engine.inventory().devices
        options = tuple(arguments.option)
        outcomes = tuple(engine.explain_policy(policy, model, arguments.timeout, options) for policy in Policy)
        outcomes = with_expected_devices(outcomes, devices)
        if arguments.output != "-":
            _say_policies(outcomes, devices)
        if arguments.output is not None:
            text = policies_json(
                outcomes, model=model, environment=engine.greeting, libraries=libraries, devices=devices
            )
            write_text(arguments.output, text)
    except FailureError as error:
        return fail(error.failure)
    finally:
        engine.close()
    return 0


def _say_policies(outcomes: tuple[PolicyOutcome, ...], devices: tuple[Device, ...]) -> None:
    known = {device.key: device for device in devices}
    rows: list[tuple[str, ...]] = [("Policy", "Asks for", "Takes", "Result", "Nodes")]
    for outcome in outcomes:
        device = known.get(outcome.device_key)
        cells = (taken_text(outcome, device), result_text(outcome, device), nodes_text(outcome))
        rows.append((outcome.policy.value, POLICY_MEANING[outcome.policy], *(cell or "-" for cell in cells)))
    say_columns(rows)
    hints = dict.fromkeys(outcome.failure.hint for outcome in outcomes if outcome.failure and outcome.failure.hint)
    for hint in hints:
        say(f"  {hint}")
    order = next((outcome.order for outcome in outcomes if outcome.order), ())
    say("")
    if order:
        say("ORT's order of preference, before a policy narrows it:")
    else:
        say("ORT's order of preference is not known: no policy got so far, or this ORT does not tell it.")
    for number, text in enumerate(order_text(order, devices), start=1):
        say(f"{number:>3}. {text}")


def _write_report(target: str, report: DeviceReport) -> None:
    """Write Markdown to a file named so, else JSON. Raises `FailureError`."""
    is_markdown = target.lower().endswith((".md", ".markdown"))
    write_text(target, report_markdown(report) if is_markdown else report_json(report))
