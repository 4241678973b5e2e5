"""Judges, once a local day has ended, how each person kept to their plans; findings in the transaction that counts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from schemas.adherence import RECENT_DAYS, CountedDose, recent
from schemas.alerts import Finding
from schemas.doses import DoseState
from schemas.wall_clock import moment_of
from services.medication.adherence import RULE, Episodes, judge
from services.medication.rows import finding_row
from services.runtime.clock import Clock, to_datetime
from services.runtime.database import Connection, Pool, Queries, transaction
from services.runtime.metrics import Metrics
from services.runtime.wakeups import WakeUp, wake

_QUARTER_MIN: Final = 15
"""Offsets of zones are multiples of it, so that days end at quarter hours of UTC alone."""
_BATCH: Final = 500
_BEFORE_ALL: Final = datetime.min.replace(tzinfo=UTC)
_ONE_DAY: Final = timedelta(days=1)


@dataclass(slots=True)
class _Seen:
    """What this process knows to be done: the newest day of each zone, and the quarter hour that it looked at."""

    closed: dict[str, date] = field(default_factory=dict)
    quarter: datetime = _BEFORE_ALL


@dataclass(frozen=True, slots=True, kw_only=True)
class DayClose:
    """Each person and local day once, whoever does it and however often it starts: a row says that it was done.

    After an outage of days only the newest one that has ended is judged: what held before is nobody's news.
    """

    pool: Pool
    sql: Queries
    clock: Clock
    metrics: Metrics
    log: structlog.typing.FilteringBoundLogger
    seen: _Seen = field(default_factory=_Seen)

    async def close(self, settled_through: datetime) -> int:
        """The days that ended before ``settled_through``; says how many findings. Raises LOST_CONNECTION."""
        minute = settled_through.minute // _QUARTER_MIN * _QUARTER_MIN
        quarter = settled_through.replace(minute=minute, second=0, microsecond=0)
        if quarter <= self.seen.quarter:
            return 0
        found = 0
        for row in await self.pool.fetch(self.sql["zones_with_doses"]):
            found += await self._close_zone(row["time_zone"], settled_through)
        self.seen.quarter = quarter
        return found

    async def _close_zone(self, zone: str, settled_through: datetime) -> int:
        day = settled_through.astimezone(ZoneInfo(zone)).date() - _ONE_DAY
        if self.seen.closed.get(zone) == day:
            return 0
        found = 0
        while (batch := await self._close_some(zone, day)) is not None:
            found += batch
        self.seen.closed[zone] = day
        return found

    async def _close_some(self, zone: str, day: date) -> int | None:
        """A batch of people; how many findings, None where nobody is left."""
        first_at, end_at = _bounds(day - _ONE_DAY * (RECENT_DAYS - 1), day, zone)
        async with transaction(self.pool) as connection:
            await connection.execute(self.sql["take_turn"])
            people = await connection.fetch(self.sql["people_to_close"], zone, day, first_at, end_at, _BATCH)
            if not people:
                return None
            numbers = [row["person_no"] for row in people]
            doses = await self._doses(connection, numbers, (first_at, end_at), zone)
            episodes = await self._episodes(connection, numbers)
            now, findings, rows = to_datetime(self.clock.now_ms()), [], []
            for row in people:
                counts = recent(doses.get(row["person_no"], ()), day)
                before = episodes.get(row["person_no"], Episodes())
                finding = judge(row["person_no"], row["home_no"], counts, before, end_at)
                findings += [finding] if finding is not None else []
                rows.append((row["person_no"], day, counts.taken, counts.known, now))
            await connection.executemany(self.sql["close_day"], rows)
            await connection.executemany(self.sql["add_finding"], [finding_row(finding, now) for finding in findings])
        if findings:
            await wake(self.pool, WakeUp.FINDINGS, metrics=self.metrics)
        self._report(findings)
        return len(findings)

    async def _doses(
        self, connection: Connection, people: Sequence[int], between: tuple[datetime, datetime], zone: str
    ) -> dict[int, list[CountedDose]]:
        found: dict[int, list[CountedDose]] = {}
        for row in await connection.fetch(self.sql["counted_doses"], people, *between, zone):
            dose = CountedDose(row["plan_id"], row["due_at"], row["day"], DoseState(row["state"]), row["in_window"])
            found.setdefault(row["person_no"], []).append(dose)
        return found

    async def _episodes(self, connection: Connection, people: Sequence[int]) -> dict[int, Episodes]:
        rows = await connection.fetch(self.sql["newest_episodes"], people, RULE)
        return {row["person_no"]: Episodes(row["episode"], row["is_open"]) for row in rows}

    def _report(self, findings: Sequence[Finding]) -> None:
        for finding in findings:
            self.metrics.count("hb_medication_findings_total", level=str(finding.level))
            self.log.info("finding", finding_id=str(finding.finding_id), level=finding.level)


def _bounds(first: date, last: date, zone: str) -> tuple[datetime, datetime]:
    """When the first of these local days begins, and when the last one has ended."""
    where = ZoneInfo(zone)
    return moment_of(first, time(), where), moment_of(last + _ONE_DAY, time(), where)
