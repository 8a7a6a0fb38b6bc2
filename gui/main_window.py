"""The main window: its panels, its menus, and in one block who reacts to what."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QCloseEvent, QDragEnterEvent, QDropEvent, QPaintEvent
from PySide6.QtWidgets import QDockWidget, QFileDialog, QMainWindow, QSplitter, QWidget

from . import theme
from .actions import Actions
from .client.client import EngineClient
from .compilations import Compilations
from .compile_keeper import CompileKeeper
from .dialogs.bug_report import BugReportDialog
from .dropped_files import sort_files
from .handover import Handover
from .history import History
from .libraries import LibraryKeeper
from .library_dialogs import LibraryDialogs
from .logs import LogSource
from .menus import fill_menu_bar
from .model_keeper import ModelKeeper
from .panels.devices_panel import DevicesPanel
from .panels.hardware_panel import HardwarePanel
from .panels.latency_panel import LatencyPanel, TrialListActions
from .panels.libraries_panel import LibrariesPanel
from .panels.log_panel import LogPanel
from .panels.status import StatusBar
from .panels.trial_panel import TrialActions, TrialPanel
from .policies import Policies
from .policy_keeper import PolicyKeeper
from .profile_keeper import ProfileKeeper
from .profiles import Profiles
from .records.failure import Failure
from .records.library import Library
from .records.log import LogSeverity
from .reports import Reports
from .settings import ColorScheme, Settings
from .setups import Setups
from .state import Compilation, EngineStatus, State
from .trial_archive import TrialArchive
from .trial_run import TrialRun
from .trials import TrialKeeper

_LEFT_WIDTH: Final = 412


class MainWindow(QMainWindow):
    """Shows the state and passes wishes on."""

    closed = Signal()
    first_painted = Signal()

    def __init__(
        self,
        state: State,
        settings: Settings,
        client: EngineClient,
        libraries: LibraryKeeper,
        models: ModelKeeper,
        trials: TrialKeeper,
        compiler: CompileKeeper,
        policies: PolicyKeeper,
        profiler: ProfileKeeper,
        archive: TrialArchive,
        log: LogSource,
    ) -> None:
        super().__init__()
        self._state = state
        self._settings = settings
        self._client = client
        self._libraries = libraries
        self._models = models
        self._trials = trials
        self._compiler = compiler
        self._policy_keeper = policies
        self._profiler = profiler
        self._archive = archive
        self._log = log
        self._is_painted = False
        self._library_dialogs = LibraryDialogs(self, state, settings, libraries)
        self.reports = Reports(self, state, settings)
        self._compilations = Compilations(self, state, settings, compiler)
        self._profiles = Profiles(self, settings, profiler)
        self._build()
        self._policies = Policies(self, state, policies, self.trial_panel)
        self._recent_setups = fill_menu_bar(
            self.menuBar(), self.actions_, [dock.toggleViewAction() for dock, _area in self._docks]
        )
        self.setups = Setups(
            self,
            state,
            settings,
            self.trial_panel,
            open_model=self.open_model,
            load_library=self._library_dialogs.load,
            add_libraries=libraries.add,
        )
        panel = self.latency_panel
        self.handover = Handover(self, state, settings, selected=panel.selected_trials, picture=panel.picture)
        self._connect()
        self._restore()

    # ---------------------------------------------------------------- build

    def _build(self) -> None:
        self.setWindowTitle(self.tr("ORT Device Explorer"))
        self.setWindowIcon(theme.application_icon())
        self.setDockNestingEnabled(True)
        self.actions_ = Actions(self)
        actions = self.actions_
        self.libraries_panel = LibrariesPanel(self._state, (actions.add_library, actions.find_libraries), self)
        self.devices_panel = DevicesPanel(self._state, actions.refresh, self)
        self._hardware_panel: HardwarePanel | None = None
        trial_actions = TrialActions(
            open_model=actions.open_model, run=actions.run, compile_model=actions.compile_model, stop=actions.stop
        )
        self.trial_panel = TrialPanel(self._state, self._settings, trial_actions, self)
        trial_commands = TrialListActions(
            of_list=(actions.open_trial,),
            of_trial=actions.of_a_trial,
            of_charts=(actions.save_chart, actions.copy_trial_report),
        )
        self.latency_panel = LatencyPanel(self._state, trial_commands, self)
        self.log_panel = LogPanel(self)
        self.status = StatusBar(self._state, self)
        self.setStatusBar(self.status)
        self.setCentralWidget(self.latency_panel)
        left, top = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.TopDockWidgetArea
        self._libraries_dock = self._dock(self.tr("Libraries"), "libraries", self.libraries_panel)
        self._trial_dock = self._dock(self.tr("Trial"), "trial", self.trial_panel)
        self._devices_dock = self._dock(self.tr("Devices"), "devices", self.devices_panel)
        self._hardware_dock = self._dock(self.tr("Hardware"), "hardware", QWidget(self))
        self._history_dock = self._dock(self.tr("History"), "history", QWidget(self))
        self.history = History(self._history_dock, self._archive)
        self._log_dock = self._dock(self.tr("Log"), "log", self.log_panel)
        self._docks = (
            (self._libraries_dock, left),
            (self._trial_dock, left),
            (self._devices_dock, top),
            (self._hardware_dock, top),
            (self._history_dock, top),
            (self._log_dock, top),
        )
        self.setCorner(Qt.Corner.TopLeftCorner, left)
        self.setCorner(Qt.Corner.BottomLeftCorner, left)
        self._place_docks()
        for child in self.findChildren(QWidget):
            child.setAcceptDrops(False)  # files dropped anywhere are the window's
        self.setAcceptDrops(True)

    def _dock(self, title: str, name: str, panel: QWidget) -> QDockWidget:
        dock = QDockWidget(title, self)
        dock.setObjectName(name)
        dock.setWidget(panel)
        return dock

    @property
    def hardware_panel(self) -> HardwarePanel:
        """The panel of the hardware; made when it is first seen, for it lies behind the devices."""
        if self._hardware_panel is None:
            panel = self._hardware_panel = HardwarePanel(self._state, self)
            for child in (panel, *panel.findChildren(QWidget)):
                child.setAcceptDrops(False)  # files dropped anywhere are the window's
            self._hardware_dock.widget().deleteLater()
            self._hardware_dock.setWidget(panel)
            self._restore_splitter("hardware", panel.splitter)
        return self._hardware_panel

    def _place_docks(self) -> None:
        """Reading order: libraries, devices, trial, latency; the log lies behind the devices."""
        for dock, area in self._docks:
            dock.setFloating(False)
            self.addDockWidget(area, dock)
            dock.show()
        self.tabifyDockWidget(self._devices_dock, self._hardware_dock)
        self.tabifyDockWidget(self._hardware_dock, self._history_dock)
        self.tabifyDockWidget(self._history_dock, self._log_dock)
        self._devices_dock.raise_()
        self.resizeDocks([self._libraries_dock], [_LEFT_WIDTH], Qt.Orientation.Horizontal)
        self.resizeDocks([self._libraries_dock, self._trial_dock], [220, 480], Qt.Orientation.Vertical)
        self.resizeDocks([self._devices_dock], [230], Qt.Orientation.Vertical)

    # -------------------------------------------------- who reacts to what

    def _connect(self) -> None:
        self._connect_actions()
        libraries, models, trials = self._libraries, self._models, self._trials
        compiler, panel, setups, dialogs = self._compiler, self.trial_panel, self.setups, self._library_dialogs
        self.libraries_panel.unregister_requested.connect(libraries.unregister)
        self.libraries_panel.stop_requested.connect(libraries.stop)
        self.libraries_panel.load_requested.connect(dialogs.load)
        self.libraries_panel.reload_requested.connect(dialogs.reload)
        self.libraries_panel.keep_waiting_requested.connect(libraries.keep_waiting)
        self.libraries_panel.remove_requested.connect(libraries.remove)
        self.devices_panel.selection_requested.connect(self._state.select_devices)
        self.devices_panel.selection_requested.connect(self.setups.forget_devices)
        panel.model_chooser.model_requested.connect(self.open_model)
        panel.proposals_requested.connect(models.propose)
        panel.run_requested.connect(trials.run_all)
        panel.compile_requested.connect(self._compilations.ask)
        panel.target.explanation_requested.connect(self._policies.show)
        panel.compile_box.use_requested.connect(self.open_model)
        panel.compile_box.dismissed.connect(compiler.forget)
        self.latency_panel.show_requested.connect(self._state.show_trial)
        self.latency_panel.remove_requested.connect(self._state.remove_trials)
        self.latency_panel.profile_requested.connect(self._profiler.profile)
        self.latency_panel.save_trace_requested.connect(self._profiles.ask_trace)

        setups.told.connect(panel.setup_bar.show_told)
        setups.libraries_wanted.connect(panel.setup_bar.show_wanted)
        panel.setup_bar.load_requested.connect(setups.load_wanted)
        panel.setup_bar.dismissed.connect(setups.dismiss)
        libraries.library_failed.connect(self._on_library_failed)
        libraries.library_hangs.connect(self.libraries_panel.select)
        libraries.trial_in_the_way.connect(trials.make_way_for)
        libraries.trial_in_the_way.connect(compiler.make_way_for)
        libraries.trial_in_the_way.connect(self._policy_keeper.make_way_for)
        libraries.trial_in_the_way.connect(self._profiler.make_way_for)
        trials.trial_failed.connect(self._on_trial_failed)
        models.model_failed.connect(self._on_model_failed)
        compiler.compile_failed.connect(self._on_compile_failed)
        self._profiler.profile_failed.connect(self._on_profile_failed)
        self._archive.failed.connect(self._on_store_failed)

        self._client.log_received.connect(self.log_panel.add)
        self._log.logged.connect(self.log_panel.add)
        self._log.bug_met.connect(self._show_bug)
        self._state.notice_posted.connect(self._on_notice)
        self._state.engine_changed.connect(self._on_engine_changed)
        self._state.model_changed.connect(self._on_model_changed)
        self.log_panel.unseen_changed.connect(self.status.show_unseen)
        self._log_dock.visibilityChanged.connect(self._on_log_visible)
        self._hardware_dock.visibilityChanged.connect(self._on_hardware_visible)
        self.status.log_requested.connect(self._show_log)

    def _connect_actions(self) -> None:
        actions, libraries, panel, setups = self.actions_, self._libraries, self.trial_panel, self.setups
        dialogs, reports = self._library_dialogs, self.reports
        actions.add_library.triggered.connect(dialogs.choose)
        actions.find_libraries.triggered.connect(dialogs.find)
        actions.save_report.triggered.connect(reports.save)
        actions.copy_report.triggered.connect(reports.copy)
        actions.compare_report.triggered.connect(reports.compare)
        actions.open_model.triggered.connect(self._choose_model)
        actions.open_setup.triggered.connect(setups.open)
        actions.save_setup.triggered.connect(setups.save)
        self._recent_setups.aboutToShow.connect(self._fill_recent_setups)
        self._connect_handover()
        actions.refresh.triggered.connect(libraries.refresh)
        actions.run.triggered.connect(panel.request_run)
        actions.compile_model.triggered.connect(panel.request_compile)
        actions.stop.triggered.connect(self._trials.stop)
        actions.stop.triggered.connect(self._compiler.stop)
        actions.stop.triggered.connect(self._policy_keeper.stop)
        actions.stop.triggered.connect(self._profiler.stop)
        actions.explain_policies.triggered.connect(self._policies.show)
        actions.reload_model.triggered.connect(self._models.reload)
        actions.restart_engine.triggered.connect(self._client.restart)
        actions.find.triggered.connect(self._find)
        actions.reset_layout.triggered.connect(self._reset_layout)
        actions.quit.triggered.connect(self.close)
        actions.about.triggered.connect(self._show_about)
        actions.color_schemes.triggered.connect(self._on_color_scheme)

    def _connect_handover(self) -> None:
        actions, handover = self.actions_, self.handover
        handover.setup_requested.connect(self.setups.take_up)
        for action in actions.of_a_trial:
            handover.offered.connect(action.setEnabled)
        actions.open_trial.triggered.connect(handover.open)
        actions.save_trial.triggered.connect(handover.save)
        actions.export_trial.triggered.connect(handover.export)
        actions.copy_trial_report.triggered.connect(handover.copy_report)
        actions.save_chart.triggered.connect(handover.save_chart)
        actions.copy_script.triggered.connect(handover.copy_script)
        actions.save_script.triggered.connect(handover.save_script)
        actions.use_setup.triggered.connect(handover.use_setup)

    # ------------------------------------------------------- what is remembered

    def _restore(self) -> None:
        self.resize(1280, 800)
        if not self._settings.geometry.isEmpty():
            self.restoreGeometry(self._settings.geometry)
        if not self._settings.dock_state.isEmpty():
            self.restoreState(self._settings.dock_state)
        for name, splitter in self._splitters().items():
            self._restore_splitter(name, splitter)
        for action in self.actions_.color_schemes.actions():
            action.setChecked(action.data() is self._settings.color_scheme)

    def _restore_splitter(self, name: str, splitter: QSplitter) -> None:
        state = self._settings.splitter_state(name)
        if not state.isEmpty():
            splitter.restoreState(state)

    def _remember(self) -> None:
        self._settings.geometry = self.saveGeometry()
        self._settings.dock_state = self.saveState()
        for name, splitter in self._splitters().items():
            self._settings.set_splitter_state(name, splitter.saveState())
        self._settings.trial_choices = self.trial_panel.choices()

    def _splitters(self) -> dict[str, QSplitter]:
        hardware = {} if self._hardware_panel is None else {"hardware": self._hardware_panel.splitter}
        return hardware | {
            "devices": self.devices_panel.splitter,
            "charts": self.latency_panel.charts.splitter,
            "latency_upright": self.latency_panel.upright,
            "latency_sideways": self.latency_panel.sideways,
        }

    def _reset_layout(self) -> None:
        self._settings.forget_layout()
        self._place_docks()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Qt's; the application ends when the engine has."""
        self._remember()
        super().closeEvent(event)
        self.closed.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt's."""
        super().paintEvent(event)
        if not self._is_painted:
            self._is_painted = True
            QTimer.singleShot(0, self, self.first_painted.emit)  # the panels are painted before

    # ---------------------------------------------------------------- files

    def open_model(self, path: str) -> None:
        """Choose a model by its path."""
        self._models.choose(str(Path(path).expanduser().absolute()))

    def add_libraries(self, paths: tuple[str, ...]) -> None:
        """Ask for the names of these libraries, then load them."""
        self._library_dialogs.add(list(paths))

    def _choose_model(self) -> None:
        folder = self._settings.model_folder or str(theme.RESOURCES / "models")
        dialog = QFileDialog(self, self.tr("Open a model"), folder)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setNameFilters([self.tr("ONNX models (*.onnx *.ort)"), self.tr("All files (*)")])
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self._on_model_selected)
        dialog.open()

    def _on_model_selected(self, path: str) -> None:
        self._settings.model_folder = str(Path(path).parent)
        self.open_model(path)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Qt's; files are welcome."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Qt's; each file is for what its name tells: see `Dropped`."""
        event.acceptProposedAction()
        paths = tuple(url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile())
        dropped = sort_files(paths, self.setups.is_setup, self.handover.is_trial)
        self.handover.open_paths(list(dropped.trials))
        if dropped.setups:
            self.setups.open_path(dropped.setups[0])
        elif dropped.reports:
            self.reports.compare_with(dropped.reports[0])
        if dropped.models:
            self.open_model(dropped.models[0])
        if dropped.values:
            self.trial_panel.take_files(dropped.values)
        self.add_libraries(dropped.libraries)

    def _fill_recent_setups(self) -> None:
        self.setups.fill_recent(self._recent_setups)

    # ------------------------------------------------------------- reactions

    def _on_library_failed(self, library: Library) -> None:
        failure = library.error
        if failure is not None:
            self.libraries_panel.select(library.name)
            self._log.emit_record(LogSeverity.ERROR, "window", f"{library.name}: {failure}")
            self._state.post(failure.message)

    def _on_trial_failed(self, trial: TrialRun) -> None:
        if trial.failure is not None:
            self._log.emit_record(LogSeverity.ERROR, "window", f"#{trial.number}: {trial.failure}")

    def _on_compile_failed(self, compilation: Compilation) -> None:
        if compilation.failure is not None:
            self._log.emit_record(LogSeverity.ERROR, "window", f"{compilation.model_name}: {compilation.failure}")

    def _on_profile_failed(self, trial: TrialRun) -> None:
        self._log.emit_record(LogSeverity.ERROR, "window", f"{trial.model_name}: {trial.profile_failure}")

    def _on_store_failed(self, failure: Failure) -> None:
        self._log.emit_record(LogSeverity.ERROR, "window", f"{failure}\n{failure.detail}".strip())
        self._state.post(failure.message)

    def _on_model_failed(self, failure: object) -> None:
        self._log.emit_record(LogSeverity.ERROR, "window", str(failure))
        model = self._state.model
        if model is not None and not Path(model.path).exists():
            self._settings.remove_recent_model(model.path)

    def _on_model_changed(self) -> None:
        model = self._state.model
        if model is not None and model.description is not None and Path(model.path) not in theme.sample_models():
            self._settings.add_recent_model(model.path)

    def _on_engine_changed(self) -> None:
        actions = self.actions_
        for action in (actions.save_report, actions.copy_report, actions.compare_report):
            action.setEnabled(self._state.greeting is not None)
        failure = self._state.engine_failure
        if self._state.engine_status is EngineStatus.GAVE_UP and failure is not None:
            self._log.emit_record(LogSeverity.FATAL, "window", f"{failure}\n{failure.detail}")
            self._show_log()

    def _on_notice(self, text: str) -> None:
        self._log.emit_record(LogSeverity.INFO, "window", text)

    def _on_color_scheme(self, action: QAction) -> None:
        scheme = action.data()
        if isinstance(scheme, ColorScheme):
            self._settings.color_scheme = scheme
            theme.apply_color_scheme(scheme)

    def _on_hardware_visible(self, visible: bool) -> None:
        if visible:
            self.hardware_panel.show()

    def _on_log_visible(self, visible: bool) -> None:
        if visible:
            self.log_panel.mark_seen()

    def _show_log(self) -> None:
        self._log_dock.show()
        self._log_dock.raise_()

    def _find(self) -> None:
        if self.history.has_focus:
            self.history.panel.focus_filter()
            return
        self._devices_dock.show()
        self._devices_dock.raise_()
        self.devices_panel.focus_filter()

    def _show_about(self) -> None:
        from .dialogs.about import about_box  # the window starts without it

        about_box(self._state.greeting, self).open()

    def _show_bug(self, text: str) -> None:
        if self.findChild(BugReportDialog) is None:  # one at a time: a fault while painting comes again and again
            BugReportDialog(text, self._state.greeting, self).open()

    def changeEvent(self, event: QEvent) -> None:
        """Qt's."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange and hasattr(self, "actions_"):
            self.actions_.retint()
