"""From what the trial panel remembers to what a trial needs, and back from a set-up."""

from __future__ import annotations

from dataclasses import replace

from ..models.compare_plan import CompareBase
from ..records.codec import StringMap
from ..records.device import Device
from ..records.setup import DimensionSweep, Setup
from ..records.trial import Policy, SessionSettings, Target, TrialSettings
from ..settings import RunChoices, TrialChoices


def settings_of(choices: TrialChoices, target: Target) -> TrialSettings:
    """Return the settings of a trial on a target, with the first size of each free dimension."""
    run = choices.run
    return TrialSettings(
        model_path=choices.model_path,
        target=target,
        options=choices.options,
        second_options=choices.second_options,
        dimensions=choices.dimensions,
        inputs=choices.inputs,
        seed=choices.seed,
        session=choices.session,
        intra_op_threads=choices.intra_op_threads,
        warmup=run.warmup,
        stop_rule=run.stop_rule,
        binding=run.binding,
        callers=run.callers,
        pause_ms=run.pause_ms,
        run_timeout_s=run.run_timeout_s,
        outputs_folder=run.outputs_folder,
        check=run.check,
    )


def choices_of(setup: Setup, run: RunChoices) -> TrialChoices:
    """Return the choices of a set-up; the numbers of stop rules that it does not use are those of `run`."""
    settings = setup.settings
    return TrialChoices(
        model_path=settings.model_path,
        policy=settings.target.policy,
        device_keys=settings.target.device_keys,
        second_keys=settings.target.second_keys,
        options=settings.options,
        second_options=settings.second_options,
        dimensions=settings.dimensions,
        sweeps=setup.sweeps,
        inputs=settings.inputs,
        seed=settings.seed,
        session=settings.session,
        intra_op_threads=settings.intra_op_threads,
        run=replace(
            run,
            warmup=settings.warmup,
            binding=settings.binding,
            callers=settings.callers,
            pause_ms=settings.pause_ms,
            run_timeout_s=settings.run_timeout_s,
            outputs_folder=settings.outputs_folder,
            check=settings.check,
        ).with_stop_rule(settings.stop_rule),
    )


def compare_base_of(
    choices: TrialChoices,
    target: Target | None,
    *,
    sweeps: tuple[DimensionSweep, ...],
    selected: tuple[Device, ...],
    devices: tuple[Device, ...],
    policy_options: StringMap,
) -> CompareBase:
    """Return what a comparison takes over of the choices; `target` is None where it is not complete."""
    second = next((device.ep_name for device in devices if device.key in choices.second_keys), "")
    return CompareBase(
        settings=settings_of(choices, target or Target(policy=Policy.DEFAULT)),
        target=target,
        sweeps=sweeps,
        by_policy=choices.policy is not None,
        first_ep=selected[0].ep_name if selected else "",
        second_ep=second,
        policy_options=policy_options,
    )


def changed_pages(choices: TrialChoices) -> tuple[bool, bool, bool, bool]:
    """Return whether inputs, EP options, session and run control are other than by themselves."""
    return (
        bool(choices.inputs or choices.seed or choices.sweeps),
        bool(choices.options or (choices.second_keys and choices.policy is None)),
        choices.session != SessionSettings() or choices.intra_op_threads != 0,
        choices.run != RunChoices(),
    )
