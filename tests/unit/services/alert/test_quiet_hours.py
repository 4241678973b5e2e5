"""Quiet hours hold what is MEDIUM until they end on the doctor's own clock, HIGH never, and nothing for over a day."""

from datetime import UTC, datetime, time
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.alerts import Severity
from services.alert.quiet_hours import LONGEST_HOLD_MS, QuietHours, held_until

MINUTE_MS = 60_000
NIGHT = QuietHours(begins=time(22), ends=time(7), zone="Europe/Berlin")
ZONES = sorted(available_timezones())


def ms(text: str, zone: str = "Europe/Berlin", fold: int = 0) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp() * 1000)


def wall(at: int, zone: str) -> datetime:
    return datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).replace(tzinfo=None)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-29 21:59:59", None),
        ("2026-11-29 22:00", "2026-11-30 07:00"),
        ("2026-11-30 00:00", "2026-11-30 07:00"),
        ("2026-11-30 06:59:59", "2026-11-30 07:00"),
        ("2026-11-30 07:00", None),
        ("2026-11-30 12:00", None),
    ],
)
def test_a_night_holds_over_midnight_until_it_ends(now: str, until: str | None) -> None:
    assert held_until(Severity.MEDIUM, NIGHT, ms(now)) == (until and ms(until))


def test_a_rest_at_noon_holds_on_its_own_day() -> None:
    noon = QuietHours(begins=time(12), ends=time(13, 30), zone="Asia/Shanghai")

    def held(clock: str) -> int | None:
        return held_until(Severity.MEDIUM, noon, ms(f"2026-11-29 {clock}", "Asia/Shanghai"))

    assert held("12:00") == held("13:29") == ms("2026-11-29 13:30", "Asia/Shanghai")
    assert (held("11:59"), held("13:30")) == (None, None)


def test_nights_on_which_clocks_change_end_on_the_clock_all_the_same() -> None:
    shorter, longer = ms("2026-03-28 22:00"), ms("2026-10-24 22:00")

    assert held_until(Severity.MEDIUM, NIGHT, shorter) == shorter + 8 * 60 * MINUTE_MS
    assert held_until(Severity.MEDIUM, NIGHT, longer) == longer + 10 * 60 * MINUTE_MS


def test_an_end_that_the_clock_skips_is_the_moment_after_and_one_that_comes_twice_the_first() -> None:
    short = QuietHours(begins=time(1), ends=time(2, 30), zone="Europe/Berlin")

    assert held_until(Severity.MEDIUM, short, ms("2026-03-29 01:10")) == ms("2026-03-29 03:00")
    assert held_until(Severity.MEDIUM, short, ms("2026-10-25 01:10")) == ms("2026-10-25 02:30", fold=0)
    assert held_until(Severity.MEDIUM, short, ms("2026-10-25 02:10", fold=1)) is None


def test_hours_that_the_clock_skips_hold_nothing() -> None:
    skipped = QuietHours(begins=time(2, 10), ends=time(2, 50), zone="Europe/Berlin")

    assert held_until(Severity.MEDIUM, skipped, ms("2026-03-29 03:00")) is None
    assert held_until(Severity.MEDIUM, skipped, ms("2026-03-29 01:59")) is None


def test_hours_of_a_zone_that_nobody_knows_and_no_hours_hold_nothing() -> None:
    lost = QuietHours(begins=time(0), ends=time(23, 59), zone="Mars/Olympus")

    assert held_until(Severity.MEDIUM, lost, ms("2026-11-29 12:00")) is None
    assert held_until(Severity.MEDIUM, None, ms("2026-11-29 23:00")) is None


CLOCKS = st.builds(time, st.integers(0, 23), st.sampled_from([0, 1, 15, 30, 59]))
HOURS = st.builds(QuietHours, begins=CLOCKS, ends=CLOCKS, zone=st.sampled_from(ZONES)).filter(
    lambda hours: hours.begins != hours.ends
)
MOMENTS = st.integers(
    round(datetime(2011, 6, 1, tzinfo=UTC).timestamp()), round(datetime(2032, 1, 1, tzinfo=UTC).timestamp())
).map(lambda second: 1000 * second)
NEARLY_ALL_DAY = QuietHours(begins=time(4), ends=time(3, 59), zone="Europe/Berlin")


@given(quiet=HOURS, now=MOMENTS, severity=st.sampled_from([one for one in Severity if one is not Severity.MEDIUM]))
def test_only_what_is_medium_is_ever_held(quiet: QuietHours, now: int, severity: Severity) -> None:
    assert held_until(severity, quiet, now) is None


@given(quiet=HOURS, now=MOMENTS)
@example(quiet=NEARLY_ALL_DAY, now=ms("2026-10-24 04:00"))
def test_nothing_is_held_for_longer_than_a_day_or_into_the_past(quiet: QuietHours, now: int) -> None:
    until = held_until(Severity.MEDIUM, quiet, now)

    assert until is None or now < until <= now + LONGEST_HOLD_MS


@given(quiet=HOURS, now=MOMENTS)
def test_what_is_held_goes_out_when_the_clock_first_shows_the_end(quiet: QuietHours, now: int) -> None:
    until = held_until(Severity.MEDIUM, quiet, now)
    if until is None or until == now + LONGEST_HOLD_MS:
        return
    shown = wall(until, quiet.zone)
    # Only where the clock skips the end does it show something later.
    if shown.time() != quiet.ends:
        before = wall(until - 1000, quiet.zone)
        assert (shown - before).total_seconds() > 1
        assert shown.replace(hour=0, minute=0, second=0) <= shown
        skipped = [datetime.combine(day.date(), quiet.ends) for day in (before, shown)]
        assert any(before < one < shown for one in skipped)


@given(quiet=HOURS, now=MOMENTS)
def test_whatever_comes_during_the_same_quiet_hours_is_held_until_the_same_moment(quiet: QuietHours, now: int) -> None:
    until = held_until(Severity.MEDIUM, quiet, now)
    if until is None or until == now + LONGEST_HOLD_MS:
        return
    between = [now + (until - now) * part // 5 for part in range(5)]

    assert {held_until(Severity.MEDIUM, quiet, at) for at in between} == {until}
    assert held_until(Severity.MEDIUM, quiet, until) is None or quiet.begins == wall(until, quiet.zone).time()


@given(quiet=HOURS, now=MOMENTS)
def test_a_doctor_is_left_in_peace_as_long_as_the_clock_shows_the_hours_between(quiet: QuietHours, now: int) -> None:
    """On days on which no clock changes, that is."""
    around = [now + hours * 3_600_000 for hours in range(-30, 31, 3)]
    offsets = {wall(at, quiet.zone) - datetime.fromtimestamp(at / 1000, UTC).replace(tzinfo=None) for at in around}
    if len(offsets) > 1:
        return
    clock = wall(now, quiet.zone).time()
    if quiet.begins < quiet.ends:
        is_quiet = quiet.begins <= clock < quiet.ends
    else:
        is_quiet = clock >= quiet.begins or clock < quiet.ends

    assert (held_until(Severity.MEDIUM, quiet, now) is not None) == is_quiet


@given(quiet=HOURS, now=MOMENTS)
def test_ends_never_run_backwards(quiet: QuietHours, now: int) -> None:
    held = [held_until(Severity.MEDIUM, quiet, now + step * 17 * MINUTE_MS) for step in range(200)]
    ends = [until for until in held if until is not None]

    assert all(first <= second for first, second in pairwise(ends))
