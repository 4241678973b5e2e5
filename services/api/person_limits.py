"""Limits of one person: read, tried on their past, set by a doctor with a reason, given back; each change a version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from asyncpg import Record

from schemas.limit_levels import limits_of, rows_of
from schemas.limits import CONCERN_BY_NAME, Limits, LimitsError
from services.api.access import Action, AuditSubject, NotInCareError, admit_within, record_refusal
from services.api.console import Console, Doctor
from services.api.limit_changes import (
    Mute,
    Version,
    check_mute,
    check_until,
    history_of,
    muted_by,
    mutes,
    usual_of,
)
from services.api.limit_rows import LIMITS_LEAD_S
from services.api.limits_in_force import InForce, limits_in_force, title_of_concern
from services.runtime.database import Connection, transaction

SET_BY_DOCTOR: Final = "the person's doctor"
MOST_OPEN: Final = 2
"""Back-tests of one doctor that score computes, or has before it."""
_VERSION: Final = ("levels", "off", "clear_min", "worse_by", "withdrawn", "source", "signed_off_by")
_INSTANT: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfPerson:
    """What holds for a person now, what would hold without limits of their own, and what has changed.

    ``coming``: what holds once the changes of the last seconds have begun: a further change does not undo them.
    ``newest``: the number of the newest version of their own, by concern, whether or not it holds yet. ``muted``: of
    which concerns nobody is called for what is urgent.
    """

    in_force: Sequence[InForce]
    coming: Sequence[InForce]
    usual: Mapping[str, Limits]
    history: Sequence[Version]
    newest: Mapping[str, int]
    muted: Sequence[Mute]

    def limits(self, concern: str) -> Limits | None:
        """Those of a concern that a change begins with, None where nobody has said any."""
        return next((one.limits for one in self.coming if one.limits.concern == concern), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsWish:
    """What a doctor wants to hold. ``seen``: the newest own version of the concern that they knew of, 0 for none.

    ``until``: what held before holds again from then on; ``confirmed``: limits that mute what is urgent
    (``limit_changes.mutes``) need both.
    """

    limits: Limits
    reason: str
    seen: int
    until: datetime | None = None
    confirmed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BackTest:
    """What has been asked, and how far the answer is. ``share`` from 0 to 1; ``result`` once it is done."""

    back_test_id: UUID
    limits: Limits
    before: Limits | None
    reason: str
    days: int
    asked_at: datetime
    share: float
    done_at: datetime | None
    failed: str | None
    result: Mapping[str, Any] | None

    @property
    def title(self) -> str:
        """What its limits are of."""
        return title_of_concern(CONCERN_BY_NAME[self.limits.concern])


def lead_of(console: Console) -> timedelta:
    """How long after it was saved a version begins, in platform time."""
    return timedelta(seconds=LIMITS_LEAD_S * console.clock.rate)


async def limits_of_person(console: Console, person_no: int) -> OfPerson:
    """All of it. Whoever asks has been admitted."""
    sql, pool, now = console.sql, console.pool, console.now()
    known = [dict(row) for row in await pool.fetch(sql["limits_for_person"], person_no, now + lead_of(console))]
    versions = [row for row in known if row["valid_from"] <= now]
    conditions = [dict(row) for row in await pool.fetch(sql["conditions_of_person"], person_no, now)]
    own = [dict(row) for row in await pool.fetch(sql["own_limits"], person_no)]
    usual, newest = usual_of(versions, conditions), dict[str, int]()
    for row in own:
        newest.setdefault(row["concern"], row["limit_no"])
    in_force = limits_in_force(versions, conditions)
    return OfPerson(
        in_force=in_force, coming=limits_in_force(known, conditions), usual=usual, newest=newest,
        history=history_of(own, usual, now), muted=muted_by(in_force, usual, own, now),
    )  # fmt: skip


async def set_limits(console: Console, doctor: Doctor, person: Record, wish: LimitsWish) -> bool:
    """Begins a version ``LIMITS_LEAD_S`` from now; the same again changes nothing. False: changed since ``seen``.

    What has an end is followed by a version that ends it, as what mutes always is. Raises NotInCareError, LimitsError,
    MuteRefusedError.
    """
    subject = _subject(person)
    try:
        async with transaction(console.pool) as connection:
            await admit_within(connection, console, doctor, Action.CHANGE_LIMITS, subject)
            change = await _Change.begin(console, connection, doctor, person["person_no"], wish.limits.concern)
            usual = await change.usual(wish.limits.concern)
            check_until(console.now(), wish.until)
            if mutes(usual, wish.limits):
                check_mute(console.now(), wish.until, confirmed=wish.confirmed)
            if change.newest_no != wish.seen:
                return change.says(wish)
            if wish.until is None and change.holds(wish.limits):
                return True
            after = change.held_after()
            # What a mute gives way to does not mute for good, whoever has said that.
            after = None if after is not None and mutes(usual, after) else after
            starts = await change.clear()
            await change.add(wish.limits, starts, wish.reason)
            if wish.until is not None:
                until = max(wish.until, starts + _INSTANT)
                await change.add(after or usual or wish.limits, until, wish.reason, withdrawn=after is None)
            return True
    except NotInCareError:
        await record_refusal(console, doctor, Action.CHANGE_LIMITS, subject)
        raise


async def give_back(console: Console, doctor: Doctor, person: Record, concern: str, *, reason: str, seen: int) -> bool:
    """Ends a person's own limits of a concern: what holds for everybody holds again. False: changed since ``seen``."""
    subject = _subject(person)
    try:
        async with transaction(console.pool) as connection:
            await admit_within(connection, console, doctor, Action.CHANGE_LIMITS, subject)
            change = await _Change.begin(console, connection, doctor, person["person_no"], concern)
            if not change.rows or (change.is_settled and change.rows[0]["withdrawn"]):
                return True
            if change.newest_no != seen:
                return False
            starts = await change.clear()
            await change.withdraw(change.rows[0], starts, reason)
            return True
    except NotInCareError:
        await record_refusal(console, doctor, Action.CHANGE_LIMITS, subject)
        raise


def _subject(person: Record) -> AuditSubject:
    return AuditSubject(person_no=person["person_no"], home_no=person["home_no"])


@dataclass(slots=True, kw_only=True)
class _Change:
    """One change of a person's limits of a concern, within a transaction. ``rows``: own versions, the newest first."""

    console: Console
    connection: Connection
    doctor: Doctor
    person_no: int
    concern: str
    rows: Sequence[Record]
    starts: datetime

    @classmethod
    async def begin(
        cls, console: Console, connection: Connection, doctor: Doctor, person_no: int, concern: str
    ) -> "_Change":
        """Waits for whoever changes them now."""
        await connection.execute(console.sql["lock_limits_of"], person_no)
        rows = await connection.fetch(console.sql["own_limits"], person_no)
        starts = console.now() + lead_of(console)
        return cls(
            console=console, connection=connection, doctor=doctor, person_no=person_no, concern=concern,
            rows=[row for row in rows if row["concern"] == concern], starts=starts,
        )  # fmt: skip

    @property
    def newest_no(self) -> int:
        """The number of the newest version, 0 for none."""
        return self.rows[0]["limit_no"] if self.rows else 0

    @property
    def is_settled(self) -> bool:
        """Whether there are versions, and none begins later than one of now would, as the end of a mute does."""
        return bool(self.rows) and self.rows[0]["valid_from"] < self.starts

    async def usual(self, concern: str) -> Limits | None:
        """What holds without own limits."""
        sql, now = self.console.sql, self.console.now()
        versions = await self.connection.fetch(sql["limits_for_person"], self.person_no, now)
        conditions = await self.connection.fetch(sql["conditions_of_person"], self.person_no, now)
        return usual_of([dict(row) for row in versions], [dict(row) for row in conditions]).get(concern)

    def holds(self, limits: Limits) -> bool:
        """Whether the newest version says that already."""
        row = self.rows[0] if self.is_settled else None
        return row is not None and not row["withdrawn"] and limits_of(dict(row)).numbers == limits.numbers

    def says(self, wish: LimitsWish) -> bool:
        """Whether the same was sent before."""
        begun = [row for row in self.rows if row["limit_no"] > wish.seen]
        if not begun or begun[-1]["withdrawn"] or begun[-1]["reason"] != wish.reason:
            return False
        return limits_of(dict(begun[-1])).numbers == wish.limits.numbers

    def held_after(self) -> Limits | None:
        """Own limits that hold once those of a time are over: those that hold, or will; None for none of their own."""
        row = self.rows[0] if self.rows else None
        try:
            return None if row is None or row["withdrawn"] else limits_of(dict(row))
        except LimitsError:
            return None

    async def clear(self) -> datetime:
        """Drops what has not begun; gives when the next version begins."""
        await self.connection.execute(
            self.console.sql["drop_unbegun_limits"], self.person_no, self.concern, self.starts
        )
        begun: list[datetime] = [row["valid_from"] for row in self.rows if row["valid_from"] < self.starts]
        return max([self.starts, *(one + _INSTANT for one in begun)])

    async def add(self, limits: Limits, starts: datetime, reason: str, *, withdrawn: bool = False) -> None:
        """A version of these from ``starts`` on."""
        numbers = {"off": limits.off, "clear_min": limits.clear_min, "worse_by": limits.worse_by}
        said = {"source": limits.source, "signed_off_by": limits.signed_off_by, "withdrawn": withdrawn}
        await self._write({"levels": rows_of(limits.levels), **numbers, **said}, starts, reason)

    async def withdraw(self, row: Record, starts: datetime, reason: str) -> None:
        """None of their own from ``starts`` on. The numbers stay as they are, even if nobody can read them."""
        await self._write({**row, "withdrawn": True}, starts, reason)

    async def _write(self, version: Mapping[str, Any], starts: datetime, reason: str) -> None:
        await self.connection.execute(
            self.console.sql["add_own_limits"], self.person_no, self.concern, *(version[name] for name in _VERSION),
            self.doctor.name, self.doctor.doctor_no, reason, starts, self.console.now(),
        )  # fmt: skip


async def ask_back_test(
    console: Console, doctor: Doctor, person: Record, back_test_id: UUID, limits: Limits, *, days: int, reason: str
) -> bool:
    """Asks score what these limits would have made of so many days. Whoever asks has been admitted.

    False: MOST_OPEN of theirs are not answered yet.
    """
    asked = await console.pool.fetchval(
        console.sql["ask_back_test"], back_test_id, person["person_no"], limits.concern, rows_of(limits.levels),
        limits.off, limits.clear_min, limits.worse_by, reason, days, doctor.doctor_no, console.now(), MOST_OPEN,
    )  # fmt: skip
    return asked is not None


async def back_test_of(console: Console, person_no: int, back_test_id: UUID) -> BackTest:
    """One of that person. Whoever asks has been admitted. Raises NotInCareError where there is none."""
    row = await console.pool.fetchrow(console.sql["back_test_of"], back_test_id, person_no)
    if row is None:
        raise NotInCareError
    at = row["asked_at"]
    versions = await console.pool.fetch(console.sql["limits_for_person"], person_no, at)
    conditions = await console.pool.fetch(console.sql["conditions_of_person"], person_no, at)
    in_force = limits_in_force([dict(one) for one in versions], [dict(one) for one in conditions])
    limits = limits_of({**dict(row), "source": SET_BY_DOCTOR, "signed_off_by": ""})
    return BackTest(
        back_test_id=back_test_id,
        limits=limits,
        before=next((one.limits for one in in_force if one.limits.concern == limits.concern), None),
        share=1.0 if row["done_at"] else row["share"],
        **{name: row[name] for name in ("reason", "days", "asked_at", "done_at", "failed", "result")},
    )
