"""When doses are due: over spring gaps and autumn folds, on some days only, however a time is divided."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.plan_versions import PlanContent, PlanVersion, edited
from schemas.wall_clock import moment_of
from services.medication.planning import Plan, plan_doses
from services.medication.recurrence import Recurrence, due_moments, neighbours

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",  # changes at midnight
    "Australia/Lord_Howe",  # by half an hour
    "Asia/Kathmandu",
    "Asia/Shanghai",
    "Pacific/Apia",  # left out a whole day
    "Africa/Casablanca",
)
EVERY_ZONE = sorted(one for one in available_timezones() if "/" in one and not one.startswith(("Etc/", "SystemV/")))
WINTER = date(2026, 1, 15)
MORNING, EVENING = time(8), time(20)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)

zones = st.sampled_from(ZONES)
days = st.dates(date(2011, 1, 1), date(2030, 12, 31))
times = st.times().map(lambda at: at.replace(second=0, microsecond=0))


def local(text: str, zone: str = "Europe/Berlin") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def due(recurrence: Recurrence, since: str, until: str) -> list[str]:
    zone = recurrence.zone
    moments = due_moments(recurrence, local(since, zone), local(until, zone))
    return [f"{one.astimezone(ZoneInfo(zone)):%m-%d %H:%M}" for one in moments]


@pytest.mark.parametrize(
    ("zone", "day", "at", "expected"),
    [
        ("Europe/Berlin", WINTER, time(8), "2026-01-15 07:00"),
        ("Europe/Berlin", date(2026, 3, 29), time(1, 59), "2026-03-29 00:59"),
        ("Europe/Berlin", date(2026, 3, 29), time(2, 0), "2026-03-29 01:00"),
        ("Europe/Berlin", date(2026, 3, 29), time(2, 30), "2026-03-29 01:00"),
        ("Europe/Berlin", date(2026, 3, 29), time(3, 0), "2026-03-29 01:00"),
        ("Europe/Berlin", date(2026, 10, 25), time(2, 30), "2026-10-25 00:30"),
        ("America/New_York", date(2026, 3, 8), time(2, 30), "2026-03-08 07:00"),
        ("America/New_York", date(2026, 11, 1), time(1, 30), "2026-11-01 05:30"),
        ("America/Santiago", date(2026, 9, 6), time(0, 20), "2026-09-06 04:00"),
        ("Australia/Lord_Howe", date(2026, 10, 4), time(2, 15), "2026-10-03 15:30"),
        ("Pacific/Apia", date(2011, 12, 30), time(8), "2011-12-30 10:00"),
    ],
)
def test_a_wall_clock_time_is_one_instant(zone: str, day: date, at: time, expected: str) -> None:
    assert f"{moment_of(day, at, ZoneInfo(zone)):%Y-%m-%d %H:%M}" == expected


@given(zones, days, times)
def test_an_instant_shows_its_wall_clock_time_or_the_first_one_after_a_gap(zone: str, day: date, at: time) -> None:
    info = ZoneInfo(zone)
    moment, wall = moment_of(day, at, info), datetime.combine(day, at)
    shown = moment.astimezone(info).replace(tzinfo=None, fold=0)

    assert moment.tzinfo is UTC
    if shown != wall:
        just_before = (moment - timedelta(seconds=1)).astimezone(info).replace(tzinfo=None, fold=0)
        assert just_before < wall < shown


@given(zones, days, times)
def test_a_time_that_comes_twice_is_taken_the_first_time(zone: str, day: date, at: time) -> None:
    info = ZoneInfo(zone)
    moment = moment_of(day, at, info)
    before = {(moment - timedelta(minutes=minutes)).astimezone(info).replace(tzinfo=None) for minutes in (30, 60)}

    assert datetime.combine(day, at) not in before


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({}, ["01-15 08:00", "01-16 08:00", "01-17 08:00", "01-18 08:00"]),
        # The 15th is a Thursday.
        ({"weekdays": (1, 4, 6)}, ["01-15 08:00", "01-17 08:00"]),
        ({"every_days": 2, "anchor": date(2026, 1, 2)}, ["01-16 08:00", "01-18 08:00"]),
        ({"every_days": 2, "anchor": date(2026, 2, 1)}, ["01-16 08:00", "01-18 08:00"]),
        ({"from_day": date(2026, 1, 16), "until_day": date(2026, 1, 17)}, ["01-16 08:00", "01-17 08:00"]),
        ({"weekdays": (4,), "every_days": 2, "anchor": date(2026, 1, 2)}, []),
    ],
)
def test_doses_are_due_on_the_days_of_the_plan(pattern: dict[str, object], expected: list[str]) -> None:
    recurrence = Recurrence(zone="Europe/Berlin", at_times=(MORNING,), **pattern)  # type: ignore[arg-type]

    assert due(recurrence, "2026-01-15", "2026-01-19") == expected


def test_two_times_that_a_clock_change_moves_together_are_one_dose() -> None:
    recurrence = Recurrence(zone="Europe/Berlin", at_times=(time(2, 10), time(2, 50), time(3)))

    assert due(recurrence, "2026-03-29", "2026-03-30") == ["03-29 03:00"]
    assert due(recurrence, "2026-03-30", "2026-03-31") == ["03-30 02:10", "03-30 02:50", "03-30 03:00"]


def test_a_time_that_comes_twice_is_one_dose() -> None:
    recurrence = Recurrence(zone="Europe/Berlin", at_times=(time(2, 30),))
    (moment,) = due_moments(recurrence, local("2026-10-25"), local("2026-10-26"))

    assert moment == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("pattern", "at", "before", "after"),
    [
        ({"at_times": (MORNING,)}, "2026-01-15T08:00", 24, 24),
        ({"at_times": (MORNING, EVENING)}, "2026-01-15T08:00", 12, 12),
        ({"at_times": (MORNING, time(12), EVENING)}, "2026-01-15T12:00", 4, 8),
        ({"at_times": (MORNING,), "weekdays": (4,)}, "2026-01-15T08:00", 168, 168),
        ({"at_times": (MORNING,), "every_days": 30, "anchor": WINTER}, "2026-01-15T08:00", 192, 192),
        # The first and the last day of a plan have as much time as any other.
        ({"at_times": (MORNING,), "from_day": WINTER, "until_day": WINTER}, "2026-01-15T08:00", 24, 24),
        ({"at_times": (MORNING,)}, "2026-03-29T08:00", 23, 24),
    ],
)
def test_a_dose_knows_how_far_its_neighbours_are(pattern: dict[str, object], at: str, before: int, after: int) -> None:
    recurrence = Recurrence(zone="Europe/Berlin", **pattern)  # type: ignore[arg-type]

    found = neighbours(recurrence, local(at), timedelta(days=8))
    assert found == (timedelta(hours=before), timedelta(hours=after))


YEARS = (datetime(2024, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
instants = st.integers(0, int((YEARS[1] - YEARS[0]).total_seconds() * 1000)).map(
    lambda ms: YEARS[0] + timedelta(milliseconds=ms)
)
plans = st.builds(
    Recurrence,
    zone=st.sampled_from(EVERY_ZONE),
    at_times=st.lists(times, min_size=1, max_size=4).map(tuple),
    weekdays=st.lists(st.integers(1, 7), max_size=3, unique=True).map(tuple),
    every_days=st.sampled_from((1, 1, 2, 3, 10)),
    anchor=st.just(date(2025, 6, 1)),
)


@settings(max_examples=25, deadline=None)
@given(plans, st.lists(instants, max_size=6))
def test_each_due_moment_of_three_years_comes_once_however_the_time_is_divided(
    recurrence: Recurrence, cuts: list[datetime]
) -> None:
    whole = list(due_moments(recurrence, *YEARS))
    edges = [YEARS[0], *sorted(cuts), YEARS[1]]
    parts = [moment for since, until in pairwise(edges) for moment in due_moments(recurrence, since, until)]

    assert parts == whole
    assert all(one < other for one, other in pairwise(whole))
    # Every wall-clock time of every day that the pattern holds on is there, and nothing else.
    info, day, wanted = ZoneInfo(recurrence.zone), date(2023, 12, 30), set()
    while day < date(2027, 1, 3):
        weekday = not recurrence.weekdays or day.isoweekday() in recurrence.weekdays
        if weekday and (day - date(2025, 6, 1)).days % recurrence.every_days == 0:
            wanted |= {moment_of(day, at, info) for at in recurrence.at_times}
        day += timedelta(days=1)
    assert set(whole) == {one for one in wanted if YEARS[0] <= one < YEARS[1]}


edits = st.lists(st.tuples(instants, plans), max_size=5)


@settings(deadline=None)
@given(plans, edits)
def test_an_edit_changes_nothing_before_it_and_each_version_has_its_moments_once(
    first: Recurrence, later: list[tuple[datetime, Recurrence]]
) -> None:
    """Whatever the zones, and whenever the edits are made, at the moment of a dose as well."""
    plan_id = UUID(int=1)
    versions: list[tuple[PlanVersion, Recurrence]] = []
    doses: dict[tuple[int, datetime], UUID] = {}
    edges = [moment for moment, _ in later] or [YEARS[0]]
    for number, (now, recurrence) in enumerate([(YEARS[0], first), *sorted(later, key=lambda edit: edit[0])]):
        content = PlanContent(
            device="pills", compartment=1, drug=f"Drug {number}", zone=recurrence.zone, at_times=recurrence.at_times
        )
        newest = versions[-1][0] if versions else None
        edit = edited(plan_id, newest, content, now)
        assert edit is not None
        assert edit.at >= now
        known = planned(plan_id, versions, edges)
        before = {key: dose for key, dose in known.items() if key[1] < edit.at}
        if newest is not None:
            assert edit.ends_version == newest.version_no
            versions[-1] = (
                PlanVersion(version_no=newest.version_no, content=newest.content, begins=newest.begins, ends=edit.at),
                versions[-1][1],
            )
        versions.append((PlanVersion(version_no=number + 1, content=content, begins=edit.at), recurrence))
        doses = planned(plan_id, versions, edges)
        assert before.items() <= doses.items()
        assert {key for key in doses if key[1] < edit.at} == before.keys()

    moments = [moment for _, moment in doses]
    assert len(moments) == len(set(moments))
    assert len(set(doses.values())) == len(doses)
    for moment in moments:
        in_force = [
            version.version_no
            for version, _ in versions
            if version.begins <= moment and (version.ends is None or moment < version.ends)
        ]
        assert [number for number, at in doses if at == moment] == in_force


def planned(
    plan_id: UUID, versions: list[tuple[PlanVersion, Recurrence]], edges: list[datetime]
) -> dict[tuple[int, datetime], UUID]:
    """The id of each dose by version and due moment, of a week around each of ``edges``."""
    return {
        (version.version_no, dose.due_at): dose.dose_id
        for version, recurrence in versions
        for edge in edges
        for dose in plan_doses(
            Plan(
                version_no=version.version_no,
                plan_id=plan_id,
                person_no=1,
                home_no=1,
                device_no=1,
                compartment=1,
                drug=version.content.drug,
                recurrence=recurrence,
                valid_from=version.begins,
                valid_to=version.ends,
            ),
            edge - timedelta(days=2),
            edge + timedelta(days=5),
        )
    }
