"""What may be compared: a row for each target, its label, and the plan that the ticked ones make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from PySide6.QtCore import QCoreApplication

from ..records.codec import StringMap
from ..records.comparison import ComparisonCell, ComparisonPlan
from ..records.device import Device
from ..records.library import CPU_EP_NAME
from ..records.setup import DimensionSweep, Setup, numbered, trials_of
from ..records.trial import DimensionSize, Policy, StopRule, Target, TrialSettings
from ..targets import target_text
from .option_text import short_text

_EP_ENDING: Final = "ExecutionProvider"
_TRIAL_KEY: Final = "trial"
_DETAILS: Final[tuple[Callable[[Device], str], ...]] = (
    lambda device: device.type.value,
    lambda device: device.device.vendor,
    lambda device: device.library or "",
)
"""What tells devices of one EP apart, one after the other."""


def _tr(text: str) -> str:
    return QCoreApplication.translate("ComparePlan", text)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareBase:
    """The trial as it stands in the window: what all cells share, and what is proposed for each."""

    settings: TrialSettings
    """Its target is not looked at: see `target`."""
    target: Target | None
    """None where the window's is not complete, or nothing can run on it."""
    sweeps: tuple[DimensionSweep, ...] = ()
    by_policy: bool = False
    """Whether `settings.options` are those of a policy, which go to every plugin EP."""
    first_ep: str = ""
    """Else the EP that they are for; empty when no device is selected."""
    second_ep: str = ""
    """The EP that `settings.second_options` are for."""
    policy_options: StringMap = ()
    """The options as a policy gives them on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanEstimate:
    """How long a comparison will take."""

    seconds: float
    is_known: bool
    """Whether something was known of each of its cells; else it takes at least so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareRow:
    """A target that may be compared, or a variant of one with options or threads of its own."""

    key: str
    """Different for each row, the same each time they are made."""
    target: Target
    text: str
    """The target in words, as a trial has it."""
    hardware: str
    name: str
    """What its label begins with; different for each row that is no variant."""
    options: StringMap = ()
    second_options: StringMap = ()
    threads: int = 0
    """0 leaves the number to ORT."""
    typed_options: str = ""
    """As typed, when no options can be made of it."""
    label: str = ""
    """As typed; empty for the one proposed."""
    ticked: bool = False
    variant_of: str = ""
    """The key of the row it was made from; empty for none."""
    obstacle: str = ""
    """Why it cannot run, in a sentence; empty when it can."""
    has_own_options: bool = False
    """Whether they were typed here: they are kept when those of the trial change."""
    has_own_threads: bool = False

    @property
    def is_chosen(self) -> bool:
        """Whether it is to be compared."""
        return self.ticked and not self.obstacle


def compare_rows(
    base: CompareBase, devices: Sequence[Device], before: Mapping[str, CompareRow] | None = None
) -> tuple[CompareRow, ...]:
    """Return a row for each device, the CPU EP's first, for the trial's own target, and for each policy.

    `before` are rows by their keys as they were left: their ticks, labels and what was typed are taken over, and their
    variants come after the rows they were made from.
    """
    before = before or {}
    made = [*_device_rows(base, devices), *_trial_rows(base, devices), *_policy_rows(base, devices)]
    found: list[CompareRow] = []
    for row in made:
        found.append(_as_before(row, before.get(row.key)))
        found += _variants_of(found[-1], before)
    return tuple(found)


def variant_of(row: CompareRow, rows: Iterable[CompareRow]) -> CompareRow:
    """Return a variant of a row: the same, until options or threads of its own are typed."""
    origin = row.variant_of or row.key
    keys = {other.key for other in rows}
    number = next(number for number in range(1, len(keys) + 2) if f"{origin} #{number}" not in keys)
    return replace(
        row,
        key=f"{origin} #{number}",
        variant_of=origin,
        label="",
        ticked=True,
        has_own_options=True,
        has_own_threads=True,
    )


def labels_of(rows: Sequence[CompareRow]) -> dict[str, str]:
    """Return a label for each row by its key: the one typed, or one that no other has."""
    by_key = {row.key: row for row in rows}
    typed = {row.label for row in rows if row.label}
    labels: dict[str, str] = {}
    for row in rows:
        if row.label:
            labels[row.key] = row.label
            continue
        origin = by_key.get(row.variant_of)
        label = row.name if origin is None else ", ".join((row.name, *_differences(row, origin)))
        taken = typed | set(labels.values())
        number = 1
        while (label if number == 1 else f"{label} ({number})") in taken:
            number += 1
        labels[row.key] = label if number == 1 else f"{label} ({number})"
    return labels


def compare_plan(
    base: CompareBase,
    rows: Sequence[CompareRow],
    *,
    dimensions: tuple[DimensionSize, ...],
    sweeps: tuple[DimensionSweep, ...],
    stop_rule: StopRule,
    rounds: int,
    baseline: str,
) -> ComparisonPlan:
    """Return the plan of the chosen rows with each combination of sizes; `baseline` is the key of a row.

    Raises `ValueError` for what cannot be compared: too many cells, none, or two labels that are equal.
    """
    labels = labels_of(rows)
    chosen = [row for row in rows if row.is_chosen]
    cells: list[ComparisonCell] = []
    first_cells: dict[str, int] = {}
    plain = replace(
        base.settings,
        dimensions=dimensions,
        stop_rule=stop_rule,
        session=replace(base.settings.session, optimized_model_path=""),
        outputs_folder="",
    )
    for row in chosen:
        first_cells[row.key] = len(cells)
        own = replace(
            plain,
            target=row.target,
            options=row.options,
            second_options=row.second_options,
            intra_op_threads=row.threads,
        )
        for settings in trials_of(Setup(settings=own, sweeps=sweeps)):
            cells.append(
                ComparisonCell(
                    label=_cell_label(labels[row.key], settings.dimensions, sweeps),
                    target_text=row.text,
                    settings=_with_places(settings, base.settings, len(cells) + 1),
                )
            )
    return ComparisonPlan(cells=tuple(cells), baseline=first_cells.get(baseline, 0), rounds=rounds)


def size_count(sweeps: Iterable[DimensionSweep]) -> int:
    """Return how many combinations of sizes there are."""
    count = 1
    for sweep in sweeps:
        count *= len(sweep.sizes)
    return count


# ---- Rows ----


def _device_rows(base: CompareBase, devices: Sequence[Device]) -> list[CompareRow]:
    ordered = sorted(devices, key=lambda device: device.ep_name != CPU_EP_NAME)  # the others keep their order
    names = _names_of(ordered)
    rows = []
    for device in ordered:
        target = Target(device_keys=(device.key,))
        obstacle = _device_obstacle(base, device)
        rows.append(
            CompareRow(
                key=device.key,
                target=target,
                text=target_text(target, tuple(devices)),
                hardware=" ".join(filter(None, (device.type.value, device.device.vendor))),
                name=names[device.key],
                options=_options_for(base, device),
                threads=base.settings.intra_op_threads,
                ticked=not obstacle,
                obstacle=obstacle,
            )
        )
    return rows


def _trial_rows(base: CompareBase, devices: Sequence[Device]) -> list[CompareRow]:
    """Return a row for the trial's own target, where it is more than one device."""
    target = base.target
    if target is None or target.policy is not None or not (target.second_keys or len(target.device_keys) > 1):
        return []
    text = target_text(target, tuple(devices))
    return [
        CompareRow(
            key=_TRIAL_KEY,
            target=target,
            text=text,
            hardware=_tr("as in the trial"),
            name=text.replace(_EP_ENDING, ""),
            options=base.settings.options,
            second_options=base.settings.second_options,
            threads=base.settings.intra_op_threads,
            ticked=True,
        )
    ]


def _policy_rows(base: CompareBase, devices: Sequence[Device]) -> list[CompareRow]:
    obstacle = "" if devices else _tr("There is no device that it could take.")
    rows = []
    for policy in Policy:
        target = Target(policy=policy)
        rows.append(
            CompareRow(
                key=f"policy {policy.value}",
                target=target,
                text=target_text(target, tuple(devices)),
                hardware=_tr("ORT chooses"),
                name=policy.value,
                options=base.policy_options,
                threads=base.settings.intra_op_threads,
                obstacle=obstacle,
            )
        )
    return rows


def _device_obstacle(base: CompareBase, device: Device) -> str:
    if device.is_virtual:
        return _tr("Virtual: there is no hardware behind it to run on.")
    if device.ep_name == CPU_EP_NAME and base.settings.session.strict:
        return _tr("Strict refuses ORT's own CPU EP. Switch it off under Session.")
    return ""


def _options_for(base: CompareBase, device: Device) -> StringMap:
    """Return which of the trial's options are for the EP of a device."""
    settings = base.settings
    if not base.by_policy:
        if device.ep_name == base.first_ep:
            return settings.options
        return settings.second_options if device.ep_name == base.second_ep else ()
    if device.library is None:
        return ()
    own = f"ep.{device.ep_name.lower()}."
    found = {key: value for key, value in settings.options if not key.startswith("ep.")}
    found |= {key.removeprefix(own): value for key, value in settings.options if key.startswith(own)}
    return tuple(found.items())


def _names_of(devices: Sequence[Device]) -> dict[str, str]:
    """Return a short name for each device by its key: the EP's, with what tells it from others of that EP."""
    names = {device.key: device.ep_name.removesuffix(_EP_ENDING) or device.ep_name for device in devices}
    for detail in _DETAILS:
        counts = Counter(names.values())
        details: dict[str, set[str]] = {}
        for device in devices:
            details.setdefault(names[device.key], set()).add(detail(device))
        for device in devices:
            name, more = names[device.key], detail(device)
            if counts[name] > 1 and len(details[name]) > 1 and more:
                names[device.key] = f"{name} {more}"
    seen: Counter[str] = Counter()
    counts = Counter(names.values())
    for device in devices:
        name = names[device.key]
        seen[name] += 1
        if counts[name] > 1:
            names[device.key] = f"{name} #{seen[name]}"
    return names


def _as_before(row: CompareRow, before: CompareRow | None) -> CompareRow:
    if before is None:
        return row
    row = replace(row, ticked=before.ticked, label=before.label)
    if before.has_own_options:
        row = replace(row, options=before.options, typed_options=before.typed_options, has_own_options=True)
    if before.has_own_threads:
        row = replace(row, threads=before.threads, has_own_threads=True)
    return row


def _variants_of(row: CompareRow, before: Mapping[str, CompareRow]) -> list[CompareRow]:
    return [
        replace(
            variant,
            target=row.target,
            text=row.text,
            hardware=row.hardware,
            name=row.name,
            second_options=row.second_options,
            obstacle=row.obstacle,
        )
        for variant in before.values()
        if variant.variant_of == row.key
    ]


# ---- Labels and cells ----


def _differences(row: CompareRow, origin: CompareRow) -> list[str]:
    """Return what a variant has other than the row it was made from."""
    own, others = dict(row.options), dict(origin.options)
    found = [f"{key}={short_text(value)}" for key, value in own.items() if others.get(key) != value]
    found += [_tr("no {0}").format(key) for key in others if key not in own]
    if row.threads != origin.threads:
        found.append(f"threads={row.threads}" if row.threads else _tr("threads by ORT"))
    return found


def _cell_label(label: str, dimensions: Iterable[DimensionSize], sweeps: Iterable[DimensionSweep]) -> str:
    sizes = {entry.name: entry.size for entry in dimensions}
    several = [sweep.name for sweep in sweeps if len(sweep.sizes) > 1]
    return ", ".join((label, *(f"{name} {sizes[name]}" for name in several)))


def _with_places(settings: TrialSettings, wanted: TrialSettings, number: int) -> TrialSettings:
    """Let a cell write what is wished to a place of its own, where others write theirs."""
    session = settings.session
    return replace(
        settings,
        session=replace(session, optimized_model_path=numbered(wanted.session.optimized_model_path, number)),
        outputs_folder=numbered(wanted.outputs_folder, number),
    )
