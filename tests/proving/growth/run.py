"""One growth: fill, and measure on the way."""

import asyncio
import os
import random
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

import asyncpg

from deploy.local.settings import CHECKOUT, StackSettings
from deploy.local.stack import Stack
from deploy.platform.platform import base_environment
from deploy.platform.tool import run_tool
from grafana.caregivers import Sight, add_caregivers, add_operator, remove_reader
from tests.proving.growth.figures import PROMISED_MS, Timing, too_slow
from tests.proving.growth.fill import copy_days, generate, make_world, set_present, sizes
from tests.proving.growth.measure import Place, draws, plan_of, time_question
from tests.proving.growth.plan import BEGIN, Step, disk_wanted, rows_a_day, steps_of
from tests.proving.growth.plans import short_form
from tests.proving.growth.queries import Asker, Question, questions

REPORT: Final = CHECKOUT / ".local" / "reports" / "growth.json"
LISTED: Final = 500
"""People in the care of the doctor whose worklist is read."""
_OPTIONS: Final = {"autovacuum": "off"}
"""Its workers would be at work while queries are timed; `fill.clean_up` does theirs in between."""

Say = Callable[[str, int], None]
"""Hears what is being done, and how many rows there are."""


class NotEnoughDiskError(RuntimeError):
    """There is less free disk than three times what the rows will take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How far to grow, with how many people, and how often each query is asked at each step."""

    rows: int
    people: int = 600
    runs: int = 100
    seed: int = 1


def run_growth(options: Options, say: Say) -> dict[str, Any]:
    """Runs on a PostgreSQL of its own, empty at first; gives the report. Raises NotEnoughDiskError."""
    settings = StackSettings(name=f"growth-{os.getpid()}", servers=("postgresql",), postgres_options=_OPTIONS)
    check_disk(options.rows, settings.local)
    say("starting TimescaleDB", 0)
    stack = Stack(settings)
    try:
        with stack:
            prepare(stack.dsn)
            report = asyncio.run(grow(stack.dsn, options, say))
            report["settings"] = stack.server_settings() | {"versions": stack.versions()}
    finally:
        stack.erase()
    return report


def check_disk(rows: int, where: Path) -> None:
    """Raises NotEnoughDiskError."""
    free, wanted = shutil.disk_usage(where).free, disk_wanted(rows)
    if free < wanted:
        raise NotEnoughDiskError(f"{rows:,} rows want {wanted / 2**30:.0f} GiB free, there are {free / 2**30:.0f}")


def prepare(dsn: str) -> None:
    """The product's own migrations, through its own command; the bus is tables, so that no Kafka is needed."""
    run_tool(base_environment() | {"HB_DB_DSN": dsn, "HB_BUS_KIND": "postgres"}, "services.prepare")


async def grow(dsn: str, options: Options, say: Say) -> dict[str, Any]:
    """Fills a migrated database and measures at every step; leaves no login behind."""
    steps = list(steps_of(options.rows, options.people))
    say("making people, devices, doses and alerts", 0)
    await make_world(dsn, people=options.people, listed=LISTED, days=steps[-1].until)
    place = await _add_viewers(dsn)
    asks, measured, rows = questions(), [], 0

    def done(more: int) -> None:
        nonlocal rows
        rows += more
        say("generating", rows)

    try:
        for step in steps:
            await generate(dsn, step, done)
            copied = await copy_days(dsn, step, done)
            await set_present(dsn, step)
            timings = await _time(place, asks, step, options, lambda what: say(what, rows))
            measured.append(
                {"rows": rows, "days": step.until, "insert_rows_per_s": round(copied.rows_per_s), "copied": copied.rows}
                | await sizes(dsn)
                | {"queries": {name: timing.as_dict() for name, timing in timings.items()}}
            )
        plans = await _plans(place, asks, steps[-1], options)
    finally:
        await _remove_viewers(dsn, place)
    return {
        "rows": rows,
        "people": options.people,
        "rows_a_day": round(rows_a_day(options.people)),
        "promised_p95_ms": PROMISED_MS,
        "too_slow": too_slow(timings),
        "about": {_key(question): question.about for question in asks},
        "steps": measured,
        "plans": {name: {"short": short_form(found), "plans": found} for name, found in plans.items()},
    }


async def _time(
    place: Place, asks: tuple[Question, ...], step: Step, options: Options, say: Callable[[str], None]
) -> dict[str, Timing]:
    timings = {}
    for number, question in enumerate(asks):
        say(f"asking {_key(question)}")
        chance = random.Random(options.seed * 1000 + number)
        about = await draws(place.owner_dsn, step.ends_at, options.runs, chance)
        timings[_key(question)] = await time_question(place, question, about)
    return timings


async def _plans(
    place: Place, asks: tuple[Question, ...], step: Step, options: Options
) -> dict[str, list[dict[str, Any]]]:
    chance = random.Random(options.seed)
    (draw,) = await draws(place.owner_dsn, step.ends_at, 1, chance)
    return {_key(question): await plan_of(place, question, draw) for question in asks}


def _key(question: Question) -> str:
    return f"{question.name}, {question.about}"


async def _add_viewers(dsn: str) -> Place:
    """A caregiver group that may see everybody, and an operator, made as `python -m grafana` makes them."""
    parts, password = urlsplit(dsn), secrets.token_urlsafe(24)
    roles = {asker: f"growth_{asker}_{secrets.token_hex(4)}" for asker in (Asker.CAREGIVER, Asker.OPERATOR)}
    connection = await asyncpg.connect(dsn)
    try:
        people = [row["person_id"] for row in await connection.fetch("select person_id from people")]
        sight = Sight(since=BEGIN - timedelta(days=1))
        await add_caregivers(connection, roles[Asker.CAREGIVER], people, sight, password)
        await add_operator(connection, roles[Asker.OPERATOR], password)
    finally:
        await connection.close()
    where = f"{quote(password)}@{parts.hostname}:{parts.port}"
    return Place(
        owner_dsn=dsn,
        logins={asker: parts._replace(netloc=f"{role}:{where}").geturl() for asker, role in roles.items()},
    )


async def _remove_viewers(dsn: str, place: Place) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for asker in place.logins:
            await remove_reader(connection, place.role(asker) or "")
    finally:
        await connection.close()
