"""The selection policies as a table."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon

from gui.models.policy_table import PolicyRow, PolicyTableModel, icon_name, result_words
from gui.models.texts import time_text
from gui.records.device import DeviceType
from gui.records.failure import Failure, FailureKind
from gui.records.library import CPU_EP_NAME
from gui.records.placement import Placement
from gui.records.policies import PolicyOutcome
from gui.records.trial import Policy

from ..finding import rows_of
from .makers import ModelTester, device, texts

FAILED = Failure(kind=FailureKind.POLICY_FAILED, message="No luck.", hint="Try another.")
STOPPED = Failure(kind=FailureKind.STOPPED, message="Stopped while trying the policy.")


def tried(policy: Policy, **fields: object) -> PolicyRow:
    kind = fields.pop("type", DeviceType.CPU)
    ep_name = str(fields.pop("ep_name", CPU_EP_NAME))
    outcome = PolicyOutcome(policy=policy, ep_name=ep_name, **fields)  # type: ignore[arg-type]
    return PolicyRow(policy=policy, outcome=outcome, device=device("k", ep_name=ep_name, type=kind, vendor="Maker"))


ROWS = (
    PolicyRow(policy=Policy.DEFAULT),
    PolicyRow(policy=Policy.PREFER_CPU, is_tried=True),
    tried(Policy.PREFER_GPU, ep_name="Fast", type=DeviceType.GPU, placement=(Placement(ep_name="Fast", node_count=3),)),
    tried(Policy.PREFER_NPU),
    PolicyRow(policy=Policy.MAX_EFFICIENCY, outcome=PolicyOutcome(policy=Policy.MAX_EFFICIENCY, failure=FAILED)),
    PolicyRow(policy=Policy.MIN_OVERALL_POWER, outcome=PolicyOutcome(policy=Policy.MIN_OVERALL_POWER, failure=STOPPED)),
)


@pytest.fixture
def model() -> PolicyTableModel:
    model = PolicyTableModel(lambda _name: None)
    model.set_rows(ROWS)
    return model


def test_that_the_table_keeps_the_rules_of_item_models(model: PolicyTableModel, qtmodeltester: ModelTester) -> None:
    qtmodeltester.check(model)
    model.update_row(tried(Policy.DEFAULT))
    model.set_rows([PolicyRow(policy=policy) for policy in Policy])
    assert texts(model) == [policy.value for policy in Policy]


def test_that_a_row_says_what_is_asked_for_what_was_taken_and_how_it_went(model: PolicyTableModel) -> None:
    rows = rows_of(model)
    assert rows[0] == ["DEFAULT", "As PREFER_CPU", "–", "–", "–"]
    assert rows[1][3] == "being tried…"
    assert rows[2] == ["PREFER_GPU", "A GPU, else the CPU", "Fast (GPU, Maker)", "ok", "all 3"]
    assert rows[3][2:4] == [f"{CPU_EP_NAME} (CPU, Maker)", "warning: prefers an NPU and took the CPU."]
    assert rows[4][2:] == ["–", "failed: No luck.", "–"]
    assert rows[5][3] == "stopped"


def test_that_every_standing_has_an_icon_and_words_of_its_own() -> None:
    assert len({icon_name(row) for row in ROWS}) == len(ROWS)
    assert len({result_words(row) for row in ROWS}) == len(ROWS)


def test_that_the_icon_asked_for_is_that_of_the_row() -> None:
    asked: list[str] = []

    def icon(name: str) -> QIcon:
        asked.append(name)
        return QIcon()

    model = PolicyTableModel(icon)
    model.set_rows(ROWS[3:5])
    for row in range(2):
        model.index(row, 3).data(Qt.ItemDataRole.DecorationRole)
    assert asked == ["warning", "failed"]


def test_that_the_tips_say_what_does_not_fit(model: PolicyTableModel) -> None:
    model.update_row(tried(Policy.DEFAULT, ep_name="Slow", providers=("Slow", CPU_EP_NAME), creation_ns=2_000_000))
    tip = model.index(0, 2).data(Qt.ItemDataRole.ToolTipRole)
    assert "in this order: Slow, CPUExecutionProvider" in tip
    assert f"Session creation: {time_text(2_000_000)}" in tip
    assert model.index(4, 3).data(Qt.ItemDataRole.ToolTipRole) == "No luck. Try another."


@pytest.mark.parametrize(
    ("placement", "text"),
    [
        ((Placement(ep_name="Fast", node_count=2), Placement(ep_name=CPU_EP_NAME, node_count=1)), "2 of 3"),
        ((Placement(ep_name=CPU_EP_NAME, node_count=3),), "none of 3"),
        ((Placement(ep_name="Fast", node_count=3),), "all 3"),
        ((), "–"),
        (None, "–"),
    ],
)
def test_that_a_row_says_how_many_nodes_the_ep_gets(
    model: PolicyTableModel, placement: tuple[Placement, ...] | None, text: str
) -> None:
    model.set_rows([tried(Policy.PREFER_GPU, ep_name="Fast", type=DeviceType.GPU, placement=placement)])
    assert rows_of(model)[0][4] == text
