"""Answers the rows of back-tests that doctors ask for: stored rows in, what would have been said out."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog

from schemas.devices import DEVICE_TYPE_BY_CODE, DEVICE_TYPE_BY_NUMBER
from schemas.events import EVENT_TYPE_BY_KIND, EventKind
from schemas.limit_levels import limits_of
from schemas.limits import Limits, LimitsError
from schemas.records import JudgedReading, JudgedUplink
from schemas.vitals import VITAL_BY_NUMBER
from services.runtime.clock import Clock, to_datetime, to_ms
from services.runtime.database import LOST_CONNECTION, Connection, Pool, Queries, load_queries, transaction
from services.score.back_test import BackTest, Compared, Extent, NotLimitedError, Said
from services.score.known_limits import KnownLimits
from services.score.known_rules import KnownRules
from services.score.limit_book import LimitBook
from services.score.rule_timeline import RuleTimeline
from services.score.sample import SPOT_TYPES
from services.score.source import read_events
from services.score.stood import FOREVER

_SQL: Final = load_queries("services.score", "back_tests.sql")
_DAY: Final = timedelta(days=1)
_LONG: Final = 15 * _DAY
_ANSWERED: Final = EVENT_TYPE_BY_KIND[EventKind.CHECK_IN_ANSWERED].number
_VITALS: Final = list(VITAL_BY_NUMBER)
_USED: Final = [DEVICE_TYPE_BY_NUMBER[number].code for number in sorted(SPOT_TYPES)]
"""The kinds of devices that measure when somebody asks, and that a home may share."""
_Key = tuple[int, int, int, int]
_TURN_S: Final = 0.01
"""Real seconds that live records wait for a back-test at most, or somewhat more."""
_SAYS_EVERY_S: Final = 0.25
_FAILED: Final = "the platform could not compute it; the log of score says why"
_READING: Final = 0.3
"""The share of a back-test that reading takes, for its progress."""


class _StoppedError(Exception):
    """Another score will begin it again."""


class BackTests:
    """One at a time; several scores may, each takes rows that no other holds. None outlives ``stop``."""

    def __init__(
        self, *, pool: Pool, sql: Queries, clock: Clock, limits: KnownLimits, rules: KnownRules, stop: asyncio.Event,
        log: structlog.typing.FilteringBoundLogger,
    ) -> None:  # fmt: skip
        self._pool, self._sql, self._clock, self._limits, self._rules = pool, sql, clock, limits, rules
        self._stop, self._log = stop, log

    async def answer(self) -> int:
        """One, if one is asked for; says whether. Raises LOST_CONNECTION: nothing was changed."""
        book, timeline = await self._limits.look(), await self._rules.look()
        row: Any = None
        try:
            async with transaction(self._pool) as connection:
                row = await connection.fetchrow(_SQL["claim_back_test"])
                if row is None:
                    return 0
                await self._end(connection, row, await self._result(connection, row, book, timeline), None)
        except (LimitsError, NotLimitedError) as error:
            await self._end(self._pool, row, None, str(error))
        except _StoppedError:
            return 0
        except LOST_CONNECTION:
            raise
        except Exception as error:  # noqa: BLE001 - what a doctor tries must not end the scoring of anybody
            self._log.error("back-test failed", error=type(error).__name__, back_test_id=str(row["back_test_id"]))
            await self._end(self._pool, row, None, _FAILED)
        return 1

    async def _end(self, on: Pool | Connection, row: Any, result: Mapping[str, Any] | None, failed: str | None) -> None:
        now = to_datetime(self._clock.now_ms())
        await on.execute(_SQL["end_back_test"], row["back_test_id"], now, result, failed)

    async def _result(
        self, connection: Connection, row: Any, book: LimitBook, timeline: RuleTimeline
    ) -> Mapping[str, Any]:
        since = row["asked_at"] - timedelta(days=row["days"])
        progress = Progress(self._pool, row["back_test_id"])
        extent: Extent | None = Extent()
        records, read_for = list[JudgedUplink](), None
        while extent is not None:
            test = BackTest(
                person_no=row["person_no"], home_no=row["home_no"], people=row["people"], instead=tried_in(dict(row)),
                limits=book, asked_at=to_ms(row["asked_at"]), rules=timeline, extent=extent,
            )  # fmt: skip
            if read_for != extent.whole:
                records, read_for = await self._read(connection, row, test, since, progress), extent.whole
            await self._run(test, records, progress)
            extent = test.needs
        return plain_of(test.compared(to_ms(since)))

    async def _run(self, test: BackTest, records: Sequence[JudgedUplink], progress: "Progress") -> None:
        turn = asyncio.get_running_loop().time
        began = turn()
        for done in test.take(records):
            if turn() - began >= _TURN_S:
                if self._stop.is_set():
                    raise _StoppedError
                await progress.say(_READING + (1 - _READING) * done / len(records))
                await asyncio.sleep(0)
                began = turn()

    async def _read(
        self, connection: Connection, row: Any, test: BackTest, since: datetime, progress: "Progress"
    ) -> list[JudgedUplink]:
        """A part at a time, so that nobody waits long; in the order of reception."""
        people = row["people"] if test.reads_home else [row["person_no"]]
        begins, until = since - timedelta(milliseconds=test.past_ms), row["asked_at"] + _DAY
        found, devices = dict[_Key, JudgedUplink](), dict[int, Any]()
        unread = [DEVICE_TYPE_BY_NUMBER[number].code for number in test.unread_types]
        oldest = begins - timedelta(milliseconds=test.bands_ms)
        for first, end in parts_of(oldest, begins, until):
            asked = people, first, end, row["asked_at"]
            is_before = end <= begins
            # Of these what they wear, too; of room-mates, and of before, only what they use.
            whole = [] if is_before else people if test.extent.whole else [row["person_no"]]
            rows = await connection.fetch(_SQL["readings_in_columns"], *asked, _VITALS, unread, whole, _USED)
            new = {one["device_no"] for one in rows} - devices.keys()
            if new:
                known = await connection.fetch(_SQL["devices_of_records"], list(new))
                devices |= {one["device_no"]: one for one in known}
            measured = [uplink for one in rows for uplink in uplinks_of(dict(one), devices[one["device_no"]])]
            said = await read_events(connection, self._sql, *asked)
            for one in [*measured, *(answers_in(said) if is_before else said)]:
                key = one.received_at, one.device_no, one.epoch, one.seq
                found[key] = together(found[key], one) if key in found else one
            await progress.say(_READING * min(1.0, (end - oldest) / (until - oldest)))
        return [found[key] for key in sorted(found)]


def parts_of(first: datetime, begins: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """From ``first`` up to ``begins``, of which little is read, in long parts; from there up to ``until``, in days."""
    while first < begins:
        yield first, min(first + _LONG, begins)
        first += _LONG
    while begins < until:
        yield begins, begins + _DAY
        begins += _DAY


def answers_in(records: Iterable[JudgedUplink]) -> Iterator[JudgedUplink]:
    """What somebody has answered, and no other event: whether a device was worn is known by its readings as well."""
    for one in records:
        events = tuple([event for event in one.events if event.kind == _ANSWERED])
        if events:
            yield one._replace(events=events)


class Progress:
    """Says how much is done, now and then; never less than before, though some of it may have to be done again."""

    def __init__(self, pool: Pool, back_test_id: UUID) -> None:
        self._pool, self._back_test_id = pool, back_test_id
        self._said_at, self._said = asyncio.get_running_loop().time(), 0.0

    async def say(self, share: float) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._said_at >= _SAYS_EVERY_S and share > self._said:
            self._said_at, self._said = now, share
            await self._pool.execute(_SQL["say_progress"], self._back_test_id, share)


def tried_in(row: Mapping[str, Any]) -> Limits:
    """The limits that a row asks about. Raises LimitsError."""
    return limits_of({**row, "source": "", "signed_off_by": ""})


def plain_of(compared: Compared) -> Mapping[str, Any]:
    """As the row keeps it."""
    return {
        "today": list(map(_plain, compared.today)),
        "changed": list(map(_plain, compared.changed)),
        "vanish": list(map(_plain, compared.vanish)),
        "begin": list(map(_plain, compared.begin)),
        "differ": [[_plain(before), _plain(after)] for before, after in compared.differ],
    }


def _plain(one: Said) -> Mapping[str, Any]:
    return {
        "concern": one.concern,
        "since_ms": one.since,
        "until_ms": None if one.until == FOREVER else one.until,
        "level": one.level,
        "severity": int(one.severity),
        "alerts": one.alerts,
    }


def uplinks_of(row: Mapping[str, Any], device: Mapping[str, Any]) -> Iterator[JudgedUplink]:
    """The records of a row of ``readings_in_columns``."""
    columns = [row[name] for name in ("item", "person_no", "vital", "value", "observed_ms", "flags")]
    readings = list(map(JudgedReading._make, zip(*columns, strict=True)))
    kind = DEVICE_TYPE_BY_CODE.get(device["device_type"])
    sent, begins = list(zip(row["received_ms"], row["seq"], strict=True)), 0
    for ends, last in enumerate(sent, 1):
        if ends == len(sent) or sent[ends] != last:
            received_at, seq = last
            yield JudgedUplink(
                device_no=device["device_no"], device=device["device"], home_no=device["home_no"],
                shard=device["shard"], epoch=row["epoch"], seq=seq, oldest=0, sent_at=received_at,
                received_at=received_at, readings=tuple(readings[begins:ends]), events=(),
                device_type=kind.number if kind else 0,
            )  # fmt: skip
            begins = ends


def together(one: JudgedUplink, other: JudgedUplink) -> JudgedUplink:
    """Two parts of an uplink, of two days."""
    return one._replace(
        readings=tuple(sorted(one.readings + other.readings)),
        events=tuple(sorted(one.events + other.events, key=lambda event: event.item)),
    )
