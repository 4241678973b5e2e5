"""Whose reading it is, by a person's own band and what else explains it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.vitals import DIASTOLIC, GLUCOSE, SYSTOLIC, WEIGHT
from services.score.models.own_band import (
    DAY_MS,
    GUARDED,
    KEPT_DAYS,
    LEAST_VALUES,
    MOST_IN_A_ROW,
    MOST_VALUES,
    MUCH_BETTER,
    Doubt,
    OwnBands,
    OwnValues,
    Reason,
    judge,
)

_KG, _SUGAR, _UPPER, _LOWER = WEIGHT.number, GLUCOSE.number, SYSTOLIC.number, DIASTOLIC.number
_NOW = 40 * DAY_MS
_WEIGHTS = (79.6, 80.2, 80.9, 79.9, 80.4, 80.0, 79.3, 80.6, 80.1, 79.8)
_SUGARS = (110.0, 131.0, 98.0, 142.0, 120.0, 105.0, 155.0, 118.0, 90.0, 127.0)


def _days(vital: int, values: tuple[float, ...], until: int = _NOW) -> OwnBands:
    """A person with one value a day, the last one a day before ``until``."""
    found = OwnBands()
    for place, value in enumerate(values):
        found.take({vital: value}, until - (len(values) - place) * DAY_MS)
    return found


def _weighs(usual: float) -> OwnBands:
    return _days(_KG, tuple(one - 80 + usual for one in _WEIGHTS))


def _asked(person: OwnBands, measured: dict[int, float], *others: OwnBands, at: int = _NOW) -> Doubt | None:
    mates = {number: one.bands(measured, at) for number, one in enumerate(others, 2)}
    return judge(measured, person.bands(measured, at), mates)


def test_a_weight_in_pounds_is_found_out() -> None:
    doubt = _asked(_weighs(80), {_KG: 176.8})
    assert doubt is not None
    assert (doubt.reason, doubt.unit, doubt.person_no) == (Reason.UNIT, "[lb_av]", 0)
    assert doubt.meant[_KG] == pytest.approx(80.2, abs=0.05)
    assert doubt.times_better > MUCH_BETTER


def test_kilograms_that_were_sent_as_pounds_are_found_out() -> None:
    doubt = _asked(_weighs(80), {_KG: 36.3})
    assert doubt is not None
    assert (doubt.reason, doubt.unit) == (Reason.UNIT, "kg")
    assert doubt.meant[_KG] == pytest.approx(80.0, abs=0.1)


def test_glucose_in_mmol_is_found_out() -> None:
    doubt = _asked(_days(_SUGAR, tuple(2 * one for one in _SUGARS)), {_SUGAR: 13.3})
    assert doubt is not None
    assert (doubt.reason, doubt.unit) == (Reason.UNIT, "mmol/L")
    assert doubt.meant[_SUGAR] == pytest.approx(240, abs=1)


def test_a_room_mates_weight_is_the_room_mates() -> None:
    doubt = _asked(_weighs(80), {_KG: 62.3}, _weighs(95), _weighs(62))
    assert doubt is not None
    assert (doubt.reason, doubt.person_no, doubt.meant) == (Reason.PERSON, 3, {_KG: 62.3})


def test_a_room_mates_pressure_is_the_room_mates_by_both_of_its_values() -> None:
    person, mate = OwnBands(), OwnBands()
    for day in range(12):
        at = _NOW - (12 - day) * DAY_MS
        person.take({_UPPER: 122.0 + day % 5, _LOWER: 72.0 + day % 4}, at)
        mate.take({_UPPER: 149.0 + day % 5, _LOWER: 91.0 + day % 4}, at)
    doubt = _asked(person, {_UPPER: 150.0, _LOWER: 92.0}, mate)
    assert doubt is not None
    assert (doubt.reason, doubt.person_no) == (Reason.PERSON, 2)
    # The upper value alone is the room-mate's; the pair is nobody's.
    assert _asked(person, {_UPPER: 150.0, _LOWER: 45.0}, mate) is None


def test_nothing_is_doubted_between_two_people_alike() -> None:
    assert _asked(_weighs(80), {_KG: 82.4}, _weighs(82)) is None


@given(value=st.floats(20, 300))
def test_nothing_is_doubted_that_nothing_else_explains(value: float) -> None:
    """However extreme: only what fits a factor of units is doubted of somebody who lives alone."""
    doubt = _asked(_weighs(80), {_KG: value})
    assert doubt is None or (doubt.reason is Reason.UNIT and abs(doubt.meant[_KG] - 80) < 6)


@given(value=st.floats(34, 600))
def test_an_extreme_glucose_of_somebody_who_lives_alone_is_theirs(value: float) -> None:
    assert _asked(_days(_SUGAR, _SUGARS), {_SUGAR: value}) is None


@given(gain=st.floats(0, 8), days=st.integers(1, 6))
def test_water_that_is_gained_in_days_is_the_persons_own(gain: float, days: int) -> None:
    """Two kg at once and one more each day are believed, though a room-mate weighs as much."""
    person, value = _weighs(80), _WEIGHTS[-1] + min(gain, 2.0 + days)
    at = _NOW + (days - 1) * DAY_MS
    assert _asked(person, {_KG: value}, _weighs(value), at=at) is None


def test_a_room_mates_weight_in_their_own_week_of_water_is_still_theirs() -> None:
    mate = _weighs(62)
    mate.take({_KG: 64.5}, _NOW - DAY_MS // 2)
    doubt = _asked(_weighs(80), {_KG: 66.8}, mate)
    assert doubt is not None
    assert doubt.person_no == 2


def test_too_few_readings_make_no_band() -> None:
    person = _days(_KG, _WEIGHTS[: LEAST_VALUES - 1])
    assert person.bands([_KG], _NOW) == {}
    assert _asked(person, {_KG: 176.8}) is None
    person.take({_KG: 80.0}, _NOW)
    assert _KG in person.bands([_KG], _NOW)


def test_readings_of_one_sitting_make_no_band() -> None:
    person = OwnBands()
    for minute in range(20):
        person.take({_KG: 80.0}, _NOW + minute * 60_000)
    assert person.bands([_KG], _NOW + 3_600_000) == {}


def test_a_band_is_forgotten_once_it_is_too_old() -> None:
    person = _weighs(80)
    assert _KG in person.bands([_KG], _NOW + (KEPT_DAYS - LEAST_VALUES - 3) * DAY_MS)
    assert person.bands([_KG], _NOW + KEPT_DAYS * DAY_MS) == {}


def test_a_band_widens_with_the_days_without_a_reading() -> None:
    person = _weighs(80)
    soon, late = person.bands([_KG], _NOW)[_KG], person.bands([_KG], _NOW + 20 * DAY_MS)[_KG]
    assert late.spread > 1.3 * soon.spread
    assert late.days_since == soon.days_since + 20


def test_a_single_swap_that_got_through_moves_no_band_much() -> None:
    person, usual = _weighs(80), _weighs(80).bands([_KG], _NOW)[_KG]
    person.take({_KG: 62.0}, _NOW - 1)
    moved = person.bands([_KG], _NOW)[_KG]
    assert abs(moved.centre - usual.centre) < 0.5 * usual.spread
    assert moved.spread < 1.5 * usual.spread


def test_after_some_that_were_held_in_a_row_the_next_one_is_believed() -> None:
    person, mate = _weighs(80), _weighs(62)
    for day in range(MOST_IN_A_ROW):
        assert not person.is_worn_out([_KG], _NOW + day)
        doubt = _asked(person, {_KG: 62.1}, mate)
        assert doubt is not None
        person.hold([_KG], doubt, _NOW + day)
    assert person.is_worn_out([_KG], _NOW + MOST_IN_A_ROW)
    assert not person.is_worn_out([_SUGAR], _NOW + MOST_IN_A_ROW)
    person.take({_KG: 80.1}, _NOW)
    assert not person.is_worn_out([_KG], _NOW + MOST_IN_A_ROW)


def test_one_that_is_held_and_sent_again_under_another_number_is_no_second_one_and_stays_held() -> None:
    person, doubt = _weighs(80), Doubt(Reason.PERSON, "", 2, {}, 100.0)
    for day in range(MOST_IN_A_ROW):
        for _ in range(MOST_IN_A_ROW):
            person.hold([_KG], doubt, _NOW + day)
        assert person.is_worn_out([_KG], _NOW + 99) is (day == MOST_IN_A_ROW - 1)
    assert not person.is_worn_out([_KG], _NOW)


def test_one_that_was_confirmed_explains_the_next_like_it_and_no_other() -> None:
    person = _weighs(80)
    assert not person.is_confirmed({_KG: 62.0}, _NOW)
    person.confirm({_KG: 62.0}, _NOW)
    assert person.is_confirmed({_KG: 62.6}, _NOW + DAY_MS)
    assert not person.is_confirmed({_KG: 66.0}, _NOW + DAY_MS)
    assert not person.is_confirmed({_KG: 62.0, _SUGAR: 100}, _NOW + DAY_MS)
    assert not person.is_confirmed({_KG: 62.0}, _NOW + (KEPT_DAYS + 1) * DAY_MS)


def test_an_answer_is_one_to_the_newest_ask_and_to_it_alone() -> None:
    person = _weighs(80)
    person.ask({_KG: 62.0}, _NOW)
    person.ask({_SUGAR: 300.0}, _NOW + 60_000)
    person.hear(_NOW + 90_000, is_mine=True)
    assert set(person.confirmed) == {_SUGAR}
    person.hear(_NOW + 95_000, is_mine=True)
    assert set(person.confirmed) == {_SUGAR}
    person.ask({_KG: 62.0}, _NOW + 100_000)
    person.hear(_NOW + 100_001, is_mine=False)
    person.hear(_NOW + 100_002, is_mine=True)
    assert set(person.confirmed) == {_SUGAR}


def test_another_unit_is_held_as_often_as_it_comes() -> None:
    person = _weighs(80)
    for _ in range(MOST_IN_A_ROW + 2):
        doubt = _asked(person, {_KG: 176.8})
        assert doubt is not None
        person.hold([_KG], doubt, _NOW)
    assert not person.is_worn_out([_KG], _NOW + 1)


@given(order=st.permutations(range(MOST_VALUES + 8)))
def test_the_order_in_which_readings_come_does_not_matter(order: list[int]) -> None:
    came, sorted_ones = OwnValues(), OwnValues()
    for day in order:
        came.take(80 + day / 10, day * DAY_MS)
        came.take(99, day * DAY_MS)
    for day in range(MOST_VALUES + 8):
        sorted_ones.take(80 + day / 10, day * DAY_MS)
    assert came == sorted_ones
    assert len(came.at) == MOST_VALUES


@given(
    values=st.lists(st.tuples(st.integers(0, 90 * 24), st.floats(40, 120)), max_size=80),
    held=st.integers(0, MOST_IN_A_ROW),
)
def test_what_is_kept_is_bounded_and_survives_being_written(values: list[tuple[int, float]], held: int) -> None:
    person = OwnBands()
    for hour, value in sorted(values):
        person.take({_KG: value}, hour * 3_600_000)
    doubt = Doubt(Reason.PERSON, "", 2, {}, 100.0)
    for moment in range(held if values else 0):
        person.hold([_KG], doubt, moment)
    assert all(len(one.at) <= MOST_VALUES for one in person.values.values())
    again = OwnBands.from_plain(person.to_plain())
    at = 91 * DAY_MS
    assert again.to_plain() == person.to_plain()
    assert again.bands([_KG], at) == person.bands([_KG], at)
    assert again == person


def test_each_guarded_vital_says_why() -> None:
    assert all(one.rationale for one in GUARDED.values())
    assert set(GUARDED) == {_KG, _SUGAR, _UPPER, _LOWER}
