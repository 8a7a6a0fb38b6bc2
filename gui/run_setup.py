"""What `--run` shall run: the set-up that arguments describe, or one of a file with what is given beside it."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Final

from .named_devices import device_named
from .records.check import CheckSettings
from .records.codec import StringMap
from .records.device import Device
from .records.failure import FailureError, FailureKind, failure_error
from .records.inputs import ChannelOrder, ImageLayout, ImageReading, ImageScaling, InputSource, SourceKind
from .records.library import CPU_EP_NAME, Library
from .records.log import LogSeverity
from .records.setup import DimensionSweep, Setup, SetupLibrary, trials_of
from .records.setup_file import parse_setup, resolve, setup_of
from .records.trial import (
    Binding,
    DimensionSize,
    ExecutionMode,
    Optimization,
    Policy,
    SessionSettings,
    StopRule,
    Target,
    TrialSettings,
)

_SCALINGS: Final = {
    "unit": ImageScaling.UNIT,
    "symmetric": ImageScaling.SYMMETRIC,
    "bytes": ImageScaling.BYTES,
    "imagenet": ImageScaling.IMAGENET,
}
LONGEST_S: Final = 60.0
"""How long *until stable* may take when nothing else is said."""


class RunOrder:
    """One `--run`: first the libraries it needs, then, with the devices that came, its set-up and trials."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        """Read the set-up when one is named. Raises `FailureError`."""
        self._arguments = arguments
        self._setup = _read(arguments.run) if arguments.run.lower().endswith(".json") else None
        self._has_target = arguments.device is not None or arguments.policy is not None
        self.remarks: tuple[str, ...] = ()
        """What is to be told of how the set-up fits to this machine."""

    def libraries(self) -> list[tuple[str, str]]:
        """Return the libraries to load, name and path each. Raises `FailureError` when one of the set-up is gone."""
        given = dict(self._arguments.library)
        found: dict[str, str] = {}
        for library in () if self._setup is None else self._setup.libraries:
            if library.name in given:
                found[library.name] = given.pop(library.name)
            elif Path(library.path).exists():
                found[library.name] = library.path
            elif not self._has_target:  # another target may well do without it
                raise _gone(library)
        return [*found.items(), *given.items()]

    def setup(self, libraries: tuple[Library, ...], devices: tuple[Device, ...]) -> Setup:
        """Return the set-up to run on these devices. Raises `FailureError` when something it needs is missing."""
        arguments, before = self._arguments, self._setup
        try:
            if before is None:
                settings = TrialSettings(model_path=_absolute(arguments.run), target=self._target(devices))
            else:
                settings = self._settings_here(before, libraries, devices)
            settings = _with_arguments(settings, arguments)
            sweeps = () if before is None else before.sweeps
            settings, sweeps = _with_sizes(settings, sweeps, dict(arguments.dim))
            setup = setup_of(settings, sweeps, libraries, devices)
            trials_of(setup)  # may be too many
        except ValueError as error:
            raise failure_error(FailureKind.BAD_SETTING, f"This cannot be run: {error}.") from error
        return setup

    def _settings_here(
        self, setup: Setup, libraries: tuple[Library, ...], devices: tuple[Device, ...]
    ) -> TrialSettings:
        """Return the settings of a set-up with the target given, or with its own devices as they are here."""
        settings, second = setup.settings, self._arguments.second_device
        replaced = {source.name for source in (*self._arguments.input, *self._arguments.fill)}
        settings = replace(settings, inputs=tuple(entry for entry in settings.inputs if entry.name not in replaced))
        if self._has_target:
            settings = _with_target(settings, self._target(devices), setup.devices, devices)
            setup = replace(setup, libraries=())
        elif second is not None:
            target = replace(settings.target, second_keys=(device_named(second, devices).key,))
            settings = replace(settings, target=target, second_options=())
        resolved = resolve(replace(setup, settings=settings), devices, libraries)
        if resolved.missing:
            kind = FailureKind.NO_SUCH_FILE if resolved.missing_files else FailureKind.DEVICE_VANISHED
            raise failure_error(kind, " ".join(resolved.missing))
        self.remarks = resolved.changed
        return resolved.setup.settings

    def _target(self, devices: tuple[Device, ...]) -> Target:
        arguments = self._arguments
        if arguments.policy is not None:
            return Target(policy=Policy(arguments.policy))
        second = arguments.second_device
        return Target(
            device_keys=(device_named(arguments.device or CPU_EP_NAME, devices).key,),
            second_keys=() if second is None else (device_named(second, devices).key,),
        )


def _read(path: str) -> Setup:
    file = Path(path).expanduser().absolute()
    try:
        return parse_setup(file.read_bytes(), file.parent, file.name)
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror or error}."
        raise failure_error(FailureKind.NOT_A_SETUP, message, hint="Name a set-up, or a model.") from error


def _gone(library: SetupLibrary) -> FailureError:
    return failure_error(
        FailureKind.NO_SUCH_FILE,
        f"The library “{library.name}” of the set-up is not there: {library.path}.",
        hint=f"Say where it is by --library {library.name}=PATH, or choose another target by --device.",
    )


def _with_target(
    settings: TrialSettings, target: Target, before: tuple[Device, ...], devices: tuple[Device, ...]
) -> TrialSettings:
    """Return the settings with another target; EP options stay only when the first choice keeps its EP."""
    old = {device.ep_name for device in before if device.key in settings.target.device_keys}
    old |= {device.ep_name for device in devices if device.key in settings.target.device_keys}
    new = {device.ep_name for device in devices if device.key in target.device_keys}
    options = settings.options if old and old == new else ()
    return replace(settings, target=target, options=options, second_options=())


def _with_arguments(settings: TrialSettings, arguments: argparse.Namespace) -> TrialSettings:
    """Return the settings with all that is given, target and sizes apart. Raises `ValueError`."""
    timeout = arguments.run_timeout
    folder = arguments.save_outputs
    return replace(
        settings,
        options=_merged(settings.options, arguments.option),
        second_options=_merged(settings.second_options, arguments.second_option),
        warmup=_either(arguments.warmup, settings.warmup),
        stop_rule=_stop_rule(arguments) or settings.stop_rule,
        intra_op_threads=_either(arguments.threads, settings.intra_op_threads),
        seed=_either(arguments.seed, settings.seed),
        inputs=_inputs(settings.inputs, arguments),
        session=_session(settings.session, arguments),
        binding=Binding.IO_BINDING if arguments.io_binding else settings.binding,
        callers=_either(arguments.callers, settings.callers),
        pause_ms=settings.pause_ms if arguments.pause is None else arguments.pause,
        run_timeout_s=settings.run_timeout_s if timeout is None else timeout,
        outputs_folder=settings.outputs_folder if folder is None else _absolute(folder),
        check=_check(settings.check, arguments),
    )


def _check(check: CheckSettings, arguments: argparse.Namespace) -> CheckSettings:
    """Who gives a tolerance wants the outputs to be compared."""
    is_enabled = not arguments.no_check and (check.enabled or bool(arguments.tolerance))
    return replace(check, enabled=is_enabled).with_tolerances(arguments.tolerance)


def _stop_rule(arguments: argparse.Namespace) -> StopRule | None:
    if arguments.stable is not None:
        return StopRule(seconds=arguments.seconds or LONGEST_S, stable_percent=arguments.stable)
    if arguments.seconds is not None:
        return StopRule(seconds=arguments.seconds)
    return None if arguments.iterations is None else StopRule(iterations=arguments.iterations)


def _session(session: SessionSettings, arguments: argparse.Namespace) -> SessionSettings:
    level, severity, path = arguments.optimization, arguments.log_severity, arguments.save_optimized
    return replace(
        session,
        optimization=session.optimization if level is None else Optimization(level),
        inter_op_threads=_either(arguments.inter_threads, session.inter_op_threads),
        execution_mode=ExecutionMode.PARALLEL if arguments.parallel else session.execution_mode,
        memory_pattern=session.memory_pattern and not arguments.no_memory_pattern,
        memory_arena=session.memory_arena and not arguments.no_arena,
        deterministic=session.deterministic or bool(arguments.deterministic),
        log_severity=session.log_severity if severity is None else LogSeverity(severity),
        strict=session.strict or bool(arguments.strict),
        config=_merged(session.config, arguments.config),
        optimized_model_path=session.optimized_model_path if path is None else _absolute(path),
    )


def _inputs(before: tuple[InputSource, ...], arguments: argparse.Namespace) -> tuple[InputSource, ...]:
    sources = {source.name: source for source in (*before, *arguments.input, *arguments.fill)}
    for name, shape in arguments.shape:
        sources[name] = replace(sources.get(name, InputSource(name=name)), shape=shape)
    for name, length in arguments.length:
        sources[name] = replace(sources.get(name, InputSource(name=name)), length=length)
    return tuple(
        replace(source, image=_image(source.image, arguments)) if source.kind is SourceKind.IMAGE else source
        for source in sources.values()
    )


def _image(reading: ImageReading, arguments: argparse.Namespace) -> ImageReading:
    scaling, layout, order = arguments.image_scaling, arguments.image_layout, arguments.image_colors
    return ImageReading(
        layout=reading.layout if layout is None else ImageLayout(layout),
        scaling=reading.scaling if scaling is None else _SCALINGS[scaling],
        channels=reading.channels if order is None else ChannelOrder(order),
    )


def _with_sizes(
    settings: TrialSettings, sweeps: tuple[DimensionSweep, ...], given: dict[str, tuple[int, ...]]
) -> tuple[TrialSettings, tuple[DimensionSweep, ...]]:
    """Return settings and sweeps with the sizes given; several sizes of a dimension make a sweep of it."""
    first = {entry.name: entry.size for entry in settings.dimensions}
    first |= {name: sizes[0] for name, sizes in given.items()}
    kept = tuple(sweep for sweep in sweeps if sweep.name not in given)
    new = tuple(DimensionSweep(name=name, sizes=sizes) for name, sizes in given.items() if len(sizes) > 1)
    dimensions = tuple(DimensionSize(name=name, size=size) for name, size in first.items())
    return replace(settings, dimensions=dimensions), kept + new


def _merged(before: StringMap, given: list[tuple[str, str]]) -> StringMap:
    return tuple((dict(before) | dict(given)).items())


def _either(given: int | None, before: int) -> int:
    return before if given is None else given


def _absolute(path: str) -> str:
    return str(Path(path).expanduser().absolute())
