"""Devices that have not been heard of: one query over the clock of reception, compared with the watermark."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from schemas.alerts import EndReason
from schemas.devices import DEVICE_TYPES
from schemas.events import EVENT_TYPE_BY_KIND, EventKind
from services.runtime.clock import Clock, to_ms
from services.runtime.database import Connection, Pool, Queries, transaction
from services.score.effects import EffectWriter
from services.score.rule import ENDED, Mark, Subject, finding_from
from services.score.rules.silent_device import (
    EXPLAINED_FOR_MS,
    LAST_WORDS_MS,
    RESENDS,
    RESUMED_FOR_MS,
    SILENT_DEVICE,
)
from services.score.sample import Sample

_EXPLANATIONS: Final = [EVENT_TYPE_BY_KIND[kind].number for kind in (EventKind.NOT_WORN, EventKind.CHARGING)]
_WATCHED: Final = tuple(
    (row.code, timedelta(seconds=row.silent_after_s)) for row in DEVICE_TYPES if row.silent_after_s is not None
)
_OUTAGE_REAL_S: Final = 60.0
"""A watermark that jumps by more than this, real time, stood still before: an outage of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceWatch:
    """``resend_after_s`` in real seconds, as devices are configured."""

    pool: Pool
    sql: Queries
    clock: Clock
    writer: EffectWriter
    resend_after_s: float

    async def look(self) -> int:
        """One look; says 0, as whatever is left has to wait. Raises LOST_CONNECTION: nothing was changed."""
        async with transaction(self.pool) as connection:
            # The lock ends with the transaction; another score looks meanwhile.
            if not await connection.fetchval(self.sql["one_watcher"]):
                return 0
            watermark = await connection.fetchval(self.sql["watermark"])
            if watermark is None:
                return 0
            # Ends come first: a device may be silent again at once, as a new episode.
            heard = await connection.fetch(self.sql["heard_again"])
            for row in heard:
                await self._report(connection, row, level=ENDED, at=row["ended_at"])
            silent = (
                await self._find_silent(connection, watermark) if await self._is_settled(connection, watermark) else 0
            )
        if heard or silent:
            await self.writer.announce()
        return 0

    @property
    def _shortest(self) -> timedelta:
        """Silence shorter than some resends, real time, says nothing about a device."""
        return timedelta(seconds=RESENDS * self.resend_after_s * self.clock.rate)

    async def _is_settled(self, connection: Connection, watermark: datetime) -> bool:
        """Whether our own last outage is so long ago that devices had time to be heard again."""
        outage = timedelta(seconds=_OUTAGE_REAL_S * self.clock.rate)
        resumed_at = await connection.fetchval(self.sql["watch_silence"], watermark, outage)
        settled: bool = watermark - resumed_at >= max(self._shortest, timedelta(milliseconds=RESUMED_FOR_MS))
        return settled

    async def _find_silent(self, connection: Connection, watermark: datetime) -> int:
        rows = await connection.fetch(
            self.sql["newly_silent"],
            watermark,
            [code for code, _ in _WATCHED],
            [max(silent_after, self._shortest) for _, silent_after in _WATCHED],
            _EXPLANATIONS,
            timedelta(milliseconds=EXPLAINED_FOR_MS),
            timedelta(milliseconds=LAST_WORDS_MS),
        )
        for row in rows:
            place = row["home_no"], row["person_no"]
            episode = await connection.fetchval(self.sql["next_silence"], *place, SILENT_DEVICE.name)
            await connection.execute(
                self.sql["add_silence"], *place, episode, row["device_no"], row["last_heard_at"], row["silent_at"]
            )
            await self._report(connection, {**row, "episode": episode}, level=1, at=row["silent_at"])
        return len(rows)

    async def _report(self, connection: Connection, row: Any, *, level: int, at: datetime) -> None:
        heard = Sample(to_ms(row["last_heard_at"]), 0.0, row["device_no"], -1, -1, -1)
        noticed = heard._replace(at=to_ms(at))
        reason = EndReason.RECOVERED if level == ENDED else None
        finding = finding_from(
            SILENT_DEVICE,
            Subject(row["person_no"], row["home_no"]),
            row["episode"],
            Mark(level, heard, noticed, reason),
        )
        await self.writer.add_findings(connection, [finding])
