"""Makes each doctor's list of the morning, once a day, where there is something to list."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg
import structlog

from schemas.alerts import Severity
from schemas.held_readings import WAITS_LONG
from schemas.rule_names import LISTED
from services.alert.morning import EntryKind, ListEntry, in_order, morning_of, next_morning
from services.runtime.clock import Clock, to_datetime, to_ms
from services.runtime.database import Connection, Pool, Queries, transaction
from services.runtime.metrics import Metrics

_MOST: Final = 50
_FIRST_LOOKS_BACK_MS: Final = 24 * 60 * 60_000
_NOWHERE: Final = "UTC"
"""The zone of a doctor who cares for nobody any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MorningLists:
    """When the next list of a doctor is due is a row: an outage makes it late, and a restart makes no second one."""

    pool: Pool
    sql: Queries
    channels: Sequence[str]
    clock: Clock
    real: Clock
    metrics: Metrics
    log: structlog.typing.FilteringBoundLogger

    async def make(self) -> int:
        """Those that are due, a batch at a time; says how many mornings are over. Raises LOST_CONNECTION: none."""
        now = self.clock.now_ms()
        async with transaction(self.pool) as connection:
            begun = await self._begin(connection, now)
            rows = await connection.fetch(self.sql["claim_looks"], to_datetime(now), _MOST)
            made = [await self._look(connection, row, now) for row in rows]
        numbers = [list_no for list_no in made if list_no is not None]
        self.metrics.count("hb_alert_lists_total", len(numbers))
        for list_no in numbers:
            self.log.info("morning list", list_no=list_no)
        return begun + len(rows)

    async def _begin(self, connection: Connection, now: int) -> int:
        rows = await connection.fetch(self.sql["unlooked"], to_datetime(now), _MOST)
        since = to_datetime(now - _FIRST_LOOKS_BACK_MS)
        looks = [(row["doctor_no"], to_datetime(next_morning(now, row["zone"])), since) for row in rows]
        await connection.executemany(self.sql["begin_looks"], looks)
        return len(rows)

    async def _look(self, connection: Connection, row: asyncpg.Record, now: int) -> int | None:
        """The number of the list; None where there is nothing to list, or it would come too late."""
        doctor_no, zone, at = row["doctor_no"], row["zone"] or _NOWHERE, to_datetime(now)
        following = to_datetime(next_morning(now, zone))
        day = morning_of(to_ms(row["next_at"]), now, zone)
        if day is None:
            await connection.execute(self.sql["look_done"], doctor_no, following, row["looked_at"])
            return None
        await connection.execute(self.sql["look_done"], doctor_no, following, at)
        found = await connection.fetch(
            self.sql["entries"], doctor_no, row["looked_at"], at, sorted(LISTED), at - WAITS_LONG
        )
        entries = in_order(_entry_of(one) for one in found)
        if not entries:
            return None
        list_no: int | None = await connection.fetchval(
            self.sql["make_list"], doctor_no, day, zone, row["looked_at"], at
        )
        if list_no is None:
            return None
        await connection.executemany(
            self.sql["add_entry"],
            [
                (
                    list_no,
                    place,
                    one.kind,
                    one.person_no,
                    one.home_no,
                    one.rule,
                    one.severity,
                    one.alert_id,
                    one.finding_id,
                    one.held_id,
                    one.waiting,
                )
                for place, one in enumerate(entries, start=1)
            ],
        )
        real = to_datetime(self.real.now_ms())
        await connection.execute(self.sql["queue_sendings"], list_no, doctor_no, self.channels, real)
        return list_no


def _entry_of(row: asyncpg.Record) -> ListEntry:
    return ListEntry(
        kind=EntryKind(row["kind"]),
        severity=Severity(row["severity"]),
        person_no=row["person_no"],
        home_no=row["home_no"],
        rule=row["rule"],
        concern=row["concern"],
        at=to_ms(row["at"]),
        alert_id=row["alert_id"],
        finding_id=row["finding_id"],
        held_id=row["held_id"],
        waiting=row["waiting"],
    )
