"""Computes stored findings again from what is stored of their home, and says what differs.

Only what had been received when a finding was raised is looked at. Limits are those in force when each record came.
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from schemas.alerts import Finding
from schemas.rule_names import RULE_NAME_BY_NAME
from services.runtime.clock import to_datetime, to_ms
from services.runtime.database import Connection, Pool, Queries, load_queries
from services.runtime.errors import HearthBeatError
from services.score.compared_findings import Explained, Verdict, compared, plain_of
from services.score.explain_due import Due
from services.score.home_rerun import Brought, HomeRerun, rerun
from services.score.home_rows import SQL, as_scored, read_home
from services.score.known_limits import read_limits
from services.score.known_rules import read_versions
from services.score.learned import Catalogue
from services.score.limit_book import LimitBook
from services.score.looks_again import LooksAgain
from services.score.past_days import PAST_SQL, days_of
from services.score.rule import HOUR_MS
from services.score.rule_timeline import RuleTimeline, Timelines
from services.score.rules import RULES
from services.score.rules.fall import FALL
from services.score.rules.silent_device import SILENT_DEVICE
from services.score.rules.sos import SOS

FURTHEST_MS: Final = 60 * 24 * HOUR_MS
"""A home is run from its first record on, or from so long before the finding: longer ago nothing matters any more."""
_OF_SCORE: Final = {rule.name for rule in RULES}
_BATTERY, _CLOCK, _STATUS = "low_battery", "clock", -1


class UnknownFindingError(HearthBeatError):
    """There is no finding of that id."""


class Explainer:
    """With the rules and the fitted models of ``catalogue``, each for the time in which it ran.

    Findings of one home that are explained from the newest on share one run.
    """

    def __init__(self, pool: Pool, score_sql: Queries, catalogue: Catalogue) -> None:
        self._pool, self._sql, self._catalogue = pool, score_sql, catalogue
        self._runs: dict[int, tuple[int, HomeRerun]] = {}
        self._known: tuple[LimitBook, RuleTimeline] | None = None

    async def explain(self, finding_id: UUID) -> Explained:
        """What comes of it. Raises UnknownFindingError, and what ``LOST_CONNECTION`` lists."""
        row = await self._pool.fetchrow(SQL["finding"], finding_id)
        if row is None:
            raise UnknownFindingError(str(finding_id))
        stored = stored_of(row)
        why = why_not_kept(stored)
        if why:
            return Explained(Verdict.CANNOT, why=why)
        if stored["artefact"] and stored["artefact"] not in self._catalogue.models:
            return Explained(Verdict.CANNOT, why=f"The model {stored['artefact']} is not among the artefacts here.")
        again = await self._again(stored, row)
        if again is None:
            return Explained(Verdict.NOT_FOUND, why="What was received by then gives no finding of this id.")
        return compared(stored, plain_of(again))

    async def _again(self, stored: Mapping[str, Any], row: Any) -> Finding | None:
        limits, rules = await self._known_by_now()
        if stored["looked_back"]:
            return await LooksAgain(self._pool, self._sql, limits, rules).again(row)
        due = Due(self._pool)
        if stored["rule"] == SILENT_DEVICE.name:
            return await due.silence(row)
        run = await self._run(stored["home_no"], to_ms(row["raised_at"]))
        if stored["rule"] == FALL.name:
            return await due.fall(row, run.falls)
        if stored["rule"] == SOS.name:
            return await due.call(row, run)
        return run.findings.get(row["finding_id"])

    async def _run(self, home_no: int, until: int) -> HomeRerun:
        known = self._runs.get(home_no)
        if known is not None and known[0] >= until:
            return known[1]
        async with self._pool.acquire() as connection:
            since = until - FURTHEST_MS
            first = await connection.fetchval(SQL["first_received"], home_no, to_datetime(since))
            since = since if first is None else to_ms(first)
            records = await read_home(connection, home_no, since, until)
            brought = await self._brought(connection, home_no, since)
        run = rerun(HomeRerun(home_no, *await self._known_by_now(), brought), as_scored(records), until)
        self._runs[home_no] = until, run
        return run

    async def _brought(self, connection: Connection, home_no: int, since: int) -> Brought:
        rows = await connection.fetch(SQL["numbers_given_out"], home_no, to_datetime(since))
        episodes: dict[int, dict[str, int]] = {}
        for row in rows:
            episodes.setdefault(row["person_no"], {})[row["rule"]] = row["episode"]
        days = {}
        past = await connection.fetchrow(SQL["filled_pasts"])
        if past is not None:
            until, sql = past["until_ms"] + 1, load_queries("services.score", PAST_SQL)
            for row in await connection.fetch(SQL["people_of_home"], home_no):
                readings = await connection.fetch(
                    sql["readings_of_past"], row["person_no"], past["epoch"], to_datetime(until)
                )
                if readings:
                    days[row["person_no"]] = days_of(row["person_no"], readings, until)
        return Brought(episodes=episodes, days=days)

    async def _known_by_now(self) -> tuple[LimitBook, RuleTimeline]:
        if self._known is None:
            made = Timelines(self._catalogue.shipped.book, self._catalogue.models)
            timeline = made.of(await read_versions(self._pool))
            self._known = await read_limits(self._pool, self._sql), timeline
        return self._known


def stored_of(row: Any) -> dict[str, Any]:
    """A row of ``finding`` as ``plain_of`` gives a finding. What findings of before do not say is as none says it."""
    stored = dict(row)
    stored |= {
        "finding_id": str(row["finding_id"]),
        "observed_at": to_ms(row["observed_at"]),
        "message": row["message"] or "",
        "facts": row["facts"] or {},
        "concern": row["concern"] or "",
        "artefact": row["artefact"] or "",
    }
    return stored


def why_not_kept(stored: Mapping[str, Any]) -> str:
    """Why nothing that is stored gives this finding again; "" where something does."""
    rule = stored["rule"]
    if rule not in _OF_SCORE:
        kind = "doses and their evidence" if rule in RULE_NAME_BY_NAME else "something that this version does not know"
        return f"{rule} rests on {kind}, which services.medication decides by rows that change."
    if rule == _BATTERY and stored["evidence"] and stored["evidence"][0]["seq"] == _STATUS:
        return "A device's status said so, and of its statuses only the newest is kept."
    if rule == _CLOCK and stored["level"]:
        return "How far the clock was ahead is not kept: stamps are stored corrected."
    return ""
