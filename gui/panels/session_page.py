"""The options of a trial's session beside the EP's."""

from __future__ import annotations

import itertools

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QHBoxLayout, QLabel, QPushButton, QWidget

from ..records.log import LogSeverity
from ..records.trial import MAX_THREADS, ExecutionMode, Optimization, SessionSettings
from .form import COLUMNS, CountBox, FormPage, fill_combo
from .path_field import PathField, PathKind
from .session_config import SessionConfigTable


class SessionPage(FormPage):
    """Every field of `SessionSettings`, and the intra-op threads."""

    choices_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        body = self.body
        self._strict_obstacle: str | None = None
        self._intra = CountBox(0, MAX_THREADS, body)
        self._inter = CountBox(0, MAX_THREADS, body)
        self._mode = QComboBox(body)
        self._optimization = QComboBox(body)
        self._severity = QComboBox(body)
        self._pattern = QCheckBox(self.tr("Memory pattern"), body)
        self._arena = QCheckBox(self.tr("Memory arena"), body)
        self._deterministic = QCheckBox(self.tr("Deterministic"), body)
        self._strict = QCheckBox(self.tr("Stri&ct"), body)
        self._optimized = PathField(
            PathKind.FILE,
            self.tr("Save the optimised model"),
            body,
            filters=self.tr("ONNX models (*.onnx);;ORT models (*.ort)"),
            suffix="onnx",
        )
        self._config = SessionConfigTable(body)
        self._defaults = QPushButton(self.tr("&Back to defaults"), body)
        self._fill()
        self._build()
        self._set_tips()
        self.show_choices(SessionSettings(), 0)
        self._connect()

    # ---- Building ----

    def _fill(self) -> None:
        for box in (self._intra, self._inter):
            box.setSpecialValueText(self.tr("ORT's choice"))
        fill_combo(
            self._mode,
            (
                (self.tr("sequential"), ExecutionMode.SEQUENTIAL, self.tr("One node after the other")),
                (self.tr("parallel"), ExecutionMode.PARALLEL, self.tr("Independent branches at the same time")),
            ),
        )
        fill_combo(
            self._optimization,
            (
                (self.tr("all"), Optimization.ALL, self.tr("ORT's default: all levels (ORT_ENABLE_ALL)")),
                (
                    self.tr("layout"),
                    Optimization.LAYOUT,
                    self.tr("Extended, and data layouts (ORT_ENABLE_LAYOUT); older ORTs have no such level"),
                ),
                (self.tr("extended"), Optimization.EXTENDED, self.tr("Basic, and fusions (ORT_ENABLE_EXTENDED)")),
                (self.tr("basic"), Optimization.BASIC, self.tr("Only simplifications (ORT_ENABLE_BASIC)")),
                (self.tr("none"), Optimization.DISABLED, self.tr("The graph as it is in the file (ORT_DISABLE_ALL)")),
            ),
        )
        fill_combo(
            self._severity,
            (
                (self.tr("as the engine"), None, self.tr("Warnings and worse")),
                (self.tr("verbose"), LogSeverity.VERBOSE, self.tr("Everything: slows the session down")),
                (self.tr("info"), LogSeverity.INFO, self.tr("What ORT and the EPs decide")),
                (self.tr("warning"), LogSeverity.WARNING, self.tr("Warnings and worse")),
                (self.tr("error"), LogSeverity.ERROR, self.tr("Errors and worse")),
                (self.tr("fatal"), LogSeverity.FATAL, self.tr("Only what ends the process")),
            ),
        )

    def _build(self) -> None:
        self.add_field(0, 0, self.tr("&Intra-op"), self._intra)
        self._inter_label = self.add_field(0, 2, self.tr("I&nter-op"), self._inter)
        self.add_field(1, 0, self.tr("&Optimise"), self._optimization)
        self.add_field(1, 2, self.tr("E&xecution"), self._mode)
        self.add_field(2, 0, self.tr("&Log"), self._severity)
        self.grid.addWidget(self._strict, 2, 2, 1, 2)
        boxes = QGridLayout()
        for column, box in enumerate((self._pattern, self._arena, self._deterministic)):
            boxes.addWidget(box, 0, column)
            boxes.setColumnStretch(column, 1)
        self.grid.addLayout(boxes, 3, 0, 1, COLUMNS)
        saving = QHBoxLayout()
        saving.setSpacing(self.grid.horizontalSpacing())
        label = QLabel(self.tr("Save optimised"), self.body)
        label.setBuddy(self._optimized.edit)
        saving.addWidget(label)
        saving.addWidget(self._optimized, 1)
        self.grid.addLayout(saving, 4, 0, 1, COLUMNS)
        head = QHBoxLayout()
        title = QLabel(self.tr("Session-config ent&ries"), self.body)
        title.setBuddy(self._config.view)
        head.addWidget(title, 1)
        head.addWidget(self._defaults)
        self.grid.addLayout(head, 5, 0, 1, COLUMNS)
        self.grid.addWidget(self._config, 6, 0, 1, COLUMNS)
        self.grid.setRowStretch(6, 1)
        self._intra.setAccessibleName(self.tr("Intra-op threads"))
        self._inter.setAccessibleName(self.tr("Inter-op threads"))
        self._mode.setAccessibleName(self.tr("Execution mode"))
        self._optimization.setAccessibleName(self.tr("Optimisation level"))
        self._severity.setAccessibleName(self.tr("Log severity"))
        self._defaults.setAutoDefault(False)
        self.guard_fields()
        self._set_tab_order()

    def _set_tab_order(self) -> None:
        order = (
            self._intra,
            self._inter,
            self._optimization,
            self._mode,
            self._severity,
            self._strict,
            self._pattern,
            self._arena,
            self._deterministic,
            self._optimized.edit,
            self._optimized.button,
            self._defaults,
            self._config.view,
        )
        for before, after in itertools.pairwise(order):
            QWidget.setTabOrder(before, after)

    def _set_tips(self) -> None:
        self._intra.setToolTip(self.tr("Threads that share the work of one node (intra_op_num_threads)"))
        self._optimization.setToolTip(self.tr("How far ORT rewrites the graph (graph_optimization_level)"))
        self._mode.setToolTip(
            self.tr("Whether independent branches of the graph run at the same time (execution_mode)")
        )
        self._severity.setToolTip(self.tr("What the session writes into the log (log_severity_level)"))
        self._pattern.setToolTip(
            self.tr("Plan the memory of a run from the first one with the same shapes (enable_mem_pattern)")
        )
        self._arena.setToolTip(
            self.tr("Keep memory of the CPU for the next run instead of giving it back (enable_cpu_mem_arena)")
        )
        self._deterministic.setToolTip(
            self.tr("Prefer kernels that give the same bits at every run (use_deterministic_compute)")
        )
        self._optimized.set_placeholder(self.tr("nowhere"))
        self._optimized.set_tip(
            self.tr(
                "Where ORT writes the model as it optimised it (optimized_model_filepath). A file that is there is"
                " replaced. Its layout may suit only this machine."
            )
        )
        self._defaults.setToolTip(self.tr("Set all fields of this page back to ORT's defaults"))
        self._tell_strict()

    def _connect(self) -> None:
        for signal in (
            self._intra.valueChanged,
            self._inter.valueChanged,
            self._mode.currentIndexChanged,
            self._optimization.currentIndexChanged,
            self._severity.currentIndexChanged,
            self._pattern.toggled,
            self._arena.toggled,
            self._deterministic.toggled,
            self._strict.toggled,
            self._optimized.path_changed,
            self._config.entries_changed,
        ):
            signal.connect(self._on_changed)
        self._defaults.clicked.connect(self._set_defaults)

    # ---- What is chosen ----

    @property
    def session(self) -> SessionSettings:
        """The options as they stand."""
        severity = self._severity.currentData()
        return SessionSettings(
            optimization=Optimization(self._optimization.currentData()),
            inter_op_threads=self._inter.value(),
            execution_mode=ExecutionMode(self._mode.currentData()),
            memory_pattern=self._pattern.isChecked(),
            memory_arena=self._arena.isChecked(),
            deterministic=self._deterministic.isChecked(),
            log_severity=None if severity is None else LogSeverity(severity),
            strict=self._strict.isChecked(),
            config=self._config.entries,
            optimized_model_path=self._optimized.path,
        )

    @property
    def intra_op_threads(self) -> int:
        """0 leaves the number to ORT."""
        return self._intra.value()

    def show_choices(self, session: SessionSettings, intra_op_threads: int) -> None:
        """Show these options; does not tell of it."""
        with QSignalBlocker(self):
            self._intra.setValue(intra_op_threads)
            self._inter.setValue(session.inter_op_threads)
            self._mode.setCurrentIndex(self._mode.findData(session.execution_mode))
            self._optimization.setCurrentIndex(self._optimization.findData(session.optimization))
            self._severity.setCurrentIndex(self._severity.findData(session.log_severity))
            self._pattern.setChecked(session.memory_pattern)
            self._arena.setChecked(session.memory_arena)
            self._deterministic.setChecked(session.deterministic)
            self._strict.setChecked(session.strict)
            self._optimized.show_path(session.optimized_model_path)
            self._config.show_entries(session.config)
            self._on_changed()

    def set_strict_obstacle(self, sentence: str | None) -> None:
        """Say why *Strict* cannot be used with the target chosen, with what to do; None when it can."""
        if sentence != self._strict_obstacle:
            self._strict_obstacle = sentence
            self._tell_strict()

    def problem(self) -> str | None:
        """Return why no trial can be run with these options, in one sentence with what to do, or None."""
        obstacle = self._strict_obstacle if self._strict.isChecked() else None
        return obstacle or self._optimized.problem() or self._config.problem()

    def _on_changed(self) -> None:
        is_parallel = self._mode.currentData() is ExecutionMode.PARALLEL
        tip = self.tr("Threads that run independent branches of the graph (inter_op_num_threads)")
        if not is_parallel:
            tip = self.tr("{0}; used only with parallel execution").format(tip)
        for widget in (self._inter, self._inter_label):
            widget.setEnabled(is_parallel)
            widget.setToolTip(tip)
        for box in (self._intra, self._inter):
            box.setSuffix(self.tr(" thread") if box.value() == 1 else self.tr(" threads"))
        self._defaults.setEnabled((self.session, self.intra_op_threads) != (SessionSettings(), 0))
        self.choices_changed.emit()

    def _set_defaults(self) -> None:
        self.show_choices(SessionSettings(), 0)
        self.choices_changed.emit()

    def _tell_strict(self) -> None:
        tip = self.tr("Refuse a model of which nodes would fall back to ORT's CPU EP (session.disable_cpu_ep_fallback)")
        self._strict.setToolTip("\n".join(part for part in (tip, self._strict_obstacle) if part))
