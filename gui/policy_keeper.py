"""Has the selection policies tried, one after the other, whatever becomes of the engine in each."""

from __future__ import annotations

from collections import deque

from PySide6.QtCore import QObject, QTimer, Signal

from .client.client import EngineClient
from .client.requests import PendingRequest
from .records.codec import StringMap
from .records.failure import Failure, FailureKind
from .records.library import LibraryState
from .records.policies import PolicyOutcome, expected_device
from .records.trial import Policy
from .state import EngineStatus, State


class PolicyKeeper(QObject):
    """Asks the engine once a policy: one that dies or hangs in it costs that policy's answer alone."""

    asked = Signal(object)
    """The `Policy` that is being tried from now on."""
    outcome_received = Signal(object)
    """A `PolicyOutcome`, one a policy, also for those that were not tried: they failed as stopped."""
    ended = Signal()

    def __init__(self, client: EngineClient, state: State, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._client = client
        self._state = state
        self._waiting: deque[Policy] = deque()
        self._model_path = ""
        self._ep_options: StringMap = ()
        self._order: tuple[str, ...] = ()
        self._policy: Policy | None = None
        self._request: PendingRequest | None = None
        self._is_running = False
        self._stopping = False
        state.engine_changed.connect(self._next_soon)
        state.libraries_changed.connect(self._next_soon)

    @property
    def is_running(self) -> bool:
        """Whether policies are being tried."""
        return self._is_running

    def explain(self, model_path: str, ep_options: StringMap = ()) -> bool:
        """Try all policies with a model (an empty path: a tiny one), unless the engine is busy; return whether.

        `ep_options` are as those of a trial by a policy.
        """
        if self._state.is_busy or self._state.engine_status is not EngineStatus.READY:
            return False
        self._model_path, self._ep_options, self._order = model_path, ep_options, ()
        self._is_running = True
        self._waiting.extend(Policy)
        self._state.set_work(self.tr("trying policies"))
        self._next()
        return True

    def stop(self) -> None:
        """Stop; a policy that does not end by itself ends with its engine after the client's grace period."""
        if not self._is_running or self._stopping:
            return
        if self._request is None:
            self._give_up(self._not_tried())
        else:
            self._stopping = True
            self._client.cancel(self._request)

    def make_way_for(self, _library_name: str) -> None:
        """Stop for a library that shall go: any policy may be using it."""
        self.stop()

    def _next_soon(self) -> None:
        """After all others have heard of what happened: libraries are loaded again only after a death was told."""
        if self._waiting:
            QTimer.singleShot(0, self, self._next)

    def _next(self) -> None:
        """Try the next policy, as soon as there is an engine with all its libraries."""
        if self._request is not None or not self._waiting:
            return
        loading = any(library.state is LibraryState.LOADING for library in self._state.libraries)
        if self._state.engine_status is EngineStatus.GAVE_UP:
            self._give_up(self._state.engine_failure or self._not_tried())
        elif self._state.engine_status is EngineStatus.READY and not loading:
            self._policy = self._waiting.popleft()
            self.asked.emit(self._policy)
            self._request = self._client.explain_policy(self._policy, self._model_path, self._ep_options)
            self._request.succeeded.connect(self._on_succeeded)
            self._request.failed.connect(self._on_failed)

    def _on_succeeded(self, outcome: PolicyOutcome) -> None:
        self._policy = self._request = None
        self._order = outcome.order or self._order
        self.outcome_received.emit(outcome)
        self._go_on()

    def _on_failed(self, failure: Failure) -> None:
        policy, self._policy, self._request = self._policy, None, None
        if policy is None:
            return
        if failure.kind is FailureKind.ENGINE_UNAVAILABLE:
            self._waiting.appendleft(policy)  # it was not begun: the next engine is asked
        else:
            # The engine has told no order then; it is the same for all policies.
            key = expected_device(policy, self._order, self._state.devices)
            self.outcome_received.emit(PolicyOutcome(policy=policy, failure=failure, device_key=key))
        if failure.kind is FailureKind.STOPPED:
            self._stopping = True  # also when its engine was replaced on purpose
        self._go_on()

    def _go_on(self) -> None:
        if self._stopping:
            self._give_up(self._not_tried())
        elif self._waiting:
            self._next_soon()
        else:
            self._end()

    def _give_up(self, failure: Failure) -> None:
        while self._waiting:
            self.outcome_received.emit(PolicyOutcome(policy=self._waiting.popleft(), failure=failure))
        self._end()

    def _end(self) -> None:
        self._is_running = self._stopping = False
        self._state.set_work("")
        self.ended.emit()

    def _not_tried(self) -> Failure:
        return Failure(kind=FailureKind.STOPPED, message=self.tr("Stopped before it was tried."))
