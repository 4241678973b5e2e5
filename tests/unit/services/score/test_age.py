"""What became known too late to alert anybody, and what is news however late it is."""

import pytest

from schemas.alert_events import Found
from schemas.alert_machine import fold
from schemas.alerts import Finding
from schemas.records import JudgedUplink
from services.score.home_state import HomeState
from tests.unit.services.score.story import minute, run, uplink

HOURS = 60.0


def found_in(records: list[JudgedUplink], state: HomeState | None = None) -> list[tuple[str, int, bool]]:
    """Rule, level, and whether it is a look back."""
    return [(one.rule, one.level, one.retrospective) for one in run(records, state) if isinstance(one, Finding)]


def backlog(vital: str, value: float, minutes: range, received: float) -> list[JudgedUplink]:
    """Readings of a vital, each minute, all received at one minute."""
    return [uplink(n, at, {vital: value}, received=received) for n, at in enumerate(minutes)]


@pytest.mark.parametrize(
    ("value", "received", "expected"),
    [
        (140, 20, [("heart_rate", 2, False)]),
        (140, 10 + 12 * HOURS, [("heart_rate", 2, False)]),
        (140, 10.1 + 12 * HOURS, [("heart_rate", 2, True)]),
        (140, 20 * 24 * HOURS, [("heart_rate", 2, True)]),
        (125, 10 + 12 * HOURS, [("heart_rate", 1, False)]),
        (125, 10.1 + 12 * HOURS, [("heart_rate", 1, True)]),
    ],
)
def test_what_nothing_has_followed_is_news_for_twelve_hours(
    value: float, received: float, expected: list[tuple[str, int, bool]]
) -> None:
    assert found_in(backlog("heart_rate", value, range(11), received)) == expected


@pytest.mark.parametrize(
    ("value", "late_min", "expected"),
    [
        (140, 28, [("heart_rate", 2, False)]),
        (140, 59 - 10 + 10, [("heart_rate", 2, False)]),
        (140, 71, [("heart_rate", 2, True)]),
        (125, 71, [("heart_rate", 1, False)]),
        (125, 11 * HOURS, [("heart_rate", 1, False)]),
        (125, 13 * HOURS, [("heart_rate", 1, True)]),
    ],
)
def test_what_is_urgent_is_no_news_an_hour_later_once_something_has_followed(
    value: float, late_min: float, expected: list[tuple[str, int, bool]]
) -> None:
    followed = uplink(99, 25, {"heart_rate": 80})
    records = [followed, *backlog("heart_rate", value, range(11), late_min)]
    assert [one for one in found_in(records) if one[1]] == expected


def test_what_was_a_look_back_and_goes_on_is_news_and_its_end_is_one() -> None:
    old = backlog("heart_rate", 140, range(15), 20 * HOURS)
    state = HomeState()
    assert found_in(old, state) == [("heart_rate", 2, True)]
    # A day later it still is so, or again: the same episode, and nobody has heard of it.
    again = [uplink(50 + n, 20 * HOURS + n, {"heart_rate": 140}) for n in range(12)]
    assert found_in(again, state) == [("heart_rate", 2, False)]
    over = [uplink(80 + n, 20 * HOURS + 12 + n, {"heart_rate": 80}) for n in range(12)]
    assert found_in(over, state) == [("heart_rate", 0, False)]


def test_a_low_behind_a_live_reading_is_found_and_what_still_goes_on_is_news() -> None:
    live = uplink(900, 90, {"glucose": 60})
    low = [uplink(n, 5 * n, {"glucose": 60}, received=91) for n in range(18)]
    assert found_in([live, *low]) == [("glucose_low", 1, False)]


@pytest.mark.parametrize(("hours", "retrospective"), [(23, False), (25, True)])
def test_a_call_for_help_is_news_for_a_day(hours: float, retrospective: bool) -> None:  # noqa: FBT001 - a table
    press = uplink(0, 0, events=["sos_pressed"], received=hours * HOURS)
    assert found_in([press]) == [("sos", 1, retrospective)]


def test_a_look_back_opens_no_alert_and_changes_none() -> None:
    (old,) = [one for one in run(backlog("heart_rate", 140, range(11), 20 * HOURS)) if isinstance(one, Finding)]
    (new,) = [one for one in run(backlog("heart_rate", 140, range(11), 11)) if isinstance(one, Finding)]
    assert fold(None, Found(finding=old), minute(0)) is None
    opened = fold(None, Found(finding=new), minute(0))
    assert opened is not None
    assert fold(opened.alert, Found(finding=old), minute(0)) is None


@pytest.mark.parametrize(("last", "expected"), [(-50, False), (-75, True)])
def test_an_urgent_low_behind_a_newer_reading_is_news_by_its_last_abnormal_reading(
    last: int, *, expected: bool
) -> None:
    """The level was reached more than an hour before the reception; the low went on until ``last``."""
    state = HomeState()
    run([uplink(0, 1, {"glucose": 112})], state)
    low = [uplink(1 + n, at, {"glucose": 48}, received=3) for n, at in enumerate(range(last - 20, last + 1, 5))]
    good = [uplink(90 + n, at, {"glucose": 112}, received=3) for n, at in enumerate(range(last + 5, 0, 5))]
    found = found_in([*low, *good], state)
    assert [retrospective for _, level, retrospective in found if level][-1] is expected
