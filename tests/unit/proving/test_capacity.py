"""From people to what has to be there: what must hold of the reckoning, whatever the figures are."""

from dataclasses import replace

import pytest

from tests.proving.capacity import quotes
from tests.proving.capacity.demand import PLACES, Demand
from tests.proving.capacity.ends import ends
from tests.proving.capacity.needs import BUSY, PEOPLE_A_SCORE, cores_of, needs_of, record_bytes, us_a_reading
from tests.proving.capacity.page import document, number
from tests.proving.capacity.record import Line, Part

PART = Part("2026-12-01", "2 cores of an abacus, 1 GiB", ())
PARTS = {
    "registry": PART._replace(
        points=[
            {
                "people": n,
                "devices": 3 * n,
                "unchanged_s": n / 1e6,
                "changed_s": n / 1e5,
                "stands_still_s": n / 3e5,
                "mb": n / 1e3,
            }
            for n in (1_000, 10_000)
        ]
    ),
    "broker": PART._replace(
        points=[{"devices": n, "files_mb": n / 4_000, "pause_s": (n / 10_000) ** 2} for n in (10_000, 20_000)]
    ),
    "doses": PART._replace(
        points=[
            {"people": n, "planned": 3 * n, "plan_s": n / 500, "look_s": n / 1_000 if n < 5_000 else -1, "reminders": n}
            for n in (1_000, 4_000, 16_000)
        ]
    ),
    "score": PART._replace(
        points=[{"people": n, "mb": n / 20, "collection_s": n / 1e4, "us_a_reading": 6.0} for n in (1_000, 10_000)]
    ),
}


def test_twice_the_people_send_twice_as_much() -> None:
    one, two = Demand(5_000), Demand(10_000)
    assert two.uplinks_per_s == pytest.approx(2 * one.uplinks_per_s)
    assert two.readings_a_year == pytest.approx(2 * one.readings_a_year)
    assert (two.devices, two.doses_at_once, two.doctors) == (2 * one.devices, 2 * one.doses_at_once, 2 * one.doctors)


def test_a_band_a_minute_is_most_of_what_is_sent() -> None:
    assert 60 <= Demand(3_600).uplinks_per_s <= 66
    assert 240 <= Demand(3_600).readings_per_s <= 246


def test_the_price_of_a_reading_is_the_measured_one_where_it_was_measured() -> None:
    assert us_a_reading(1_000) == pytest.approx(quotes.AT_1_000_US.value)
    assert us_a_reading(4_000) == pytest.approx(quotes.AT_4_000_US.value)
    assert us_a_reading(10_000) == pytest.approx(quotes.AT_10_000_US.value)


def test_the_price_falls_with_the_load_and_no_further_than_it_was_seen() -> None:
    prices = [us_a_reading(rate) for rate in (100, 1_000, 2_000, 4_000, 7_000, 10_000, 1e6)]
    assert prices == sorted(prices, reverse=True)
    assert prices[-1] == prices[-2]


def test_below_the_lightest_load_that_was_measured_the_same_cpu_is_spent() -> None:
    assert 100 * us_a_reading(100) == pytest.approx(1_000 * us_a_reading(1_000))


def test_cores_are_the_price_times_the_readings() -> None:
    demand = PLACES["city"]
    whole = demand.readings_per_s * us_a_reading(demand.uplinks_per_s) / 1e6
    assert sum(cores_of(demand).values()) == pytest.approx(whole)


@pytest.mark.parametrize("place", PLACES)
def test_nobody_is_busier_than_planned(place: str) -> None:
    needs = needs_of(PLACES[place])
    for service in ("ingest", "store", "score"):
        assert needs.cores[service] / needs.instances[service] <= BUSY
    assert needs.instances["score"] * PEOPLE_A_SCORE >= PLACES[place].people


def test_each_score_has_a_partition_or_it_is_said_that_there_are_too_few() -> None:
    for place in ("county", "city"):
        needs = needs_of(PLACES[place])
        assert needs.partitions is not None
        assert needs.partitions >= needs.instances["score"]
    assert needs_of(PLACES["country"]).partitions is None


def test_a_record_on_the_bus_takes_what_four_readings_take() -> None:
    assert 60 <= record_bytes() <= 400


def test_a_line_goes_through_the_last_two_points_and_back() -> None:
    line = Line.through([{"x": 1, "y": 9}, {"x": 10, "y": 1}, {"x": 20, "y": 4}], "x", "y")
    assert line.power == pytest.approx(2)
    assert line.at(10) == pytest.approx(1)
    assert line.at(40) == pytest.approx(16)
    assert line.reaches(64) == pytest.approx(80)


def test_what_was_given_up_is_no_point_of_a_line() -> None:
    points = [{"x": 1, "y": 1}, {"x": 2, "y": 2}, {"x": 4, "y": -1}]
    assert Line.through(points, "x", "y").at(8) == pytest.approx(8)
    with pytest.raises(ValueError, match="fewer than two"):
        Line.through(points[1:], "x", "y")


def test_the_page_names_what_ends_first_and_where() -> None:
    first = min(ends(PARTS), key=lambda one: one.people)
    said = " ".join(document(PARTS).split())
    assert f"**{first.what} end first" in said
    assert [one.what for one in ends(PARTS) if one.what not in said] == []
    assert "given up" in said


def test_an_end_beyond_what_was_measured_is_said_to_be_extrapolated() -> None:
    broker = next(one for one in ends(PARTS) if one.what.startswith("mosquitto"))
    assert broker.people == pytest.approx(10_000 * 60**0.5 / 3)
    assert broker.known.startswith("extrapolated from 20,000 devices")
    points = [*PARTS["broker"].points, {"devices": 100_000, "files_mb": 30, "pause_s": 100}]
    nearer = next(ends({**PARTS, "broker": PART._replace(points=points)}))
    assert nearer.known.startswith("measured")


def test_figures_are_written_with_as_many_places_as_say_something() -> None:
    assert [number(value) for value in (0.1234, 5.21, 12.4, 99.6, 1234.5, 1_234_567)] == [
        "0.12",
        "5.2",
        "12",
        "100",
        "1,230",
        "1,230,000",
    ]


def test_a_demand_is_a_value() -> None:
    assert replace(PLACES["county"], people=1_000_000) == PLACES["city"]
