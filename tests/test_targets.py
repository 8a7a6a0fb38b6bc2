"""Targets in words."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication

from gui.records.trial import Policy, Target
from gui.targets import target_text

from .models.makers import device

DEVICES = (device("a1", ep_name="A"), device("a2", ep_name="A"), device("b", ep_name="B"))


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (Target(policy=Policy.PREFER_NPU), "PREFER_NPU"),
        (Target(device_keys=("a1",)), "A"),
        (Target(device_keys=("a1", "a2")), "A, 2 devices"),
        (Target(device_keys=("a1", "a2"), second_keys=("b",)), "A, 2 devices, then B"),
        (Target(device_keys=("gone",), second_keys=("b",)), "vanished device, then B"),
    ],
)
def test_that_a_target_is_told_in_words(qapp: QApplication, target: Target, words: str) -> None:
    assert target_text(target, DEVICES) == words
