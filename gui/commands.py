"""The device report without a window."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from .console import complain, fail, write_text
from .headless import HeadlessEngine
from .records.failure import FailureError
from .records.library_remarks import remarks_of
from .records.report import DeviceReport
from .records.report_file import report_json
from .records.report_markdown import report_markdown


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


def _write_report(target: str, report: DeviceReport) -> None:
    """Write Markdown to a file named so, else JSON. Raises `FailureError`."""
    is_markdown = target.lower().endswith((".md", ".markdown"))
    write_text(target, report_markdown(report) if is_markdown else report_json(report))
