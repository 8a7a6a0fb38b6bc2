"""*Copy as Python*: a script with onnxruntime and numpy alone that repeats a trial, and runs without this application.

It makes the same inputs, the same session on the same devices and the same calls, and tells the same statistics by the
same definitions. What it says of itself stands at its head.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from .device import Device
from .library import Library, LibraryState
from .placement import COUNTED_NOTE
from .protocol import Greeting
from .script_body import ScriptBody
from .script_inputs import comment_text, inputs_code
from .script_parts import imports_for, parts_for
from .setup import SetupLibrary
from .trial import Stage, TrialFacts, TrialSettings


def trial_script(
    settings: TrialSettings,
    devices: tuple[Device, ...],
    libraries: Sequence[Library | SetupLibrary],
    facts: TrialFacts | None,
    environment: Greeting | None,
) -> str:
    """Return the text of a script that repeats the trial; it is to be written as UTF-8.

    `devices` are at least those of the target. `libraries` are those that were loaded: of a target of devices only
    theirs are taken. Raises `ValueError`, in a sentence, when something of it is not known or cannot be expressed.
    """
    if facts is None or (facts.stage is Stage.PREPARING and not facts.inputs):
        raise ValueError("The trial ended before its inputs were made, so what they were is not known.")
    chosen = _chosen_devices(settings, devices)
    needed = _needed_libraries(settings, chosen, libraries)
    body = ScriptBody(settings, chosen, needed, facts, "" if environment is None else environment.onnxruntime)
    try:
        code = "\n\n\n".join([inputs_code(facts.inputs), *body.functions()])
    except ValueError as error:
        raise ValueError(_sentence(str(error))) from error
    parts = parts_for(code)
    constants = body.constants("\n".join([*parts, code]))
    whole = "\n\n\n".join([*parts, code])
    imports, packages = imports_for("\n".join([constants, whole]))
    head = "\n".join(_head(settings, chosen, facts, environment, packages))
    main = 'if __name__ == "__main__":\n    main()'
    return "\n\n\n".join([f"{head}\n\n" + "\n".join(imports) + f"\n\n{constants}", whole, main]) + "\n"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."


def _chosen_devices(settings: TrialSettings, devices: tuple[Device, ...]) -> dict[str, Device]:
    """Return the devices of the target by key, in its order."""
    by_key = {device.key: device for device in devices}
    keys = settings.target.device_keys + settings.target.second_keys
    missing = [key for key in keys if key not in by_key]
    if missing:
        raise ValueError(f"What identifies the device {missing[0]} of this trial is not known.")
    return {key: by_key[key] for key in keys}


def _needed_libraries(
    settings: TrialSettings, chosen: dict[str, Device], libraries: Sequence[Library | SetupLibrary]
) -> dict[str, str]:
    """Return name and path of the libraries that the target needs; a policy chooses among all that were loaded."""
    loaded = {
        library.name: library.path
        for library in libraries
        if isinstance(library, SetupLibrary) or library.state is LibraryState.LOADED
    }
    if settings.target.policy is not None:
        return loaded
    owners = dict.fromkeys(device.library for device in chosen.values() if device.library is not None)
    paths = {library.name: library.path for library in libraries}
    missing = [name for name in owners if name not in paths]
    if missing:
        raise ValueError(f"Where the library “{missing[0]}” of this trial lies is not known.")
    return {name: paths[name] for name in paths if name in owners}


def _head(
    settings: TrialSettings,
    chosen: dict[str, Device],
    facts: TrialFacts,
    environment: Greeting | None,
    packages: list[str],
) -> list[str]:
    policy = settings.target.policy
    target = ", then ".join(dict.fromkeys(f"{device.ep_name} ({device.type.value})" for device in chosen.values()))
    where = target if policy is None else f"the policy {policy.value}"
    maker = "ORT Device Explorer" + ("" if environment is None else f" {environment.application}")
    lines = [f"Repeats a trial of {maker}: {PurePath(settings.model_path).name} on {where}."]
    if facts.placement is not None:
        placed = ", ".join(f"{part.ep_name}: {part.node_count} nodes" for part in facts.placement)
        lines.append(f"There it was placed so: {placed}.")
        if COUNTED_NOTE in facts.notes:
            lines.append(
                "ORT's own record, which this script prints, misses nodes of that EP: they were counted apart."
            )
    versions: dict[str, str] = {}
    if environment is not None:
        versions = {"onnxruntime": environment.onnxruntime, "numpy": environment.numpy}
        python = environment.python.split()[0]
        lines.append(
            f"It ran with onnxruntime {environment.onnxruntime}, numpy {environment.numpy} and Python {python} "
            f"on {environment.platform}, {environment.cpu or 'an unknown CPU'}."
        )
    wanted = " ".join(f"{name}=={versions[name]}" if name in versions else name for name in packages)
    lines += [
        "",
        f"It needs: python -m pip install {wanted}",
        "Options:  --save FOLDER writes the outputs of the first run, --json FILE all samples and what was found.",
    ]
    return [f"# {comment_text(line)}".rstrip() for line in lines]
