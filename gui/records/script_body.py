"""The functions of a script that are the trial's own: the options, the session, the runs, and `main`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .device import Device
from .inputs import InputFact
from .script_elements import SCRIPT_ELEMENTS, script_element, text_code
from .script_measuring import measure_code, measuring_lines
from .script_parts import STATISTICS_CODE
from .trial import Binding, ExecutionMode, Optimization, TrialFacts, TrialSettings

_LEVELS: Final = {
    Optimization.LAYOUT: "ORT_ENABLE_LAYOUT",
    Optimization.EXTENDED: "ORT_ENABLE_EXTENDED",
    Optimization.BASIC: "ORT_ENABLE_BASIC",
    Optimization.DISABLED: "ORT_DISABLE_ALL",
}
_OWN: Final = ""
"""Under this name a script keeps the devices that ORT brought along."""


class ScriptBody:
    """Puts the functions together that are the trial's own."""

    def __init__(
        self,
        settings: TrialSettings,
        chosen: dict[str, Device],
        libraries: dict[str, str],
        facts: TrialFacts,
        version: str,
    ) -> None:
        self._version = version
        self._settings = settings
        self._chosen = chosen
        self._libraries = libraries
        self._facts = facts
        types = [output.type for output in facts.outputs]
        elements = [script_element(kind) for kind in types]
        self._is_plain = bool(types) and all(
            element is not None and element.is_plain and not element.is_text for element in elements
        )
        """Whether every output is an array that numpy has a type for."""
        self._all_tensors = bool(types) and all(kind.startswith("tensor(") for kind in types)
        self._needs_values = any(
            kind.startswith("tensor(") and (element is None or not (element.is_plain or element.name == "float8e4m3fn"))
            for kind, element in zip(types, elements, strict=True)
        )

    def constants(self, code: str) -> str:
        """Return the constants that the code uses."""
        settings = self._settings
        lines = [f"MODEL = {text_code(settings.model_path)}"]
        if self._libraries:
            lines.append("LIBRARIES = {")
            lines += [f"    {text_code(name)}: {text_code(path)}," for name, path in self._libraries.items()]
            lines.append("}")
        if "random_of(" in code:
            lines.append(f"SEED = {settings.seed}")
        if settings.pause_ms:
            lines.append(f"PAUSE_S = {settings.pause_ms / 1e3!r}  # between two runs of a caller")
        if settings.run_timeout_s is not None:
            lines.append(f"RUN_TIMEOUT_S = {settings.run_timeout_s!r}")
        if "BIT_TYPES" in code:
            lines += ["BIT_TYPES = {", *_bit_types(), "}"]
        return "\n".join([*lines, "clock = time.perf_counter_ns"])

    def functions(self) -> list[str]:
        """Return them from the options to `main`. Raises `ValueError`."""
        settings = self._settings
        is_bound = settings.binding is Binding.IO_BINDING
        if is_bound and any(output.type.startswith("optional(") for output in self._facts.outputs):
            raise ValueError("IO binding cannot hand over an optional output.")
        functions = [self._session_options()]
        if is_bound or self._needs_values:
            functions.append(_AS_VALUES)
        if is_bound:
            functions.append(_BOUND)
        functions.append(measure_code(settings))
        functions += [STATISTICS_CODE, _TOLD_PLAIN if self._is_plain else _TOLD, self._run_trial(), self._main()]
        return [function.strip("\n") for function in functions]

    # ---- The session ----

    def _session_options(self) -> str:
        settings, session = self._settings, self._settings.session
        takes = "brought" if self._chosen or self._libraries else ""
        text = "; `brought` are the devices of each library" if takes else ""
        lines = [f"def session_options({takes}):", f'    """Return the options of the session{text}."""']
        lines.append("    options = ort.SessionOptions()")
        say = lines.append
        if settings.intra_op_threads:
            say(f"    options.intra_op_num_threads = {settings.intra_op_threads}")
        if session.inter_op_threads:
            say(f"    options.inter_op_num_threads = {session.inter_op_threads}")
        if session.optimization is not Optimization.ALL:
            say(f"    options.graph_optimization_level = ort.GraphOptimizationLevel.{_LEVELS[session.optimization]}")
        if session.execution_mode is ExecutionMode.PARALLEL:
            say("    options.execution_mode = ort.ExecutionMode.ORT_PARALLEL")
        if not session.memory_pattern:
            say("    options.enable_mem_pattern = False")
        if not session.memory_arena:
            say("    options.enable_cpu_mem_arena = False")
        if session.deterministic:
            say("    options.use_deterministic_compute = True")
        if session.log_severity is not None:
            say(f"    options.log_severity_level = {session.log_severity.value}")
        if session.optimized_model_path:
            say(f"    options.optimized_model_filepath = {text_code(session.optimized_model_path)}")
        lines += [_entry_line(text_code(key), value) for key, value in session.config]
        say(_entry_line(text_code("session.record_ep_graph_assignment_info"), "1"))
        for name, size in _sizes(settings, self._facts).items():
            say(f"    options.add_free_dimension_override_by_name({text_code(name)}, {size})")
        if session.strict:
            say(_entry_line(text_code("session.disable_cpu_ep_fallback"), "1"))
        lines += self._policy_lines() if settings.target.policy is not None else self._device_lines()
        return "\n".join([*lines, "    return options"])

    def _policy_lines(self) -> list[str]:
        settings = self._settings
        assert settings.target.policy is not None  # noqa: S101
        policy = f"ort.OrtExecutionProviderDevicePolicy.{settings.target.policy.value}"
        lines = [f"    options.set_provider_selection_policy({policy})"]
        lines += [_entry_line(text_code(key), value) for key, value in settings.options if key.startswith("ep.")]
        for_all = [(key, value) for key, value in settings.options if not key.startswith("ep.")]
        if for_all and self._libraries:
            lines.append("    for ep_name in {device.ep_name for name in LIBRARIES for device in brought[name]}:")
            lines += [
                "    " + _entry_line('f"ep.{ep_name.lower()}." + ' + text_code(key), value) for key, value in for_all
            ]
        return lines

    def _device_lines(self) -> list[str]:
        target = self._settings.target
        first = self._provider_lines(target.device_keys, self._settings.options)
        return first + (
            self._provider_lines(target.second_keys, self._settings.second_options) if target.second_keys else []
        )

    def _provider_lines(self, keys: tuple[str, ...], options: tuple[tuple[str, str], ...]) -> list[str]:
        found = [f"        {_find_code(self._chosen[key])}," for key in keys]
        code = ", ".join(f"{text_code(key)}: {text_code(value)}" for key, value in options)
        return ["    devices = [", *found, "    ]", f"    options.add_provider_for_devices(devices, {{{code}}})"]

    # ---- The trial ----

    def _run_trial(self) -> str:
        settings = self._settings
        is_bound, facts = settings.binding is Binding.IO_BINDING, self._facts
        takes = "brought" if self._chosen or self._libraries else ""
        lines = [
            f"def run_trial({takes + ', ' if takes else ''}save_to):",
            '    """Run it and return what was found. The session is gone with this function."""',
            "    feeds = make_inputs()",
            f"    options = session_options({takes})",
            "    began = clock()",
            "    session = ort.InferenceSession(MODEL, options, enable_fallback=0)  # never the CPU without a word",
            '    print(f"session creation  {(clock() - began) / 1e6:.1f} ms")',
            "    placement = Counter()",
        ]
        if facts.placement is not None or facts.session_creation_ns is None:
            lines += [
                "    for part in session.get_provider_graph_assignment_info():",
                "        placement[part.ep_name] += len(part.get_nodes())",
                "    for ep_name, count in placement.items():",
                '        print(f"placement         {ep_name}: {count} nodes")',
            ]
        lines += ["    names = [output.name for output in session.get_outputs()]", "    run_options = ort.RunOptions()"]
        if is_bound:
            lines.append(
                '    run_options.add_run_config_entry("gpu_graph_id", "0")  # or each run searches it for 45 µs'
            )
        lines += self._call_lines(is_bound=is_bound)
        lines += [
            "    function, arguments = calls[0]",
            "    began = clock()",
            "    result = function(*arguments)",
            "    first_run_ns = clock() - began",
            '    print(f"first run         {first_run_ns / 1e6:.4f} ms")',
        ]
        if is_bound:
            values = "get_outputs()" if self._all_tensors and not self._is_plain else "copy_outputs_to_cpu()"
            lines.append(f"    result = arguments[0].{values}")
        lines += [
            "    outputs = {}",
            "    for number, (name, value) in enumerate(zip(names, result)):",
            "        outputs[name] = told(name, value, number, save_to)",
            "    del result, value",
            *measuring_lines(settings),
            "    figures = statistics_of(samples, measured_ns)",
            "    print_statistics(figures)",
            "    return {",
            '        "samples_ns": samples.tolist(),',
            '        "measured_ns": measured_ns,',
            '        "first_run_ns": first_run_ns,',
            '        "statistics": figures,',
            '        "placement": dict(placement),',
            '        "outputs": outputs,',
            "    }",
        ]
        return "\n".join(lines)

    def _call_lines(self, *, is_bound: bool) -> list[str]:
        callers = self._settings.callers
        if is_bound:
            lines = ["    values = as_values(feeds)"]
            call = "bound(session, values, names, run_options)"
        elif self._needs_values:
            lines = ["    values = as_values(feeds)  # session.run cannot return an output of this model"]
            call = "(session.run_with_ort_values, (names, values, run_options))"
        else:
            lines = []
            call = "(session.run, (names, feeds, run_options))"
        if self._settings.run_timeout_s is not None:
            call = f"watched({call}, run_options)"
        each = f"[{call}]" if callers == 1 else f"[{call} for _ in range({callers})]"
        return [*lines, f"    calls = {each}"]

    def _main(self) -> str:
        has_brought = bool(self._chosen or self._libraries)
        lines = [
            "def main():",
            "    parser = argparse.ArgumentParser()",
            '    parser.add_argument("--save", type=Path, metavar="FOLDER", help="write the outputs of the first run")',
            '    parser.add_argument("--json", type=Path, metavar="FILE", help="write samples, placement and outputs")',
            "    arguments = parser.parse_args()",
        ]
        if self._version:
            lines += [
                f"    if ort.__version__ != {text_code(self._version)}:",
                f'        print(f"NOTE: onnxruntime is {{ort.__version__}} here, the trial had {self._version}")',
            ]
        if has_brought:
            lines.append(
                f'    brought = {{"{_OWN}": ort.get_ep_devices()}}  # by the libraries\' names; "": ORT\'s own'
            )
        if self._libraries:
            lines += [
                "    for name, path in LIBRARIES.items():",
                "        brought[name] = register(name, path)",
            ]
        lines.append(f"    result = run_trial({'brought, ' if has_brought else ''}arguments.save)")
        if self._libraries:
            lines += [
                "    # A library may go when no session and no device of it is left. After an error it stays.",
                "    brought.clear()",
                "    gc.collect()",
                "    for name in reversed(LIBRARIES):",
                "        ort.unregister_execution_provider_library(name)",
            ]
        lines += ["    if arguments.json:", '        arguments.json.write_text(json.dumps(result), encoding="utf-8")']
        return "\n".join(lines)


def _sizes(settings: TrialSettings, facts: TrialFacts) -> dict[str, int]:
    """Return the free dimensions that have a name in the model; those without one ORT cannot be told."""
    sizes = {entry.name: entry.size for entry in (*settings.dimensions, *facts.dimensions)}
    unnamed = {f"{fact.name}[{axis}]" for fact in facts.inputs for axis in range(_rank(fact))}
    return {name: size for name, size in sizes.items() if name not in unnamed}


def _rank(fact: InputFact) -> int:
    return 8 if fact.shape is None else len(fact.shape)


def _entry_line(key_code: str, value: str) -> str:
    return f"    options.add_session_config_entry({key_code}, {text_code(value)})"


def _find_code(device: Device) -> str:
    hardware = device.device
    number = device.key.rpartition("#")[2]
    if not number.isdecimal():
        raise ValueError(f"What identifies the device {device.key} of this trial is not known.")
    own = _dict_code([pair for pair in device.ep_metadata if pair[0] not in ("version", "library_path")])
    parts = [
        f"brought[{text_code(device.library or _OWN)}]",
        text_code(device.ep_name),
        text_code(hardware.type.value),
        f"{hardware.vendor_id:#06x}",
        f"{hardware.device_id:#06x}",
        own,
        _dict_code(hardware.metadata),
    ]
    return f"find_device({', '.join(parts)}{'' if number == '0' else f', {number}'})"


def _dict_code(pairs: Sequence[tuple[str, str]]) -> str:
    return "{" + ", ".join(f"{text_code(key)}: {text_code(value)}" for key, value in sorted(pairs)) + "}"


def _bit_types() -> list[str]:
    return [
        f'    "tensor({element.name})": {"np.uint16" if element.storage == "np.uint16" else "np.uint8"},'
        for element in SCRIPT_ELEMENTS.values()
        if not element.is_plain
    ]


_AS_VALUES: Final = '''
def as_values(feeds):
    """Return the inputs as OrtValues."""
    return {
        name: feed if isinstance(feed, ort.OrtValue) else ort.OrtValue.ortvalue_from_numpy(feed)
        for name, feed in feeds.items()
    }
'''

_BOUND: Final = '''
def bound(session, values, names, run_options):
    """Return a call with inputs and outputs bound once, to memory of the CPU."""
    binding = session.io_binding()
    for name, value in values.items():
        binding.bind_ortvalue_input(name, value)
    for name in names:
        binding.bind_output(name)
    return session.run_with_iobinding, (binding, run_options)
'''

_TOLD_PLAIN: Final = '''
def told(name, value, number, save_to):
    """Tell of an output, write it if wanted, and return its shape and a digest of its bytes."""
    print(f"output            {name} {list(value.shape)}")
    if save_to:
        save_to.mkdir(parents=True, exist_ok=True)
        np.save(save_to / f"output_{number}.npy", value)
    return {"shape": list(value.shape), "blake2b": hashlib.blake2b(value.tobytes()).hexdigest()}
'''

_TOLD: Final = '''
def told(name, value, number, save_to):
    """Tell of an output, write it if wanted, and return its shape and a digest of its bytes."""
    is_tensor = isinstance(value, ort.OrtValue) and value.has_value() and value.is_tensor()
    shape = list(value.shape()) if is_tensor else None
    value = numpy_of(value)
    if isinstance(value, np.ndarray) and shape is None:
        shape = list(value.shape)
    print(f"output            {name} {type(value).__name__ if shape is None else shape}")
    if save_to:
        save_to.mkdir(parents=True, exist_ok=True)
        if isinstance(value, np.ndarray):
            np.save(save_to / f"output_{number}.npy", value.astype(str) if value.dtype == object else value)
        else:
            (save_to / f"output_{number}.txt").write_text(repr(value), encoding="utf-8")
    return {"shape": shape, "blake2b": hashlib.blake2b(content_of(value)).hexdigest()}
'''
