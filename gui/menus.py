"""The menu bar: where each command stands."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QMenuBar

from .actions import Actions


def _tr(text: str) -> str:
    return QCoreApplication.translate("Menus", text)


def fill_menu_bar(bar: QMenuBar, actions: Actions, docks: Sequence[QAction]) -> QMenu:
    """Fill the menu bar; `docks` show and hide the panels. Returns the menu of the recent set-ups, still empty."""
    file_menu = bar.addMenu(_tr("&File"))
    file_menu.addActions([actions.add_library, actions.find_libraries, actions.open_model])
    file_menu.addSeparator()
    file_menu.addActions([actions.open_setup, actions.save_setup])
    recent_setups = file_menu.addMenu(_tr("Recent se&t-ups"))
    file_menu.addSeparator()
    file_menu.addActions([actions.save_report, actions.copy_report, actions.compare_report])
    file_menu.addSeparator()
    file_menu.addAction(actions.quit)
    trial_menu = bar.addMenu(_tr("&Trial"))
    trial_menu.addActions([actions.run, actions.compile_model, actions.stop, actions.reload_model])
    trial_menu.addSeparator()
    trial_menu.addAction(actions.explain_policies)
    trial_menu.addSeparator()
    trial_menu.addActions([actions.compare_targets, actions.compare_trials, *actions.of_a_comparison])
    trial_menu.addSeparator()
    trial_menu.addActions([actions.open_trial, *actions.of_a_trial])
    bar.addMenu(_tr("&Engine")).addActions([actions.refresh, actions.restart_engine])
    view_menu = bar.addMenu(_tr("&View"))
    view_menu.addActions(docks)
    view_menu.addSeparator()
    view_menu.addAction(actions.find)
    view_menu.addSeparator()
    view_menu.addActions(actions.color_schemes.actions())
    view_menu.addSeparator()
    view_menu.addAction(actions.reset_layout)
    bar.addMenu(_tr("&Help")).addAction(actions.about)
    return recent_setups
