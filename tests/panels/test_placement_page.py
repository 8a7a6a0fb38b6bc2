"""The page of a trial's placement."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QTableView
from pytestqt.qtbot import QtBot

from gui.panels.placement_page import PlacementPage
from gui.records.log import LogSeverity
from gui.records.placement import NodeGroup, OpCount, PlacedNodes, Placement
from gui.records.trial import TrialFacts
from gui.records.trial_log import TrialLogLine
from gui.trial_run import TrialRun

from ..finding import child, click_row, rows_of, show, shown_texts
from ..models.makers import record, trial

CPU = "CPUExecutionProvider"
MANY = 20_000


def placed(count: int = 3, **fields: Any) -> TrialRun:
    placement = (
        Placement(ep_name="ggml", node_count=count, op_types=(OpCount(op_type="MatMul", count=count),)),
        Placement(ep_name=CPU, node_count=1, op_types=(OpCount(op_type="Neg", count=1),)),
    )
    names = tuple(f"layer_{number}/MatMul" for number in range(count))
    groups = (
        NodeGroup(ep_name="ggml", op_type="MatMul", domain="", names=names),
        NodeGroup(ep_name=CPU, op_type="Neg", domain="", names=("tail",)),
    )
    run = trial(1, facts=TrialFacts(placement=placement, wanted_eps=("ggml",), session_creation_ns=1))
    run.nodes = PlacedNodes(groups=groups, **fields)
    return run


def page_with(qtbot: QtBot, run: TrialRun | None) -> PlacementPage:
    page = PlacementPage()
    page.show_trial(run)
    show(qtbot, page, 640, 300)
    return page


def names(page: PlacementPage) -> list[str]:
    return [row[0] for row in rows_of(child(page, QTableView, "Nodes").model())]


def test_that_the_verdict_the_operators_and_all_nodes_are_shown(qtbot: QtBot) -> None:
    page = page_with(qtbot, placed())
    assert shown_texts(page)[0] == f"ggml ran 3 of 4 nodes; 1 on {CPU}: Neg."
    operators = rows_of(child(page, QTableView, "EPs and operators").model())
    assert [row[:3] for row in operators] == [["ggml", "MatMul", "3"], [CPU, "Neg", "1"]]
    assert names(page) == ["layer_0/MatMul", "layer_1/MatMul", "layer_2/MatMul", "tail"]
    assert "4 nodes" in shown_texts(page)


def test_that_a_selected_operator_shows_its_nodes(qtbot: QtBot) -> None:
    page = page_with(qtbot, placed())
    click_row(qtbot, child(page, QTableView, "EPs and operators"), 1)
    assert names(page) == ["tail"]
    assert "1 node" in shown_texts(page)


def test_that_many_nodes_are_filtered_and_counted(qtbot: QtBot) -> None:
    page = page_with(qtbot, placed(MANY, left_out=7))
    child(page, QLineEdit, "Filter nodes").setText("layer_19999")
    assert names(page) == ["layer_19999/MatMul"]
    assert "1 of 20001 nodes, names of 7 left out" in shown_texts(page)
    child(page, QLineEdit, "Filter nodes").setText("")
    assert child(page, QTableView, "Nodes").model().rowCount() == MANY + 1


def test_that_the_reasons_given_are_shown(qtbot: QtBot) -> None:
    run = placed()
    run.log.add(
        [TrialLogLine(stage="creating session", record=record("ggml does not support Neg", LogSeverity.WARNING))]
    )
    page = page_with(qtbot, run)
    said = child(page, QPlainTextEdit, "What was said while the session was created")
    assert said.isVisible()
    assert said.toPlainText() == "ggml does not support Neg"
    page.show_trial(placed())
    assert not said.isVisible()


def test_that_a_trial_without_a_placement_says_why(qtbot: QtBot) -> None:
    page = page_with(qtbot, placed())
    page.show_trial(trial(2))
    assert page._op_view.empty_hint == "The session is not created yet."
    assert not child(page, QTableView, "Nodes").isVisible()
    page.show_trial(placed())
    assert child(page, QTableView, "Nodes").isVisible()


def test_that_what_is_selected_stays_while_the_trial_runs(qtbot: QtBot) -> None:
    run = placed()
    page = page_with(qtbot, run)
    click_row(qtbot, child(page, QTableView, "EPs and operators"), 1)
    page.show_trial(run)
    assert names(page) == ["tail"]
