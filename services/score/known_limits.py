"""Limits, conditions and residences as the tables have them: looked at every 2 s, read again where one has changed."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import structlog

from schemas.limit_levels import limits_of
from schemas.limits import Condition, LimitsError
from services.runtime.clock import Clock
from services.runtime.database import Pool, Queries
from services.runtime.metrics import Metrics
from services.score.limit_book import ALWAYS, NEVER, LimitBook, PersonCondition, Scope, Version
from services.score.residences import Residence, Residences

_LOOK_EVERY_S: Final = 2.0
"""A version begins 10 s after its commit: whoever looks so often knows of it before a record of then is received."""

Refused = Callable[[int, str], None]
"""Hears of a row that says nothing: its number, and which field is wrong."""


class KnownLimits:
    """The book of limits as of at most two seconds ago."""

    def __init__(
        self, *, pool: Pool, sql: Queries, clock: Clock, metrics: Metrics, log: structlog.typing.FilteringBoundLogger
    ) -> None:
        self._pool, self._sql, self._clock, self._metrics, self._log = pool, sql, clock, metrics, log
        self._book = LimitBook()
        self._mark = ""
        self._looked_at, self._beat = float("-inf"), -1

    async def look(self) -> LimitBook:
        """The book; the same object where nothing has changed. Raises what ``LOST_CONNECTION`` lists."""
        now, beat = time.monotonic(), self._clock.beat
        if now - self._looked_at >= _LOOK_EVERY_S or beat != self._beat:
            mark = await self._pool.fetchval(self._sql["limits_mark"])
            if mark != self._mark:
                self._book = await read_limits(self._pool, self._sql, self._refuse)
                self._mark = mark
                self._log.info("limits read")
            self._looked_at, self._beat = now, beat
        return self._book

    def _refuse(self, limit_no: int, field: str) -> None:
        self._metrics.count("hb_score_limits_refused_total")
        self._log.error("limits that contradict themselves are not used", limit_no=limit_no, field=field)


async def read_limits(pool: Pool, sql: Queries, refuse: Refused = lambda _number, _field: None) -> LimitBook:
    """All versions, conditions and residences. Of a version that contradicts itself, what was before it holds."""
    # One snapshot, or a condition could be there without its limits.
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        versions = await connection.fetch(sql["limit_versions"])
        conditions = await connection.fetch(sql["person_conditions"])
        residences = await connection.fetch(sql["residences"])
    return book_of(map(dict, versions), map(dict, conditions), refuse, map(dict, residences))


def book_of(
    versions: Iterable[Mapping[str, Any]],
    conditions: Iterable[Mapping[str, Any]],
    refuse: Refused,
    residences: Iterable[Mapping[str, Any]] = (),
) -> LimitBook:
    """The book of the rows of ``limit_versions``, ``person_conditions`` and ``residences``."""
    sound = []
    for row in versions:
        try:
            sound.append(_version(row))
        except LimitsError as error:
            refuse(row["limit_no"], error.field)
    # A condition that only a newer version of this code knows changes nothing here.
    known = [row for row in conditions if row["condition"] in set(Condition)]
    return LimitBook(
        sound,
        [
            PersonCondition(
                person_no=row["person_no"],
                condition=Condition(row["condition"]),
                valid_from=row["from_ms"],
                valid_to=NEVER if row["to_ms"] is None else row["to_ms"],
            )
            for row in known
        ],
        Residences(
            Residence(
                row["person_no"],
                row["home_no"],
                ALWAYS if row["from_ms"] is None else row["from_ms"],
                NEVER if row["to_ms"] is None else row["to_ms"],
            )
            for row in residences
        ),
    )


def _version(row: Mapping[str, Any]) -> Version:
    """Raises LimitsError."""
    if row["condition"] is not None and row["condition"] not in set(Condition):
        raise LimitsError("condition", "unknown")
    condition = None if row["condition"] is None else Condition(row["condition"])
    limits = None if row["withdrawn"] else limits_of(row)
    return Version(
        scope=Scope(row["person_no"] or 0, row["region"], condition),
        concern=row["concern"],
        valid_from=row["from_ms"],
        limits=limits,
    )
