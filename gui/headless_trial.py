"""What the command line hears of a trial while it runs, and the trial as it is kept afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .records.codec import from_json
from .records.comparison import ComparisonPart
from .records.device import Device
from .records.failure import Failure
from .records.identity import new_id
from .records.kept_trial import KeptTrial
from .records.latency_remarks import latency_remarks
from .records.library import Library, LibraryState
from .records.placement import PlacedNodes
from .records.protocol import EventKind, Greeting
from .records.result import Outcome
from .records.samples import SampleSeries, decode_samples
from .records.statistics import summarize
from .records.trial import Stage, TrialFacts, TrialSettings
from .records.trial_log import TrialLog
from .trial_summary import target_text


@dataclass(eq=False, slots=True, kw_only=True)
class HeardTrial:
    """Collects what the engine tells of one trial."""

    samples: SampleSeries = field(default_factory=SampleSeries)
    warmup: SampleSeries = field(default_factory=SampleSeries)
    """With the runs before each round that are not measured."""
    log: TrialLog = field(default_factory=TrialLog)
    nodes: PlacedNodes | None = None
    facts: TrialFacts = field(default_factory=TrialFacts)
    elapsed_ns: int = 0
    """Wall-clock time of the measuring stage, or of the round, so far."""

    def hear(self, message: dict[str, Any]) -> int:
        """Take an event of the engine; returns how many samples of the measuring stage came with it."""
        match EventKind(message["event"]):
            case EventKind.STAGE:
                self.facts = from_json(TrialFacts, message["facts"])
            case EventKind.NODES:
                self.nodes = from_json(PlacedNodes, message["nodes"])
            case EventKind.SAMPLES:
                batch = decode_samples(message["samples"])
                if message["stage"] == Stage.MEASURING.value:
                    self.samples.append(batch)
                    self.elapsed_ns = message["elapsed_ns"]
                    return len(batch)
                self.warmup.append(batch)
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the trials of one command have in common."""

    libraries: tuple[Library, ...]
    devices: tuple[Device, ...]
    """All that are there."""

    def kept(
        self,
        heard: HeardTrial,
        settings: TrialSettings,
        outcome: Outcome,
        failure: Failure | None,
        *,
        created: str,
        environment: Greeting | None,
        trial_id: str = "",
        comparison: ComparisonPart | None = None,
    ) -> KeptTrial:
        """Return a trial that has ended, with its statistics and what is to be said of them."""
        facts, samples, target = heard.facts, heard.samples, settings.target
        statistics = summarize(samples.values, heard.elapsed_ns, len(samples) + samples.dropped)
        used = {*facts.target_devices, *target.device_keys, *target.second_keys}
        devices = tuple(device for device in self.devices if device.key in used)
        libraries = self._libraries_of(settings, devices)
        return KeptTrial(
            id=trial_id or new_id(),
            created=created,
            settings=settings,
            outcome=outcome,
            facts=facts,
            failure=failure,
            statistics=statistics,
            remarks=latency_remarks(
                samples.values,
                statistics,
                callers=settings.callers,
                intra_op_threads=settings.intra_op_threads,
                cpu_count=0 if environment is None else environment.cpu_count,
            ),
            samples=samples.values,
            warmup=heard.warmup.values,
            elapsed_ns=heard.elapsed_ns,
            log=heard.log.lines,
            log_left_out=heard.log.left_out,
            nodes=heard.nodes,
            environment=environment,
            devices=devices,
            target_text=target_text(target, self.devices),
            libraries=libraries,
            registrations=tuple((library.name, library.registration_ns) for library in libraries),
            comparison=comparison,
        )

    def _libraries_of(self, settings: TrialSettings, devices: tuple[Device, ...]) -> tuple[Library, ...]:
        """Return the libraries of a trial's devices; of a policy all that are loaded."""
        owners = {device.library for device in devices}
        return tuple(
            library
            for library in self.libraries
            if library.state is LibraryState.LOADED and (library.name in owners or settings.target.policy is not None)
        )
