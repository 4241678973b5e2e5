"""How often the same has come: by the nights and days of the home, over clock changes too."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.nights import place_of, recurrence_of

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from([BERLIN, ZoneInfo("America/New_York"), ZoneInfo("Pacific/Kiritimati"), ZoneInfo("UTC")])
MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds UTC


def local(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("moment", "place"),
    [
        (local(20, 21, 59), ("day", date(2026, 11, 20))),
        (local(20, 22), ("night", date(2026, 11, 20))),
        (local(21, 0), ("night", date(2026, 11, 20))),
        (local(21, 6, 59), ("night", date(2026, 11, 20))),
        (local(21, 7), ("day", date(2026, 11, 21))),
        (local(1, 2, 30, month=12), ("night", date(2026, 11, 30))),
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_began(moment: datetime, place: tuple[str, date]) -> None:
    assert place_of(moment, BERLIN) == place


def test_three_nights_in_a_row_are_said_also_where_one_began_before_midnight() -> None:
    found = recurrence_of([local(22, 3), local(20, 23, 30), local(20, 2)], BERLIN)

    assert (found.part, found.in_a_row, found.streak) == ("night", 3, "Third night in a row")
    assert (found.episodes, found.days) == (3, 2)


def test_a_day_between_ends_the_row_and_a_night_is_no_day() -> None:
    assert recurrence_of([local(22, 3), local(20, 3)], BERLIN).streak == ""
    assert recurrence_of([local(22, 3), local(21, 12), local(20, 3)], BERLIN).streak == ""
    assert recurrence_of([local(22, 12), local(21, 12), local(21, 13)], BERLIN).streak == "Second day in a row"


def test_nothing_has_come_where_nothing_began() -> None:
    found = recurrence_of([], BERLIN)

    assert (found.episodes, found.days, found.in_a_row, found.streak) == (0, 0, 0, "")


@pytest.mark.parametrize(("nights", "said"), [(10, "Tenth"), (11, "11th"), (21, "21st"), (22, "22nd"), (23, "23rd")])
def test_long_rows_are_counted_in_figures(nights: int, said: str) -> None:
    onsets = [local(1, 3) + timedelta(days=number) for number in range(nights)]

    assert recurrence_of(onsets, BERLIN).streak == f"{said} night in a row"


@given(st.lists(MOMENTS, min_size=1, max_size=30), ZONES)
def test_a_row_is_never_longer_than_the_nights_or_days_that_had_one(onsets: list[datetime], zone: ZoneInfo) -> None:
    found = recurrence_of(onsets, zone)
    part = place_of(max(onsets), zone)[0]

    assert found.part == part
    assert 1 <= found.in_a_row <= len({place_of(one, zone) for one in onsets if place_of(one, zone)[0] == part})
    assert 1 <= found.days <= found.episodes == len(onsets)
    assert recurrence_of(list(reversed(onsets)), zone) == found


@given(st.integers(1, 12), ZONES, MOMENTS)
def test_each_night_of_a_row_counts_once_over_clock_changes(nights: int, zone: ZoneInfo, start: datetime) -> None:
    first = start.astimezone(zone).replace(hour=3, minute=0, second=0, microsecond=0)
    # Wall-clock days: a night on which clocks are set is one night.
    onsets = [first + timedelta(days=number) for number in range(nights)]

    assert recurrence_of(onsets, zone).in_a_row == nights
