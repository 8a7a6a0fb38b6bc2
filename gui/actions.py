"""Every command of the window, made in one place for menus, tool bar, context menus and buttons."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QActionGroup, QKeySequence

from . import theme
from .settings import ColorScheme


class Actions(QObject):
    """Text, icon, shortcut and tip of each; `retint` follows a change of the palette."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._icons: dict[QAction, str] = {}
        standard = QKeySequence.StandardKey
        self.add_library = self._make(
            self.tr("&Add library…"), "add-library", "Ctrl+L", self.tr("Choose EP library files and load them")
        )
        self.find_libraries = self._make(
            self.tr("Add from this &computer…"),
            "find-libraries",
            "Ctrl+Shift+L",
            self.tr("List the EP libraries that lie on this computer and load some"),
        )
        self.save_report = self._make(
            self.tr("&Save report…"),
            "save",
            standard.Save,
            self.tr("Write libraries, devices and hardware to a file, as JSON or Markdown"),
        )
        self.copy_report = self._make(
            self.tr("Co&py report"), "copy", "Ctrl+Shift+C", self.tr("Put the device report on the clipboard")
        )
        self.compare_report = self._make(
            self.tr("Compare &with report…"),
            "compare",
            None,
            self.tr("Show what has come, gone or changed since a report was saved, here or on another machine"),
        )
        self.open_model = self._make(
            self.tr("&Open model…"), "open-model", standard.Open, self.tr("Choose an ONNX file")
        )
        self.refresh = self._make(
            self.tr("&Refresh devices"), "refresh", "F5", self.tr("Ask ORT for its devices again")
        )
        self.run = self._make(self.tr("&Run"), "run", "Ctrl+R", self.tr("Run the model on the target"))
        self.stop = self._make(
            self.tr("&Stop"), "stop", "Esc", self.tr("Stop the trial; the samples taken so far are kept")
        )
        self.compare_targets = self._make(
            self.tr("Co&mpare targets…"),
            "compare",
            "Ctrl+M",
            self.tr("Measure the model on several targets and with several sizes by turns, and say which is faster"),
        )
        self.compare_targets.setIconText(self.tr("Compare…"))
        self.compare_trials = self._make(
            self.tr("Compare se&lected trials"),
            None,
            "Ctrl+Shift+K",
            self.tr("Show the trials selected in the list side by side, and which is faster"),
        )
        self.compile_model = self._make(
            self.tr("&Compile…"),
            "compile",
            "Ctrl+Shift+M",
            self.tr("Compile the model for the target and save it, with the EP's own code in it (EPContext)"),
        )
        self.explain_policies = self._make(
            self.tr("What would each &policy take?…"),
            None,
            "Ctrl+Shift+P",
            self.tr("Try all selection policies: which device each takes, which fail, and ORT's order of preference"),
        )
        self.open_setup = self._make(
            self.tr("Ope&n set-up…"),
            None,
            "Ctrl+Shift+O",
            self.tr("Choose a file with a trial's set-up: model, target, inputs, options, run control"),
        )
        self.save_setup = self._make(
            self.tr("Sa&ve set-up…"),
            None,
            "Ctrl+Shift+S",
            self.tr("Write the trial's set-up to a file, to run it again here, elsewhere or without a window"),
        )
        self.open_trial = self._make(
            self.tr("Open &trial…"), None, "Ctrl+T", self.tr("Show a trial that was saved, here or on another machine")
        )
        self.save_trial = self._make(
            self.tr("Sa&ve trial…"),
            None,
            "Ctrl+Shift+T",
            self.tr("Write all that is known of the trial to a file, to open it again anywhere"),
        )
        self.export_trial = self._make(
            self.tr("E&xport trial…"),
            None,
            "Ctrl+E",
            self.tr("Write a report (HTML, Markdown), the samples, or the summaries of the trials selected (CSV)"),
        )
        self.copy_trial_report = self._make(
            self.tr("Cop&y report of trial"), None, "Ctrl+Shift+E", self.tr("Put the trial's report on the clipboard")
        )
        self.save_chart = self._make(
            self.tr("Save c&hart…"), None, None, self.tr("Write the charts of the latencies to a file, as PNG or SVG")
        )
        self.copy_script = self._make(
            self.tr("Copy as Pytho&n"),
            None,
            "Ctrl+Shift+Y",
            self.tr("Put a script on the clipboard that repeats the trial with onnxruntime and numpy alone"),
        )
        self.save_script = self._make(
            self.tr("Save &as Python…"), None, None, self.tr("Write the script that repeats the trial to a file")
        )
        self.use_setup = self._make(
            self.tr("&Use its set-up"),
            None,
            "Ctrl+U",
            self.tr("Take the trial's model, target, inputs and options for the next trial"),
        )
        self.save_comparison = self._make(
            self.tr("Save comparis&on…"),
            None,
            None,
            self.tr("Write all that is known of the comparison to a file, to open it again anywhere"),
        )
        self.export_comparison = self._make(
            self.tr("&Export comparison…"),
            None,
            None,
            self.tr("Write a report (HTML, Markdown), a chart (SVG, PNG), the samples or the summaries (CSV)"),
        )
        self.copy_comparison_report = self._make(
            self.tr("Copy report o&f comparison"),
            None,
            None,
            self.tr("Put the comparison's report on the clipboard, as Markdown"),
        )
        self.reload_model = self._make(
            self.tr("Rea&d model again"), None, "Ctrl+Shift+F5", self.tr("Read the model's file once more")
        )
        self.restart_engine = self._make(
            self.tr("Restart &engine"),
            "restart",
            "Ctrl+Shift+R",
            self.tr("Replace the engine process by a fresh one and load the libraries again"),
        )
        self.find = self._make(
            self.tr("&Filter devices"), None, standard.Find, self.tr("Go to the filter of the devices")
        )
        self.reset_layout = self._make(self.tr("Reset &layout"), None, None, self.tr("Put all panels back in place"))
        self.quit = self._make(self.tr("&Quit"), None, "Ctrl+Q", self.tr("Close the window and end the engine"))
        self.quit.setMenuRole(QAction.MenuRole.QuitRole)
        self.about = self._make(self.tr("&About"), None, None, self.tr("Versions of this application and its parts"))
        self.about.setMenuRole(QAction.MenuRole.AboutRole)
        self.stop.setEnabled(False)
        self.run.setEnabled(False)
        for action in (self.compile_model, self.compare_targets, self.compare_trials):
            action.setEnabled(False)
        for action in (*self.of_a_trial, *self.of_a_comparison):
            action.setEnabled(False)
        for action in (self.save_report, self.copy_report, self.compare_report):
            action.setEnabled(False)
        self.color_schemes = QActionGroup(self)
        for scheme, text in (
            (ColorScheme.SYSTEM, self.tr("Colours of the &system")),
            (ColorScheme.LIGHT, self.tr("L&ight colours")),
            (ColorScheme.DARK, self.tr("&Dark colours")),
        ):
            action = self._make(text, None, None, "")
            action.setCheckable(True)
            action.setData(scheme)
            self.color_schemes.addAction(action)

    @property
    def of_a_trial(self) -> tuple[QAction, ...]:
        """The commands for the trial that is shown, once it has ended."""
        return (
            *(self.save_trial, self.export_trial, self.copy_trial_report, self.save_chart),
            *(self.copy_script, self.save_script, self.use_setup),
        )

    @property
    def of_a_comparison(self) -> tuple[QAction, ...]:
        """The commands for the comparison that is shown, once it has ended."""
        return (self.save_comparison, self.export_comparison, self.copy_comparison_report)

    def retint(self) -> None:
        """Draw the icons in the colours of the palette."""
        for action, name in self._icons.items():
            action.setIcon(theme.icon(name))

    def _make(
        self, text: str, icon_name: str | None, shortcut: QKeySequence.StandardKey | str | None, tip: str
    ) -> QAction:
        action = QAction(text, self)
        if icon_name is not None:
            action.setIcon(theme.icon(icon_name))
            self._icons[action] = icon_name
        if shortcut is not None:
            action.setShortcut(QKeySequence(shortcut))
        action.setIconText(text.replace("&", ""))  # buttons keep the “…” that tells of a dialog
        plain = text.replace("&", "").removesuffix("…")
        keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        described = f"{plain}: {tip}" if tip else plain
        action.setToolTip(f"{described} ({keys})" if keys else described)
        action.setStatusTip(tip)
        return action
