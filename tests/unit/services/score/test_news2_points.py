"""NEWS2's points: every edge of the chart's bands, rounding, freshness, missing inputs, and any score."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from itertools import chain, pairwise
from math import inf, isfinite, nan
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.vitals import BODY_TEMPERATURE, HEART_RATE, RESPIRATORY_RATE, SPO2, SYSTOLIC
from services.score import news2_points as news2
from services.score.news2_points import (
    AHEAD_MS,
    COUNTED,
    BandTable,
    Consciousness,
    Inputs,
    Measured,
    News2Score,
    Parameter,
    consciousness_points,
    oxygen_points,
    rounded_half_up,
    score,
    spo2_table,
)
from services.score.rule import HOUR_MS, MINUTE_MS

NOW: Final = 1_795_348_800_000

EDGES: Final = {
    "respiratory rate": (
        news2.RESPIRATORY_RATE,
        "7:3 8:3|9:1 10:1 11:1|12:0 13:0 19:0 20:0|21:2 22:2 23:2 24:2|25:3 26:3",
    ),
    "SpO2 scale 1": (news2.SPO2_SCALE_1, "90:3 91:3|92:2 93:2|94:1 95:1|96:0 97:0 100:0"),
    "SpO2 scale 2 on air": (
        news2.SPO2_SCALE_2_AIR,
        "82:3 83:3|84:2 85:2|86:1 87:1|88:0 89:0 92:0 93:0 94:0 95:0 96:0 97:0 98:0 100:0",
    ),
    "SpO2 scale 2 on oxygen": (
        news2.SPO2_SCALE_2_OXYGEN,
        "82:3 83:3|84:2 85:2|86:1 87:1|88:0 89:0 91:0 92:0|93:1 94:1|95:2 96:2|97:3 98:3 100:3",
    ),
    "systolic": (
        news2.SYSTOLIC,
        "89:3 90:3|91:2 92:2 99:2 100:2|101:1 102:1 109:1 110:1|111:0 112:0 218:0 219:0|220:3 221:3",
    ),
    "pulse": (
        news2.PULSE,
        "39:3 40:3|41:1 42:1 49:1 50:1|51:0 52:0 89:0 90:0|91:1 92:1 109:1 110:1|111:2 112:2 129:2 130:2|131:3 132:3",
    ),
    "temperature": (
        news2.TEMPERATURE,
        "34.9:3 35:3|35.1:1 35.2:1 35.9:1 36:1|36.1:0 36.2:0 37.9:0 38:0|38.1:1 38.2:1 38.9:1 39:1|39.1:2 39.2:2",
    ),
}
"""The chart, written out a second time: both edges of every band with their neighbours, and their points."""
NORMAL: Final = {
    "respiratory rate": (RESPIRATORY_RATE, 12, 20),
    "SpO2 scale 1": (SPO2, 96, 100),
    "SpO2 scale 2 on air": (SPO2, 88, 100),
    "SpO2 scale 2 on oxygen": (SPO2, 88, 92),
    "systolic": (SYSTOLIC, 111, 219),
    "pulse": (HEART_RATE, 51, 90),
    "temperature": (BODY_TEMPERATURE, 36.1, 38.0),
}
"""The vital of each table, and which of its values give 0."""

each_table = pytest.mark.parametrize("name", EDGES)


def written(name: str) -> list[list[tuple[float, int]]]:
    """Values and points, a list for each band."""
    return [
        [(float(value), int(points)) for value, points in (one.split(":") for one in band.split())]
        for band in EDGES[name][1].split("|")
    ]


def at_edges() -> Iterator[Any]:
    for name, (table, _) in EDGES.items():
        for value, points in chain.from_iterable(written(name)):
            yield pytest.param(table, value, points, id=f"{name} {value:g}")


def between_bands() -> Iterator[Any]:
    """Halfway between two bands the upper one begins."""
    for name, (table, _) in EDGES.items():
        for lower, upper in pairwise(written(name)):
            (below, points_below), (above, points_above) = lower[-1], upper[0]
            half = round((below + above) / 2, 2)
            yield pytest.param(table, half, points_above, id=f"{name} {half:g}")
            yield pytest.param(table, half - 0.001, points_below, id=f"{name} below {half:g}")


@pytest.mark.parametrize(("table", "value", "points"), list(at_edges()))
def test_a_value_at_the_edge_of_a_band_has_the_points_of_the_chart(table: BandTable, value: float, points: int) -> None:
    assert table.points(value) == points


@pytest.mark.parametrize(("table", "value", "points"), list(between_bands()))
def test_a_value_between_two_printed_bands_belongs_to_one(table: BandTable, value: float, points: int) -> None:
    assert table.points(value) == points


@each_table
def test_no_edge_of_a_table_goes_untested(name: str) -> None:
    table = EDGES[name][0]
    tested = {value for value, _ in chain.from_iterable(written(name))}
    step = 10**-table.decimals
    ends = {end for band in table.bands for end in band[:2] if isfinite(end)}
    assert {round(end + by, 1) for end in ends for by in (-step, 0, step)} <= tested
    assert len(written(name)) == len(table.bands)


@each_table
def test_bands_meet_and_leave_nothing_out(name: str) -> None:
    table = EDGES[name][0]
    assert (table.bands[0].lowest, table.bands[-1].highest) == (-inf, inf)
    for one, after in pairwise(table.bands):
        assert round((after.lowest - one.highest) * 10**table.decimals, 6) == 1


@pytest.mark.parametrize(
    ("value", "decimals", "rounded"),
    [
        (90.5, 0, 91), (91.5, 0, 92), (90.49, 0, 90), (0.5, 0, 1), (2.5, 0, 3),
        (38.04, 1, 38.0), (38.05, 1, 38.1), (35.05, 1, 35.1), (35.04, 1, 35.0), (36.05, 1, 36.1), (39.05, 1, 39.1),
        (38.15, 1, 38.2), (38.25, 1, 38.3), (38.049, 1, 38.0),
    ],
)  # fmt: skip
def test_a_half_is_rounded_up_whatever_its_binary_form(value: float, decimals: int, rounded: float) -> None:
    assert rounded_half_up(value, decimals) == rounded


def test_hundredths_of_a_degree_are_rounded_as_written_in_either_unit() -> None:
    to_celsius = BODY_TEMPERATURE.conversions["[degF]"]
    for hundredths in range(3_000, 4_301):
        assert rounded_half_up(hundredths / 100, 1) == (hundredths + 5) // 10 / 10
    for hundredths in range(8_600, 10_941):
        converted = hundredths / 100 * to_celsius.factor + to_celsius.offset
        assert rounded_half_up(converted, 1) == ((hundredths - 3_200) * 5 + 45) // 90 / 10


@pytest.mark.parametrize(
    ("table", "value", "points"),
    [
        (news2.PULSE, 90.5, 1), (news2.PULSE, 90.4, 0), (news2.PULSE, 130.5, 3), (news2.PULSE, 40.5, 1),
        (news2.TEMPERATURE, 38.04, 0), (news2.TEMPERATURE, 38.05, 1), (news2.TEMPERATURE, 35.05, 1),
        (news2.TEMPERATURE, 35.04, 3), (news2.TEMPERATURE, 39.05, 2), (news2.TEMPERATURE, 36.05, 0),
        (news2.SPO2_SCALE_1, 91.5, 2), (news2.SPO2_SCALE_1, 95.4, 1), (news2.SPO2_SCALE_2_OXYGEN, 92.5, 1),
        (news2.RESPIRATORY_RATE, 20.5, 2), (news2.RESPIRATORY_RATE, 24.5, 3), (news2.SYSTOLIC, 219.5, 3),
    ],
)  # fmt: skip
def test_values_are_rounded_before_they_are_scored(table: BandTable, value: float, points: int) -> None:
    assert table.points(value) == points


@pytest.mark.parametrize("value", [nan, inf, -inf])
def test_what_is_no_number_has_no_points(value: float) -> None:
    with pytest.raises(ValueError, match="no finite number"):
        news2.PULSE.points(value)


def test_oxygen_and_consciousness_have_the_points_of_the_chart() -> None:
    assert (oxygen_points(on_oxygen=False), oxygen_points(on_oxygen=True)) == (0, 2)
    assert {one.name: consciousness_points(one) for one in Consciousness} == {
        "ALERT": 0, "NEW_CONFUSION": 3, "VOICE": 3, "PAIN": 3, "UNRESPONSIVE": 3,
    }  # fmt: skip


def test_only_scale_2_asks_for_oxygen() -> None:
    assert spo2_table(scale_2=False, on_oxygen=True) is spo2_table(scale_2=False, on_oxygen=False) is news2.SPO2_SCALE_1
    assert spo2_table(scale_2=True, on_oxygen=False) is news2.SPO2_SCALE_2_AIR
    assert spo2_table(scale_2=True, on_oxygen=True) is news2.SPO2_SCALE_2_OXYGEN


def plausible(name: str) -> st.SearchStrategy[float]:
    vital = NORMAL[name][0]
    return st.floats(min_value=vital.lowest, max_value=vital.highest)


@each_table
@given(data=st.data())
def test_every_plausible_value_has_exactly_one_band(name: str, data: st.DataObject) -> None:
    table, value = EDGES[name][0], data.draw(plausible(name))
    rounded = rounded_half_up(value, table.decimals)
    found = [band.points for band in table.bands if band.lowest <= rounded <= band.highest]
    assert found == [table.points(value)]
    assert found[0] in {0, 1, 2, 3}


@each_table
@given(data=st.data())
def test_points_never_fall_on_the_way_from_normal(name: str, data: st.DataObject) -> None:
    table, (vital, lowest, highest) = EDGES[name][0], NORMAL[name]
    assert table.points(lowest) == table.points(highest) == 0
    down = sorted(data.draw(st.tuples(*[st.floats(vital.lowest, lowest)] * 2)), reverse=True)
    up = sorted(data.draw(st.tuples(*[st.floats(highest, vital.highest)] * 2)))
    for near, far in (down, up):
        assert table.points(near) <= table.points(far)


def inputs_at(at: int, values: Mapping[str, float | Consciousness]) -> Inputs:
    """Inputs that were all measured at ``at``."""
    return Inputs(**{name: Measured(value, at) for name, value in values.items()})  # type: ignore[arg-type]


def now(**values: float | Consciousness) -> Inputs:
    return inputs_at(NOW, values)


def scored(inputs: Inputs, *, scale_2: bool = False, on_oxygen: bool | None = False) -> News2Score:
    return score(inputs, NOW, scale_2=scale_2, on_oxygen=on_oxygen)


WELL: Final = now(
    respiratory_rate=16, spo2=97, systolic=125, pulse=70, consciousness=Consciousness.ALERT, temperature=36.8
)
VERY_ILL: Final = now(
    respiratory_rate=30, spo2=85, systolic=85, pulse=140, consciousness=Consciousness.VOICE, temperature=34.5
)


def test_somebody_well_scores_0_and_nothing_is_missing() -> None:
    found = scored(WELL)
    assert (found.total, found.threes, found.is_lower_bound) == (0, (), False)
    assert list(found.points.items()) == [(parameter, 0) for parameter in Parameter]
    assert (len(found.fresh), found.stale, found.never_measured) == (6, (), ())


def test_the_worst_of_everything_is_20() -> None:
    found = scored(VERY_ILL, on_oxygen=True)
    assert found.total == 20
    assert set(found.threes) == set(Parameter) - {Parameter.OXYGEN}


def test_scale_2_turns_high_saturation_on_oxygen_into_points() -> None:
    high = now(spo2=97)
    points = {
        (scale_2, on_oxygen): dict(scored(high, scale_2=scale_2, on_oxygen=on_oxygen).points)
        for scale_2 in (False, True)
        for on_oxygen in (False, True)
    }
    assert points == {
        (False, False): {Parameter.SPO2: 0, Parameter.OXYGEN: 0},
        (False, True): {Parameter.SPO2: 0, Parameter.OXYGEN: 2},
        (True, False): {Parameter.SPO2: 0, Parameter.OXYGEN: 0},
        (True, True): {Parameter.SPO2: 3, Parameter.OXYGEN: 2},
    }
    assert scored(high, scale_2=True).scale_2
    assert scored(now(spo2=88)).total == 3
    assert scored(now(spo2=88), scale_2=True).total == 0


def test_oxygen_that_nobody_knows_of_is_air_and_said_so() -> None:
    found = scored(WELL, scale_2=True, on_oxygen=None)
    assert found.is_air_assumed
    assert found.is_lower_bound
    assert (found.points[Parameter.OXYGEN], found.total) == (0, 0)
    assert not scored(WELL, on_oxygen=False).is_air_assumed
    assert not scored(WELL, on_oxygen=True).is_air_assumed


def test_what_was_never_measured_is_not_known_and_gives_nothing() -> None:
    found = scored(now(pulse=115, spo2=93))
    assert found.total == 4
    assert found.fresh == (Parameter.SPO2, Parameter.PULSE)
    assert set(found.never_measured) == set(Parameter) - {Parameter.SPO2, Parameter.PULSE, Parameter.OXYGEN}
    assert found.points.keys() == {Parameter.SPO2, Parameter.PULSE, Parameter.OXYGEN}
    assert found.is_lower_bound


def test_nobody_is_alert_without_having_been_asked() -> None:
    found = scored(replace(WELL, consciousness=None))
    assert Parameter.CONSCIOUSNESS in found.never_measured
    assert Parameter.CONSCIOUSNESS not in found.points
    assert scored(now(consciousness=Consciousness.NEW_CONFUSION)).threes == (Parameter.CONSCIOUSNESS,)


def test_without_any_input_only_oxygen_is_scored() -> None:
    found = scored(Inputs(), on_oxygen=True)
    assert (found.total, found.fresh, found.stale, len(found.never_measured)) == (2, (), (), 6)


def test_each_input_counts_for_its_time() -> None:
    assert [one.name for one in fields(Inputs)] == [str(row.parameter) for row in COUNTED]
    assert {str(row.parameter): row.counts_for_ms for row in COUNTED} == {
        "respiratory_rate": 15 * MINUTE_MS, "spo2": 15 * MINUTE_MS, "pulse": 15 * MINUTE_MS,
        "consciousness": 15 * MINUTE_MS, "systolic": 24 * HOUR_MS, "temperature": 12 * HOUR_MS,
    }  # fmt: skip


@pytest.mark.parametrize("row", COUNTED, ids=lambda row: row.parameter)
@pytest.mark.parametrize("is_fresh", [True, False])
def test_an_input_counts_as_long_as_it_is_fresh(row: news2.Counted, *, is_fresh: bool) -> None:
    worst = getattr(VERY_ILL, row.parameter).value
    for edge, outwards in ((NOW - row.counts_for_ms, -1), (NOW + AHEAD_MS, 1)):
        found = scored(inputs_at(edge + (0 if is_fresh else outwards), {row.parameter: worst}))
        known, other = (found.fresh, found.stale) if is_fresh else (found.stale, found.fresh)
        assert (known, other) == ((row.parameter,), ())
        assert found.total == (3 if is_fresh else 0)
        assert row.parameter not in found.never_measured
        assert found.is_lower_bound


@pytest.mark.parametrize(
    ("values", "total", "threes"),
    [
        ({"respiratory_rate": 22, "spo2": 93, "pulse": 70, "systolic": 125}, 4, ()),
        ({"respiratory_rate": 22, "spo2": 93, "pulse": 95, "systolic": 125}, 5, ()),
        ({"respiratory_rate": 22, "spo2": 93, "pulse": 95}, 5, ()),
        ({"respiratory_rate": 22, "spo2": 93, "pulse": 115}, 6, ()),
        ({"respiratory_rate": 22, "spo2": 90, "pulse": 115, "temperature": 37}, 7, (Parameter.SPO2,)),
        ({"respiratory_rate": 25, "spo2": 90, "pulse": 70}, 6, (Parameter.RESPIRATORY_RATE, Parameter.SPO2)),
        ({"spo2": 90, "pulse": 70, "systolic": 125, "temperature": 37}, 3, (Parameter.SPO2,)),
    ],
)
def test_a_partial_score_is_the_sum_of_what_is_known(
    values: dict[str, float], total: int, threes: tuple[Parameter, ...]
) -> None:
    found = scored(now(**values))
    assert (found.total, len(found.fresh), found.threes) == (total, len(values), threes)


def test_neither_oxygen_nor_a_stale_input_is_one_of_the_fresh() -> None:
    three = now(respiratory_rate=22, spo2=95, pulse=70)
    stale = replace(three, systolic=Measured(85.0, NOW - 25 * HOUR_MS))
    fresh = replace(three, systolic=Measured(125.0, NOW - 23 * HOUR_MS))
    assert [scored(one, on_oxygen=True).total for one in (three, stale, fresh)] == [5, 5, 5]
    assert [len(scored(one, on_oxygen=True).fresh) for one in (three, stale, fresh)] == [3, 3, 4]


def measured(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    moments = st.integers(min_value=NOW - 30 * HOUR_MS, max_value=NOW + HOUR_MS)
    return st.none() | st.builds(Measured, values, st.just(NOW) | moments)


INPUTS: Final = st.builds(
    Inputs,
    respiratory_rate=measured(plausible("respiratory rate")),
    spo2=measured(plausible("SpO2 scale 1")),
    systolic=measured(plausible("systolic")),
    pulse=measured(plausible("pulse")),
    consciousness=measured(st.sampled_from(Consciousness)),
    temperature=measured(plausible("temperature")),
)
OXYGEN: Final = st.sampled_from([True, False, None])


@given(inputs=INPUTS, scale_2=st.booleans(), on_oxygen=OXYGEN)
def test_a_total_is_the_sum_and_every_input_is_accounted_for(
    *, inputs: Inputs, scale_2: bool, on_oxygen: bool | None
) -> None:
    found = scored(inputs, scale_2=scale_2, on_oxygen=on_oxygen)
    assert found.total == sum(found.points.values())
    assert 0 <= found.total <= 20
    assert set(found.points) == {*found.fresh, Parameter.OXYGEN}
    accounted = [*found.fresh, *found.stale, *found.never_measured, Parameter.OXYGEN]
    assert sorted(accounted) == sorted(Parameter)


@given(inputs=INPUTS, scale_2=st.booleans(), on_oxygen=OXYGEN)
def test_knowing_less_never_raises_the_total(*, inputs: Inputs, scale_2: bool, on_oxygen: bool | None) -> None:
    found = scored(inputs, scale_2=scale_2, on_oxygen=on_oxygen)
    fewer = [scored(replace(inputs, **{row.parameter: None}), scale_2=scale_2, on_oxygen=on_oxygen) for row in COUNTED]
    for less in [*fewer, scored(inputs, scale_2=scale_2, on_oxygen=None)]:
        assert less.total <= found.total


@pytest.mark.parametrize("total", range(21))
def test_every_total_from_0_to_20_can_be_reached(total: int) -> None:
    """By making one parameter after the other as bad as it takes."""
    worse: dict[str, dict[int, float]] = {
        "respiratory_rate": {0: 16, 1: 10, 2: 22, 3: 30}, "spo2": {0: 97, 1: 95, 2: 93, 3: 85},
        "systolic": {0: 125, 1: 105, 2: 95, 3: 85}, "pulse": {0: 70, 1: 100, 2: 120, 3: 140},
        "temperature": {0: 36.8, 1: 38.5, 2: 39.5, 3: 34.5},
    }  # fmt: skip
    on_oxygen, asleep = total >= 16, total >= 18
    left = total - 2 * on_oxygen - 3 * asleep
    values: dict[str, float | Consciousness] = {}
    for name, by_points in worse.items():
        points = min(left, 3)
        values[name], left = by_points[points], left - points
    values["consciousness"] = Consciousness.VOICE if asleep else Consciousness.ALERT
    found = scored(now(**values), on_oxygen=on_oxygen)
    assert (left, found.total, found.is_lower_bound) == (0, total, False)
