"""Temperature above the person's own baseline: what makes one, what an episode of it says, and how it ends."""

from dataclasses import replace
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.alerts import EndReason, Finding, Severity
from schemas.codec import parse_json, write_json
from schemas.default_limits import DEFAULT_BY_CONDITION
from schemas.devices.thermometer import THERMOMETER
from schemas.limits import Limits
from services.score.days import DAY_MS
from services.score.home_state import HomeState
from services.score.limit_book import ALWAYS, LimitBook, Scope, Version
from services.score.own_baseline import AMONG_DAYS, LEAST_DAYS, OwnDays
from services.score.sample import Sample
from tests.unit.services.score.cases import fever, usual
from tests.unit.services.score.story import PERSON, run, series, uplink
from tests.unit.services.score.weight_cases import DAY

FIRST = 6 * DAY
"""The minute of the first reading after six usual days."""


def found(*samples: tuple[float, float], state: HomeState | None = None) -> list[Finding]:
    return [one for one in run(fever(*samples), state) if isinstance(one, Finding)]


def after(*values: float, baseline: float = 36.1) -> list[Finding]:
    """What is said of values an hour apart, after six days of a baseline."""
    return found(*usual(baseline, 6), *((FIRST + 60 * n, value) for n, value in enumerate(values)))


def own_limits(concern: str, limits: Limits) -> HomeState:
    version = Version(scope=Scope(person_no=PERSON), concern=concern, valid_from=ALWAYS, limits=limits)
    return HomeState(limits=LimitBook([version]))


def test_what_is_said_names_the_baseline_and_is_of_the_concern_of_fever() -> None:
    (one,) = after(37.4)
    assert one.doctor_text == "Body temperature 37.4 °C, 1.3 °C above the own median of 6 days, 36.1 °C."
    assert (one.concern, one.level, one.severity) == ("temperature.high", 1, Severity.MEDIUM)
    assert "Other limits" not in one.rationale


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((37.4, 36.9), [(1, None)]),
        ((37.4, 36.8), [(1, None), (0, EndReason.RECOVERED)]),
        ((38.5, 37.3), [(1, None)]),
        ((38.5, 37.1), [(1, None), (0, EndReason.RECOVERED)]),
        ((37.4, 37.9), [(1, None)]),
        ((37.4, 38.1), [(1, None), (1, None)]),
        ((37.4, 39.1), [(1, None), (2, None)]),
        ((37.4, 40.0, 36.8), [(1, None), (3, None), (0, EndReason.RECOVERED)]),
        ((37.2, 34.9), [(1, None), (0, EndReason.TURNED), (1, None)]),
    ],
)
def test_an_episode_above_the_baseline_goes_on_and_ends(
    values: tuple[float, ...], said: list[tuple[int, EndReason | None]]
) -> None:
    assert [(one.level, one.end_reason) for one in after(*values)] == said


def test_without_a_low_baseline_the_limits_that_stand_are_all_there_is() -> None:
    assert [one.message for one in after(37.9, 37.4, baseline=36.8)] == ["temperature.high", "temperature.recovered"]
    assert [one.message for one in after(37.9, 37.4, baseline=37.3)] == ["temperature.high", "temperature.recovered"]


def test_days_of_fever_do_not_drag_the_median() -> None:
    days = [36.2, 36.3, 36.2, 36.1, 36.2, 38.6, 38.9]
    said = found(*((day * DAY, value) for day, value in enumerate(days)), (7 * DAY, 36.4), (8 * DAY, 37.4))
    assert said[-1].message == "temperature.above_own"
    assert (said[-1].facts["reference"], said[-1].facts["days"]) == (36.25, 8)


def test_a_reading_of_today_is_none_of_the_baseline() -> None:
    assert found(*usual(36.2, 5)[:4], (4 * DAY, 36.2), (4 * DAY + 60, 37.4)) == []


def test_a_doctor_can_change_the_distance_and_its_urgency_is_never_above_that_of_fever() -> None:
    own = DEFAULT_BY_CONDITION[None, "temperature.own"]
    wider = replace(own, levels=(replace(own.levels[0], on=1.5),), source="a letter")
    assert found(*usual(36.1, 6), (FIRST, 37.4), state=own_limits("temperature.own", wider)) == []
    urgent = replace(own, levels=(replace(own.levels[0], severity=Severity.HIGH),))
    (one,) = found(*usual(36.1, 6), (FIRST, 37.4), state=own_limits("temperature.own", urgent))
    assert one.severity is Severity.MEDIUM


def sample(day: float, value: float) -> Sample:
    return Sample(round(day * DAY_MS), value, 22, 1, round(day * 100), 0, 4, 0, 0, THERMOMETER.number)


@given(
    readings=st.lists(st.tuples(st.integers(0, 60), st.sampled_from([35.9, 36.2, 36.5, 36.8, 38.4])), max_size=60),
    asked=st.integers(0, 62),
)
def test_the_baseline_is_the_median_of_the_medians_of_the_two_weeks_before(
    readings: list[tuple[int, float]], asked: int
) -> None:
    days: dict[int, list[float]] = {}
    own = OwnDays()
    for day, value in sorted(readings):
        if day <= asked and len(days.setdefault(day, [])) < 16:
            days[day].append(value)
            own.add(sample(day + 0.3, value))
    medians = [median(values) for day, values in days.items() if asked - AMONG_DAYS <= day < asked]
    against = own.before(asked * DAY_MS + 1)
    if len(medians) < LEAST_DAYS:
        assert against is None
    else:
        assert against is not None
        assert against.value == pytest.approx(median(medians), abs=0.006)
        assert against.days == len(medians)
    assert len(own.days) <= AMONG_DAYS + 1


VALUES = st.lists(st.sampled_from([36.0, 36.2, 36.2, 36.4, 37.3, 37.5, 38.2, 39.3, 34.8]), min_size=1, max_size=30)


@given(values=VALUES, gaps=st.lists(st.integers(2, 40), min_size=30, max_size=30), restart=st.integers(0, 30))
def test_a_restart_anywhere_changes_nothing(values: list[float], gaps: list[int], restart: int) -> None:
    at, samples = 0, []
    for gap, value in zip(gaps, values, strict=False):
        at += gap * 60
        samples.append((float(at), value))
    records = fever(*samples)
    whole = HomeState()
    expected = run(records, whole)
    before = HomeState()
    said = run(records[:restart], before)
    resumed = HomeState.from_plain(parse_json(write_json(before.to_plain())))
    assert said + run(records[restart:], resumed) == expected
    assert resumed.to_plain() == whole.to_plain()


@given(values=st.lists(st.sampled_from([36.0, 36.9, 37.3, 38.2]), min_size=2, max_size=6), order=st.randoms())
def test_in_any_order_of_arrival_within_the_window_it_comes_out_the_same(values: list[float], order: object) -> None:
    """The readings of the last day in any order, after six usual days; a further week folds all into the base."""
    arrivals = [
        uplink(
            100 + n, FIRST + 200 * n, {"body_temperature": value}, received=FIRST + 1300, device=22,
            device_type=THERMOMETER.number,
        )
        for n, value in enumerate(values)
    ]  # fmt: skip
    shuffled = list(arrivals)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    plains = []
    for records in (arrivals, shuffled):
        state = HomeState()
        run([*fever(*usual(36.1, 6)), *records], state)
        run(series("body_temperature", [(FIRST + 9 * DAY, 36.1)], device_type=THERMOMETER.number, device=23), state)
        plains.append(state.subject(PERSON).evaluations["temperature"].to_plain()["base"])
    assert plains[0] == plains[1]
