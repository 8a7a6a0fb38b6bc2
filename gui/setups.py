"""Set-ups from the window: a trial's set-up saved to a file, opened from one, and what it misses here."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from PySide6.QtCore import QIODevice, QObject, QSaveFile, Qt, QTimer, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from .panels.trial_panel import TrialPanel
from .records.failure import FailureError
from .records.library import LibraryState, unique_name
from .records.setup import SETUP_FORMAT, Setup, SetupLibrary
from .records.setup_file import ResolvedSetup, parse_setup, resolve, setup_json
from .records.trial import Target
from .settings import Settings
from .state import State

_HEAD_BYTES: Final = 64 << 10
_MAX_BYTES: Final = 64 << 20
"""No set-up comes near it, and few results of trials."""
_SETUP: Final = re.compile(rb'"format"\s*:\s*"' + re.escape(SETUP_FORMAT.rsplit(" ", 1)[0]).encode("ascii") + rb" ")


class Setups(QObject):
    """Puts set-ups into files and back into the trial panel.

    After one is opened it watches until all that it needs is there: libraries are loaded only when the user says so,
    and devices that come with them are chosen then, unless the user has chosen others.
    """

    told = Signal(tuple)
    """What is to be said of the set-up opened or saved last: sentences; none when all is well."""
    libraries_wanted = Signal(tuple)
    """Of `SetupLibrary`: what the set-up needs and is not loaded; none when all is there."""

    def __init__(
        self,
        window: QWidget,
        state: State,
        settings: Settings,
        panel: TrialPanel,
        *,
        open_model: Callable[[str], None],
        load_library: Callable[[str], None],
        add_libraries: Callable[[Sequence[tuple[str, str]]], None],
    ) -> None:
        """`load_library` loads one of the list by its name, `add_libraries` some more, name and path each."""
        super().__init__(window)
        self._window = window
        self._state = state
        self._settings = settings
        self._panel = panel
        self._open_model = open_model
        self._load_library = load_library
        self._add_libraries = add_libraries
        self._setup: Setup | None = None  # the one that is watched
        self._shown: Target | None = None
        self._follows_devices = False
        self._has_posted = False
        self._told: tuple[str, ...] = ()
        self._wanted: tuple[SetupLibrary, ...] = ()
        self._review_timer = QTimer(self, singleShot=True, interval=0)  # what happens at once is told once
        self._review_timer.timeout.connect(self._review)
        state.devices_changed.connect(self._on_devices_changed)
        state.libraries_changed.connect(self._review_timer.start)
        state.model_changed.connect(self._on_model_changed)

    # ---- Saving ----

    def save(self) -> None:
        """Ask where to save the trial's set-up."""
        problem = self._panel.problem()
        if problem is not None:
            self._say((self.tr("The set-up is not complete yet."), problem))
            return
        settings = self._panel.setup().settings
        folder = Path(self._settings.setup_folder or Path.home())
        dialog = QFileDialog(self._window, self.tr("Save the set-up"), str(folder))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters([self.tr("Set-ups (*.json)"), self.tr("All files (*)")])
        dialog.setDefaultSuffix("json")
        dialog.selectFile(f"{Path(settings.model_path).stem}.json")
        dialog.fileSelected.connect(self.save_as)
        dialog.open()

    def save_as(self, path: str) -> None:
        """Save the trial's set-up; a file that is there is replaced only by a whole new one."""
        problem = self._panel.problem()
        if problem is not None:
            self._say((self.tr("The set-up is not complete yet."), problem))
            return
        data = setup_json(self._panel.setup(), Path(path).parent).encode("utf-8", "surrogateescape")
        file = QSaveFile(path)
        is_open = file.open(QIODevice.OpenModeFlag.WriteOnly)
        if not is_open or file.write(data) != len(data) or not file.commit():
            text = self.tr("{0} cannot be written: {1}.").format(path, file.errorString().rstrip("."))
            self._say((text, self.tr("Choose another folder.")))
            self._state.post(text)
            return
        self._remember(path)
        self._state.post(self.tr("The set-up is saved: {0}").format(path))

    # ---- Opening ----

    def open(self) -> None:
        """Ask for a set-up to open."""
        dialog = QFileDialog(self._window, self.tr("Open a set-up"), self._settings.setup_folder)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters([self.tr("Set-ups and results of trials (*.json)"), self.tr("All files (*)")])
        dialog.fileSelected.connect(self.open_path)
        dialog.open()

    def open_path(self, path: str) -> None:
        """Show the set-up in a file, or that of the trial whose result it is; a trial under way runs on."""
        file = Path(path).expanduser().absolute()
        self.dismiss()
        try:
            if file.stat().st_size > _MAX_BYTES:
                raise OSError(self.tr("it is too large for a set-up"))
            setup = parse_setup(file.read_bytes(), file.parent, file.name)
        except OSError as error:
            if isinstance(error, FileNotFoundError):
                self._settings.remove_recent_setup(str(file))
            self._refuse(self.tr("{0} cannot be read: {1}.").format(file.name, error.strerror or error))
            return
        except FailureError as error:
            self._refuse(error.failure.message, error.failure.hint)
            return
        self._remember(str(file))
        self._state.post(self.tr("The set-up is open: {0}").format(file))
        self.take_up(setup)

    def take_up(self, setup: Setup) -> None:
        """Show a set-up, and watch until all that it needs is there; a trial under way runs on."""
        self.dismiss()
        self._setup, self._follows_devices, self._has_posted = setup, True, False
        resolved = self._resolved(setup).setup
        self._shown = resolved.settings.target
        self._open_model(setup.settings.model_path)
        self._panel.show_setup(resolved)
        self._review()

    def is_setup(self, path: str) -> bool:
        """Whether a file is a set-up, by its name and its first bytes."""
        if not path.lower().endswith(".json"):
            return False
        try:
            with Path(path).open("rb") as file:
                return _SETUP.search(file.read(_HEAD_BYTES)) is not None
        except OSError:
            return False

    def fill_recent(self, menu: QMenu) -> None:
        """Fill a menu with the set-ups used last."""
        menu.clear()
        menu.setToolTipsVisible(True)
        recent = self._settings.recent_setups
        names = [Path(path).name for path in recent]
        for path, name in zip(recent, names, strict=True):
            text = name if names.count(name) == 1 else f"{name} – {Path(path).parent}"
            action = QAction(text.replace("&", "&&"), menu)
            action.setToolTip(path)
            action.setData(path)
            action.triggered.connect(self._open_recent)
            menu.addAction(action)
        if not recent:
            menu.addAction(self.tr("None yet")).setEnabled(False)

    def _open_recent(self) -> None:
        action = self.sender()
        if isinstance(action, QAction):
            self.open_path(action.data())

    # ---- What it misses ----

    def load_wanted(self) -> None:
        """Load the libraries that the set-up needs; the user has been asked."""
        added: list[tuple[str, str]] = []
        taken = {library.name for library in self._state.libraries}
        for wanted in self._wanted:
            listed = next((entry for entry in self._state.libraries if entry.path == wanted.path), None)
            if listed is not None:
                self._load_library(listed.name)
                continue
            name = unique_name(wanted.name, frozenset(taken))
            taken.add(name)
            added.append((name, wanted.path))
        if added:
            self._add_libraries(added)

    def forget_devices(self) -> None:
        """The user has chosen devices: those of the set-up are not chosen any more when they come."""
        self._follows_devices = False

    def dismiss(self) -> None:
        """Say no more about the set-up that was opened last."""
        self._setup = None
        self._say(())
        self._want(())

    def _on_devices_changed(self) -> None:
        """Choose the devices of the set-up as soon as they come, whatever their keys are here."""
        if self._setup is None:
            return
        target = self._resolved(self._setup).setup.settings.target
        if self._follows_devices and target.policy is None and target != self._shown:
            self._shown = target
            self._panel.show_choices(
                replace(self._panel.choices(), device_keys=target.device_keys, second_keys=target.second_keys)
            )
        self._review_timer.start()

    def _on_model_changed(self) -> None:
        model = self._state.model
        if self._setup is not None and model is not None and model.path != self._setup.settings.model_path:
            self._setup = replace(self._setup, settings=replace(self._setup.settings, model_path=model.path))
            self._review_timer.start()

    def _review(self) -> None:
        """Tell what is missing now; devices only when it is certain that they will not come by themselves."""
        if self._setup is None:
            return
        resolved = self._resolved(self._setup)
        loading = any(library.state is LibraryState.LOADING for library in self._state.libraries)
        is_settled = bool(self._state.devices) and not loading
        self._say(resolved.missing_files + (resolved.missing_devices + resolved.changed if is_settled else ()))
        self._want(resolved.wanted)
        if not self._has_posted and (self._told or self._wanted):
            self._has_posted = True
            names = ", ".join(f"“{library.name}”" for library in self._wanted)
            needs = self.tr("The set-up needs libraries that are not loaded: {0}.").format(names)
            self._state.post(self._told[0] if self._told else needs)
        if is_settled and not resolved.missing and not resolved.wanted:
            self._setup = None  # all is there, and what becomes of it from now on is not the set-up's business

    def _resolved(self, setup: Setup) -> ResolvedSetup:
        return resolve(setup, self._state.devices, self._state.libraries)

    def _refuse(self, message: str, hint: str = "") -> None:
        self._say((message, hint) if hint else (message,))
        self._state.post(message)

    def _say(self, sentences: tuple[str, ...]) -> None:
        if sentences != self._told:
            self._told = sentences
            self.told.emit(sentences)

    def _want(self, libraries: tuple[SetupLibrary, ...]) -> None:
        if libraries != self._wanted:
            self._wanted = libraries
            self.libraries_wanted.emit(libraries)

    def _remember(self, path: str) -> None:
        self._settings.setup_folder = str(Path(path).parent)
        self._settings.add_recent_setup(path)
