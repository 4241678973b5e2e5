"""A warning of a low as an episode: when it begins, what ends it, and who keeps it silent."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.alerts import EndReason
from schemas.devices.glucose import CGM, GLUCOSE_METER
from schemas.reasons import Flag
from services.score.glucose_course import ForecastState, GlucoseForecast
from services.score.models.glucose_forecast import GlucoseCourse, warn
from services.score.rule import ENDED, MINUTE_MS, NEVER, Mark
from services.score.sample import Sample
from tests.unit.services.score.models.made_model import model

FOLD = GlucoseForecast(model=model())


def sample(minute: float, value: float, *, device: int = 1, meter: bool = False, clipped: bool = False) -> Sample:
    at = round((1 + minute) * MINUTE_MS)
    kind = GLUCOSE_METER.number if meter else CGM.number
    flags = int(Flag.CLIPPED) if clipped else 0
    return Sample(at, value, device, 1, round(minute), 0, 1, flags, at, kind)


def marks_of(samples: list[Sample], fold: GlucoseForecast = FOLD) -> tuple[list[Mark], ForecastState]:
    state = fold.start()
    return [mark for one in samples for mark in fold.advance(state, one, rested=True) or ()], state


def steady(*values: float, first: float = 0) -> list[Sample]:
    return [sample(first + 5 * place, value) for place, value in enumerate(values)]


def said(marks: list[Mark]) -> list[tuple[int, float, EndReason | None]]:
    return [(mark.level, mark.last.at / MINUTE_MS - 1, mark.end_reason) for mark in marks]


def test_a_warning_is_said_with_its_forecast() -> None:
    (mark,), state = marks_of(steady(*[100] * 7, 90, 79))
    assert (mark.level, mark.at) == (1, sample(40, 79).at)
    assert mark.facts["reference"] == 79
    assert float(mark.facts["lowest"]) < 79 < float(mark.facts["highest"])
    assert (state.level, state.since) == (1, mark.at)


def test_after_a_gap_it_is_said_without_one() -> None:
    (mark,), _ = marks_of(steady(79))
    assert mark.facts == {}


def test_the_low_that_comes_ends_it_and_nothing_is_said_in_it() -> None:
    marks, state = marks_of(steady(79, 69, 68, 67, 75, 75, 75))
    assert said(marks) == [(1, 0, None), (ENDED, 15, EndReason.TURNED)]
    assert state.level == 0


def test_an_hour_without_a_low_ends_it_and_it_may_be_said_anew() -> None:
    marks, _ = marks_of(steady(79, *[90] * 12))
    assert said(marks) == [(1, 0, None), (ENDED, 60, EndReason.RECOVERED)]
    marks, _ = marks_of(steady(*[79] * 13))
    assert said(marks) == [(1, 0, None), (ENDED, 60, EndReason.RECOVERED), (1, 60, None)]


def test_below_the_limit_nobody_says_that_it_is_over() -> None:
    marks, _ = marks_of([*steady(79, *[90] * 11), sample(60, 69)])
    assert said(marks) == [(1, 0, None)]


def test_a_meter_that_shows_a_low_keeps_it_silent_for_an_hour_and_is_never_forecast() -> None:
    assert marks_of([sample(0, 60, meter=True, device=9), sample(59, 75)])[0] == []
    assert said(marks_of([sample(0, 60, meter=True, device=9), sample(60, 75)])[0]) == [(1, 60, None)]
    assert marks_of([sample(0, 75, meter=True, device=9)])[0] == []


def test_another_monitor_in_a_low_keeps_it_silent() -> None:
    lows = [sample(5 * place, 60, device=2) for place in range(4)]
    assert marks_of([*lows, sample(16, 75)])[0] == []
    assert said(marks_of([*lows, sample(50, 75)])[0]) == [(1, 50, None)]


def test_a_monitor_that_replaces_a_silent_one_says_what_came_of_the_warning() -> None:
    marks, _ = marks_of([sample(0, 79), sample(20, 90, device=2), sample(61, 90, device=2)])
    assert said(marks) == [(1, 0, None), (ENDED, 61, EndReason.RECOVERED)]
    marks, _ = marks_of([sample(0, 79), *(sample(31 + 5 * place, 60, device=2) for place in range(3))])
    assert said(marks) == [(1, 0, None), (ENDED, 41, EndReason.TURNED)]


def test_a_clipped_value_is_a_bound() -> None:
    marks, state = marks_of([sample(5 * place, 39, clipped=True) for place in range(3)])
    assert marks == []
    assert state.courses[1].recent.at == []
    assert state.courses[1].is_low


def test_without_a_model_nothing_is_said() -> None:
    marks, state = marks_of(steady(*[75] * 20), GlucoseForecast(model=None))
    assert marks == []
    assert (state.level, FOLD.pauses_at(state)) == (0, NEVER)


def test_silence_pauses_it_and_a_reading_takes_it_up_again() -> None:
    _, state = marks_of(steady(79, 78))
    assert FOLD.pauses_at(state) == sample(35, 0).at + 1
    mark = FOLD.pause(state)
    assert (mark.level, mark.end_reason, mark.at) == (ENDED, EndReason.NO_DATA, sample(35, 0).at)
    assert FOLD.pauses_at(state) == NEVER
    assert FOLD.advance(state, sample(40, 85), rested=True) is None
    assert FOLD.pauses_at(state) == sample(70, 0).at + 1


def test_only_the_reading_that_it_follows_from_still_shows_it() -> None:
    first, second = steady(79, 78)
    _, state = marks_of([first, second])
    assert FOLD.still(state, second) is None
    shown = FOLD.still(state, first)
    assert shown is not None
    assert (shown.level, shown.last) == (1, first)
    assert FOLD.still(FOLD.start(), first) is None


READINGS = st.lists(
    st.tuples(
        st.integers(1, 50),
        st.sampled_from([39.0, 60.0, 69.0, 70.0, 75.0, 79.0, 81.0, 120.0]),
        st.integers(1, 3),
    ),
    max_size=60,
)


@given(READINGS, st.integers(0, 60))
def test_whatever_comes_beginnings_and_ends_alternate_and_a_saved_state_goes_on(
    readings: list[tuple[int, float, int]], cut: int
) -> None:
    state, again, minute, is_open = FOLD.start(), FOLD.start(), 0, False
    for place, (after, value, device) in enumerate(readings):
        minute += after
        one = sample(minute, value, device=device, meter=device == 3)
        if place == cut:
            again = FOLD.start().from_plain(state.to_plain())
        marks = FOLD.advance(state, one, rested=True) or []
        if place >= cut:
            assert (FOLD.advance(again, one, rested=True) or []) == marks
        for mark in marks:
            assert bool(mark.level) is not is_open
            is_open = bool(mark.level)
            assert not mark.level or value >= 70
        assert bool(state.level) is is_open


@given(st.lists(st.tuples(st.integers(1, 90), st.sampled_from([39.0, 60.0, 70.0, 75.0, 120.0])), max_size=60))
def test_of_one_monitor_it_warns_exactly_when_the_code_that_is_scored_does(readings: list[tuple[int, float]]) -> None:
    state, course, known, minute = FOLD.start(), GlucoseCourse(), model(), 0
    for after, value in readings:
        minute += after
        one = sample(minute, value, clipped=value == 39)
        warned = warn(known, course, one.at, value, is_bound=value == 39)
        begun = [mark for mark in FOLD.advance(state, one, rested=True) or () if mark.level]
        assert bool(begun) is bool(warned)
