"""EP options as one line of text, as they are typed and shown: `key=value; key=value`."""

from __future__ import annotations

import re
from typing import Final

from PySide6.QtCore import QCoreApplication

from ..records.codec import StringMap

_SEPARATOR: Final = re.compile(r";;|;")
_SHOWN_LENGTH: Final = 40


def _tr(text: str) -> str:
    return QCoreApplication.translate("OptionText", text)


def options_text(options: StringMap) -> str:
    """Return options as they are typed; a semicolon within one is written twice."""
    return "; ".join(f"{key}={value}".replace(";", ";;") for key, value in options)


def parsed_options(text: str) -> StringMap:
    """Return the options of such a text. Raises `ValueError` with a sentence on what is wrong."""
    parts, start, part = [], 0, ""
    for found in _SEPARATOR.finditer(text):
        part += text[start : found.start()]
        start = found.end()
        if found[0] == ";;":
            part += ";"
        else:
            parts.append(part)
            part = ""
    parts.append(part + text[start:])
    options: dict[str, str] = {}
    for whole in (part.strip() for part in parts):
        key, equals, value = whole.partition("=")
        key, value = key.strip(), value.strip()
        if not whole:
            continue
        if not equals or not key:
            raise ValueError(_tr("“{0}” is no option: type key=value; key=value.").format(short_text(whole)))
        if key in options:
            raise ValueError(_tr("The option “{0}” is there twice.").format(short_text(key)))
        options[key] = value
    return tuple(options.items())


def short_text(text: str) -> str:
    """Return a text, cut where it is long."""
    return text if len(text) <= _SHOWN_LENGTH else f"{text[: _SHOWN_LENGTH - 1]}…"
