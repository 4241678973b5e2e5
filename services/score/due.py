"""Decides what did not happen in time: falls without an answer, SOS calls without a further press.

There are no timers: each is a row with a due time, which a restart finds again.
"""

import asyncio
from collections import deque
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from schemas.alerts import EndReason, Finding
from schemas.events import EVENT_TYPE_BY_KIND, EventKind
from schemas.reasons import NOT_SCORED, Flag
from schemas.vitals import STEPS, VITALS
from services.runtime.clock import Clock, to_datetime, to_ms
from services.runtime.database import Pool, Queries, transaction
from services.score.effects import EffectWriter
from services.score.falls import Course, course_of, fall_of
from services.score.rule import ENDED, Mark, Subject, finding_from
from services.score.rules.fall import (
    ANSWER_WITHIN_MS,
    CLOCK_LAG_MS,
    FORGOTTEN_AFTER_MS,
    HELP_AFTER_NEAR_MS,
    RECOVERY_STEPS,
)
from services.score.rules.sos import SOS
from services.score.sample import Sample

STILL_S: Final = 60.0
"""When the watermark has not moved for so long, real time, falls are decided without it."""
_OF_FALLS: Final = (
    [EVENT_TYPE_BY_KIND[kind].number for kind in (EventKind.FALL_ANSWERED, EventKind.CHECK_IN_ANSWERED)],
    STEPS.number,
    [vital.number for vital in VITALS],
    int(Flag.LYING),
    int(Flag.UPRIGHT),
    int(NOT_SCORED),
    RECOVERY_STEPS,
    *(timedelta(milliseconds=ms) for ms in (ANSWER_WITHIN_MS, CLOCK_LAG_MS, HELP_AFTER_NEAR_MS, FORGOTTEN_AFTER_MS)),
    int(Flag.RETAINED),
)
"""What ``claim_falls`` asks for besides the moment, in its order."""


def answer_hold_s(*, rate: float, resend_after_s: float) -> float:
    """Real seconds that an answer given in time may still be on its way from the device.

    Half a second in production. On a fast clock a person's minute may be shorter than the time to a
    device's resend: then it is two resends, but a fall never waits longer than in production.
    """
    return max(0.5, min(2 * resend_after_s, ANSWER_WITHIN_MS / 1000 * (1 - 1 / rate)))


class PassedTime:
    """The watermark as it was ``hold_s`` real seconds ago, and for how long it has stood still."""

    def __init__(self, *, hold_s: float) -> None:
        self._hold_s = hold_s
        self._seen: deque[tuple[float, datetime | None]] = deque()

    def see(self, watermark: datetime | None, now_s: float) -> datetime | None:
        """Takes the newest watermark at real time ``now_s``; gives that of ``hold_s`` before."""
        if not self._seen or self._seen[-1][1] != watermark:
            self._seen.append((now_s, watermark))
        # The first entry is the newest one that is old enough; older ones are needed no more.
        while len(self._seen) > 1 and self._seen[1][0] <= now_s - self._hold_s:
            self._seen.popleft()
        first_s, held = self._seen[0]
        return held if first_s <= now_s - self._hold_s else None

    def stands_still(self, now_s: float) -> bool:
        """Whether the newest watermark has been the newest for STILL_S."""
        return bool(self._seen) and now_s - self._seen[-1][0] >= STILL_S


class DueRows:
    """Decides suspected falls, ends confirmed ones and SOS calls, once the watermark has passed."""

    def __init__(self, *, pool: Pool, sql: Queries, clock: Clock, writer: EffectWriter, resend_after_s: float) -> None:
        self._pool, self._sql, self._clock, self._writer = pool, sql, clock, writer
        self._passed = PassedTime(hold_s=answer_hold_s(rate=clock.rate, resend_after_s=resend_after_s))

    async def settle(self) -> int:
        """One look; says how much was done. Raises LOST_CONNECTION: nothing was changed."""
        now_s = asyncio.get_running_loop().time()
        passed = self._passed.see(await self._pool.fetchval(self._sql["watermark"]), now_s)
        # What is answered, or seen, is known before that: only what did not happen has to wait.
        done = await self._follow_falls(passed)
        if passed is not None:
            done += await self._end_calls(passed)
        # By the clock: an outage of ours must not keep a fall from people. It is marked as
        # unverified.
        if self._passed.stands_still(now_s):
            done += await self._follow_falls(to_datetime(self._clock.now_ms()), unverified=True)
        return done

    async def end_falls(self) -> int:
        """One look at the confirmed falls that are not over."""
        return await self._follow_falls(await self._pool.fetchval(self._sql["watermark"]), confirmed=True)

    async def _follow_falls(self, passed: datetime | None, *, confirmed: bool = False, unverified: bool = False) -> int:
        now = self._clock.now_ms()
        async with transaction(self._pool) as connection:
            rows = await connection.fetch(self._sql["claim_falls"], passed, confirmed, *_OF_FALLS)
            # While the watermark stands still nobody can know whether somebody has got up.
            followed = [row for row in rows if row["level"] is None or not unverified]
            moment = now if passed is None else to_ms(passed)
            courses = [(row, course_of(fall_of(row), moment, unverified=unverified)) for row in followed]
            findings = [
                replace(finding, known_by=_known_by(row)) for row, course in courses for finding in course.findings
            ]
            await self._writer.add_findings(connection, findings)
            await connection.executemany(
                self._sql["save_fall"], [(*_key(row), to_datetime(now), *_kept(course)) for row, course in courses]
            )
        return await self._announced(len(findings))

    async def _end_calls(self, due: datetime) -> int:
        async with transaction(self._pool) as connection:
            rows = await connection.fetch(self._sql["claim_over_calls"], due)
            await self._writer.add_findings(
                connection,
                [replace(end_of_call(row), known_by=to_ms(due)) for row in rows],
            )
            await connection.executemany(self._sql["end_call"], [_key(row) for row in rows])
        return await self._announced(len(rows))

    async def _announced(self, findings: int) -> int:
        if findings:
            await self._writer.announce()
        return findings


def end_of_call(row: Any) -> Finding:
    """That nobody has pressed again, of a row of ``sos_calls``."""
    sample = Sample(to_ms(row["observed_at"]), 0.0, row["device_no"], row["epoch"], row["seq"], row["item"])
    return finding_from(
        SOS,
        Subject(row["person_no"], row["home_no"]),
        row["episode"],
        Mark(ENDED, sample, sample, EndReason.NO_DATA),
        said=row["said"] + 1,
        observed_at=to_ms(row["due_at"]),
    )


def _kept(course: Course) -> tuple[object, ...]:
    moments = (course.lying_at, course.ended_at)
    return course.level, course.said, *(None if one is None else to_datetime(one) for one in moments)


def _known_by(row: Any) -> int:
    return 0 if row["known_by"] is None else to_ms(row["known_by"])


def _key(row: Any) -> tuple[int, int, int]:
    return row["home_no"], row["person_no"], row["episode"]
