"""Has models compiled, and stops that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from .client.client import EngineClient
from .client.requests import PendingRequest
from .records.failure import Failure
from .records.trial import CompiledModel, TrialFacts, TrialSettings
from .state import Compilation, EngineStatus, State
from .targets import target_text


class CompileKeeper(QObject):
    """Owns the compilation in the state."""

    compile_failed = Signal(Compilation)

    def __init__(self, client: EngineClient, state: State, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._client = client
        self._state = state
        self._request: PendingRequest | None = None
        self._libraries: frozenset[str | None] = frozenset()
        """Those of the target's devices; none for a policy."""

    def compile(self, settings: TrialSettings, path: str) -> None:
        """Compile the model of `settings` for its target into a file, unless the engine is busy."""
        if self._state.is_busy or self._state.engine_status is not EngineStatus.READY:
            return
        self._state.set_compilation(
            Compilation(
                model_name=Path(settings.model_path).stem,
                target_text=target_text(settings.target, self._state.devices),
                path=path,
            )
        )
        keys = settings.target.device_keys + settings.target.second_keys
        self._libraries = frozenset(device.library for device in self._state.devices if device.key in keys)
        self._request = self._client.compile(settings, path)
        self._request.facts_received.connect(self._on_facts)
        self._request.succeeded.connect(self._on_succeeded)
        self._request.failed.connect(self._on_failed)

    def stop(self) -> None:
        """Stop compiling; what does not end by itself is killed after the client's grace period."""
        compilation = self._state.compilation
        if self._request is not None and compilation is not None and not compilation.stopping:
            self._state.set_compilation(replace(compilation, stopping=True))
            self._client.cancel(self._request)

    def make_way_for(self, library_name: str) -> None:
        """Stop compiling when that uses, or by a policy may use, a library that shall go."""
        if self._request is not None and (not self._libraries or library_name in self._libraries):
            self.stop()

    def forget(self) -> None:
        """Forget what was compiled last."""
        if self._request is None:
            self._state.set_compilation(None)

    def _on_facts(self, facts: TrialFacts) -> None:
        if self._state.compilation is not None:
            self._state.set_compilation(replace(self._state.compilation, stage=facts.stage))

    def _on_succeeded(self, result: CompiledModel) -> None:
        self._request = None
        if self._state.compilation is not None:
            self._state.set_compilation(replace(self._state.compilation, result=result))

    def _on_failed(self, failure: Failure) -> None:
        self._request = None
        if self._state.compilation is not None:
            ended = replace(self._state.compilation, failure=failure)
            self._state.set_compilation(ended)
            self.compile_failed.emit(ended)
