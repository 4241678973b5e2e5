"""Whether the database is the one that the platform knows, and no earlier state of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from asyncpg import Record

from schemas.records import SealedRecord
from services.runtime.database import Connection, Queries
from services.runtime.errors import HearthBeatError
from services.store.core import COUNTED_FROM, LOW_RANGES

Placed = tuple[int, int, SealedRecord]
"""A record with its partition and offset."""


class ChangedDatabaseError(HearthBeatError):
    """The database is another one, or an earlier state, than the bus knows: run `python -m services.restore`."""

    def __init__(self, detail: str, *, generation: int, firsts: Mapping[int, int]) -> None:
        super().__init__(detail)
        self.generation, self.firsts = generation, firsts


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseIdentity:
    """Asked inside the transaction that writes, so that a database changed under a running store is noticed too."""

    sql: Queries

    async def look_and_lock(
        self, connection: Connection, firsts: Mapping[int, int], needed: Sequence[tuple[int, int]]
    ) -> tuple[int, list[Record]]:
        """The generation, and the locked rows of the cursors ``needed`` (device_no, epoch).

        ``firsts``: by partition, the first offset to be written now. Store commits offsets only
        after the rows. So a batch that begins beyond the position kept with the rows shows that the
        database has lost rows. Raises ChangedDatabaseError.
        """
        devices, epochs = [device_no for device_no, _ in needed], [epoch for _, epoch in needed]
        around, *locked = await connection.fetch(
            self.sql["look_and_lock"], list(firsts), devices, epochs, LOW_RANGES, COUNTED_FROM
        )
        generation: int = around["generation"]
        if not around["known"]:
            raise ChangedDatabaseError("another cluster or timeline", generation=generation, firsts=firsts)
        for (partition, first), position in zip(firsts.items(), around["positions"], strict=True):
            # It may well begin below: after a crash a batch is read a second time.
            if first > position:
                detail = f"partition {partition}: rows up to {position}, log from {first}"
                raise ChangedDatabaseError(detail, generation=generation, firsts=firsts)
        return generation, locked

    async def is_well(self, connection: Connection, refused: ChangedDatabaseError) -> bool:
        """Whether the cause of a refusal is gone: the platform was restored since, or the database is back."""
        try:
            generation, _ = await self.look_and_lock(connection, {}, ())
            # A higher generation: the platform was restored, and devices send again. The same one:
            # only a database that has the rows up to the refused batch is the right one.
            if generation == refused.generation:
                await self.look_and_lock(connection, refused.firsts, ())
        except ChangedDatabaseError:
            return False
        return True


def first_offsets(records: Iterable[Placed]) -> dict[int, int]:
    """By partition, where a batch begins."""
    firsts: dict[int, int] = {}
    for partition, offset, _ in records:
        firsts.setdefault(partition, offset)
    return firsts


def next_offsets(records: Iterable[Placed]) -> dict[int, int]:
    """By partition, where a batch leaves off."""
    return {partition: offset + 1 for partition, offset, _ in records}
