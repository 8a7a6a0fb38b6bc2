"""Has the chosen model read, and asks what is taken for its inputs."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from .client.client import EngineClient
from .client.requests import PendingRequest
from .records.failure import Failure, FailureKind
from .records.inputs import InputProposals
from .records.model import ModelDescription
from .records.protocol import Greeting
from .state import ModelChoice, State


class ModelKeeper(QObject):
    """Owns the model in the state, and the proposals for its inputs."""

    model_failed = Signal(Failure)

    def __init__(self, client: EngineClient, state: State, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._client = client
        self._state = state
        self._describing: PendingRequest | None = None
        self._proposing: PendingRequest | None = None
        self._sizes: dict[str, int] = {}
        client.ready.connect(self._on_ready)

    def choose(self, path: str) -> None:
        """Choose a model file; the state tells what it is, or why it cannot be used."""
        self._state.set_proposals(None)
        self._proposing = None
        self._state.set_model(ModelChoice(path=path))
        self._describe(path)

    def reload(self) -> None:
        """Read the chosen model's file again."""
        if self._state.model is not None:
            self.choose(self._state.model.path)

    def propose(self, sizes: dict[str, int]) -> None:
        """Ask what is taken for the model's inputs with these sizes of its free dimensions."""
        self._sizes = sizes
        model = self._state.model
        if model is None or model.description is None:
            return
        request = self._client.propose_inputs(model.path, sizes)
        self._proposing = request
        request.succeeded.connect(self._on_proposed)
        request.failed.connect(self._on_propose_failed)

    def _describe(self, path: str) -> None:
        request = self._client.describe_model(path)
        self._describing = request
        request.succeeded.connect(self._on_described)
        request.failed.connect(self._on_describe_failed)

    def _on_described(self, description: ModelDescription) -> None:
        if self.sender() is self._describing and self._state.model is not None:
            self._describing = None
            self._state.set_model(replace(self._state.model, description=description, failure=None))

    def _on_describe_failed(self, failure: Failure) -> None:
        if self.sender() is not self._describing or self._state.model is None:
            return
        self._describing = None
        if failure.kind is FailureKind.ENGINE_UNAVAILABLE:
            return  # the next engine is asked again
        self._state.set_model(replace(self._state.model, failure=failure))
        self.model_failed.emit(failure)

    def _on_proposed(self, proposals: InputProposals) -> None:
        if self.sender() is self._proposing:
            self._proposing = None
            self._state.set_proposals(proposals)

    def _on_propose_failed(self, failure: Failure) -> None:
        if self.sender() is not self._proposing:
            return
        self._proposing = None
        if failure.kind is not FailureKind.ENGINE_UNAVAILABLE:
            self._state.set_proposals(InputProposals())  # not asked again: it may have been the engine's death
            self._state.post(failure.message)

    def _on_ready(self, _greeting: Greeting) -> None:
        model = self._state.model
        if model is None:
            return
        if model.is_loading and self._describing is None:
            self._describe(model.path)
        elif model.description is not None and self._state.proposals is None and self._proposing is None:
            self.propose(self._sizes)
