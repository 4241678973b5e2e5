"""Alerts of the pulse's and the blood pressure's limits, and of silent devices, on people who are made up."""

import gzip
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pytest
from matplotlib.figure import Figure as Picture
from pyarrow import parquet

from schemas.devices.glucose import CGM
from schemas.reasons import Flag
from tests.proving.alarms.recordings import PRESSURE_FILE, WORN_FILE, Row
from tests.proving.scorecard import pressure as of_pressure
from tests.proving.scorecard import technical as of_devices
from tests.proving.scorecard.pressure import Limit, pressure
from tests.proving.scorecard.pulse import MOVING_G, Simple, pulse
from tests.proving.scorecard.recorded_glucose import FILE as GLUCOSE_FILE
from tests.proving.scorecard.rule_findings import found
from tests.proving.scorecard.section import Line, MissingDataError, Section, Wanted
from tests.proving.scorecard.technical import LIMIT_MIN, technical

PULSE = ("heart_rate.fast", "heart_rate.slow")
REST, MOVING = int(Flag.RESTING), int(Flag.MOVING)


def pulses(values: Sequence[float], flags: int = REST) -> list[Row]:
    return [Row(5 * n, {"heart_rate": value}, flags) for n, value in enumerate(values)]


def line_of(section: Section, detector: str) -> Line:
    return next(line for line in section.lines if line.detector == detector and not line.group)


def drawn(section: Section) -> None:
    for plot in section.plots:
        axes = Picture().subplots()
        plot.draw(axes)
        assert axes.get_xlabel()


def test_what_becomes_worse_is_said_again_and_is_the_same_alert() -> None:
    of = found(pulses([80, *[125] * 4, *[135] * 4, *[80] * 5]), "wearable_band", PULSE)
    assert (of.alerts, of.said) == (1, 2)
    # From 10 min after the first value beyond until the values were back for 10 min.
    assert of.active_ms == 40 * 60_000


def test_what_nothing_ends_is_on_until_it_pauses() -> None:
    of = found(pulses([80, *[125] * 4]), "wearable_band", PULSE)
    assert of.alerts == 1
    # Found 10 min after the first value beyond; 60 min after the last one nothing is known any more.
    assert of.active_ms == 65 * 60_000


def test_only_the_concerns_that_are_asked_for_count() -> None:
    assert found(pulses([125] * 6), "wearable_band", ["heart_rate.slow"]).said == 0


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (Simple("crossing", 100, 50), [5, 20, 30]),
        (Simple("lasting", 100, 50, lasts_min=10), [40]),
        (Simple("hourly", 100, 50, quiet_min=25), [5, 30]),
    ],
)
def test_a_simple_limit_says_when_it_is_crossed_for_long_enough_and_not_too_often(
    limit: Simple, expected: list[float]
) -> None:
    assert limit.alerts(pulses([100, 101, 101, 50, 49, 70, 120, 120, 120, 120])) == expected


def test_movement_breaks_a_limit_at_rest() -> None:
    at_rest = Simple("at rest", 100, 50, lasts_min=10, at_rest=True)
    rows = pulses([120] * 6)
    assert at_rest.alerts(rows) == [10]
    rows[2] = rows[2]._replace(flags=MOVING)
    assert at_rest.alerts(rows) == [25]


def test_a_pulse_that_was_fast_at_rest_is_an_alert_and_one_in_movement_is_none(tmp_path: Path) -> None:
    with gzip.open(tmp_path / WORN_FILE, "wt") as file:
        file.write("patient,minute,heart_rate,resp_rate,activity_g\n")
        for person, activity in (("A", 0.02), ("B", MOVING_G)):
            for n in range(288):
                value = (125 if 100 <= n < 110 else 70) + n % 2 / 10
                file.write(f"{person},{5 * n},{value},,{activity}\n")
    section = pulse(Wanted(data=tmp_path, seed=1))
    days = 2 * 287 * 5 / (24 * 60)
    assert section.summary["pulse_alerts_per_worn_day"] == pytest.approx(1 / days)
    crossing = line_of(section, "every crossing of 120 or 40")
    assert crossing.figures["alerts a worn day"].value == pytest.approx(2 / days)
    by_movement = section.details["alerts_per_worn_day_by_moving_g"]
    assert by_movement["0.15"] == pytest.approx(2 / days)
    drawn(section)


@pytest.mark.parametrize(
    ("limit", "expected"),
    [(Limit("each", 135, 85), 3), (Limit("of two", 135, 85, of_two=True), 1)],
)
def test_each_reading_beyond_a_limit_counts_or_each_mean_of_two(limit: Limit, expected: int) -> None:
    said = [(0, 150, 70), (5, 110, 70), (60, 150, 70), (70, 125, 70), (200, 120, 85)]
    rows = [Row(minute, {"systolic": high, "diastolic": low}) for minute, high, low in said]
    assert limit.alerts(rows) == expected


def test_a_pressure_counts_when_it_is_said_confirmed_or_not(tmp_path: Path) -> None:
    with gzip.open(tmp_path / PRESSURE_FILE, "wt") as file:
        file.write("user_code,measurement_datetime,systolic,diastolic\n")
        file.write("x,2020-04-29 08:00:00,185,100\nx,2020-04-29 08:05:00,184,100\n")
        file.write("y,2020-04-29 08:00:00,85,60\nz,2020-04-29 08:00:00,140,80\n")
    section = pressure(Wanted(data=tmp_path, seed=1))
    ours = line_of(section, of_pressure.OURS).figures
    # x by two readings; y by one, as nobody measured again.
    assert ours["alerts per 100 readings"].value == 50
    assert ours["episodes per 100 readings"].value == 50
    assert ours["asked to measure again per 100 readings"].value > 0
    assert section.summary["pressure_alerts_per_reading"] == 0.5
    assert line_of(section, "every reading ≥ 135/85").figures["alerts per 100 readings"].value == 75
    drawn(section)


def test_outages_are_found_in_time_and_real_gaps_counted(tmp_path: Path) -> None:
    minutes = [5 * n for n in range(4 * 288) if not 300 <= n < 320 and not 500 <= n < 500 + LIMIT_MIN / 5 + 2]
    columns = {"patient": ["A"] * len(minutes), "minute": minutes, "glucose_mgdl": [110.0] * len(minutes)}
    parquet.write_table(pa.table(columns), tmp_path / GLUCOSE_FILE)
    section = technical(Wanted(data=tmp_path, seed=1))
    assert CGM.silent_after_s == LIMIT_MIN * 60
    assert section.summary["outages_found"] == section.summary["outages_found_in_time"] == 1
    days = (minutes[-1] - minutes[0]) / (24 * 60)
    ours = line_of(section, of_devices.OURS).figures
    longer = 1 + (LIMIT_MIN < 100)
    assert section.summary["technical_alerts_per_day"] == pytest.approx(longer / days)
    assert ours["said after min (median)"].value == LIMIT_MIN + 1
    nightscout = line_of(section, "Nightscout: warning after 15 min, urgent after 30").figures
    assert nightscout["technical alerts a patient-day"].value == pytest.approx(4 / days)
    assert 0 <= ours["by chance"].value < 0.5
    drawn(section)


@pytest.mark.parametrize("make", [pulse, pressure, technical])
def test_without_the_recording_there_is_no_section(make: Callable[[Wanted], Section], tmp_path: Path) -> None:
    with pytest.raises(MissingDataError):
        make(Wanted(data=tmp_path, seed=1))
