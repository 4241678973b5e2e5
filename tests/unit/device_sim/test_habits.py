"""People measure on most days, less on weekends, in the morning and the evening, and a seed fixes when."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from device_sim.habits import HABITS, uses
from device_sim.incidents import IncidentPlan
from device_sim.world import SimDevice
from tests.unit.device_sim.sim_world import HOUR_MS, MINUTE_MS, START_MS, device_named, plan, uplinks

_DAY_MS = 24 * HOUR_MS
_WEEKS = 26


def of_type(made: IncidentPlan, kind: str) -> list[SimDevice]:
    return [device for device in made.world.devices if device.type == kind]


def local(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(("kind", "share"), [("pressure_cuff", 0.75), ("scale", 0.81)])
def test_of_days_people_use_what_they_use_and_less_on_weekends(kind: str, share: float) -> None:
    made = plan(incidents=False)
    first = START_MS + _DAY_MS
    used: dict[bool, set[tuple[str, int, object]]] = {True: set(), False: set()}
    people = 0
    for device in of_type(made, kind)[:8]:
        people += len(device.people)
        for at, slot in uses(made, device, first, first + _WEEKS * 7 * _DAY_MS):
            day = local(at).date()
            used[day.isoweekday() > 5].add((device.device, slot, day))
    weekdays, weekends = (len(used[weekend]) / (people * _WEEKS * days) for weekend, days in ((False, 5), (True, 2)))
    assert abs((5 * weekdays + 2 * weekends) / 7 - share) < 0.03
    assert 0.72 < weekends / weekdays < 0.88


def test_the_shares_of_a_week_come_to_those_of_all_days() -> None:
    for habit in HABITS.values():
        assert (5 * habit.share(weekend=False) + 2 * habit.share(weekend=True)) / 7 <= habit.days + 1e-9
    cuff = HABITS["pressure_cuff"]
    assert (5 * cuff.share(weekend=False) + 2 * cuff.share(weekend=True)) / 7 == pytest.approx(0.75)


def test_a_cuff_is_used_in_the_morning_and_in_the_evening_at_other_minutes_each_day() -> None:
    made = plan(incidents=False)
    cuff = of_type(made, "pressure_cuff")[0]
    moments = [local(at) for at, slot in uses(made, cuff, START_MS + _DAY_MS, START_MS + 30 * _DAY_MS) if slot == 1]
    assert {row.hour for row in moments} <= {6, 7, 8, 18, 19, 20}
    assert {row.hour for row in moments} & {7} and {row.hour for row in moments} & {19}  # noqa: PT018 - both are needed
    assert len({(row.hour, row.minute) for row in moments}) > len(moments) // 2


def test_hours_asked_one_by_one_give_the_same_as_a_week_asked_at_once() -> None:
    made = plan(incidents=False)
    for kind in HABITS:
        device = of_type(made, kind)[0]
        week = sorted(uses(made, device, START_MS, START_MS + 7 * _DAY_MS))
        hours = [
            one
            for hour in range(7 * 24)
            for one in sorted(uses(made, device, START_MS + hour * HOUR_MS, START_MS + (hour + 1) * HOUR_MS))
        ]
        assert hours == week
        assert len(set(week)) == len(week)


def test_everybody_is_shown_each_device_within_the_first_half_hour() -> None:
    made = plan(incidents=False)
    for device in made.world.devices:
        if device.type in HABITS:
            first = {slot for at, slot in uses(made, device, START_MS, START_MS + 30 * MINUTE_MS)}
            assert first == set(range(1, len(device.people) + 1))


def test_nobody_uses_a_device_out_of_habit_while_an_incident_is_played_on_it() -> None:
    made = plan()
    played = [row for row in made.all if row.uses and row.starts_at_ms < START_MS + HOUR_MS]
    assert len(played) >= 3
    for row in played:
        device = device_named(made, row.device)
        sent = [one.at_ms for one in uplinks(made, device, hours=2.5) if {r.slot for r in one.readings} <= {None, 1}]
        scripted = {use.at_ms for use in row.uses}
        assert {at for at in sent if row.busy.first_ms <= at < row.busy.last_ms} == {
            at for at in scripted if at < START_MS + 2.5 * HOUR_MS
        }


def test_the_day_on_which_clocks_change_has_its_habits_too() -> None:
    made = plan(incidents=False)
    device = of_type(made, "glucose_meter")[0]
    sunday = datetime(2026, 3, 29, tzinfo=ZoneInfo("Europe/Berlin"))
    first = round(sunday.timestamp() * 1000)
    last = round((sunday + timedelta(days=1)).timestamp() * 1000)
    assert last - first == 23 * HOUR_MS
    for start in (first, first - _DAY_MS, last):
        moments = [local(at) for at, _ in uses(made, device, start, start + _DAY_MS)]
        assert all(6 <= row.hour <= 22 for row in moments)
