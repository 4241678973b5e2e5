"""What the database shows: work that is overdue, counters that must not rise, devices that send too much."""

from dataclasses import dataclass
from datetime import UTC, datetime
from math import nan
from typing import Final

import asyncpg

from services.runtime.clock import Clock, to_datetime, to_ms
from services.runtime.database import Pool, Queries
from services.runtime.metrics import Metrics
from services.watch.core import Condition, Kind
from services.watch.probe import Counted, ProbeResult

STALLED_S: Final = 60
"""Real seconds without progress of the watermark after which nothing gets through."""
OVERDUE_S: Final = 45
"""Real seconds after which work that is due and not done is stuck: with a look every 5 s it is found within 60 s."""
UNCLAIMED_S: Final = 120
"""For notifications: a channel that fails is tried again after 5, 15, 45 and 120 s, and each attempt may take 60 s."""
FLOOD_LASTS_S: Final = 60
VIEWERS_MAY_S: Final = 30
"""Real seconds that a viewer's transaction may last; their panels' queries have ten."""
QUEUE_SHARE: Final = 0.25
"""From how full a queue of notifications on operators hear of it."""
JUNK_WITHIN_MS: Final = 3_600_000
JUNK_ITEMS: Final = 600
"""Items of one device rejected within an hour of platform time: one in six seconds."""
_JUNK_EVERY_MS: Final = 60_000
_WITHOUT_RECIPIENT_EVERY_MS: Final = 10_000
"""Shorter than such a condition has to last (``HOLDS_MS``), so that one look alone opens no
incident."""


@dataclass(slots=True, kw_only=True)
class DatabaseProbe:
    """Asks a few indexed questions at each look.

    What goes over many rows is asked less often: devices that send junk, and people without
    recipient.
    """

    pool: Pool
    sql: Queries
    clock: Clock
    metrics: Metrics
    _junk: tuple[Condition, ...] = ()
    _junk_at: int = 0
    _without_recipient: tuple[Condition, ...] = ()
    _without_recipient_at: int = 0

    @property
    def kinds(self) -> frozenset[Kind]:
        return frozenset(
            {Kind.PLATFORM_OUTAGE, Kind.STEP_OVERDUE, Kind.FINDING_UNCLAIMED, Kind.NOTIFICATION_UNSENT,
             Kind.CHECK_OVERDUE, Kind.COMMAND_UNSENT, Kind.AUDIT_UNSEALED, Kind.NO_RECIPIENT,
             Kind.CLAIM_USED_AGAIN, Kind.NOTIFICATION_FAILED, Kind.KEY_CONFLICT, Kind.WAKE_UPS_PILE_UP,
             Kind.VIEWER_ENDED, Kind.VIEWER_STAYS, Kind.DEVICE_THROTTLED, Kind.DEVICE_JUNK}
        )  # fmt: skip

    async def probe(self, now: int) -> ProbeResult:
        watermark: datetime | None = await self.pool.fetchval(self.sql["watermark"])
        await self._show(watermark)
        conditions = self._outage(watermark)
        conditions += await self._overdue(now, watermark)
        conditions += await self._viewers(now)
        if doubted := await self.pool.fetchval(self.sql["doubted_claims"], to_datetime(self.clock.now_ms())):
            conditions.append(Condition(kind=Kind.CLAIM_USED_AGAIN, detail=f"{doubted} now."))
        since = to_datetime(now - FLOOD_LASTS_S * 1000)
        conditions += [
            Condition(
                kind=Kind.DEVICE_THROTTLED,
                subject=row["device"],
                detail=f"{row['throttled']} uplinks throttled so far.",
            )
            for row in await self.pool.fetch(self.sql["floods"], since)
        ]
        if now - self._without_recipient_at >= _WITHOUT_RECIPIENT_EVERY_MS:
            self._without_recipient, self._without_recipient_at = await self._people_without_recipient(), now
        if now - self._junk_at >= _JUNK_EVERY_MS:
            self._junk, self._junk_at = await self._junk_devices(), now
        counted = [
            Counted(kind=Kind(row["kind"]), counter=row["kind"], value=int(row["value"]))
            for row in await self.pool.fetch(self.sql["happened"])
        ]
        return ProbeResult(conditions=[*conditions, *self._without_recipient, *self._junk], counted=counted)

    async def _show(self, watermark: datetime | None) -> None:
        age_s = nan if watermark is None else (self.clock.now_ms() - to_ms(watermark)) / 1000 / self.clock.rate
        self.metrics.set("hb_watch_watermark_age_seconds", age_s)
        before = datetime.now(UTC)
        there: datetime = await self.pool.fetchval(self.sql["clock"])
        self.metrics.set("hb_watch_clock_skew_seconds", skew_s(before, there, datetime.now(UTC)))

    def _real_s(self, seconds: float) -> int:
        """Real seconds as milliseconds of platform time."""
        return round(seconds * 1000 * self.clock.rate)

    def _outage(self, watermark: datetime | None) -> list[Condition]:
        if watermark is None:
            return [Condition(kind=Kind.PLATFORM_OUTAGE, detail="Nothing has come through yet.")]
        behind = self.clock.now_ms() - to_ms(watermark)
        if behind <= self._real_s(STALLED_S):
            return []
        return [Condition(kind=Kind.PLATFORM_OUTAGE, detail=f"Nothing since {watermark:%Y-%m-%d %H:%M:%S} UTC.")]

    async def _overdue(self, now: int, watermark: datetime | None) -> list[Condition]:
        platform = to_datetime(self.clock.now_ms() - self._real_s(OVERDUE_S))
        real = to_datetime(now - UNCLAIMED_S * 1000)
        judged = None if watermark is None else to_datetime(to_ms(watermark) - self._real_s(OVERDUE_S))
        return [
            Condition(
                kind=Kind(row["kind"]),
                detail=f"{row['items']}, the oldest of {row['oldest_at']:%Y-%m-%d %H:%M:%S} UTC.",
            )
            for row in await self.pool.fetch(self.sql["overdue"], platform, real, judged)
            if row["items"]
        ]

    async def _viewers(self, now: int) -> list[Condition]:
        """A viewer may send any SQL, lift their own time-outs, listen and sleep. Logins are named after groups."""
        used: float = await self.pool.fetchval(self.sql["notification_queue"])
        try:
            ended = await self.pool.fetch(self.sql["end_old_viewers"], to_datetime(now - VIEWERS_MAY_S * 1000))
        except asyncpg.InsufficientPrivilegeError:
            return [Condition(kind=Kind.VIEWER_STAYS, detail="It needs pg_signal_backend.")]
        found = [
            Condition(kind=Kind.VIEWER_ENDED, subject=login, detail=f"Open for more than {VIEWERS_MAY_S} s.")
            for login in sorted({row["login"] for row in ended if row["ended"]})
        ]
        if used >= QUEUE_SHARE:
            found.append(Condition(kind=Kind.WAKE_UPS_PILE_UP, detail=f"{used:.0%} full."))
        return found

    async def _people_without_recipient(self) -> tuple[Condition, ...]:
        """Finds people of whom nobody would be notified, before anything happens; only how many."""
        people: int = await self.pool.fetchval(self.sql["people_without_recipient"], to_datetime(self.clock.now_ms()))
        return (Condition(kind=Kind.NO_RECIPIENT, detail=f"{people} now."),) if people else ()

    async def _junk_devices(self) -> tuple[Condition, ...]:
        since = to_datetime(self.clock.now_ms() - JUNK_WITHIN_MS)
        rows = await self.pool.fetch(self.sql["junk"], since, JUNK_ITEMS)
        return tuple(
            Condition(kind=Kind.DEVICE_JUNK, subject=row["device"], detail=f"{row['items']} items within an hour.")
            for row in rows
        )


def skew_s(before: datetime, there: datetime, after: datetime) -> float:
    """How far our clock is ahead of the one that said ``there`` between two looks at ours; 0: within them."""
    if there < before:
        return (before - there).total_seconds()
    return min(0.0, (after - there).total_seconds())
