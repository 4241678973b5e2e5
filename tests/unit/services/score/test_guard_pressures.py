"""Pressures that may be a room-mate's: held with what was measured beside them, unless that may call for help."""

from services.score.core import step
from services.score.followups import Tally
from services.score.home_state import HomeState
from tests.unit.services.score.story import PERSON, minute, uplink
from tests.unit.services.score.test_guard import NOW, come, doubted_in, lived, used


def test_both_pressures_and_the_pulse_of_a_measurement_are_held_together() -> None:
    state = lived("pressure_cuff", {"systolic": 122, "diastolic": 74}, {"systolic": 152, "diastolic": 93})
    (doubted,) = doubted_in(come(state, "pressure_cuff", {"systolic": 153, "diastolic": 94, "heart_rate": 70}))
    assert doubted.is_held
    assert [one.item for one in doubted.samples] == [0, 1, 2]
    samples = state.subject(PERSON).window.samples
    assert all(minute(NOW) not in [one.at for one in some] for some in samples.values())


def test_a_pulse_with_points_keeps_its_pressures_from_being_held() -> None:
    state = lived("pressure_cuff", {"systolic": 122, "diastolic": 74}, {"systolic": 152, "diastolic": 93})
    (doubted,) = doubted_in(come(state, "pressure_cuff", {"systolic": 153, "diastolic": 94, "heart_rate": 112}))
    assert not doubted.is_held


def test_a_pressure_is_scored_when_the_other_signs_may_make_news2_high_with_it() -> None:
    state = lived("pressure_cuff", {"systolic": 122, "diastolic": 74}, {"systolic": 152, "diastolic": 93})
    step(state, used(800, NOW - 20, "finger_oximeter", {"spo2": 91, "heart_rate": 118}), Tally())
    (doubted,) = doubted_in(come(state, "pressure_cuff", {"systolic": 153, "diastolic": 94}))
    assert not doubted.is_held


def test_whether_a_pressure_is_scored_does_not_rest_on_when_the_state_was_saved() -> None:
    def held(state: HomeState) -> list[bool]:
        return [one.is_held for one in doubted_in(come(state, "pressure_cuff", {"systolic": 153, "diastolic": 94}))]

    found = set()
    for ill_min in (10, 50, 100):
        state = lived("pressure_cuff", {"systolic": 122, "diastolic": 74}, {"systolic": 152, "diastolic": 93})
        for before in range(120, 0, -1):
            values = (
                {"spo2": 90, "heart_rate": 135} if ill_min <= before < ill_min + 5 else {"spo2": 98, "heart_rate": 70}
            )
            step(state, uplink(1_000 - before, NOW - before, values, device_type=1), Tally())
        saved = HomeState.from_plain(state.to_plain())
        (is_held,) = held(state)
        assert held(saved) == [is_held]
        found.add(is_held)
    assert found == {True, False}
