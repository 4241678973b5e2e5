"""Looks back done again: what each was asked is written down, and what it saw is stored."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from schemas.alerts import Finding
from services.runtime.clock import to_ms
from services.runtime.database import Connection, Pool, Queries
from services.score.effects import LOOK_BACK_SQL
from services.score.home_rows import SQL
from services.score.limit_book import LimitBook
from services.score.look_back import Look
from services.score.looks_back import KNOWN_SINCE, asked_of, devices_off, known_of, live_rule, not_theirs, stored_for
from services.score.rule_timeline import RuleTimeline
from services.score.stood import Seen, Source


class LooksAgain:
    """What earlier looks had seen of the same episodes is seen again first: the table has only how it stands now."""

    def __init__(self, pool: Pool, sql: Queries, limits: LimitBook, rules: RuleTimeline) -> None:
        self._pool, self._sql, self._limits, self._rules = pool, sql, limits, rules

    async def again(self, row: Mapping[str, Any]) -> Finding | None:
        """The finding of ``row``; None where no look that was done gives it."""
        async with self._pool.acquire() as connection:
            looks = await connection.fetch(SQL["looks_of_rule"], row["person_no"], row["rule"], row["raised_at"])
            seen: dict[tuple[str, int], Seen] = {}
            for one in looks:
                found = await self._look(connection, one, seen)
                if one["received_by"] == row["known_by"] and row["finding_id"] in found:
                    return found[row["finding_id"]]
        return None

    async def _look(
        self, connection: Connection, one: Mapping[str, Any], seen: dict[tuple[str, int], Seen]
    ) -> dict[UUID, Finding]:
        asked, received_by = asked_of(one), to_ms(one["received_by"])
        rule = live_rule(self._rules.at(received_by), asked.rule)
        if rule is None:
            return {}
        since = one["first_at"] - KNOWN_SINCE
        rows = await connection.fetch(
            SQL["findings_known_to_look"], one["person_no"], one["rule"], since, one["done_at"], one["received_by"]
        )
        known = [known_of(row, asked) for row in rows]
        if rule.asks is not None:
            found = await not_theirs(connection, self._sql, (asked, rule), (self._limits, received_by), known)
            return {this.finding_id: this for this in found}
        gone = await connection.fetch(LOOK_BACK_SQL["moved_away"], one["person_no"])
        look = Look(
            asked, rule, self._limits, received_by, known, list(seen.values()), {Source(*row) for row in gone}
        )  # fmt: skip
        while not look.take(await stored_for(connection, self._sql, look), await devices_off(connection, look)):
            pass
        seen |= {(this.concern, this.episode): this for this in look.seen}
        return {this.finding_id: this for this in look.findings}
