"""Fitted models that run, and that are tried beside them: what is in force, how much each finds, and changes of it.

A model that is tried alerts nobody. A doctor promotes it, with a reason, or rolls back what was promoted; each change
is a row with a moment ahead, and holds for what is received from then on.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from schemas.rule_versions import LONGEST_REASON, RULES_LEAD_S, VersionChange
from services.api.access import Action, record
from services.api.console import Console, Doctor
from services.runtime.database import Connection, Pool, Queries, load_queries, transaction
from services.runtime.errors import HearthBeatError

SHOWN_DAYS: Final = 7
LONGEST_NAME: Final = 160
"""Of a model, as requests may say it."""
_LIVE, _SHADOW = "live", "shadow"
_LEAD: Final = timedelta(seconds=RULES_LEAD_S)
Chosen = tuple[str, str, VersionChange]
"""A place, the model that runs there from then on, and what was done."""
Choose = Callable[["RuleModels"], list[Chosen]]
Audit = Callable[[Connection], Awaitable[None]]


class NotPossibleError(HearthBeatError):
    """That can't be done with the models of this rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who changes something: a doctor, or (``doctor_no`` None) an operator by their login."""

    name: str
    doctor_no: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a rule has found in some days: findings above level 0, and of how many people."""

    findings: int = 0
    people: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleModels:
    """A rule that a model decides: which is ``live``, which was live before, which is ``tried`` ("" for none).

    ``others`` are more models that score has found; ``trail`` is what was done, the newest first. Both places are
    counted over the same time, from ``since`` on: since the trial began, or where there is none since the live one did.
    """

    rule: str
    live: str
    before: str
    tried: str
    others: Sequence[str]
    trail: Sequence[Mapping[str, Any]]
    since: datetime
    found: Found
    found_in_shadow: Found

    @property
    def lives(self) -> list[str]:
        """What was live, the newest first."""
        return [row["artefact"] for row in self.trail if row["variant"] == _LIVE]

    def was_done(self, change: VersionChange, author: str, reason: str) -> bool:
        """Whether that was what was done last about the live one."""
        row = next((row for row in self.trail if row["variant"] == _LIVE), None)
        return row is not None and (row["change"], row["author"], row["reason"]) == (change, author, reason.strip())


def queries() -> Queries:
    """Those of this module."""
    return load_queries("services.api", "rule_versions.sql")


async def models_of_rules(pool: Pool | Connection, now: datetime) -> list[RuleModels]:
    """Of every rule that has a model, with counts of SHOWN_DAYS at most."""
    sql = queries()
    known = await pool.fetch(sql["models_known"])
    rows = [dict(row) for row in await pool.fetch(sql["models_chosen"])]
    rules = sorted({row["rule"] for row in known} | {row["rule"] for row in rows})
    chosen = {rule: [row for row in rows if row["rule"] == rule] for rule in rules}
    since = [counted_since(chosen[rule], now) for rule in rules]
    counts = await pool.fetch(sql["findings_by_rule"], rules, since, now)
    found = {
        (row["rule"], row["variant"]): Found(findings=row["findings"], people=row["people"]) for row in counts
    }  # fmt: skip
    return [
        models_of(
            rule,
            chosen[rule],
            [row["name"] for row in known if row["rule"] == rule],
            (found.get((rule, _LIVE), Found()), found.get((rule, _SHADOW), Found())),
            at,
        )
        for rule, at in zip(rules, since, strict=True)
    ]


def counted_since(chosen: Sequence[Mapping[str, Any]], now: datetime) -> datetime:
    """From when on both places of a rule are counted, by rows in the order in which they were written."""
    newest = {row["variant"]: row for row in chosen}
    at = newest.get(_SHADOW)
    if at is None or not at["artefact"]:
        at = newest.get(_LIVE)
    longest = now - timedelta(days=SHOWN_DAYS)
    return longest if at is None else max(longest, at["valid_from"])


def models_of(
    rule: str,
    chosen: Sequence[Mapping[str, Any]],
    known: Sequence[str],
    found: tuple[Found, Found],
    since: datetime,
) -> RuleModels:
    """By rows in the order in which they were written."""
    live = [row["artefact"] for row in chosen if row["variant"] == _LIVE]
    tried = next((row["artefact"] for row in reversed(chosen) if row["variant"] == _SHADOW), "")
    now = live[-1] if live else ""
    return RuleModels(
        rule=rule,
        live=now,
        before=_before(chosen),
        tried=tried,
        others=[name for name in known if name not in {now, tried}],
        trail=list(reversed(chosen)),
        since=since,
        found=found[0],
        found_in_shadow=found[1],
    )


def _before(chosen: Sequence[Mapping[str, Any]]) -> str:
    """What a rollback gives back: what ran before the last promotion; "" where something else was done since."""
    live = [row for row in chosen if row["variant"] == _LIVE]
    if len(live) < 2 or live[-1]["change"] != VersionChange.PROMOTED:  # noqa: PLR2004 - one of before, and the last
        return ""
    before: str = live[-2]["artefact"]
    return before


async def try_model(
    pool: Pool, rule: str, model: str, by: Author, reason: str, now: datetime, *, rate: float = 1.0
) -> None:
    """Runs ``model`` beside the live one. Raises NotPossibleError for one that is unknown, or runs already.

    ``rate``: of the platform's clock, since score looks for versions by the machine's.
    """

    def rows(one: RuleModels) -> list[Chosen]:
        if model not in one.others:
            raise NotPossibleError(f"{model} is not known of {rule}, or runs already.")
        return [(_SHADOW, model, VersionChange.TRIED)]

    await _change(pool, rule, rows, by, reason, now, rate=rate)


async def end_trial(pool: Pool, rule: str, by: Author, reason: str, now: datetime, *, rate: float = 1.0) -> None:
    """Nothing is tried any more. Raises NotPossibleError where nothing is. ``rate`` as of ``try_model``."""

    def rows(one: RuleModels) -> list[Chosen]:
        if not one.tried:
            raise NotPossibleError(f"Nothing is tried of {rule}.")
        return [(_SHADOW, "", VersionChange.ENDED)]

    await _change(pool, rule, rows, by, reason, now, rate=rate)


async def promote(console: Console, doctor: Doctor, rule: str, model: str, reason: str) -> None:
    """What is tried becomes live; ``model`` is what the doctor has seen there. Raises NotPossibleError.

    The same again changes nothing.
    """

    def rows(one: RuleModels) -> list[Chosen]:
        if model and one.was_done(VersionChange.PROMOTED, doctor.name, reason) and one.live == model:
            return []
        if not model or one.tried != model:
            raise NotPossibleError(f"{model or 'Nothing'} is not what is tried of {rule} now.")
        return [(_LIVE, model, VersionChange.PROMOTED), (_SHADOW, "", VersionChange.ENDED)]

    await _by_doctor(console, doctor, rule, rows, reason, Action.PROMOTE_MODEL)


async def roll_back(console: Console, doctor: Doctor, rule: str, model: str, reason: str) -> None:
    """What ran before the promotion is live again; ``model`` is what is live now. Raises NotPossibleError.

    The same again changes nothing.
    """

    def rows(one: RuleModels) -> list[Chosen]:
        if one.was_done(VersionChange.ROLLED_BACK, doctor.name, reason) and one.lives[1:2] == [model]:
            return []
        if not one.before or one.live != model:
            raise NotPossibleError(f"{model} of {rule} is not live by a promotion now.")
        return [(_LIVE, one.before, VersionChange.ROLLED_BACK)]

    await _by_doctor(console, doctor, rule, rows, reason, Action.ROLL_BACK_MODEL)


async def _by_doctor(console: Console, doctor: Doctor, rule: str, rows: Choose, reason: str, action: Action) -> None:
    by = Author(name=doctor.name, doctor_no=doctor.doctor_no)

    async def audit(connection: Connection) -> None:
        await record(console, doctor, action, on=connection)

    await _change(console.pool, rule, rows, by, reason, console.now(), rate=console.clock.rate, audit=audit)


async def _change(
    pool: Pool, rule: str, rows: Choose, by: Author, reason: str, now: datetime, *, rate: float,
    audit: Audit | None = None,
) -> None:  # fmt: skip
    said, sql = reason.strip(), queries()
    if not said or len(said) > LONGEST_REASON:
        raise NotPossibleError(f"A reason is needed, of at most {LONGEST_REASON} characters.")
    async with transaction(pool) as connection:
        await connection.execute(sql["lock_rule_versions"])
        one = next((one for one in await models_of_rules(connection, now) if one.rule == rule), None)
        if one is None:
            raise NotPossibleError(f"No model is known of {rule}.")
        wanted = rows(one)
        for variant, artefact, change in wanted:
            await connection.execute(
                sql["add_rule_version"],
                rule, variant, artefact, change, now + _LEAD * rate, now, by.doctor_no, by.name, said,
            )  # fmt: skip
        if audit is not None and wanted:
            await audit(connection)
