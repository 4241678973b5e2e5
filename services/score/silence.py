"""Devices that have not been heard of: one query over the clock of reception, compared with the watermark."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from schemas.alerts import EndReason, Finding, Message
from schemas.devices import DEVICE_TYPES
from schemas.events import EVENT_TYPE_BY_KIND, EventKind
from schemas.reasons import NOT_SCORED, Flag
from schemas.vitals import STEPS, VITALS
from services.runtime.clock import Clock, to_ms
from services.runtime.database import Connection, Pool, Queries, load_queries, transaction
from services.score.circumstances import WORN_AGAIN_MS
from services.score.effects import EffectWriter
from services.score.rule import ENDED, Mark, Subject, finding_from
from services.score.rules.silent_device import (
    EXPLAINED_FOR_MS,
    LAST_WORDS_MS,
    RESENDS,
    RESUMED_FOR_MS,
    SILENT_DEVICE,
    SILENT_HOME,
    device_message,
    home_message,
)
from services.score.sample import SHOWS_WORN, Sample
from services.score.silent_homes import OverdueDevice, Silence, silences_of

_SQL: Final = load_queries("services.score", "silence.sql")
_WATCHED: Final = tuple(
    (row.code, timedelta(seconds=row.silent_after_s)) for row in DEVICE_TYPES if row.silent_after_s is not None
)
_EXPLANATIONS: Final = (
    [EVENT_TYPE_BY_KIND[kind].number for kind in (EventKind.NOT_WORN, EventKind.CHARGING)],
    timedelta(milliseconds=EXPLAINED_FOR_MS),
    timedelta(milliseconds=LAST_WORDS_MS),
)
_ENDS_OF_EXPLANATIONS: Final = (
    EVENT_TYPE_BY_KIND[EventKind.WORN].number,
    SHOWS_WORN,
    STEPS.number,
    timedelta(milliseconds=WORN_AGAIN_MS),
    [vital.number for vital in VITALS],
    int(NOT_SCORED | Flag.RETAINED),
    int(Flag.RETAINED),
)
"""What ``newly_silent`` asks for besides kinds of device and times, in its order."""
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
            if not await connection.fetchval(_SQL["one_watcher"]):
                return 0
            watermark = await connection.fetchval(self.sql["watermark"])
            if watermark is None:
                return 0
            # Ends come first: a device may be silent again at once, as a new episode.
            ended = await self._end(connection)
            silent = (
                await self._find_silent(connection, watermark) if await self._is_settled(connection, watermark) else 0
            )
        if ended or silent:
            await self.writer.announce()
        return 0

    @property
    def _shortest(self) -> timedelta:
        """Silence shorter than some resends, real time, says nothing about a device."""
        return timedelta(seconds=RESENDS * self.resend_after_s * self.clock.rate)

    @property
    def _time_to_come_back(self) -> timedelta:
        """After an outage of ours, or of a home's gateway."""
        return max(self._shortest, timedelta(milliseconds=RESUMED_FOR_MS))

    async def _is_settled(self, connection: Connection, watermark: datetime) -> bool:
        """Whether our own last outage is so long ago that devices had time to be heard again."""
        outage = timedelta(seconds=_OUTAGE_REAL_S * self.clock.rate)
        resumed_at = await connection.fetchval(_SQL["watch_silence"], watermark, outage)
        settled: bool = watermark - resumed_at >= self._time_to_come_back
        return settled

    async def _end(self, connection: Connection) -> int:
        """Silences that are over: somebody was heard again, or nobody is expected to be heard."""
        heard = await connection.fetch(_SQL["heard_again"])
        for row in heard:
            await self._report(connection, row, reason=EndReason.RECOVERED)
        homes = await connection.fetch(_SQL["homes_heard_again"])
        for row in homes:
            of_home = {**row, "device_no": row["heard_device_no"]}
            await self._report(connection, of_home, reason=EndReason.RECOVERED, about=SILENT_HOME)
        removed = await connection.fetch(_SQL["taken_out_of_use"])
        for row in removed:
            await self._report(connection, row, reason=EndReason.NO_DATA)
        return len(heard) + len(homes) + len(removed)

    async def _find_silent(self, connection: Connection, watermark: datetime) -> int:
        rows = await connection.fetch(
            _SQL["newly_silent"],
            watermark,
            [code for code, _ in _WATCHED],
            [max(silent_after, self._shortest) for _, silent_after in _WATCHED],
            *_EXPLANATIONS,
            self._time_to_come_back,
            *_ENDS_OF_EXPLANATIONS,
        )
        silences = silences_of([OverdueDevice(**row) for row in rows], watermark, least=self._shortest)
        for one in silences:
            await self._begin(connection, one)
        return len(silences)

    async def _begin(self, connection: Connection, one: Silence) -> None:
        place = one.home_no, one.person_no
        episode = await connection.fetchval(_SQL["next_silence"], *place, SILENT_DEVICE.name)
        device_no = None if one.devices else one.device_no
        said = device_no, one.last_heard_at, one.silent_at, one.devices, one.offline_at, one.leaving
        await connection.execute(_SQL["add_silence"], *place, episode, *said)
        await self.writer.add_findings(connection, [silence_finding(one, episode)])

    async def _report(self, connection: Connection, row: Any, *, reason: EndReason, about: str = "") -> None:
        await self.writer.add_findings(connection, [end_of_silence(row, reason, about=about)])


def silence_finding(one: Silence, episode: int) -> Finding:
    """What is said of a silence that begins."""
    heard_at, at = to_ms(one.last_heard_at), to_ms(one.silent_at)
    words = (
        home_message(at - heard_at, devices=one.devices)
        if one.devices
        else device_message(at - heard_at, offline_at=one.offline_at, leaving=one.leaving)
    )
    about = SILENT_HOME if one.devices else ""
    return _finding({**one._asdict(), "episode": episode}, 1, one.silent_at, about=about, words=words)


def end_of_silence(row: Any, reason: EndReason, *, about: str = "") -> Finding:
    """That one is over, of a row of ``silences`` with the device that was heard."""
    return _finding(row, ENDED, row["ended_at"], reason, about=about)


def _finding(
    row: Any,
    level: int,
    at: datetime,
    reason: EndReason | None = None,
    *,
    about: str = "",
    words: Message | None = None,
) -> Finding:
    heard = Sample(to_ms(row["last_heard_at"]), 0.0, row["device_no"], -1, -1, -1)
    mark = Mark(level, heard, heard._replace(at=to_ms(at)), reason, about=about)
    subject = Subject(row["person_no"], row["home_no"])
    return finding_from(SILENT_DEVICE, subject, row["episode"], mark, message=words)
