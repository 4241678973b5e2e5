"""What the bus shows: consumer groups that have work before them and do not move."""

from dataclasses import dataclass, field
from typing import Final

from schemas.topics import BUS_TOPICS
from services.runtime.bus.port import Bus
from services.runtime.metrics import Metrics
from services.watch.core import Condition, Kind, Progress, advance
from services.watch.probe import ProbeResult

STUCK_MS: Final = 60_000
"""Score commits with its checkpoint, every 8 s: a group that stands still for a minute is stuck."""


@dataclass(slots=True, kw_only=True)
class BusProbe:
    """Compares each group's offsets with the end of its log."""

    bus: Bus
    metrics: Metrics
    _progress: dict[str, Progress] = field(default_factory=dict)

    @property
    def kinds(self) -> frozenset[Kind]:
        return frozenset({Kind.NO_PROGRESS})

    async def probe(self, now: int) -> ProbeResult:
        places = {}
        for topic in BUS_TOPICS:
            for group in topic.groups:
                for partition, place in (await self.bus.positions(topic.name, group)).items():
                    places[f"{group} {topic.name} {partition}"] = (place.position, place.end)
        self._progress = advance(self._progress, places, now)
        stuck: dict[str, list[Progress]] = {}
        for name, progress in self._progress.items():
            self._show(name, progress, now)
            if progress.lag and now - progress.since >= STUCK_MS:
                stuck.setdefault(name.split()[0], []).append(progress)
        return ProbeResult(
            conditions=[
                Condition(
                    kind=Kind.NO_PROGRESS,
                    subject=group,
                    detail=f"{len(standing)} partitions, {sum(one.lag for one in standing)} records behind.",
                )
                for group, standing in stuck.items()
            ]
        )

    def _show(self, name: str, progress: Progress, now: int) -> None:
        group, topic, partition = name.split()
        stands_s = (now - progress.since) / 1000 if progress.lag else 0.0
        self.metrics.set("hb_watch_group_lag_records", progress.lag, topic=topic, group=group, partition=partition)
        self.metrics.set("hb_watch_group_stands_seconds", stands_s, topic=topic, group=group, partition=partition)
