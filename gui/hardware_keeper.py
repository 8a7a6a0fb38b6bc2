"""Asks the EPs of each loaded library what they say of the hardware that they do not offer."""

from __future__ import annotations

from PySide6.QtCore import QObject

from .client.client import EngineClient
from .client.requests import PendingRequest
from .records.failure import Failure, FailureKind
from .records.protocol import Explanation
from .state import State


class HardwareKeeper(QObject):
    """Owns the incompatibilities in the state."""

    def __init__(self, client: EngineClient, state: State, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._client = client
        self._state = state
        self._under_way: dict[PendingRequest, str] = {}
        self._deadly: set[str] = set()
        """Libraries whose code killed an engine when it was asked."""

    def explain(self, library: str) -> None:
        """Ask the EPs of a library that has been loaded."""
        if self._state.hardware is None or library in self._deadly:
            return
        request = self._client.explain_hardware(library)
        self._under_way[request] = library
        request.succeeded.connect(self._on_explained)
        request.failed.connect(self._on_failed)

    def _on_explained(self, explanation: Explanation) -> None:
        self._state.set_incompatibilities(self._asked(), explanation.incompatibilities)

    def _on_failed(self, failure: Failure) -> None:
        library = self._asked()
        if failure.kind in (FailureKind.DIED, FailureKind.STOPPED):
            self._deadly.add(library)
            self._state.post(failure.message)

    def _asked(self) -> str:
        request = self.sender()
        return self._under_way.pop(request) if isinstance(request, PendingRequest) else ""
