"""The core of `make growth` at a small size, on the real database: what it generates, and what it measures."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest

from deploy.local.stack import Stack
from tests.conftest import create_database, drop_database
from tests.proving.growth.plans import nodes_of
from tests.proving.growth.queries import questions
from tests.proving.growth.run import Options, grow, prepare

pytestmark = pytest.mark.full_stack
ROWS = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Grown:
    """A database that has been filled, and the report."""

    dsn: str
    report: dict[str, Any]

    async def value(self, sql: str) -> Any:
        """One value."""
        connection = await asyncpg.connect(self.dsn)
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()


@pytest.fixture(scope="module")
def grown(full_stack: Stack) -> Iterator[Grown]:
    dsn = asyncio.run(create_database(full_stack.dsn))
    prepare(dsn)
    yield Grown(dsn=dsn, report=asyncio.run(grow(dsn, Options(rows=ROWS, runs=20), lambda _what, _rows: None)))
    asyncio.run(drop_database(full_stack.dsn, dsn))


async def test_it_writes_the_rows_that_it_counts(grown: Grown) -> None:
    assert grown.report["rows"] >= ROWS
    assert await grown.value("select count(*) from readings") == grown.report["rows"]


async def test_every_question_is_timed_and_explained(grown: Grown) -> None:
    names = {f"{question.name}, {question.about}" for question in questions()}
    (step,) = grown.report["steps"]

    assert set(step["queries"]) == set(grown.report["plans"]) == names
    assert all(timing["runs"] == 20 for timing in step["queries"].values())
    assert all("buffers hit" in plan["short"] for plan in grown.report["plans"].values())


async def test_panels_find_something(grown: Grown) -> None:
    (step,) = grown.report["steps"]
    rows = {name: timing["rows"] for name, timing in step["queries"].items()}

    assert rows["panel: Heart rate, 24 h of one person"] > 20
    assert rows["console: worklist, worklist of 500 people"] == 200
    assert rows["console: people_of, worklist of 500 people"] > 50
    assert rows["console: readings_page, 30 days of one vital"] > 100


async def test_rows_lie_in_the_order_in_which_they_were_received(grown: Grown) -> None:
    """Packed by person they would be read faster than a real platform's."""
    neighbours = await grown.value("""
        select avg((person_no = before)::int) from (
            select person_no, lag(person_no, 5) over (order by tableoid, ctid) as before from readings
        ) laid_out
    """)
    assert neighbours < 0.1
    assert (
        await grown.value("""
            select count(*) from (
                select received_at, lag(received_at) over (partition by tableoid order by ctid) as before from readings
                where observed_at < '2025-11-02Z' and received_at < '2025-11-02Z'
            ) laid_out where received_at < before
        """)
        == 0
    )


@pytest.mark.parametrize("about", ["24 h of one person", "30 days of one vital"])
async def test_a_curve_is_read_from_the_index_alone_and_sight_is_looked_up_once(grown: Grown, about: str) -> None:
    plans = grown.report["plans"][f"panel: Heart rate, {about}"]["plans"]
    nodes = [node for plan in plans for node in nodes_of(plan["Plan"])]
    chunks = {node["Node Type"] for node in nodes if str(node.get("Relation Name", "")).startswith("_hyper")}

    assert chunks == {"Index Only Scan"}
    assert [node["Actual Loops"] for node in nodes if node.get("Relation Name") == "caregiver_grants"] == [1]


@pytest.mark.parametrize("query", ["worklist", "alerts_page of all", "people_of"])
async def test_a_list_finds_once_who_is_in_care(grown: Grown, query: str) -> None:
    (plan,) = grown.report["plans"][f"console: {query}, worklist of 500 people"]["plans"]
    care = [node for node in nodes_of(plan["Plan"]) if node.get("Relation Name") == "care_relations"]

    assert care
    assert all(node["Actual Loops"] <= 1 for node in care)


async def test_insert_rate_and_sizes_are_measured(grown: Grown) -> None:
    (step,) = grown.report["steps"]

    assert step["insert_rows_per_s"] > 1000
    assert 150 < (step["table_bytes"] + step["index_bytes"]) / step["rows"] < 400
    assert step["chunks"] >= 1


async def test_no_login_is_left(grown: Grown) -> None:
    assert await grown.value("select count(*) from pg_roles where rolname like 'growth%'") == 0
