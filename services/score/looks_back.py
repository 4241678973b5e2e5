"""Looks back at what came later than the window of a rule: late rows in, findings out, once the watermark has passed.

There are no timers: each is a row with a due time, which a restart finds again. The rows alone are here; what a look
back shows is decided by ``look_back``.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from schemas.alerts import EndReason, Evidence, Finding, Severity, Variant
from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.reasons import NOT_SCORED
from schemas.records import JudgedReading, JudgedUplink
from schemas.vitals import STEPS, VITAL_BY_NUMBER
from services.runtime.clock import to_datetime, to_ms
from services.runtime.database import Connection, Pool, Queries, transaction
from services.score.core import CHARGING, WEARING
from services.score.effects import LOOK_BACK_SQL, EffectWriter
from services.score.followups import LookBack
from services.score.known_limits import KnownLimits
from services.score.known_rules import KnownRules
from services.score.limit_book import LimitBook
from services.score.look_back import FURTHEST_MS, Look, Off
from services.score.model_look_back import BEFORE_MS, SPEAKS_MS, disproofs
from services.score.rule import Rule, Subject
from services.score.rule_book import RuleBook
from services.score.sample import SHOWS_WORN
from services.score.source import read_records
from services.score.stood import Seen, Source

KNOWN_SINCE: Final = timedelta(milliseconds=2 * FURTHEST_MS)
"""What was found so long before what is asked about is known to a look."""
_STEP_MS: Final = 1
_ASKED: Final = ("person_no", "home_no", "rule", "first_at", "last_at", "received_at", "worn_since")
_VITALS: Final = list(VITAL_BY_NUMBER)
"""All: so the rows of a person are found by their key."""


class LooksBack:
    """Looks at one person and rule at a time; several scores may, each takes rows that no other holds."""

    def __init__(
        self, *, pool: Pool, sql: Queries, writer: EffectWriter, limits: KnownLimits, rules: RuleBook | KnownRules
    ) -> None:
        self._pool, self._sql, self._writer, self._limits, self._rules = pool, sql, writer, limits, rules

    async def look(self) -> int:
        """One look back, if one is due; says whether. Raises LOST_CONNECTION: nothing was changed."""
        passed = await self._pool.fetchval(self._sql["watermark"])
        if passed is None:
            return 0
        received_by = to_ms(passed) - _STEP_MS
        limits, rules = await self._limits.look(), self._rules
        book = rules if isinstance(rules, RuleBook) else (await rules.look()).at(received_by)
        async with transaction(self._pool) as connection:
            row = await connection.fetchrow(LOOK_BACK_SQL["claim_look_back"], passed)
            if row is None:
                return 0
            await connection.execute(LOOK_BACK_SQL["end_look_back"], row["person_no"], row["rule"])
            findings: list[Finding] = []
            rule = live_rule(book, row["rule"])
            # Asked by a version of score that had the rule.
            if rule is not None:
                known = await self._known(connection, asked_of(row), row["first_at"])
                await self._write_down(connection, row, received_by)
                if rule.asks is None:
                    findings = await self._look(connection, row, (rule, limits, received_by), known)
                else:
                    what = asked_of(row), rule
                    findings = await not_theirs(connection, self._sql, what, (limits, received_by), known)
                    await self._writer.add_findings(connection, _known_by(findings, received_by))
        if findings:
            await self._writer.announce()
        return 1

    async def _look(
        self, connection: Connection, row: Any, by: tuple[Rule, LimitBook, int], known: list[Finding]
    ) -> list[Finding]:
        (rule, limits, received_by), asked = by, asked_of(row)
        seen = await connection.fetch(LOOK_BACK_SQL["seen_episodes"], row["person_no"], row["rule"])
        gone = await connection.fetch(LOOK_BACK_SQL["moved_away"], row["person_no"])
        look = Look(
            asked, rule, limits, received_by, known, [Seen(*one) for one in seen], {Source(*one) for one in gone}
        )  # fmt: skip
        while not look.take(await stored_for(connection, self._sql, look), await devices_off(connection, look)):
            pass
        await self._writer.add_findings(connection, _known_by(look.findings, received_by))
        await self._save(connection, asked, look.seen)
        await self._writer.ask_look_backs(connection, [look.follow] if look.follow else [])
        return look.findings

    async def _write_down(self, connection: Connection, row: Any, received_by: int) -> None:
        asked = [row[name] for name in _ASKED]
        moments = to_datetime(received_by), to_datetime(self._writer.clock.now_ms())
        await connection.execute(LOOK_BACK_SQL["look_is_done"], *asked, *moments)

    async def _known(self, connection: Connection, asked: LookBack, first_at: datetime) -> list[Finding]:
        since = first_at - KNOWN_SINCE
        rows = await connection.fetch(LOOK_BACK_SQL["findings_of_rule"], asked.subject.person_no, asked.rule, since)
        return [known_of(row, asked) for row in rows]

    async def _save(self, connection: Connection, asked: LookBack, seen: Sequence[Seen]) -> None:
        once = {(one.concern, one.episode): one for one in seen}.values()
        if once:
            rows = [(one.concern, one.episode, to_datetime(one.since), one.level, one.heard) for one in once]
            columns = map(list, zip(*rows, strict=True))
            await connection.execute(LOOK_BACK_SQL["save_seen"], asked.subject.person_no, asked.rule, *columns)


async def not_theirs(
    connection: Connection, sql: Queries, asked: tuple[LookBack, Rule], by: tuple[LimitBook, int], known: list[Finding]
) -> list[Finding]:
    """Of a rule that a model decides: what a reading that is not theirs after all has raised.

    ``by`` limits, over what was received until a moment, in ms.
    """
    (look, rule), (limits, received_by) = asked, by
    person_no, first_at = look.subject.person_no, to_datetime(look.first_at)
    gone = await connection.fetch(LOOK_BACK_SQL["not_theirs"], person_no, first_at, to_datetime(look.last_at))
    if not gone:
        return []
    moments = map(to_datetime, (look.first_at - BEFORE_MS, look.last_at + 2 * SPEAKS_MS, received_by))
    stored = await read_records(connection, sql, [person_no], *moments)
    return disproofs(look, rule, limits, known, stored, [_record(row) for row in gone])


async def stored_for(connection: Connection, sql: Queries, look: Look) -> list[JudgedUplink]:
    """What a look asks for next."""
    moments = map(to_datetime, (look.since, look.until, look.received_by))
    return await read_records(connection, sql, [look.asked.subject.person_no], *moments)


async def devices_off(connection: Connection, look: Look) -> list[Off]:
    """The devices that were off the body when that begins."""
    moments = map(to_datetime, (look.since - FURTHEST_MS, look.since, look.received_by))
    rows = await connection.fetch(
        LOOK_BACK_SQL["devices_off"], look.asked.subject.person_no, *moments, list(WEARING), int(NOT_SCORED),
        _VITALS, SHOWS_WORN, STEPS.number,
    )  # fmt: skip
    last = [(Off(row["device_no"], row["at"], row["kind"] == CHARGING), row) for row in rows]
    return [off for off, row in last if not WEARING[row["kind"]] and not row["is_worn"]]


def live_rule(book: RuleBook, name: str) -> Rule | None:
    """The rule of a name that speaks, and looks back; None where there is none."""
    return next((one for one in book.rules if one.name == name and one.inputs and one.variant is Variant.LIVE), None)


def _known_by(findings: Sequence[Finding], received_by: int) -> list[Finding]:
    return [replace(one, known_by=received_by) for one in findings]


def asked_of(row: Any) -> LookBack:
    """What a row of ``look_backs``, or of ``looks_done``, asks."""
    return LookBack(
        subject=Subject(row["person_no"], row["home_no"]),
        rule=row["rule"],
        first_at=to_ms(row["first_at"]),
        last_at=to_ms(row["last_at"]),
        received_at=to_ms(row["received_at"]),
        worn_since={int(device_no): at for device_no, at in row["worn_since"].items()},
    )


def known_of(row: Any, asked: LookBack) -> Finding:
    """What a row has of what a look back needs to know."""
    return Finding(
        person_no=asked.subject.person_no,
        home_no=row["home_no"],
        rule=asked.rule,
        rule_version=row["rule_version"],
        episode=row["episode"],
        level=row["level"],
        severity=Severity(row["severity"]),
        observed_at=to_ms(row["observed_at"]),
        evidence=tuple(Evidence(**one) for one in row["evidence"]),
        doctor_text="",
        caregiver_text="",
        rationale="",
        end_reason=None if row["end_reason"] is None else EndReason(row["end_reason"]),
        concern=row["concern"],
        retrospective=row["retrospective"],
    )


def _record(row: Any) -> JudgedUplink:
    """A reading as it was when rules saw it."""
    kind, at = DEVICE_TYPE_BY_CODE.get(row["device_type"]), to_ms(row["received_at"])
    reading = JudgedReading(row["item"], row["person_no"], row["vital"], row["value"], to_ms(row["observed_at"]), 0)
    return JudgedUplink(
        device_no=row["device_no"], device=row["device"], home_no=row["home_no"], shard=row["shard"],
        epoch=row["epoch"], seq=row["seq"], oldest=0, sent_at=at, received_at=at, readings=(reading,), events=(),
        device_type=kind.number if kind else 0,
    )  # fmt: skip
