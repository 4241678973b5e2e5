"""A doctor's list of the morning is due at seven of their own clock, and names what waits in its order."""

from datetime import UTC, date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.alerts import Severity
from schemas.vitals import DIASTOLIC, SYSTOLIC, VITAL_BY_NUMBER, WEIGHT
from services.alert.morning import (
    LATEST_MS,
    MOST_IN_WORDS,
    EntryKind,
    ListEntry,
    SaidEntry,
    held_text,
    in_order,
    list_words,
    morning_of,
    next_morning,
)
from services.alert.words import words_of
from services.score.models.own_band import GUARDED

HOUR_MS = 3_600_000
ENGLISH = words_of("en")
LINK = "https://console.example/morning"
DAY = date(2026, 11, 30)


def ms(text: str, zone: str = "Europe/Berlin") -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def entry(kind: EntryKind, severity: Severity = Severity.MEDIUM, at: int = 0, **fields: object) -> ListEntry:
    about = {"person_no": 1, "home_no": 1, "rule": "spo2", "concern": "spo2", **fields}
    return ListEntry(kind=kind, severity=severity, at=at, **about)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("after", "due"),
    [
        ("2026-11-29 06:59:59", "2026-11-29 07:00"),
        ("2026-11-29 07:00", "2026-11-30 07:00"),
        ("2026-11-29 23:00", "2026-11-30 07:00"),
        ("2026-03-28 07:00", "2026-03-29 07:00"),
        ("2026-10-24 07:00", "2026-10-25 07:00"),
    ],
)
def test_the_next_morning_is_seven_on_the_clock_also_where_clocks_change(after: str, due: str) -> None:
    assert next_morning(ms(after), "Europe/Berlin") == ms(due)


ZONES = st.sampled_from(sorted(available_timezones()))
MOMENTS = st.integers(
    round(datetime(2011, 6, 1, tzinfo=UTC).timestamp()), round(datetime(2032, 1, 1, tzinfo=UTC).timestamp())
).map(lambda second: 1000 * second)


@given(zone=ZONES, after=MOMENTS)
def test_mornings_follow_each_other_by_a_day_of_each_zone_and_none_is_left_out(zone: str, after: int) -> None:
    due = next_morning(after, zone)
    following = next_morning(due, zone)

    shown = [datetime.fromtimestamp(one / 1000, ZoneInfo(zone)) for one in (due, following)]
    # A day may be longer or shorter by what the clock moves, or not exist.
    assert after < due <= after + 49 * HOUR_MS
    assert 0 < following - due <= 49 * HOUR_MS
    assert shown[0].date() < shown[1].date()
    assert all(one.time() == time(7) for one in shown)
    assert next_morning(due - 1, zone) == due


@pytest.mark.parametrize(
    ("now", "day"),
    [
        ("2026-11-29 07:00", date(2026, 11, 29)),
        ("2026-11-29 19:00", date(2026, 11, 29)),
        ("2026-11-29 19:00:01", None),
        ("2026-11-30 06:59:59", None),
        ("2026-11-30 07:00", date(2026, 11, 30)),
        ("2026-12-02 12:00", date(2026, 12, 2)),
        ("2026-12-02 20:00", None),
    ],
)
def test_a_list_is_made_late_until_the_evening_and_then_left_to_the_next_morning(now: str, day: date | None) -> None:
    assert morning_of(ms("2026-11-29 07:00"), ms(now), "Europe/Berlin") == day


@given(zone=ZONES, due=MOMENTS, late=st.integers(0, 100).map(lambda hours: hours * HOUR_MS))
def test_a_list_belongs_to_the_newest_morning_and_is_made_within_half_a_day_of_it(
    zone: str, due: int, late: int
) -> None:
    due = next_morning(due, zone)
    day = morning_of(due, due + late, zone)

    newest = max(one for one in (due, *_mornings(due, due + late, zone)))
    if due + late - newest > LATEST_MS:
        assert day is None
    else:
        assert day == datetime.fromtimestamp(newest / 1000, ZoneInfo(zone)).date()


def _mornings(due: int, until: int, zone: str) -> list[int]:
    found = []
    while (due := next_morning(due, zone)) <= until:
        found.append(due)
    return found


def test_entries_stand_by_kind_then_the_gravest_then_the_oldest() -> None:
    late = entry(EntryKind.RETROSPECTIVE, Severity.HIGH, concern="late", finding_id=UUID(int=9))
    old = entry(EntryKind.OPEN, at=1, alert_id=UUID(int=1))
    new = entry(EntryKind.OPEN, at=2, alert_id=UUID(int=2))
    grave = entry(EntryKind.OPEN, Severity.HIGH, at=3, alert_id=UUID(int=3))
    well = entry(EntryKind.RECOVERED, Severity.HIGH, alert_id=UUID(int=4))
    held = entry(EntryKind.HELD, Severity.LOW, concern="a", rule=None, held_id=UUID(int=5), waiting=2)
    other = entry(EntryKind.HELD, Severity.LOW, concern="b", rule=None, held_id=UUID(int=6), waiting=1)
    low = entry(EntryKind.LISTED, Severity.LOW, concern="low", finding_id=UUID(int=8))

    found = in_order([late, low, other, new, well, held, old, grave])
    assert found == [grave, old, new, well, held, other, low, late]


def test_of_findings_of_one_concern_the_newest_stands_there_and_of_two_people_each() -> None:
    first, second = (entry(EntryKind.LISTED, Severity.LOW, at=at, finding_id=UUID(int=at)) for at in (1, 2))
    other = entry(EntryKind.LISTED, Severity.LOW, at=1, person_no=2, finding_id=UUID(int=3))

    assert in_order([second, first, other]) == [other, second]


ENTRIES = [
    SaidEntry(kind=EntryKind.OPEN, severity=Severity.HIGH, name="Anna Muster", text="84 % at last."),
    SaidEntry(kind=EntryKind.OPEN, severity=Severity.MEDIUM, name="Karl Muster", text="Pulse 125."),
    SaidEntry(kind=EntryKind.RETROSPECTIVE, severity=Severity.LOW, name="Anna Muster", text="From yesterday."),
]


def test_a_list_counts_what_there_is_of_each_kind_and_names_nobody_unasked() -> None:
    words = list_words(DAY, ENTRIES, ENGLISH, details=False, link=LINK)

    assert words.subject == "HearthBeat, morning list of 2026-11-30: 3"
    assert words.text.splitlines() == [
        "What waits for you this morning, 2026-11-30. This is a list and no alert.",
        "Alerts that nobody has answered: 2",
        "Known only afterwards: 1",
        "All of it is on the console:",
        LINK,
    ]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_who_has_asked_for_it_reads_who_and_what_in_any_language(language: str) -> None:
    words = list_words(DAY, ENTRIES, words_of(language), details=True, link=LINK)

    assert [sum(one.text in line for line in words.text.splitlines()) for one in ENTRIES] == [1, 1, 1]
    assert words.text.count("Anna Muster") == 2
    assert "Anna" not in words.subject


@pytest.mark.parametrize(
    ("unit", "text"),
    [
        ("[lb_av]", "Weight held since 2026-11-23 (measured 5 times): fits pounds"),
        ("", "Weight held since 2026-11-23 (measured 5 times): not usual of this person"),
    ],
)
def test_what_is_held_is_said_with_the_day_of_the_doctors_zone_and_names_no_room_mate(unit: str, text: str) -> None:
    since = ms("2026-11-23 00:30")
    assert held_text([WEIGHT.number], unit, since, 5, zone="Europe/Berlin", catalogue=ENGLISH) == text
    said = [SaidEntry(kind=EntryKind.HELD, severity=Severity.LOW, name="Anna Muster", text=text)]
    lines = list_words(DAY, said, ENGLISH, details=True, link=LINK).text.splitlines()
    assert lines[1:3] == ["Held for more than a day, and judged by no rule: 1", f"- Anna Muster: {text}"]


def test_a_pressure_in_chinese_has_chinese_words() -> None:
    text = held_text(
        [SYSTOLIC.number, DIASTOLIC.number],
        "",
        ms("2026-11-23 08:00"),
        1,
        zone="Asia/Shanghai",
        catalogue=words_of("zh"),
    )
    assert "收缩压, 舒张压" in text


def test_what_can_be_held_has_words_in_every_language() -> None:
    units = {unit.code for one in GUARDED.values() for unit in one.units}
    wanted = {("vital", VITAL_BY_NUMBER[vital].code) for vital in GUARDED} | {("unit", unit) for unit in units}
    assert all(wanted <= words_of(language).sentences.keys() for language in ("en", "zh"))


def test_a_long_list_says_how_many_more_there_are() -> None:
    text = list_words(DAY, ENTRIES * 30, ENGLISH, details=True, link=LINK).text

    assert text.count("84 %") + text.count("Pulse") == MOST_IN_WORDS
    assert "- and 10 more" in text
    assert "- and 30 more" in text
    assert "From yesterday." not in text
