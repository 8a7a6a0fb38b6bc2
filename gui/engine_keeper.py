"""Tells the state where the engine stands, and says so when one died."""

from __future__ import annotations

from PySide6.QtCore import QObject

from .client.client import EngineClient
from .records.failure import Failure, FailureKind
from .records.process_exit import ProcessExit
from .records.protocol import Greeting
from .state import EngineStatus, State


class EngineKeeper(QObject):
    """Owns the engine's status in the state."""

    def __init__(self, client: EngineClient, state: State, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state = state
        client.ready.connect(self._on_ready)
        client.died.connect(self._on_died)
        client.gave_up.connect(self._on_gave_up)

    def _on_ready(self, greeting: Greeting) -> None:
        self._state.set_engine(EngineStatus.READY, greeting)

    def _on_died(self, process_exit: ProcessExit) -> None:
        self._state.set_engine(EngineStatus.STARTING)
        if process_exit.intended:
            self._state.post(self.tr("The engine was replaced by a fresh one."))
        else:
            self._state.post(self.tr("The engine died ({0}); a fresh one takes over.").format(process_exit))

    def _on_gave_up(self, process_exit: ProcessExit) -> None:
        failure = Failure(
            kind=FailureKind.ENGINE_UNAVAILABLE,
            message=self.tr("The engine died three times in a row; the last time, {0}.").format(process_exit),
            hint=self.tr("Mend what the details say or remove a library, then choose Restart engine."),
            detail="\n".join(process_exit.last_lines),
        )
        self._state.set_engine(EngineStatus.GAVE_UP, failure=failure)
