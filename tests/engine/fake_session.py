"""A session that runs nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np


class FakeSession:
    """As little of an InferenceSession as a trial asks for."""

    providers: ClassVar[list[str]] = []

    def __init__(self, _path: str, _options: Any, enable_fallback: int) -> None:
        assert enable_fallback == 0

    def run(self, _names: list[str], _feeds: dict[str, Any], _options: Any) -> list[Any]:
        return [np.zeros(1, np.float32)]

    def get_outputs(self) -> list[Any]:
        return [SimpleNamespace(name="y", type="tensor(float)")]

    def get_inputs(self) -> list[Any]:
        return []

    def get_providers(self) -> list[str]:
        return self.providers

    def get_provider_options(self) -> dict[str, dict[str, str]]:
        return {}

    def get_provider_graph_assignment_info(self) -> list[Any]:
        return []

    def get_input_epdevices(self) -> list[Any]:
        return []
