"""The EP libraries registered in this engine, the devices they offer, and the sessions alive on them.

Lives on the worker thread: nothing here is called on another.
"""

from __future__ import annotations

import gc
import time
import weakref
from pathlib import Path
from typing import Any

from ..records.device import Device, with_keys
from ..records.failure import FailureKind, failure_error
from ..records.library import CPU_EP_NAME, Library, LibraryState, name_problem
from ..records.protocol import Explanation, Inventory
from . import ort
from .devices import copy_device
from .failures import check_library_file, registration_failure
from .hardware import incompatibilities, list_hardware
from .mapped import still_mapped


class Registry:
    """Registers, unregisters and lists."""

    def __init__(self) -> None:
        self._paths: dict[str, str] = {}
        # The binding gives the same wrapper object for the same device as long as one is alive. Keeping those of a
        # library until it is unregistered is what tells later whose a device is.
        self._wrappers: dict[str, list[Any]] = {}
        self._sessions: weakref.WeakSet[Any] = weakref.WeakSet()
        self._registration_ns: dict[str, int] = {}
        self._let_go: dict[str, None] = {}  # paths, in the order in which they were unregistered

    def register(self, name: str, path: str) -> Inventory:
        """Register the library file under `name` and return what is there then. Raises `FailureError`."""
        path = str(Path(path).expanduser().absolute())
        problem = name_problem(name, frozenset(self._paths))
        if problem is not None:
            kind = FailureKind.NAME_IN_USE if name in self._paths else FailureKind.BAD_NAME
            raise failure_error(kind, problem, hint="Choose another registration name.")
        check_library_file(path)
        before = ort.get_ep_devices()
        known = {id(device) for device in before}
        began = time.perf_counter_ns()
        try:
            ort.register_library(name, path)
        except ort.ERRORS as error:
            raise registration_failure(error, name, path) from error
        self._registration_ns[name] = time.perf_counter_ns() - began
        self._paths[name] = path
        self._let_go.pop(path, None)
        self._wrappers[name] = [device for device in ort.get_ep_devices() if id(device) not in known]
        return self.inventory()

    def unregister(self, name: str) -> Inventory:
        """Unregister a library and return what is left. Raises `FailureError`, also while sessions are alive."""
        if name == CPU_EP_NAME:
            raise failure_error(FailureKind.BUILT_IN, f"{CPU_EP_NAME} is part of ONNX Runtime and stays.")
        if name not in self._paths:
            raise failure_error(FailureKind.NOT_REGISTERED, f"No library is registered as “{name}”.")
        if self._live_sessions():
            # ORT would unload the code under the session; its next use or its end would crash.
            raise failure_error(
                FailureKind.LIBRARY_IN_USE,
                f"A session is still using the library “{name}”.",
                hint="Stop the trial first.",
            )
        del self._wrappers[name]
        gc.collect()
        path = self._paths.pop(name)
        del self._registration_ns[name]
        try:
            ort.unregister_library(name)
        except ort.ERRORS as error:
            raise registration_failure(error, name, "") from error
        if path not in self._paths.values():
            self._let_go[path] = None
        return self.inventory()

    def inventory(self) -> Inventory:
        """Return the libraries and all devices, the fields copied."""
        devices = self._devices()
        return Inventory(
            libraries=tuple(
                Library(
                    name=name,
                    path=path,
                    state=LibraryState.LOADED,
                    device_keys=tuple(device.key for device in devices if device.library == name),
                    registration_ns=self._registration_ns[name],
                )
                for name, path in self._paths.items()
            ),
            devices=devices,
            hardware=list_hardware(),
            still_mapped=still_mapped(self._let_go) if self._let_go else (),
        )

    def explain_hardware(self, name: str) -> Explanation:
        """Return what the EPs of a library say of hardware they do not offer. Raises `FailureError`."""
        if name not in self._paths:
            raise failure_error(FailureKind.NOT_REGISTERED, f"No library is registered as “{name}”.")
        devices = self._devices()
        # Without a device the EP's name is not known; many take the name of the registration.
        ep_names = dict.fromkeys(device.ep_name for device in devices if device.library == name) or {name: None}
        return Explanation(incompatibilities=tuple(incompatibilities(name, ep_names, devices)))

    def resolve(self, keys: tuple[str, ...]) -> list[Any]:
        """Return the OrtEpDevice objects of these keys, in their order. Raises `FailureError`.

        Use them at once and drop them: they dangle when their library goes.
        """
        objects = ort.get_ep_devices()
        by_key = dict(zip((device.key for device in self._devices(objects)), objects, strict=True))
        missing = [key for key in keys if key not in by_key]
        if missing:
            raise failure_error(
                FailureKind.DEVICE_VANISHED,
                "A chosen device is no longer there." if len(missing) == 1 else "Chosen devices are no longer there.",
                hint="Choose a device in the table again; its library may have to be loaded first.",
                detail="\n".join(missing),
            )
        return [by_key[key] for key in keys]

    def ep_names_of(self, keys: tuple[str, ...]) -> tuple[str, ...]:
        """Return the names of the EPs of these devices, each once; keys of devices that are gone are passed over."""
        names = {device.key: device.ep_name for device in self._devices()}
        return tuple(dict.fromkeys(names[key] for key in keys if key in names))

    def keys_of(self, objects: list[Any]) -> tuple[str, ...]:
        """Return the keys of OrtEpDevice objects, each once, in their order; those unknown are left out."""
        known = ort.get_ep_devices()
        by_id = {id(item): device.key for item, device in zip(known, self._devices(known), strict=True)}
        return tuple(dict.fromkeys(by_id[id(item)] for item in objects if id(item) in by_id))

    def plugin_ep_names(self) -> tuple[str, ...]:
        """Return the names of the EPs that registered libraries offer, each once."""
        return tuple(dict.fromkeys(device.ep_name for device in self._devices() if device.library is not None))

    def track_session(self, session: Any) -> None:
        """Remember that this session is alive; it is forgotten with its last reference."""
        self._sessions.add(session)

    def _live_sessions(self) -> int:
        if self._sessions:
            gc.collect()
        return len(self._sessions)

    def _devices(self, objects: list[Any] | None = None) -> tuple[Device, ...]:
        owners = {id(wrapper): name for name, wrappers in self._wrappers.items() for wrapper in wrappers}
        found = ort.get_ep_devices() if objects is None else objects
        return with_keys(copy_device(item, owners.get(id(item))) for item in found)
