"""The main window: its panels, its menus, and in one block who reacts to what."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QTimer, Signal
from PySide6.QtGui import QAction, QCloseEvent, QDragEnterEvent, QDropEvent, QPaintEvent
from PySide6.QtWidgets import QMainWindow, QSplitter, QTabWidget, QWidget

from . import theme
from .actions import Actions
from .client.client import EngineClient
from .comparison_keeper import ComparisonKeeper
from .comparisons import Comparisons
from .compilations import Compilations
from .compile_keeper import CompileKeeper
from .dialogs.bug_report import BugReportDialog
from .dropped_files import sort_files
from .failure_log import FailureLog
from .handover import Handover
from .history import History
from .libraries import LibraryKeeper
from .library_dialogs import LibraryDialogs
from .logs import LogSource
from .menus import fill_menu_bar
from .model_files import ModelFiles
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
from .records.library import Library
from .reports import Reports
from .settings import ColorScheme, Settings
from .setups import Setups
from .state import EngineStatus, State
from .trial_archive import TrialArchive
from .trials import TrialKeeper
from .window_layout import WindowLayout


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
        comparer: ComparisonKeeper,
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
        self._comparer = comparer
        self._archive = archive
        self._log = log
        self._failures = FailureLog(state, log, self)
        self._is_painted = False
        self._library_dialogs = LibraryDialogs(self, state, settings, libraries)
        self.model_files = ModelFiles(self, state, settings, models)
        self.reports = Reports(self, state, settings)
        self._compilations = Compilations(self, state, settings, compiler)
        self._profiles = Profiles(self, settings, profiler)
        self._build()
        self._policies = Policies(self, state, policies, self.trial_panel)
        docks = [dock.toggleViewAction() for dock in self._layout.docks]
        self._recent_setups = fill_menu_bar(self.menuBar(), self.actions_, docks)
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
        self.comparisons = Comparisons(
            self,
            state,
            settings,
            comparer,
            self.trial_panel,
            self._results,
            compare=self.actions_.compare_targets,
            of_comparison=self.actions_.of_a_comparison,
            selected=panel.selected_trials,
        )
        self.handover = Handover(
            self,
            state,
            settings,
            selected=panel.selected_trials,
            picture=panel.picture,
            comparison_picture=self.comparisons.picture,
        )
        self._connect()
        self._restore()

    # ---------------------------------------------------------------- build

    def _build(self) -> None:
        self.setWindowTitle(self.tr("ORT Device Explorer"))
        self.setWindowIcon(theme.application_icon())
        self.actions_ = Actions(self)
        actions = self.actions_
        self.libraries_panel = LibrariesPanel(self._state, (actions.add_library, actions.find_libraries), self)
        self.devices_panel = DevicesPanel(self._state, actions.refresh, self)
        self._hardware_panel: HardwarePanel | None = None
        trial_actions = TrialActions(
            open_model=actions.open_model,
            run=actions.run,
            compare=actions.compare_targets,
            compile_model=actions.compile_model,
            stop=actions.stop,
        )
        self.trial_panel = TrialPanel(self._state, self._settings, trial_actions, self)
        trial_commands = TrialListActions(
            of_list=(actions.compare_trials, actions.open_trial),
            of_trial=actions.of_a_trial,
            of_charts=(actions.save_chart, actions.copy_trial_report),
        )
        self.latency_panel = LatencyPanel(self._state, trial_commands, self)
        self.log_panel = LogPanel(self)
        self.status = StatusBar(self._state, self)
        self.setStatusBar(self.status)
        self._results = QTabWidget(self)
        self._results.setDocumentMode(True)
        self._results.setTabBarAutoHide(True)  # there is a choice only once there was a comparison
        self._results.addTab(self.latency_panel, self.tr("Trials"))
        self.setCentralWidget(self._results)
        layout = self._layout = WindowLayout(self, self._settings)
        layout.fill(layout.libraries, self.libraries_panel)
        layout.fill(layout.trial, self.trial_panel)
        layout.fill(layout.devices, self.devices_panel)
        layout.fill(layout.log, self.log_panel)
        self.history = History(layout.history, self._archive)
        layout.place()
        for child in self.findChildren(QWidget):
            child.setAcceptDrops(False)  # files dropped anywhere are the window's
        self.setAcceptDrops(True)

    @property
    def hardware_panel(self) -> HardwarePanel:
        """The panel of the hardware; made when it is first seen, for it lies behind the devices."""
        if self._hardware_panel is None:
            panel = self._hardware_panel = HardwarePanel(self._state, self)
            for child in (panel, *panel.findChildren(QWidget)):
                child.setAcceptDrops(False)  # files dropped anywhere are the window's
            self._layout.fill(self._layout.hardware, panel)
            self._layout.restore_splitter("hardware", panel.splitter)
        return self._hardware_panel

    # -------------------------------------------------- who reacts to what

    def _connect(self) -> None:
        self._connect_actions()
        self._connect_keepers()
        libraries, panel, setups, dialogs = self._libraries, self.trial_panel, self.setups, self._library_dialogs
        self.libraries_panel.unregister_requested.connect(libraries.unregister)
        self.libraries_panel.stop_requested.connect(libraries.stop)
        self.libraries_panel.load_requested.connect(dialogs.load)
        self.libraries_panel.reload_requested.connect(dialogs.reload)
        self.libraries_panel.keep_waiting_requested.connect(libraries.keep_waiting)
        self.libraries_panel.remove_requested.connect(libraries.remove)
        self.devices_panel.selection_requested.connect(self._state.select_devices)
        self.devices_panel.selection_requested.connect(self.setups.forget_devices)
        panel.model_chooser.model_requested.connect(self.open_model)
        panel.proposals_requested.connect(self._models.propose)
        panel.run_requested.connect(self._trials.run_all)
        panel.compile_requested.connect(self._compilations.ask)
        panel.target.explanation_requested.connect(self._policies.show)
        panel.compile_box.use_requested.connect(self.open_model)
        panel.compile_box.dismissed.connect(self._compiler.forget)
        self.latency_panel.show_requested.connect(self._state.show_trial)
        self.latency_panel.remove_requested.connect(self._state.remove_trials)
        self.latency_panel.profile_requested.connect(self._profiler.profile)
        self.latency_panel.save_trace_requested.connect(self._profiles.ask_trace)

        setups.told.connect(panel.setup_bar.show_told)
        setups.libraries_wanted.connect(panel.setup_bar.show_wanted)
        panel.setup_bar.load_requested.connect(setups.load_wanted)
        panel.setup_bar.dismissed.connect(setups.dismiss)
        libraries.library_hangs.connect(self.libraries_panel.select)

        self._client.log_received.connect(self.log_panel.add)
        self._log.logged.connect(self.log_panel.add)
        self._log.bug_met.connect(self._show_bug)
        self._state.engine_changed.connect(self._on_engine_changed)
        self.log_panel.unseen_changed.connect(self.status.show_unseen)
        self._layout.log.visibilityChanged.connect(self._on_log_visible)
        self._layout.hardware.visibilityChanged.connect(self._on_hardware_visible)
        self.status.log_requested.connect(self._show_log)

    def _connect_keepers(self) -> None:
        libraries, failures, archive = self._libraries, self._failures, self._archive
        for keeper in (self._trials, self._compiler, self._policy_keeper, self._profiler, self._comparer):
            libraries.trial_in_the_way.connect(keeper.make_way_for)
            self.actions_.stop.triggered.connect(keeper.stop)
        libraries.library_failed.connect(self._on_library_failed)
        libraries.library_failed.connect(failures.library)
        self._trials.trial_failed.connect(failures.trial)
        self._comparer.ended.connect(failures.comparison)
        self._models.model_failed.connect(failures.model)
        self._compiler.compile_failed.connect(failures.compilation)
        self._profiler.profile_failed.connect(failures.profile)
        archive.failed.connect(failures.store)
        self._comparer.rounds_done.connect(archive.keep_so_far)
        archive.compare_ready.connect(self.comparisons.show_trials)

    def _connect_actions(self) -> None:
        actions, libraries, panel, setups = self.actions_, self._libraries, self.trial_panel, self.setups
        dialogs, reports = self._library_dialogs, self.reports
        actions.add_library.triggered.connect(dialogs.choose)
        actions.find_libraries.triggered.connect(dialogs.find)
        actions.save_report.triggered.connect(reports.save)
        actions.copy_report.triggered.connect(reports.copy)
        actions.compare_report.triggered.connect(reports.compare)
        actions.open_model.triggered.connect(self.model_files.open)
        actions.open_setup.triggered.connect(setups.open)
        actions.save_setup.triggered.connect(setups.save)
        self._recent_setups.aboutToShow.connect(self._fill_recent_setups)
        self._connect_handover()
        actions.refresh.triggered.connect(libraries.refresh)
        actions.run.triggered.connect(panel.request_run)
        actions.compile_model.triggered.connect(panel.request_compile)
        actions.compare_targets.triggered.connect(self.comparisons.choose_targets)
        actions.compare_trials.triggered.connect(self.comparisons.show_selected)
        self.comparisons.offered.connect(actions.compare_trials.setEnabled)
        self.latency_panel.selection_changed.connect(self.comparisons.offer)
        actions.explain_policies.triggered.connect(self._policies.show)
        actions.reload_model.triggered.connect(self._models.reload)
        actions.restart_engine.triggered.connect(self._client.restart)
        actions.find.triggered.connect(self._find)
        actions.reset_layout.triggered.connect(self._layout.reset)
        actions.quit.triggered.connect(self.close)
        actions.about.triggered.connect(self._show_about)
        actions.color_schemes.triggered.connect(self._on_color_scheme)

    def _connect_handover(self) -> None:
        actions, handover = self.actions_, self.handover
        handover.setup_requested.connect(self.setups.take_up)
        for action in actions.of_a_trial:
            handover.offered.connect(action.setEnabled)
        for action in actions.of_a_comparison:
            handover.comparison_offered.connect(action.setEnabled)
        handover.comparison_opened.connect(self.comparisons.show_trials)
        actions.open_trial.triggered.connect(handover.open)
        actions.save_comparison.triggered.connect(handover.save_comparison)
        actions.export_comparison.triggered.connect(handover.export_comparison)
        actions.copy_comparison_report.triggered.connect(handover.copy_comparison_report)
        actions.save_trial.triggered.connect(handover.save)
        actions.export_trial.triggered.connect(handover.export)
        actions.copy_trial_report.triggered.connect(handover.copy_report)
        actions.save_chart.triggered.connect(handover.save_chart)
        actions.copy_script.triggered.connect(handover.copy_script)
        actions.save_script.triggered.connect(handover.save_script)
        actions.use_setup.triggered.connect(handover.use_setup)

    # ------------------------------------------------------- what is remembered

    def _restore(self) -> None:
        self._layout.restore(self._splitters())
        for action in self.actions_.color_schemes.actions():
            action.setChecked(action.data() is self._settings.color_scheme)

    def _remember(self) -> None:
        self._layout.remember(self._splitters())
        self._settings.trial_choices = self.trial_panel.choices()

    def _splitters(self) -> dict[str, QSplitter]:
        hardware = {} if self._hardware_panel is None else {"hardware": self._hardware_panel.splitter}
        always = {
            "devices": self.devices_panel.splitter,
            "charts": self.latency_panel.charts.splitter,
            "latency_upright": self.latency_panel.upright,
            "latency_sideways": self.latency_panel.sideways,
        }
        return always | hardware | self.comparisons.splitters()

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
        self.model_files.open_path(path)

    def add_libraries(self, paths: tuple[str, ...]) -> None:
        """Ask for the names of these libraries, then load them."""
        self._library_dialogs.add(list(paths))

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
        if library.error is not None:
            self.libraries_panel.select(library.name)

    def _on_engine_changed(self) -> None:
        actions = self.actions_
        for action in (actions.save_report, actions.copy_report, actions.compare_report):
            action.setEnabled(self._state.greeting is not None)
        failure = self._state.engine_failure
        if self._state.engine_status is EngineStatus.GAVE_UP and failure is not None:
            self._failures.engine(failure)
            self._show_log()

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
        self._layout.log.show()
        self._layout.log.raise_()

    def _find(self) -> None:
        if self.history.has_focus:
            self.history.panel.focus_filter()
            return
        self._layout.devices.show()
        self._layout.devices.raise_()
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
