"""Which silences are a home's: whatever is overdue is covered by exactly one of them."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.score.silent_homes import OverdueDevice, silences_of

START = datetime(2026, 3, 3, tzinfo=UTC)
LEAST = timedelta(minutes=3)


def minutes(number: float) -> datetime:
    return START + timedelta(minutes=number)


def overdue(
    device_no: int, *, home_no: int = 1, heard: float = 0, home_heard: float = 0, devices: int = 2
) -> OverdueDevice:
    return OverdueDevice(
        device_no,
        home_no,
        7,
        minutes(heard),
        minutes(heard + 30),
        devices,
        timedelta(minutes=30),
        minutes(home_heard),
        9,
    )


def test_half_the_shortest_limit_without_anything_heard_makes_a_home_silent() -> None:
    rows = [overdue(1, home_heard=16)]
    assert [one.devices for one in silences_of(rows, minutes(31), least=LEAST)] == [0]
    assert [one.devices for one in silences_of(rows, minutes(31.1), least=LEAST)] == [2]


def test_quiet_is_never_shorter_than_some_resends() -> None:
    rows = [overdue(1)]
    assert [one.devices for one in silences_of(rows, minutes(40), least=timedelta(minutes=40))] == [0]


def test_a_home_is_stamped_with_the_moment_that_both_conditions_were_met() -> None:
    (first,) = silences_of(
        [overdue(1, heard=0, home_heard=4), overdue(2, heard=4, home_heard=4)], minutes(40), least=LEAST
    )
    (later,) = silences_of([overdue(1, heard=-60, home_heard=4)], minutes(40), least=LEAST)
    assert (first.silent_at, later.silent_at) == (minutes(30), minutes(19))


HOMES = st.lists(st.tuples(st.floats(0, 40), st.integers(0, 4)), min_size=3, max_size=3)
DEVICES = st.lists(st.tuples(st.integers(0, 2), st.floats(-90, 0)), max_size=12)


@given(HOMES, DEVICES, st.floats(0, 90))
def test_every_overdue_device_is_said_once_by_itself_or_with_its_home(
    homes: list[tuple[float, int]], devices: list[tuple[int, float]], now: float
) -> None:
    rows = [
        overdue(number, home_no=home, heard=heard, home_heard=homes[home][0], devices=homes[home][1])
        for number, (home, heard) in enumerate(devices)
    ]

    said = silences_of(rows, minutes(now), least=LEAST)

    silent_homes = [one.home_no for one in said if one.devices]
    own = [one.device_no for one in said if not one.devices]
    covered = [row.device_no for row in rows if row.home_no in silent_homes]
    assert len(silent_homes) == len(set(silent_homes))
    assert sorted(own + covered) == list(range(len(rows)))
    assert all(one.person_no == 0 for one in said if one.devices)
