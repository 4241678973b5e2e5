"""Every panel's query runs as its reader: a real login over TCP, macros replaced as Grafana replaces them."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from grafana.boards import boards
from grafana.caregivers import Sight, add_caregivers, add_operator, remove_reader
from grafana.macros import View
from grafana.pictures import draw_boards, run_panel
from grafana.query_target import Reader
from schemas.model_drift import DRIFTED
from schemas.presentation import VITAL_PRESENTATIONS
from schemas.vitals import STEPS
from services.score.models.feature_drift import stability_index
from tests.integration.grafana_world import ALBERT, ANNA, BERTA, NOW, PASSWORD, Login, days_ago, login_for, make_world

Panel = dict[str, Any]
PANELS: list[tuple[Reader, Panel]] = [
    (board.reader, panel) for board in boards() for panel in json.loads(board.json)["panels"]
]


def for_panels(*readers: Reader) -> pytest.MarkDecorator:
    """Once for each panel of these readers."""
    chosen = [pytest.param(*one, id=one[1]["title"].replace(" ", "-")) for one in PANELS if one[0] in readers]
    return pytest.mark.parametrize(("reader", "panel"), chosen)


DAY = View(since=days_ago(1), until=NOW, variables={"person": str(ANNA)})
Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Readers:
    """A login for each reader of dashboards."""

    logins: dict[Reader, Login]

    async def rows(self, reader: Reader, panel: Panel, view: View = DAY) -> list[Row]:
        """What a panel shows to its reader."""
        connection = await asyncpg.connect(self.logins[reader].dsn)
        try:
            return [dict(row) for row in (await run_panel(connection, panel, view)).rows]
        finally:
            await connection.close()

    async def rows_of(self, title: str, view: View = DAY) -> list[Row]:
        """The same by a panel's title."""
        reader, panel = next((reader, panel) for reader, panel in PANELS if panel["title"] == title)
        return await self.rows(reader, panel, view)


@pytest.fixture(scope="module")
def readers(dsn: str) -> Iterator[Readers]:
    """A family that may see Anna and Albert, and an operator."""
    logins = {Reader.CAREGIVER: login_for(dsn, "family"), Reader.OPERATOR: login_for(dsn, "staff")}

    async def prepare() -> None:
        await make_world(dsn)
        owner = await asyncpg.connect(dsn)
        sight = Sight(since=days_ago(30))
        await add_caregivers(owner, logins[Reader.CAREGIVER].role, [ANNA, ALBERT], sight, PASSWORD)
        await add_operator(owner, logins[Reader.OPERATOR].role, PASSWORD)
        await owner.close()

    async def clear_away() -> None:
        owner = await asyncpg.connect(dsn)
        for login in logins.values():
            await remove_reader(owner, login.role)
        await owner.close()

    asyncio.run(prepare())
    yield Readers(logins=logins)
    asyncio.run(clear_away())


@for_panels(*Reader)
async def test_a_panel_has_something_to_show(readers: Readers, reader: Reader, panel: Panel) -> None:
    rows = await readers.rows(reader, panel)

    assert rows
    assert any(value is not None for row in rows for name, value in row.items() if name != "time")
    if panel["targets"][0]["format"] == "time_series":
        times = [row["time"] for row in rows]
        assert times == sorted(times)
        assert all(time.tzinfo is not None for time in times)


@for_panels(*Reader)
async def test_a_panels_overrides_name_columns_that_come_back(readers: Readers, reader: Reader, panel: Panel) -> None:
    columns = set((await readers.rows(reader, panel))[0])
    shared = {"State", "How urgent", "Severity"}

    named = {override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]}
    assert named - shared <= columns


@pytest.mark.parametrize("chosen", ["", str(BERTA)], ids=["nobody", "somebody-else"])
@for_panels(Reader.CAREGIVER)
async def test_a_panel_about_nobody_visible_shows_nothing(
    readers: Readers, reader: Reader, panel: Panel, chosen: str
) -> None:
    rows = await readers.rows(reader, panel, replace(DAY, variables={"person": chosen}))

    assert all(value in {None, 0, "0 of 0"} for row in rows for value in row.values())


async def test_the_choices_are_the_people_that_the_group_may_see(readers: Readers) -> None:
    board = json.loads(next(one.json for one in boards() if one.reader is Reader.CAREGIVER))
    (variable,) = board["templating"]["list"]
    connection = await asyncpg.connect(readers.logins[Reader.CAREGIVER].dsn)
    choices = [tuple(row) for row in await connection.fetch(variable["query"])]
    await connection.close()

    assert choices == [("Albert Lind", ALBERT), ("Anna Lind", ANNA)]


async def test_a_gap_is_drawn_as_a_gap(readers: Readers) -> None:
    rows = await readers.rows_of("Heart rate")
    off, on = days_ago(1) + timedelta(minutes=600), days_ago(1) + timedelta(minutes=720)
    inside = [row for row in rows if off + timedelta(minutes=5) < row["time"] <= on - timedelta(minutes=1)]

    assert [(row["Lowest"], row["Mean"], row["Highest"]) for row in rows if row["Mean"] is None] == [(None, None, None)]
    assert all(row["Mean"] is None for row in inside)


async def test_the_band_holds_every_reading(readers: Readers, dsn: str) -> None:
    rows = [row for row in await readers.rows_of("Heart rate") if row["Mean"] is not None]
    owner = await asyncpg.connect(dsn)
    highest = await owner.fetchval("select max(value) from readings where person_no = 1 and vital = 1")
    lowest = await owner.fetchval("select min(value) from readings where person_no = 1 and vital = 1")
    await owner.close()

    assert (min(row["Lowest"] for row in rows), max(row["Highest"] for row in rows)) == (lowest, highest)
    assert all(row["Lowest"] <= row["Mean"] <= row["Highest"] for row in rows)


@pytest.mark.parametrize(("days", "most"), [(1, 300), (7, 400), (365, 800)])
async def test_a_long_range_gives_no_more_points_than_fit(readers: Readers, days: int, most: int) -> None:
    view = View(since=days_ago(days), until=NOW, variables=DAY.variables)

    assert 0 < len(await readers.rows_of("Heart rate", view)) <= most


async def test_what_a_cuff_measured_is_shown_in_pairs(readers: Readers) -> None:
    rows = await readers.rows_of("Blood pressure")

    assert [(row["Systolic"], row["Diastolic"]) for row in rows] == [(141, 83), (136, 79)]


async def test_how_much_was_watched_and_why_the_rest_was_not(readers: Readers) -> None:
    rows = {row["Vital"]: row for row in await readers.rows_of("Watched in the last 24 hours")}

    assert rows.keys() == {"Heart rate", "Oxygen saturation", "Respiratory rate"}
    assert rows["Heart rate"]["Watched"] == "22.0 of 24 h"
    assert rows["Heart rate"]["Not watched"] == "not worn 2.0 h"
    half = replace(DAY, until=NOW - timedelta(hours=13, minutes=30))
    assert "not worn 0.5 h" in {
        row["Not watched"] for row in await readers.rows_of("Watched in the last 24 hours", half)
    }


async def test_a_value_from_long_ago_is_called_old(readers: Readers) -> None:
    later = replace(DAY, until=NOW + timedelta(hours=4))
    now = {row["Vital"]: row["State"] for row in await readers.rows_of("Newest values")}
    then = {row["Vital"]: row["State"] for row in await readers.rows_of("Newest values", later)}

    assert set(now.values()) == {"current"}
    assert (then["Heart rate"], then["Glucose"], then["Weight"]) == ("old", "old", "current")


async def test_a_value_is_said_and_grows_old_as_its_row_of_presentation_says(readers: Readers, dsn: str) -> None:
    """So the panel agrees with the console, which asks the same row."""
    owner = await asyncpg.connect(dsn)
    rows = await owner.fetch(
        "select distinct on (vital) vital, value from readings where person_no = 1 and flags = 0"
        " order by vital, observed_at desc"
    )
    steps = await owner.fetchval(
        "select sum(value) from readings where person_no = 1 and vital = $1 and observed_at between $2 and $3",
        *(STEPS.number, NOW - timedelta(hours=24), NOW),
    )
    await owner.close()
    values = {row["vital"]: row["value"] for row in rows} | {STEPS.number: steps}
    newest = {row["Vital"]: row for row in await readers.rows_of("Newest values")}

    assert set(newest) == {row.title for row in VITAL_PRESENTATIONS}
    for row in VITAL_PRESENTATIONS:
        assert newest[row.title]["Value"] == row.text(values[row.vital.number])
        for late, state in ((timedelta(), "current"), (timedelta(seconds=1), "old")):
            view = replace(DAY, until=newest[row.title]["Measured"] + row.fresh_for + late)
            shown = {one["Vital"]: one["State"] for one in await readers.rows_of("Newest values", view)}
            assert shown[row.title] == state


async def test_doubtful_readings_are_never_shown_as_values(readers: Readers, dsn: str) -> None:
    owner = await asyncpg.connect(dsn)
    await owner.execute(
        "insert into readings select 1, 2::smallint, $1, 1, 8, flag, 0, 51, flag, $1"
        " from unnest(array[2, 32, 128]) as flag",
        NOW + timedelta(minutes=10),
    )
    await owner.close()
    view = replace(DAY, until=NOW + timedelta(minutes=20))

    assert min(row["Lowest"] for row in await readers.rows_of("Oxygen saturation", view) if row["Lowest"]) > 90
    newest = {row["Vital"]: row["Value"] for row in await readers.rows_of("Newest values", view)}
    assert newest["Oxygen saturation"] != "51 %"


@pytest.mark.parametrize(
    ("after", "value", "shown", "drawn"), [(0, 38, "below 40 mg/dL", 40), (60, 450, "above 400 mg/dL", 400)]
)
async def test_what_a_sensor_cannot_measure_is_a_bound(
    readers: Readers, dsn: str, after: int, value: float, shown: str, drawn: float
) -> None:
    """And a meter's value beyond is a number."""
    owner = await asyncpg.connect(dsn)
    await owner.execute(
        "insert into readings select 1, 7::smallint, at, 1, 8, flag, 0, $2, flag, at"
        " from unnest(array[$1::timestamptz, $1 + interval '30 min'], array[8, 0]) as measured (at, flag)",
        NOW + timedelta(minutes=after + 10),
        float(value),
    )
    await owner.close()
    by_sensor, by_meter = (replace(DAY, until=NOW + timedelta(minutes=after + minutes)) for minutes in (20, 50))

    newest = [
        {row["Vital"]: row["Value"] for row in await readers.rows_of("Newest values", view)}["Glucose"]
        for view in (by_sensor, by_meter)
    ]
    assert newest == [shown, f"{value} mg/dL"]
    curve = [row for row in await readers.rows_of("Glucose", by_meter) if row["Mean"] is not None]
    assert [(row["Lowest"], row["Highest"]) for row in curve[-2:]] == [(drawn, drawn), (value, value)]


async def test_doses_of_the_day_follow_the_homes_own_calendar(readers: Readers) -> None:
    before_midnight = replace(DAY, until=NOW.replace(hour=22, minute=59))
    after_midnight = replace(DAY, until=NOW.replace(hour=23, minute=1))

    rows = await readers.rows_of("Medicine of the day", before_midnight)
    assert [(row["Medicine"], row["State"]) for row in rows] == [
        ("Metformin 500 mg", "taken"),
        ("Ramipril 500 mg", "paused"),
        ("Metformin 500 mg", "later today"),
    ]
    assert await readers.rows_of("Medicine of the day", after_midnight) == []  # in Berlin it is Monday


async def test_a_dose_of_several_says_how_many_and_one_whose_dispenser_was_not_heard_is_not_called_missed(
    readers: Readers,
) -> None:
    of_albert = replace(DAY, variables={"person": str(ALBERT)})
    two_days_ago = replace(of_albert, until=days_ago(2) + timedelta(hours=10))

    assert {row["Medicine"] for row in await readers.rows_of("Medicine of the day", of_albert)} == {
        "Metformin 500 mg, 2 of it"
    }
    shown = [(row["State"], row["Taken"] is None) for row in await readers.rows_of("Medicine of the day", two_days_ago)]
    assert shown == [("taken", False), ("not known: dispenser not heard", True)]


async def test_each_state_of_a_dose_has_a_colour(readers: Readers) -> None:
    (panel,) = [panel for _, panel in PANELS if panel["title"] == "Medicine of the day"]
    words = panel["fieldConfig"]["defaults"]["mappings"][0]["options"]
    shown: set[str] = set()
    for days in range(14):
        view = replace(DAY, until=days_ago(days))
        shown |= {row["State"] for row in await readers.rows_of("Medicine of the day", view)}

    assert {"taken", "late", "missed", "paused", "taken more than once", "not known: dispenser not heard"} <= shown
    assert shown <= words.keys()


async def test_a_notice_of_a_dose_says_what_has_become_of_it_since(readers: Readers) -> None:
    rows = await readers.rows_of("Medicine not taken in its time")
    before = await readers.rows_of("Medicine not taken in its time", replace(DAY, until=days_ago(1)))
    words = {row["State"] for row in rows}

    assert {row["Medicine"] for row in rows} == {"Metformin 500 mg"}
    assert {row["What happened"] for row in rows} == {"The dose was not taken in its time"}
    assert words == {"missed", "taken since, 11:00"}
    assert all(days_ago(2) < row["When"] <= NOW for row in rows)
    assert all(days_ago(3) < row["When"] <= days_ago(1) for row in before)


async def test_what_is_left_of_a_medicine_says_until_when_it_lasts(readers: Readers) -> None:
    rows = await readers.rows_of("Medicine left")

    assert {row["Medicine"] for row in rows} == {"Metformin 500 mg", "Ramipril 500 mg"}
    assert {(row["Left"], row["Runs out"], row["State"]) for row in rows} == {(9.0, "2026-11-27", "refill due")}


async def test_a_caregiver_reads_the_caregivers_sentence_and_the_homes_emergency(readers: Readers) -> None:
    rows = await readers.rows_of("What needs attention")

    assert [(row["How urgent"], row["What happened"].split()[0], row["Where it stands"]) for row in rows] == [
        ("urgent", "Anna", "waiting for the doctor"),
        ("urgent", "Somebody", "waiting for the doctor"),
        ("soon", "Anna's", "the doctor has seen it"),
    ]


async def test_the_operator_sees_counts_of_everybody_and_names_of_nobody(readers: Readers) -> None:
    shown = [await readers.rows(reader, panel) for reader, panel in PANELS if reader is Reader.OPERATOR]
    text = str(shown)

    assert len(shown) >= 6
    for word in ("Anna", "Berta", "Lind", "band-1a", "Metformin", "doctor", str(ANNA)):
        assert word not in text


async def test_the_operator_sees_what_came_of_alerts_and_nothing_is_divided_by_nothing(readers: Readers) -> None:
    rows = {row["Rule"]: row for row in await readers.rows_of("Outcomes of alerts", replace(DAY, since=days_ago(9)))}
    taken_on = [row for row in rows.values() if row["Taken on"]]

    assert "fall" in rows
    assert (rows["fall"]["Taken on"], rows["fall"]["Median until taken on"]) == (0, None)
    assert rows["fall"]["Real, of real and false"] == "not known"
    assert [(row["Real"], row["False"], row["Median until taken on"]) for row in taken_on] == [(1, 0, 360)]
    assert taken_on[0]["Real, of real and false"] == "100 %"
    assert await readers.rows_of("Outcomes of alerts", replace(DAY, since=NOW, until=NOW)) == []


async def test_the_operator_sees_what_no_longer_looks_like_training_as_score_computes_it(readers: Readers) -> None:
    (row,) = await readers.rows_of("Models: what they are asked", replace(DAY, since=days_ago(1)))
    index = stability_index((0.5, 0.4, 0.1), (200, 700, 100))

    assert (row["Rows"], row["People"], row["Furthest off"]) == (1000, 40, "step 0 min ago")
    assert row["Index"] == pytest.approx(index, abs=0.0005)
    assert (row["State"], index > DRIFTED) == ("unlike training", True)
    long_ago = replace(DAY, since=days_ago(9), until=days_ago(5))
    assert await readers.rows_of("Models: what they are asked", long_ago) == []


async def test_the_operators_traffic_adds_up(readers: Readers, dsn: str) -> None:
    rows = await readers.rows_of("Received a minute")
    owner = await asyncpg.connect(dsn)
    counted = await owner.fetchval(
        "select count(*) from readings where received_at >= $1 and received_at < $2", DAY.since, DAY.until
    )
    await owner.close()

    assert sum(row["Readings"] for row in rows) == counted
    assert sum(row["Rejected"] for row in rows) == 50
    assert sum(row["Events"] for row in rows) == 6


async def test_the_operator_cannot_read_what_is_the_caregivers_nor_any_table(readers: Readers) -> None:
    connection = await asyncpg.connect(readers.logins[Reader.OPERATOR].dsn)
    for query in (
        "select * from caregiver_people()",
        "select * from readings",
        "select * from people",
        "table alerts",
        "table alert_outcomes",
        "select * from alert_openings('2026-11-01', '2026-12-01')",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch(query)
    await connection.close()


@pytest.mark.parametrize("reader", Reader)
async def test_pictures_are_drawn_from_the_readers_own_queries(
    readers: Readers, reader: Reader, tmp_path: Path
) -> None:
    files = await draw_boards(reader, readers.logins[reader].dsn, DAY.since, DAY.until, None, tmp_path)

    assert len(files) == sum(one.reader is reader for one in boards()) + sum(one is reader for one, _ in PANELS)
    assert len(set(files)) == len(files)
    assert all(file.read_bytes().startswith(b"\x89PNG") and file.stat().st_size > 3000 for file in files)
