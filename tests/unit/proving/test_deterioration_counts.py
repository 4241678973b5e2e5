"""What an alarm over a stay found and cost: cases counted by hand, and chance against shifts tried one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.proving.scorecard.deterioration_counts import (
    WINDOW_H,
    by_chance,
    by_hours_of_stay,
    counted,
    false_windows_at_same_hours,
    figures_of,
)
from tests.proving.scorecard.early_warning import RIVALS, alarm_of, points_of
from tests.proving.scorecard.recorded_stays import Stay

HEALTHY = (75.0, 98.0, 37.0, 120.0, 16.0)


def stay(hours: int, onset: int | None = None, *, began_before: bool = False) -> Stay:
    return Stay(
        person="a", values=np.full((hours, 5), np.nan), age=70, is_male=True, onset=onset, began_before=began_before
    )


def on_at(hours: int, *places: int) -> NDArray[np.bool_]:
    is_on = np.zeros(hours, dtype=bool)
    is_on[list(places)] = True
    return is_on


def test_of_a_stay_without_sepsis_alerts_and_whole_windows_count() -> None:
    found = counted(stay(30), on_at(30, 0, 1, 5, 23, 29))
    assert found is not None
    assert (found.alerts, found.hours, found.alarm_hours) == (4, 30, 5)
    assert (found.windows, found.windows_with) == (2, 2)
    assert np.isnan([found.found, found.chance, found.lead_h]).all()


@pytest.mark.parametrize(
    ("on", "lead_h"),
    [((7,), None), ((8,), 12), ((8, 9, 12), 12), ((19,), 1), ((20, 25), None)],
)
def test_sepsis_is_found_in_the_twelve_hours_before_it(on: tuple[int, ...], lead_h: float | None) -> None:
    found = counted(stay(40, onset=20), on_at(40, *on))
    assert found is not None
    assert found.found == (lead_h is not None)
    assert found.hours == 20
    assert found.windows == 0
    assert np.isnan(found.lead_h) if lead_h is None else found.lead_h == lead_h


def test_an_alarm_that_began_long_before_and_is_still_on_has_found_it() -> None:
    found = counted(stay(40, onset=30), on_at(40, *range(5, 19)))
    assert found is not None
    assert (found.found, found.lead_h, found.alerts) == (1, 12, 1)


def test_an_onset_after_the_last_hour_counts_from_the_onset() -> None:
    found = counted(stay(20, onset=24), on_at(20, 19))
    assert found is not None
    assert (found.found, found.hours, found.lead_h) == (1, 20, 5)


def test_a_stay_whose_sepsis_began_before_it_is_left_out() -> None:
    assert counted(stay(30, onset=6, began_before=True), on_at(30, 3)) is None


@given(st.lists(st.booleans(), min_size=1, max_size=40), st.integers(1, 12))
def test_chance_is_the_share_of_shifts_that_hit(on: list[bool], window: int) -> None:
    window = min(window, len(on))
    shifted = [np.roll(on, by)[-window:].any() for by in range(len(on))]
    assert by_chance(np.array(on), window) == pytest.approx(np.mean(shifted))


def test_figures_are_of_all_stays_together() -> None:
    counts = [counted(stay(24), on_at(24, 3)), counted(stay(48, onset=36), on_at(48, 30, 35))]
    figures = figures_of([one for one in counts if one is not None], seed=1)
    assert figures["sensitivity"].value == 1
    assert figures["alerts_per_patient_day"].value == pytest.approx(3 / 60 * 24)
    assert figures["false_window_rate"].value == pytest.approx(1 / 2)
    assert figures["time_in_alarm_share"].value == pytest.approx(3 / 60)
    assert figures["lead_h"].value == 6
    assert 0 < figures["chance"].value < 1


def test_figures_of_nobody_ill_have_no_sensitivity() -> None:
    only = counted(stay(WINDOW_H), on_at(WINDOW_H, 1))
    assert only is not None
    figures = figures_of([only], seed=1)
    assert np.isnan([figures[name].value for name in ("sensitivity", "chance", "lead_h")]).all()
    assert figures["false_window_rate"].value == 1


def test_points_are_those_of_the_chart_and_are_carried_for_a_day() -> None:
    values = np.full((27, 5), np.nan)
    values[1] = (115.0, 92.0, 39.5, 95.0, 26.0)
    points = points_of(values)
    assert points[0].tolist() == [0] * 5
    assert points[1].tolist() == points[25].tolist() == [2, 2, 2, 2, 3]
    assert points[26].tolist() == [0] * 5


def test_an_alarm_lasts_until_it_is_below_the_off_limit_for_as_long_as_it_has_to_be() -> None:
    totals = np.array([5, 4, 5, 5, 4, 3, 4, 3, 3, 5])
    assert alarm_of(totals, 5, 4, on_for=2, off_for=2).tolist() == [False] * 3 + [True] * 5 + [False] * 2


@pytest.mark.parametrize(
    ("rival", "pulses", "expected"),
    [
        ("any single red value, every crossing", (75, 140, 75, 140), (False, True, False, True)),
        ("any single red value, 2 h persistence", (140, 140, 75, 140, 75, 75), (False, True, True, True, True, False)),
        ("NEWS2 of 5 or more, every crossing", (140, 140, 75), (False,) * 3),
        ("NEWS2 of 7 or more, every crossing", (140, 140, 75), (False,) * 3),
    ],
)
def test_rivals_alert_by_their_own_rules(rival: str, pulses: tuple[float, ...], expected: tuple[bool, ...]) -> None:
    values = np.array([(pulse, *HEALTHY[1:]) for pulse in pulses])
    assert RIVALS[rival](points_of(values)).tolist() == list(expected)


def test_a_total_of_seven_is_beyond_every_limit_of_the_total() -> None:
    values = np.array([(135.0, 92.0, 39.5, 120.0, 16.0)] * 3)
    for name, rival in RIVALS.items():
        assert rival(points_of(values))[-1], name


def test_late_hours_of_a_stay_are_counted_apart_from_early_ones() -> None:
    stays = [stay(50), stay(50, onset=40), stay(20, onset=10)]
    counts = by_hours_of_stay(stays, [on_at(50, 40), on_at(50, 33), on_at(20)])
    assert counts["0 to 12 h"] == {"with_sepsis": 1, "sensitivity": 0, "windows": 1, "false_window_rate": 0}
    assert counts["36 to 84 h"] == {"with_sepsis": 1, "sensitivity": 1, "windows": 1, "false_window_rate": 1}
    assert counts["12 to 36 h"]["windows"] == 2


def test_false_windows_at_the_same_hours_are_weighted_by_when_sepsis_begins() -> None:
    by_hours = {
        "early": {"with_sepsis": 1, "windows": 90, "false_window_rate": 0.1},
        "late": {"with_sepsis": 3, "windows": 10, "false_window_rate": 0.5},
        "never": {"with_sepsis": 5, "windows": 0, "false_window_rate": np.nan},
    }
    assert false_windows_at_same_hours(by_hours) == pytest.approx((0.1 + 3 * 0.5) / 4)
    assert np.isnan(false_windows_at_same_hours({"never": by_hours["never"]}))
