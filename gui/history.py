"""The history in its dock: the panel is made when it is first seen, and stands between the user and the archive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QDockWidget, QWidget

from .trial_archive import TrialArchive

if TYPE_CHECKING:
    from .panels.history_panel import HistoryPanel


class History(QObject):
    """Fills the dock, and says who reacts to what in it."""

    def __init__(self, dock: QDockWidget, archive: TrialArchive) -> None:
        super().__init__(dock)
        self._dock = dock
        self._archive = archive
        self._panel: HistoryPanel | None = None
        self._is_visible = False
        dock.visibilityChanged.connect(self._on_visible)
        archive.started.connect(self._show)  # the window is painted before, also when the history was seen last

    @property
    def panel(self) -> HistoryPanel:
        """The panel; made when it is first asked for."""
        if self._panel is None:
            from .panels.history_panel import HistoryPanel  # the window starts without it

            panel = self._panel = HistoryPanel(self._dock)
            for child in (panel, *panel.findChildren(QWidget)):
                child.setAcceptDrops(False)  # files dropped anywhere are the window's
            self._connect(panel)
            panel.show_failure(self._archive.failure)
            before = self._dock.widget()
            self._dock.setWidget(panel)
            before.deleteLater()
        return self._panel

    @property
    def has_focus(self) -> bool:
        """Whether the keys go to the history."""
        return self._panel is not None and self._panel.isAncestorOf(self._dock.window().focusWidget())

    def _connect(self, panel: HistoryPanel) -> None:
        archive = self._archive
        panel.read_requested.connect(archive.read)
        panel.new_requested.connect(archive.read_new)
        panel.look_requested.connect(archive.look)
        panel.open_requested.connect(archive.open)
        panel.compare_requested.connect(archive.compare)
        panel.comparison_requested.connect(archive.open_comparison)
        panel.words_chosen.connect(archive.set_words)
        panel.delete_requested.connect(archive.delete)
        panel.restore_requested.connect(archive.restore)
        panel.again_requested.connect(archive.write_again)
        panel.failure_dismissed.connect(archive.forget_failure)
        archive.rows_read.connect(panel.show_rows)
        archive.rows_added.connect(panel.add_rows)
        archive.rows_changed.connect(panel.update_rows)
        archive.trial_kept.connect(panel.note_kept)
        archive.changed.connect(panel.note_changed)
        archive.deleted.connect(panel.show_deleted)
        archive.failure_changed.connect(self._on_failure)

    def _on_failure(self) -> None:
        self.panel.show_failure(self._archive.failure)

    def _on_visible(self, visible: bool) -> None:
        self._is_visible = visible
        self._show()

    def _show(self) -> None:
        if self._is_visible and self._archive.is_started:
            self.panel.show()
