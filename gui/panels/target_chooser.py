"""Where a trial shall run: the devices selected in the table, or a policy."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QComboBox, QGridLayout, QLabel, QPushButton, QRadioButton, QWidget

from ..records.device import Device
from ..records.trial import Policy, Target
from .widgets import ElidedLabel


class TargetChooser(QWidget):
    """Devices or policy; never both."""

    target_changed = Signal()
    explanation_requested = Signal()
    """What each policy would take shall be shown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._by_devices = QRadioButton(self.tr("&Devices"), self)
        self._by_policy = QRadioButton(self.tr("&Policy"), self)
        self._devices = ElidedLabel(self)
        self._policy = QComboBox(self)
        self._explain = QPushButton(self.tr("What would each take?"), self)
        self._build()
        self._by_devices.toggled.connect(self._on_toggled)
        self._policy.activated.connect(self._by_policy.click)
        self._policy.currentIndexChanged.connect(self.target_changed)
        self._explain.clicked.connect(self.explanation_requested)

    def _build(self) -> None:
        group = QButtonGroup(self)
        group.addButton(self._by_devices)
        group.addButton(self._by_policy)
        self._by_devices.setChecked(True)
        self._by_devices.setToolTip(self.tr("Run on the devices selected in the table (add_provider_for_devices)"))
        self._by_policy.setToolTip(self.tr("Let ONNX Runtime choose the device (set_provider_selection_policy)"))
        tips = {
            Policy.DEFAULT: self.tr("ORT's default, which prefers CPU devices"),
            Policy.PREFER_CPU: self.tr("A CPU device"),
            Policy.PREFER_NPU: self.tr("An NPU, else what ORT falls back to"),
            Policy.PREFER_GPU: self.tr("A GPU, else what ORT falls back to"),
            Policy.MAX_PERFORMANCE: self.tr("The device ORT takes for the fastest"),
            Policy.MAX_EFFICIENCY: self.tr("The device ORT takes for the most efficient"),
            Policy.MIN_OVERALL_POWER: self.tr("The device ORT takes for the most frugal"),
        }
        for policy in Policy:
            self._policy.addItem(policy.value, policy)
            self._policy.setItemData(self._policy.count() - 1, tips[policy], Qt.ItemDataRole.ToolTipRole)
        self._policy.setAccessibleName(self.tr("Selection policy"))
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(3)
        grid.addWidget(QLabel(self.tr("Target"), self), 0, 0)
        grid.addWidget(self._by_devices, 0, 1)
        grid.addWidget(self._devices, 0, 2)
        grid.addWidget(self._by_policy, 1, 1)
        grid.addWidget(self._policy, 1, 2)
        grid.addWidget(self._explain, 2, 2, Qt.AlignmentFlag.AlignLeft)
        grid.setColumnStretch(2, 1)
        self._explain.setToolTip(self.tr("Try all policies with the libraries that are loaded"))
        self._explain.hide()

    @property
    def policy(self) -> Policy | None:
        """The policy chosen, or None for devices."""
        return Policy(self._policy.currentData()) if self._by_policy.isChecked() else None

    def choose(self, policy: Policy | None) -> None:
        """Choose a policy, or the devices for None."""
        if policy is not None:
            self._policy.setCurrentIndex(self._policy.findData(policy))
        (self._by_devices if policy is None else self._by_policy).setChecked(True)

    def target(self, devices: tuple[Device, ...], second_keys: tuple[str, ...]) -> Target:
        """Return the target, `devices` being those selected; there must be some unless a policy is chosen."""
        policy = self.policy
        if policy is not None:
            return Target(policy=policy)
        return Target(device_keys=tuple(device.key for device in devices), second_keys=second_keys)

    def show_devices(self, devices: tuple[Device, ...]) -> None:
        """Tell which devices are selected."""
        names = ", ".join(f"{device.ep_name} ({device.type.value})" for device in devices)
        self._devices.show_text(names or self.tr("none selected in the table"))
        self._devices.setEnabled(self._by_devices.isChecked())

    def problem(self, devices: tuple[Device, ...]) -> str | None:
        """Return what keeps a trial from running on these devices, in one sentence, or None."""
        if self.policy is not None:
            return None
        if not devices:
            return self.tr("Select a device in the table, or choose a policy.")
        if len({device.ep_name for device in devices}) == 1 and len({device.library for device in devices}) > 1:
            return self.tr(
                "The selected devices come from different libraries that offer an EP of the same name, {0}."
                " A trial runs on devices of one library: select others."
            ).format(devices[0].ep_name)
        if len({device.ep_name for device in devices}) > 1:
            return self.tr(
                "The selected devices belong to different EPs. A trial runs on devices of one: select others,"
                " and choose a second EP under EP options."
            )
        return None

    def _on_toggled(self) -> None:
        self._devices.setEnabled(self._by_devices.isChecked())
        self._explain.setVisible(self._by_policy.isChecked())
        self.target_changed.emit()
