"""Times queries as their readers would send them, and asks PostgreSQL for its plans."""

import json
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import asyncpg

from tests.proving.growth.figures import Timing, timing_of
from tests.proving.growth.fill import PRODUCT_SESSION
from tests.proving.growth.plan import BEGIN, MINUTE_BAND
from tests.proving.growth.plans import largest_of_each
from tests.proving.growth.queries import Asker, Draw, Question

_PEOPLE: Final = """
select person_no, person_id, doctor_no from people join care_relations using (person_no)
where doctor_no = (select min(doctor_no) from doctors) order by person_no
"""
_EXPLAIN_ALL: Final = """
load 'auto_explain';
set auto_explain.log_min_duration = 0;
set auto_explain.log_analyze = on;
set auto_explain.log_buffers = on;
set auto_explain.log_nested_statements = on;
set auto_explain.log_format = json;
set auto_explain.log_level = notice;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where to ask: as the owner, as the console does, or through a viewer's own login."""

    owner_dsn: str
    logins: Mapping[Asker, str]

    async def session(self, asker: Asker) -> asyncpg.Connection:
        """A session as the asker's program opens it. Grafana prepares nothing; the services' driver does."""
        if asker in self.logins:
            return await asyncpg.connect(self.logins[asker], statement_cache_size=0)
        return await asyncpg.connect(self.owner_dsn, server_settings=PRODUCT_SESSION)

    def role(self, asker: Asker) -> str | None:
        """The name of a viewer's login."""
        return urlsplit(self.logins[asker]).username if asker in self.logins else None


async def draws(dsn: str, now: datetime, count: int, chance: random.Random) -> list[Draw]:
    """Whom to ask about, and when: every other one wears a band that reports each minute, every other look ends now."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(_PEOPLE)
    finally:
        await connection.close()
    busy = [row for row in rows if row["person_no"] % MINUTE_BAND.one_in == MINUTE_BAND.rest]
    age_s = (now - BEGIN).total_seconds()
    drawn = []
    for number in range(count):
        row = chance.choice(rows if number % 2 else busy)
        back = timedelta(seconds=chance.uniform(0, age_s - 86_400)) if number % 4 >= 2 else timedelta()
        drawn.append(
            Draw(
                person_no=row["person_no"], person_id=row["person_id"],
                doctor_no=row["doctor_no"], until=now - back, now=now,
            )
        )  # fmt: skip
    return drawn


async def time_question(place: Place, question: Question, about: Sequence[Draw]) -> Timing:
    """One session of its own, one execution for each draw."""
    connection = await place.session(question.asker)
    spent_ms, rows = [], []
    try:
        for draw in about:
            sql, arguments = question.put(draw)
            began = time.perf_counter()
            found = await connection.fetch(sql, *arguments)
            spent_ms.append((time.perf_counter() - began) * 1000)
            rows.append(len(found))
    finally:
        await connection.close()
    return timing_of(spent_ms, rows)


async def plan_of(place: Place, question: Question, draw: Draw) -> list[dict[str, Any]]:
    """What EXPLAIN (ANALYZE, BUFFERS) says of the query and of what ran inside its functions, the outermost last."""
    heard: list[str] = []
    connection = await asyncpg.connect(place.owner_dsn, server_settings=PRODUCT_SESSION)
    connection.add_log_listener(lambda _, message: heard.append(str(message.message)))
    try:
        sql, arguments = question.put(replace(draw, until=draw.now))
        prepared = await connection.prepare(sql)
        await connection.execute(_EXPLAIN_ALL)
        if role := place.role(question.asker):
            await connection.execute(f"set session authorization {role}")
        await prepared.fetch(*arguments)
    finally:
        await connection.close()
    return list(largest_of_each(json.loads(text.partition("plan:\n")[2]) for text in heard if "plan:\n" in text))
