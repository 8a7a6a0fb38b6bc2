"""The EP options of a trial: those of the first choice, and a second EP with its own."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from .. import theme
from ..models.known_options import KnownOption, known_options
from ..models.option_table import OptionTableModel
from ..models.texts import count_text
from ..records.codec import StringMap
from ..records.device import Device
from ..records.library import CPU_EP_NAME
from ..records.option_catalogue import catalogue_for
from .option_view import OptionView
from .widgets import ElidedLabel, MutedLabel

_DETAIL_LINES: Final = 3


class OptionsPage(QWidget):
    """One table of options; below, which EP is offered what the first leaves, and a table for that one."""

    choices_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._first: tuple[Device, ...] = ()
        self._others: tuple[Device, ...] = ()
        self._by_policy = False
        self._second_keys: tuple[str, ...] = ()
        self._learned: dict[str, StringMap] = {}
        self._known: dict[str, KnownOption] = {}
        self._title = ElidedLabel(self)
        self._model = OptionTableModel(self, warning=self._warning_icon)
        self._view = OptionView(self._model, self.tr("EP options"), self)
        self._then_row = QWidget(self)
        self._then = QComboBox(self._then_row)
        self._second_model = OptionTableModel(self, warning=self._warning_icon)
        self._second_view = OptionView(self._second_model, self.tr("Options of the second EP"), self)
        self._details = MutedLabel(parent=self)
        self._explained = self._view
        self._build()
        self._connect()
        self._show_all()

    def _build(self) -> None:
        then_label = QLabel(self.tr("Then"), self._then_row)
        then_label.setBuddy(self._then)
        self._then.setAccessibleName(self.tr("Second EP"))
        self._then.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        then_row = QHBoxLayout(self._then_row)
        then_row.setContentsMargins(0, 0, 0, 0)
        then_row.addWidget(then_label)
        then_row.addWidget(self._then, 1)
        self._details.setWordWrap(True)
        self._details.setTextFormat(Qt.TextFormat.PlainText)
        self._details.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self._details.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._details.setFixedHeight(self.fontMetrics().lineSpacing() * _DETAIL_LINES + 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 4)
        layout.setSpacing(4)
        layout.addWidget(self._title)
        layout.addWidget(self._view, 1)
        layout.addWidget(self._then_row)
        layout.addWidget(self._second_view, 1)
        layout.addWidget(self._details)

    def _connect(self) -> None:
        self._view.current_row_changed.connect(self._explain_first)
        self._second_view.current_row_changed.connect(self._explain_second)
        for view in (self._view, self._second_view):
            view.key_highlighted.connect(self._show_key)
        for model in (self._model, self._second_model):
            model.dataChanged.connect(self._show_details)
            model.options_changed.connect(self.choices_changed)
        self._then.activated.connect(self._on_then_chosen)

    # ---- What is chosen ----

    @property
    def options(self) -> StringMap:
        """The options of the first choice, or under a policy those of every EP."""
        return self._model.options

    @property
    def second_keys(self) -> tuple[str, ...]:
        """The devices of the second EP; none for no second choice."""
        return self._second_keys

    @property
    def second_options(self) -> StringMap:
        """The options of the second EP; none without one."""
        return self._second_model.options if self._second_keys else ()

    def set_choices(self, options: StringMap, second_keys: tuple[str, ...], second_options: StringMap) -> None:
        """Show these choices; does not tell of it. Devices that are not there are kept and marked."""
        with QSignalBlocker(self):
            self._second_keys = second_keys
            self._model.set_options(options)
            self._second_model.set_options(second_options)
        self._show_all()

    def show_target(self, first: tuple[Device, ...], others: tuple[Device, ...], *, by_policy: bool) -> None:
        """Show what the target's EP takes. `others` are all devices there are; a policy chooses among them."""
        if (first, others, by_policy) != (self._first, self._others, self._by_policy):
            self._first, self._others, self._by_policy = first, others, by_policy
            self._show_all()

    def learn(self, ep_name: str, options: StringMap) -> None:
        """Remember which options a session echoed for an EP: its keys are offered from now on."""
        name = ep_name.lower()
        learned = tuple({**dict(self._learned.get(name, ())), **dict(options)}.items())
        if learned != self._learned.get(name, ()):
            self._learned[name] = learned
            self._show_all()

    def problem(self) -> str | None:
        """Return what is wrong with the options, in one sentence with what to do, or None."""
        problem = self._model.problem()
        if problem is not None or self._by_policy or not self._second_keys:
            return problem
        devices = self._second_devices()
        if len(devices) < len(self._second_keys):
            return self.tr("The second EP is not there. Load its library, or choose another under EP options.")
        names = {device.ep_name for device in devices}
        if names & {device.ep_name for device in self._first}:
            return self.tr("First and second choice belong to the same EP. Choose another under EP options.")
        if len({(device.ep_name, device.library) for device in devices}) > 1:
            return self.tr("The devices of the second choice belong to different EPs. Choose one under EP options.")
        return self._second_model.problem()

    # ---- What is to be seen ----

    def _show_all(self) -> None:
        has_second = bool(self._second_keys) and not self._by_policy
        devices = self._others if self._by_policy else self._first
        self._tell(self._model, devices, by_policy=self._by_policy)
        self._tell(self._second_model, self._second_devices(), by_policy=False)
        self._fill_then()
        self._then_row.setVisible(not self._by_policy)
        self._second_view.setVisible(has_second)
        self._title.show_text(self._title_text())
        if not has_second:
            self._explained = self._view
        self._show_details()

    def _tell(self, model: OptionTableModel, devices: tuple[Device, ...], *, by_policy: bool) -> None:
        names = tuple(dict.fromkeys(device.ep_name for device in devices if not by_policy or device.library))
        model.set_known(known_options(devices, self._learned, by_policy=by_policy), names)

    def _title_text(self) -> str:
        if self._by_policy:
            return self.tr("Options of every plugin EP")
        if not self._first:
            return self.tr("EP options")
        return self.tr("Options of {0}").format(_ep_text(self._first))

    def _second_devices(self) -> tuple[Device, ...]:
        return tuple(device for device in self._others if device.key in self._second_keys)

    def _fill_then(self) -> None:
        """Offer the devices of other EPs; those chosen in any case."""
        combo, first_names = self._then, {device.ep_name for device in self._first}
        offered = [
            device for device in self._others if device.ep_name not in first_names and device.ep_name != CPU_EP_NAME
        ]
        texts = _device_texts(offered)
        combo.clear()
        combo.addItem(self.tr("nothing else"), "")
        for device in offered:
            combo.addItem(texts[device.key], device.key)
            combo.setItemData(combo.count() - 1, _device_tip(device), Qt.ItemDataRole.ToolTipRole)
        chosen = self._second_keys
        if len(chosen) == 1 and chosen[0] in texts:
            combo.setCurrentIndex(combo.findData(chosen[0]))
        elif chosen:
            self._add_chosen(chosen)
        tip = self.tr(
            "The EP that is offered what the first leaves (a second add_provider_for_devices)."
            " ORT's own CPU EP always comes last by itself."
        )
        combo.setItemData(0, tip, Qt.ItemDataRole.ToolTipRole)
        if CPU_EP_NAME in first_names:
            tip = self.tr("{0}\nHere it comes first and takes every node, so nothing is left for a second EP.").format(
                tip
            )
        combo.setToolTip(tip)

    def _add_chosen(self, keys: tuple[str, ...]) -> None:
        """Show a choice that is none of the devices offered: several, gone, or of the first EP."""
        devices = self._second_devices()
        if len(devices) == len(keys):
            self._then.addItem(_ep_text(devices), keys)
        else:
            names = dict.fromkeys(_ep_name_of_key(key) for key in keys)
            self._then.addItem(self.tr("{0} – not there").format(", ".join(names)), keys)
        if len(devices) < len(keys) or {device.ep_name for device in devices} & {d.ep_name for d in self._first}:
            self._then.setItemIcon(self._then.count() - 1, self._warning_icon())
        self._then.setCurrentIndex(self._then.count() - 1)

    def _on_then_chosen(self, index: int) -> None:
        data = self._then.itemData(index)
        keys = (data,) if isinstance(data, str) and data else tuple(data or ())
        if keys != self._second_keys:
            self._second_keys = keys
            self._show_all()
            self.choices_changed.emit()

    def _explain_first(self) -> None:
        self._explained = self._view
        self._show_details()

    def _explain_second(self) -> None:
        self._explained = self._second_view
        self._show_details()

    def _show_key(self, key: str) -> None:
        """Explain an option that is being chosen from the list."""
        self._details.setText(self._explained_model().details_of_key(key))

    def _explained_model(self) -> OptionTableModel:
        return self._model if self._explained is self._view else self._second_model

    def _show_details(self) -> None:
        """Explain the current option, or say what may be typed."""
        view, model = self._explained, self._explained_model()
        text = model.details(view.currentIndex().row()) if view.currentIndex().isValid() else ""
        self._details.setText(text or self._general_text(model))
        self._details.setToolTip(self._details.text())

    def _general_text(self, model: OptionTableModel) -> str:
        if self._by_policy:
            return self.tr(
                "A key goes to every plugin EP, for ORT may choose any; a full key, as in ep.<name>.<key>, to that one"
                " alone."
            )
        devices = self._first if model is self._model else self._second_devices()
        count = len(model.offered_keys(-1))
        if not devices:
            return self.tr("No device is selected. Type key and value, or key=value.")
        if count:
            return self.tr("Known options not used yet: {0}. Choose one, or type any key and value.").format(
                count_text(count)
            )
        catalogue = catalogue_for(devices[0])
        if catalogue is not None and not catalogue.options:
            return self.tr("{0} takes no options. What is typed is not checked: ORT accepts anything.").format(
                catalogue.title
            )
        return self.tr("This EP names no options. Type key and value, or key=value; ORT hands on anything.")

    def _warning_icon(self) -> QIcon:
        return theme.icon("warning", self.palette())


def _hardware_text(device: Device) -> str:
    vendor = f" {device.device.vendor}" if device.device.vendor else ""
    return f"{device.type.value}{vendor}{', virtual' if device.is_virtual else ''}"


def _ep_text(devices: tuple[Device, ...]) -> str:
    """Return EPs and hardware: `ggml (CPU AMD, GPU Maker)`."""
    by_ep: dict[str, list[str]] = {}
    for device in devices:
        by_ep.setdefault(device.ep_name, []).append(_hardware_text(device))
    return ", ".join(f"{name} ({', '.join(hardware)})" for name, hardware in by_ep.items())


def _device_texts(devices: list[Device]) -> dict[str, str]:
    """Return a text for each device by its key; those that would be equal are numbered."""
    plain = {device.key: f"{device.ep_name} ({_hardware_text(device)})" for device in devices}
    texts: dict[str, str] = {}
    for key, text in plain.items():
        equal = [other for other, other_text in plain.items() if other_text == text]
        texts[key] = text if len(equal) == 1 else f"{text} #{equal.index(key) + 1}"
    return texts


def _device_tip(device: Device) -> str:
    library = "" if device.library is None else device.library
    lines = [library, *(f"{key}: {value}" for key, value in device.ep_metadata)]
    return "\n".join(filter(None, lines))


def _ep_name_of_key(key: str) -> str:
    """Return the EP's name from the key of a device that is not there; `records.device` says how keys are made."""
    parts = key.split("/")
    return parts[1] if len(parts) > 1 and parts[1] else key
