"""The one place that knows which parts of onnxruntime's Python binding this version has."""

from __future__ import annotations

from typing import Any, Final

import onnxruntime as _ort
from onnxruntime.capi import onnxruntime_pybind11_state as _state

VERSION: Final[str] = _ort.__version__

register_library: Final = _ort.register_execution_provider_library
unregister_library: Final = _ort.unregister_execution_provider_library
get_ep_devices: Final = _ort.get_ep_devices
InferenceSession: Final = _ort.InferenceSession
SessionOptions: Final = _ort.SessionOptions
RunOptions: Final = _ort.RunOptions
OrtValue: Final = _ort.OrtValue
GraphOptimizationLevel: Final = _ort.GraphOptimizationLevel
ExecutionMode: Final = _ort.ExecutionMode
ModelCompiler: Final = _ort.ModelCompiler
OrtCompileApiFlags: Final = _ort.OrtCompileApiFlags
OrtDeviceMemoryType: Final = _ort.OrtDeviceMemoryType
OrtExecutionProviderDevicePolicy: Final = _ort.OrtExecutionProviderDevicePolicy
set_logger_callback: Final = getattr(_ort, "set_default_logger_callback", None)
"""New in onnxruntime 1.31 or 1.32; before it, messages come by stderr."""
set_policy_delegate: Final = getattr(_ort.SessionOptions, "set_provider_selection_policy_delegate", None)
"""Called with the options and a function that chooses among the devices in ORT's order of preference."""
get_hardware_devices: Final = getattr(_state, "get_hardware_devices", None)
get_incompatibility_details: Final = getattr(_state, "get_hardware_device_ep_incompatibility_details", None)
"""Neither is part of the documented module yet."""

ERRORS: Final[tuple[type[Exception], ...]] = (
    *(
        entry
        for entry in vars(_state).values()
        if isinstance(entry, type) and issubclass(entry, Exception) and entry.__module__ == _state.__name__
    ),
    RuntimeError,
    ValueError,
    TypeError,
    MemoryError,
    NotImplementedError,
    OSError,
)
"""Whatever the binding raises: its own classes derive from Exception alone, and it raises Python's too."""


def policy_of(name: str) -> Any:
    """Return the OrtExecutionProviderDevicePolicy of that name."""
    return getattr(OrtExecutionProviderDevicePolicy, name)
