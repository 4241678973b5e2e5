"""A doctor's list of the morning is due at seven of their own clock, and names what waits in its order."""

from datetime import UTC, date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.alerts import Severity
from services.alert.morning import (
    LATEST_MS,
    MOST_IN_WORDS,
    EntryKind,
    ListEntry,
    SaidEntry,
    in_order,
    list_words,
    morning_of,
    next_morning,
)
from services.alert.words import words_of

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


@given(zone=ZONES, due=MOMENTS, late=st.integers(0, 100 * HOUR_MS))
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
    low = entry(EntryKind.LISTED, Severity.LOW, concern="low", finding_id=UUID(int=8))

    assert in_order([late, low, new, well, old, grave]) == [grave, old, new, well, low, late]


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


def test_a_long_list_says_how_many_more_there_are() -> None:
    text = list_words(DAY, ENTRIES * 30, ENGLISH, details=True, link=LINK).text

    assert text.count("84 %") + text.count("Pulse") == MOST_IN_WORDS
    assert "- and 10 more" in text
    assert "- and 30 more" in text
    assert "From yesterday." not in text
