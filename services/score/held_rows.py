"""The rows of doubted readings: written once; and what is decided of them is done to the stored readings."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final, NamedTuple
from uuid import UUID

from schemas.alerts import Variant
from schemas.asks import AskOutcome
from schemas.held_readings import HeldState
from schemas.reasons import Flag
from services.runtime.clock import to_datetime, to_ms
from services.runtime.database import Connection, Pool, load_queries, transaction
from services.runtime.metrics import Metrics
from services.score.followups import DoubtedMeasurement, LookBack
from services.score.rule import Subject
from services.score.rule_book import RULE_BOOK

_SQL: Final = load_queries("services.score", "held.sql")
_HELD: Final = int(Flag.HELD)
AsksLookBacks = Callable[[Connection, Iterable[LookBack]], Awaitable[None]]
"""Writes down what is to be looked back on, within a transaction."""


class Change(NamedTuple):
    """What a decision does to a stored reading: flags that it loses and gets, and whether it is looked back on.

    ``looks_back``: for the person for whom the device took it. Whoever a reading is moved to is looked back on always.
    """

    clears: int
    sets: int
    looks_back: bool


_CHANGES: Final[Mapping[tuple[HeldState, bool], Change]] = MappingProxyType(
    {
        # A look back may have seen it before it had its flag.
        (HeldState.OPEN, True): Change(0, _HELD, looks_back=True),
        (HeldState.OPEN, False): Change(0, 0, looks_back=False),
        (HeldState.KEPT, True): Change(_HELD, 0, looks_back=True),
        (HeldState.KEPT, False): Change(_HELD, 0, looks_back=False),
        # Not ASSIGNED: it is a measurement of theirs like any other, and their rules have to see it.
        (HeldState.MOVED, True): Change(_HELD, 0, looks_back=False),
        (HeldState.MOVED, False): Change(_HELD, 0, looks_back=True),
        (HeldState.DISMISSED, True): Change(0, _HELD, looks_back=False),
        (HeldState.DISMISSED, False): Change(0, _HELD, looks_back=True),
    }
)


def change_of(state: HeldState, *, is_held: bool) -> Change:
    """What is done to a reading of that state, which rules have seen (``is_held`` False) or have not.

    Looked back on is what changes for the rules: one that is the person's after all, or one that is not.
    """
    return _CHANGES[state, is_held]


def looked_back_on(person_no: int, moved_to: int | None, change: Change) -> list[int]:
    """For whom rules look back: whom it was taken for, if that changes anything for them, and whose it is now."""
    return [person_no] * change.looks_back + ([moved_to] if moved_to is not None else [])


def looks_back_for(person_no: int, home_no: int, vital: int, at: int, decided_at: int) -> list[LookBack]:
    """A look back of each rule that reads the vital or asks a model about it, on a reading of ``at``. Times in ms."""
    return [
        LookBack(
            subject=Subject(person_no, home_no), rule=rule.name, first_at=at, last_at=at, received_at=decided_at
        )
        for rule in (*RULE_BOOK.readers.get(vital, ()), *RULE_BOOK.askers.get(vital, ()))
        if rule.variant is Variant.LIVE
    ]  # fmt: skip


async def add_doubted(connection: Connection, doubted: DoubtedMeasurement, *, metrics: Metrics) -> None:
    """A row for each reading of a measurement. A replay finds them there."""
    doubt, subject = doubted.doubt, doubted.subject
    measurement_id, is_new = doubted.id_of(doubted.samples[0]), False
    for sample in doubted.samples:
        is_new = bool(await connection.fetchval(
            _SQL["add_held"],
            doubted.id_of(sample), measurement_id, subject.home_no, subject.person_no,
            sample.device_no, sample.epoch, sample.seq, sample.item, sample.vital, sample.value,
            to_datetime(sample.at), to_datetime(sample.received_at), doubt.reason, doubt.unit,
            doubt.meant.get(sample.vital), doubt.person_no or None, doubt.times_better, doubted.is_held,
        )) or is_new  # fmt: skip
    if is_new:
        metrics.count("hb_score_doubted_total", reason=doubt.reason, held="yes" if doubted.is_held else "no")


async def hear_whose(connection: Connection, ask_id: UUID, outcome: AskOutcome, at: datetime | None) -> None:
    """What the person has said of a doubted reading that they were asked about.

    Their yes is enough: it is scored. Their no says whose it is not, and no more.
    """
    if outcome in {AskOutcome.MINE, AskOutcome.NOT_MINE}:
        await connection.execute(_SQL["say_whose"], ask_id, outcome is AskOutcome.MINE, at)


class HeldRows:
    """Does to stored readings what their state says; several scores may, each takes rows that no other holds."""

    def __init__(self, *, pool: Pool, ask_look_backs: AsksLookBacks) -> None:
        self._pool, self._ask_look_backs = pool, ask_look_backs

    async def settle(self) -> int:
        """One look; says how many readings were changed. Raises LOST_CONNECTION: nothing was changed."""
        async with transaction(self._pool) as connection:
            rows = await connection.fetch(_SQL["held_to_apply"])
            return sum([await self._apply(connection, row) for row in rows])

    async def _apply(self, connection: Connection, row: Any) -> bool:
        change = change_of(HeldState(row["state"]), is_held=row["is_held"])
        key = [row[name] for name in ("person_no", "vital", "observed_at", "device_no", "epoch", "seq", "item")]
        if row["state"] == HeldState.MOVED:
            done = await connection.fetchval(_SQL["move_reading"], *key, change.clears, change.sets, row["moved_to"])
        else:
            done = await connection.fetchval(_SQL["flag_reading"], *key, change.clears, change.sets)
        if not done:
            # Store has not written it yet: another look finds it.
            return False
        if row["state"] == HeldState.MOVED:
            await connection.execute(_SQL["write_down_move"], row["held_id"], datetime.now(UTC))
        moments = to_ms(row["observed_at"]), to_ms(row["decided_at"] or row["received_at"])
        for person_no in looked_back_on(row["person_no"], row["moved_to"], change):
            looks = looks_back_for(person_no, row["home_no"], row["vital"], *moments)
            await self._ask_look_backs(connection, looks)
        await connection.execute(_SQL["held_is_applied"], row["held_id"])
        return True
