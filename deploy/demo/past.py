"""The past of a demo: 28 days of everybody, made by the simulator, that come in behind the first screen.

Where it enters: device_sim/past.py makes the uplinks that each device would have sent, each under an epoch of their own
(PAST_EPOCH). How it flows: ingest's own judgement turns them into records, store's own writer into rows, with when they
were received; medication plans and settles the doses, score counts the days, both from these rows. Where it leaves:
nowhere. It goes through neither broker nor log, so no rule takes a step, no position and no watermark moves, no ack is
sent, and nobody is notified; what is proven of the log is proven of the log alone (accounts leave this epoch out).

What has to hold before anything runs (``begin``) is written before the services start: who is registered since the past
began, has been heard up to now, and no dose of before is anybody's to look at. The rest is written in chunks, at the
lowest priority. The same again writes nothing: what is settled is not written twice.
"""

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from device_sim.past import PAST_DAYS, PAST_EPOCH, PastPlan, PastUplink, past_of
from device_sim.world import SimDevice
from schemas.codec import seal
from schemas.metrics import METRICS
from schemas.records import SealedUplink
from schemas.topics import shard_of
from services.ingest.core import judge
from services.ingest.registry import Registry, build_registry
from services.medication.past import begin_past as begin_doses
from services.medication.past import settle_past
from services.runtime.clock import Clock, to_datetime
from services.runtime.database import Pool, load_queries, open_pool, transaction
from services.runtime.metrics import Metrics
from services.runtime.settings import DatabaseSettings
from services.score.past_days import count_days
from services.score.stored_days import leave_to_others
from services.store.past import PastWriter, begin_past

_DAY_MS: Final = 24 * 3_600_000
_CHUNK: Final = 400
"""Uplinks a transaction: some 1,600 rows, so that what is live never waits long."""
_REST_S: Final = 0.01
_BY_THEMSELVES: Final = ("wearable_band", "cgm")
"""Devices whose past is long. The others come first: doses, and what people measure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far it has come. ``made`` items of readings and events, of which so many rows are new."""

    days: int = 0
    of_days: int = PAST_DAYS
    readings: int = 0
    events: int = 0
    doses: int = 0
    people: int = 0
    uplinks: int = 0
    rejections: int = 0
    done: bool = False

    def said(self) -> str:
        """For people."""
        if self.done:
            return f"history: {self.of_days} days, {self.readings:,} readings"
        return f"history: {self.days} of {self.of_days} days"

    def write(self, path: Path) -> None:
        """For the demo, which reads it at any moment."""
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(self)))
        fresh.replace(path)

    @classmethod
    def read(cls, path: Path) -> "Progress | None":
        """What was written last; None before there is anything."""
        return cls(**json.loads(path.read_text())) if path.exists() else None


async def begin(dsn: str, origin_ms: int) -> None:
    """What has to hold before a service starts. Once only."""
    settings = DatabaseSettings(dsn=SecretStr(dsn))
    async with open_pool(settings, application="hb-demo-past") as pool, transaction(pool) as connection:
        await begin_past(connection, PAST_EPOCH, origin_ms - 1)
        await begin_doses(connection, to_datetime(origin_ms))
        await leave_to_others(connection)


@dataclass(slots=True, kw_only=True)
class Filling:
    """Fills a database with the past of ``plan``, and writes to ``report`` how far it has come."""

    pool: Pool
    plan: PastPlan
    clock: Clock
    report: Path
    progress: Progress = field(default_factory=Progress)

    async def fill(self) -> Progress:
        """All of it. Raises what ``LOST_CONNECTION`` lists."""
        registry, writer = await self._registry(), PastWriter(self.pool, self.clock, Metrics(METRICS))
        devices = self.plan.world.devices
        at_will = [one for one in devices if one.type not in _BY_THEMSELVES]
        for device in at_will:
            await self._write(writer, _judged(self.plan, [device], registry))
        since, until = to_datetime(self.plan.start_ms), to_datetime(self.plan.end_ms)
        self._note(doses=await settle_past(self.pool, since, until))
        days = _Days(self.plan, [one for one in devices if one.type in _BY_THEMSELVES])
        for day in range(1, self.progress.of_days + 1):
            await self._write(writer, _judged_of(days.until(self.plan.start_ms + day * _DAY_MS), registry))
            self._note(days=day)
        self._note(people=await count_days(self.pool, PAST_EPOCH, self.plan.end_ms), done=True)
        return self.progress

    async def _registry(self) -> Registry:
        sql = load_queries("services.ingest")
        devices, bindings = await self.pool.fetch(sql["devices"]), await self.pool.fetch(sql["bindings"])
        return build_registry(map(dict, devices), map(dict, bindings))

    async def _write(self, writer: PastWriter, uplinks: Iterator[SealedUplink]) -> None:
        while chunk := list(islice(uplinks, _CHUNK)):
            written, before = await writer.write_past(chunk), self.progress
            self.progress = replace(
                before,
                readings=before.readings + written.readings,
                events=before.events + written.events,
                rejections=before.rejections + written.rejections,
                uplinks=before.uplinks + len(chunk),
            )
            await asyncio.sleep(_REST_S)

    def _note(self, **known: int) -> None:
        self.progress = replace(self.progress, **known)  # type: ignore[arg-type]
        self.progress.write(self.report)


class _Days:
    """The uplinks of some devices, day after day."""

    def __init__(self, plan: PastPlan, devices: Sequence[SimDevice]) -> None:
        self._left = [(device.device, past_of(plan, device)) for device in devices]
        self._next: dict[str, PastUplink] = {}

    def until(self, end_ms: int) -> Iterator[tuple[str, PastUplink]]:
        """Those received before ``end_ms`` that were not given yet."""
        for device, uplinks in self._left:
            held = self._next.pop(device, None) or next(uplinks, None)
            while held is not None and held.received_at < end_ms:
                yield device, held
                held = next(uplinks, None)
            if held is not None:
                self._next[device] = held


def _judged(plan: PastPlan, devices: Sequence[SimDevice], registry: Registry) -> Iterator[SealedUplink]:
    return _judged_of(((one.device, uplink) for one in devices for uplink in past_of(plan, one)), registry)


def _judged_of(uplinks: Iterator[tuple[str, PastUplink]], registry: Registry) -> Iterator[SealedUplink]:
    """As ingest judges what comes from its broker."""
    for device, uplink in uplinks:
        judged = judge(
            uplink.payload,
            device=device,
            entry=registry.get(device),
            shard=shard_of(device),
            received_at=uplink.received_at,
        )
        yield seal(judged)
