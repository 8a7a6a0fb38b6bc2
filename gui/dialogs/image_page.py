"""The page of the dialog for an input's source that takes an image."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImageReader, QPixmap
from PySide6.QtWidgets import QComboBox, QFormLayout, QLabel, QWidget

from ..models.input_files import is_file
from ..models.input_types import INTEGER_RANGES, value_type
from ..panels.widgets import MutedLabel
from ..records.inputs import (
    IMAGE_SUFFIXES,
    ChannelOrder,
    ImageLayout,
    ImageReading,
    ImageScaling,
    InputSource,
    SourceKind,
)
from ..records.model import TensorInfo
from .source_pages import PathRow, SourcePage, fill_combo

_PREVIEW: Final = QSize(160, 96)
_MOST_PIXELS: Final = 4_000_000
"""More take too long to decode here; JPEG is decoded at the size of the preview."""
_MOST_JPEG_PIXELS: Final = 30_000_000


class ImagePage(SourcePage):
    """An image, and how it becomes a tensor."""

    def __init__(self, tensor: TensorInfo, parent: QWidget | None = None) -> None:
        super().__init__(tensor, parent)
        patterns = " ".join(f"*{suffix}" for suffix in IMAGE_SUFFIXES)
        self._path = PathRow(self.tr("Image"), (self.tr("Images ({0})").format(patterns),), self)
        self._layout = QComboBox(self)
        self._scaling = QComboBox(self)
        self._channels = QComboBox(self)
        self._preview = QLabel(self)
        self._facts = MutedLabel(parent=self)
        self._shown = ""
        self._build()
        self._path.changed.connect(self._show_preview)
        for combo in (self._layout, self._scaling, self._channels):
            combo.currentIndexChanged.connect(self.changed)

    def _build(self) -> None:
        whole = value_type(self.tensor.type).element in INTEGER_RANGES
        fill_combo(
            self._layout,
            (
                (self.tr("from the shape"), ImageLayout.AUTOMATIC),
                (self.tr("NCHW, channels first"), ImageLayout.CHANNELS_FIRST),
                (self.tr("NHWC, channels last"), ImageLayout.CHANNELS_LAST),
            ),
        )
        scalings = (
            (self.tr("0 to 1"), ImageScaling.UNIT),
            (self.tr("-1 to 1"), ImageScaling.SYMMETRIC),
            (self.tr("0 to 255"), ImageScaling.BYTES),
            (self.tr("ImageNet mean and deviation"), ImageScaling.IMAGENET),
        )
        fill_combo(self._scaling, [entry for entry in scalings if not whole or entry[1] is ImageScaling.BYTES])
        fill_combo(self._channels, [(order.value, order) for order in ChannelOrder])
        for text, field in (
            (self.tr("&Image"), self._path),
            (self.tr("La&yout"), self._layout),
            (self.tr("&Scaling"), self._scaling),
            (self.tr("Colou&rs"), self._channels),
        ):
            label = QLabel(text, self)
            label.setBuddy(field)
            self.form.addRow(label, field)
        self._preview.setAccessibleName(self.tr("Preview of the image"))
        self._preview.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.form.setWidget(self.form.rowCount(), QFormLayout.ItemRole.FieldRole, self._preview)
        self.form.setWidget(self.form.rowCount(), QFormLayout.ItemRole.FieldRole, self._facts)
        self._preview.hide()
        self._facts.setWordWrap(True)
        self._facts.setText(self._resized())

    def first_field(self) -> QWidget:
        """Return the field to begin with."""
        return self._path

    def show_source(self, source: InputSource) -> None:
        """Fill the fields with those of a source."""
        self._path.edit.setText(source.path)
        reading = source.image
        for combo, value in (
            (self._layout, reading.layout),
            (self._scaling, reading.scaling),
            (self._channels, reading.channels),
        ):
            combo.setCurrentIndex(max(0, combo.findData(value)))

    def source(self) -> InputSource:
        """Return the source that the fields describe. Raises `ValueError` with a sentence for the user."""
        if not self._path.path:
            raise ValueError(self.tr("Choose an image."))
        reading = ImageReading(
            layout=ImageLayout(self._layout.currentData()),
            scaling=ImageScaling(self._scaling.currentData()),
            channels=ChannelOrder(self._channels.currentData()),
        )
        return InputSource(name=self.tensor.name, kind=SourceKind.IMAGE, path=self._path.path, image=reading)

    def _resized(self) -> str:
        return self.tr("Resized to fit {0}").format(self.tensor.shape_text)

    def _show_preview(self) -> None:
        path = self._path.path
        if path != self._shown:
            self._shown = path
            pixmap, size = _preview_of(path)
            self._preview.setPixmap(pixmap)
            self._preview.setVisible(not pixmap.isNull())
            facts = [] if size.isEmpty() else [self.tr("{0} × {1} pixels").format(size.width(), size.height())]
            self._facts.setText(" · ".join((*facts, self._resized())))
        self.changed.emit()


def _preview_of(path: str) -> tuple[QPixmap, QSize]:
    """Return a small picture of an image, null where there is none, and its true size."""
    if not is_file(path):
        return QPixmap(), QSize()
    reader = QImageReader(path)
    reader.setDecideFormatFromContent(True)
    size = reader.size()
    most = _MOST_JPEG_PIXELS if reader.format().data() == b"jpeg" else _MOST_PIXELS
    if size.isEmpty() or size.width() * size.height() > most:
        return QPixmap(), size
    reader.setAutoTransform(True)
    if size.width() > _PREVIEW.width() or size.height() > _PREVIEW.height():
        reader.setScaledSize(size.scaled(_PREVIEW, Qt.AspectRatioMode.KeepAspectRatio))
    return QPixmap.fromImage(reader.read()), size
