"""The options that the EPs of a target are known to take, where that is known from, and how it is put into words.

They come from three places: a device's `ep_options`, what earlier sessions echoed, and the catalogue of the EP.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QCoreApplication, QLocale

from ..records.codec import StringMap
from ..records.device import Device
from ..records.library import CPU_EP_NAME
from ..records.option_catalogue import CatalogueOption, OptionCatalogue, OptionType, catalogue_for

EP_KEY_PREFIX: Final = "ep."
_LISTED_VALUES: Final = 6


def _tr(text: str) -> str:
    return QCoreApplication.translate("KnownOptions", text)


@dataclass(frozen=True, slots=True, kw_only=True)
class EpKnowledge:
    """What is known of one option of one EP."""

    ep_name: str
    catalogue: OptionCatalogue | None = None
    option: CatalogueOption | None = None
    """The catalogue's entry; None when it has none."""
    offered: str | None = None
    """Its value in a device's `ep_options`, which is the EP's own default; None when it is not there."""
    echoed: str | None = None
    """Its value when an earlier session last echoed it; None when none has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownOption:
    """A key that at least one EP of the target is known to take."""

    key: str
    eps: tuple[EpKnowledge, ...]
    """Those that take it; one unless a policy hands it to several."""

    @property
    def values(self) -> tuple[str, ...]:
        """All values that it takes, where there is such a list; empty otherwise."""
        lists = [ep.option.values for ep in self.eps if ep.option is not None and not ep.option.is_list]
        return tuple(dict.fromkeys(value for values in lists for value in values))

    @property
    def is_ignored(self) -> bool:
        """Whether every EP that knows it passes it over."""
        return all(ep.option is not None and ep.option.instead for ep in self.eps)

    @property
    def default(self) -> str:
        """What it is when it is not set; empty when that is not known."""
        offered = next((ep.offered for ep in self.eps if ep.offered), "")
        return offered or next((ep.option.default for ep in self.eps if ep.option is not None), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A few words on an option in the table."""

    text: str
    is_warning: bool = False


def full_key(ep_name: str, key: str) -> str:
    """Return the session-config key that an EP's option has: under a policy, it goes to that EP alone."""
    return f"{EP_KEY_PREFIX}{ep_name.lower()}.{key}"


def known_options(
    devices: Iterable[Device], learned: Mapping[str, StringMap], *, by_policy: bool = False
) -> dict[str, KnownOption]:
    """Return what is known of the options of the devices' EPs, by key, in the order in which to offer them.

    `learned` is what earlier sessions echoed, by the EP's name in small letters. Under a policy there is each key also
    in full, and ORT's own CPU EP, which is handed no options then, is left out.
    """
    known: dict[str, dict[str, EpKnowledge]] = {}
    for ep_name, ep_devices in _by_ep(devices).items():
        if by_policy and ep_name == CPU_EP_NAME:
            continue
        for key, knowledge in _of_one_ep(ep_name, ep_devices, dict(learned.get(ep_name.lower(), ()))).items():
            known.setdefault(key, {})[ep_name] = knowledge
            if by_policy:
                known.setdefault(full_key(ep_name, key), {})[ep_name] = knowledge
    ordered = sorted(known, key=lambda key: (by_policy and key.startswith(EP_KEY_PREFIX), key.casefold()))
    return {key: KnownOption(key=key, eps=tuple(known[key].values())) for key in ordered}


def _by_ep(devices: Iterable[Device]) -> dict[str, list[Device]]:
    found: dict[str, list[Device]] = {}
    for device in devices:
        found.setdefault(device.ep_name, []).append(device)
    return found


def _of_one_ep(ep_name: str, devices: list[Device], echoed: Mapping[str, str]) -> dict[str, EpKnowledge]:
    catalogue = next(filter(None, map(catalogue_for, devices)), None)
    offered = {key: value for device in devices for key, value in device.ep_options}
    entries = {} if catalogue is None else {option.key: option for option in catalogue.options}
    return {
        key: EpKnowledge(
            ep_name=ep_name,
            catalogue=catalogue,
            option=entries.get(key),
            offered=offered.get(key),
            echoed=echoed.get(key),
        )
        for key in (*entries, *offered, *echoed)
    }


# ---- Words ----


def note_of(known: KnownOption | None, value: str) -> Note:
    """Return what to say of an option that is set to `value`; None for one that no EP is known to take."""
    if known is None:
        return Note(text=_tr("not checked: ORT accepts anything"))
    prefix = "" if len(known.eps) == 1 else ", ".join(ep.ep_name for ep in known.eps) + ": "
    if known.is_ignored:
        hints = dict.fromkeys(ep.option.instead for ep in known.eps if ep.option is not None)
        return Note(text=prefix + _tr("ignored by the EP: {0}").format("; ".join(hints)), is_warning=True)
    for ep in known.eps:
        if ep.option is not None and not ep.option.instead and not ep.option.allows(value):
            name = "" if len(known.eps) == 1 else f"{ep.ep_name}: "
            return Note(text=name + _tr("takes only {0}").format(short_text(ep.option)), is_warning=True)
    described = next((ep.option.description for ep in known.eps if ep.option is not None), "")
    if described:
        return Note(text=prefix + described)
    if any(ep.offered is not None for ep in known.eps):
        return Note(text=prefix + _tr("from ep_options"))
    return Note(text=prefix + _tr("echoed by an earlier session"))


def similar_note(key: str) -> Note:
    """Return what to say of an unknown key that differs from a known one by small and capital letters only."""
    return Note(text=_tr("perhaps {0} is meant; not checked").format(key), is_warning=True)


def details_of(known: KnownOption | None, value: str) -> str:
    """Return two or three sentences on an option, for a line of text."""
    if known is None:
        return _tr("Not checked: ORT accepts any key and value, and hands them on to the EP.")
    parts = []
    for ep in known.eps:
        name = f"{ep.ep_name}: " if len(known.eps) > 1 else ""
        parts.append(name + " ".join(_sentences(ep, value)))
    return "\n".join(parts)


def _sentences(ep: EpKnowledge, value: str) -> Iterable[str]:
    if ep.option is not None:
        yield ep.option.description
        if ep.option.instead:
            yield _tr("Ignored by the EP: {0}.").format(ep.option.instead)
        else:
            allowed, default = short_text(ep.option), ep.option.default
            if not ep.option.allows(value):
                yield _tr("“{0}” is not among what it takes: {1}.").format(value, allowed)
            else:
                yield _tr("Takes {0}.").format(allowed)
            if default and ep.offered is None:
                yield _tr("Default: {0}.").format(default)
    if ep.offered is not None:
        yield _tr("The EP names it in ep_options, as “{0}”.").format(ep.offered)
    if ep.echoed is not None and ep.option is None and ep.offered is None:
        yield _tr("An earlier session echoed it, as “{0}”; ORT echoes unknown keys, too.").format(ep.echoed)


def tip_of(known: KnownOption | None, value: str) -> str:
    """Return all that is known of an option, a line each: what it is, what it takes, and the source."""
    lines = [details_of(known, value)]
    for ep in () if known is None else known.eps:
        if ep.option is not None:
            lines.append(_tr("Type: {0}. Takes: {1}").format(type_text(ep.option), allowed_text(ep.option)))
        if ep.option is not None and ep.catalogue is not None:
            about = (ep.catalogue.title, ep.catalogue.version, ep.catalogue.source)
            lines.append(_tr("Source: {0} {1}, {2}").format(*about))
    return "\n".join(lines)


def type_text(option: CatalogueOption) -> str:
    """Return the type of an option in words."""
    words = {
        OptionType.BOOL: _tr("yes or no"),
        OptionType.INT: _tr("whole number"),
        OptionType.FLOAT: _tr("number"),
        OptionType.CHOICE: _tr("choice"),
        OptionType.TEXT: _tr("text"),
        OptionType.PATH: _tr("path"),
    }
    word = words[option.type]
    return _tr("{0}, or several separated by commas").format(word) if option.is_list else word


def allowed_text(option: CatalogueOption) -> str:
    """Return what an option takes: `0, 1`, `a whole number from 1`."""
    text = ", ".join(option.values) or {
        OptionType.INT: _tr("a whole number"),
        OptionType.FLOAT: _tr("a number"),
        OptionType.PATH: _tr("a path"),
    }.get(option.type, _tr("any text"))
    low, high = _bound(option.minimum), _bound(option.maximum)
    if low and high:
        text = _tr("{0} from {1} to {2}").format(text, low, high)
    elif low:
        text = _tr("{0} from {1}").format(text, low)
    elif high:
        text = _tr("{0} up to {1}").format(text, high)
    return _tr("{0}; several separated by commas").format(text) if option.is_list else text


def short_text(option: CatalogueOption) -> str:
    """Return `allowed_text`, or only the number of the values where a line would not hold them."""
    if len(option.values) <= _LISTED_VALUES:
        return allowed_text(option)
    return _tr("one of {0} values").format(QLocale().toString(len(option.values)))


def _bound(number: float | None) -> str:
    """Return a bound as it is typed as a value, without the locale's separators."""
    return "" if number is None else f"{number:.15g}"
