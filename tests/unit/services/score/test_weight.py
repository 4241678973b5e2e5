"""Weight: the judgement of who stood on the scale, averages, order of arrival, and how often noise alone is said."""

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.alerts import EndReason, Finding, Severity
from schemas.codec import parse_json, write_json
from schemas.default_limits import usual_of
from schemas.limits import Condition
from schemas.records import JudgedUplink
from schemas.vitals import WEIGHT
from services.score.home_state import HomeState
from services.score.limit_book import ALWAYS, DEFAULT_BOOK, LimitBook, PersonCondition, Scope, Version
from services.score.rule_book import RULE_BOOK
from services.score.rules.weight import WEIGHT_GAIN
from services.score.sample import Sample
from services.score.weight import LATE_MS, Scale, WeightState, fold_of, is_somebody_else
from tests.unit.services.score.story import PERSON, minute, run
from tests.unit.services.score.weight_cases import DAY, HEART_FAILURE_BOOK, daily, late, weighed

DAY_MS = round(timedelta(days=1).total_seconds() * 1000)


def found(records: list[JudgedUplink], limits: LimitBook = HEART_FAILURE_BOOK) -> list[Finding]:
    return [one for one in run(records, HomeState(limits=limits)) if isinstance(one, Finding)]


def state_of(state: HomeState) -> WeightState:
    """What the rule's base knows once everything is older than its window."""
    return WeightState().from_plain(state.subject(PERSON).evaluations["weight"].to_plain()["base"])


def test_without_heart_failure_nothing_is_said_and_limits_of_ones_own_are_enough() -> None:
    records = weighed((0, 80), (2, 84))
    assert found(records, DEFAULT_BOOK) == []
    own = replace(usual_of("weight"), source="Dr. Example")
    book = LimitBook([Version(scope=Scope(person_no=PERSON), concern="weight", valid_from=ALWAYS, limits=own)])
    assert [one.level for one in found(records, book)] == [2]


def test_whoever_gets_the_condition_today_is_measured_against_the_weights_of_before() -> None:
    book = LimitBook(
        conditions=[
            PersonCondition(
                person_no=PERSON,
                condition=Condition.HEART_FAILURE,
                valid_from=minute(1.5 * DAY),
                valid_to=minute(9 * DAY),
            )
        ]
    )  # fmt: skip
    said = found(weighed((0, 80), (1, 84), (2, 82.5), (9.5, 81.4)), book)
    assert [(one.level, one.end_reason) for one in said] == [
        (1, None),
        (0, EndReason.NO_DATA),
        (0, EndReason.RECOVERED),
    ]


def test_what_is_said_names_both_weights_and_rests_on_both_and_is_for_the_list() -> None:
    low, much = found(weighed(*daily(80, 81, 82.2, 83.3)))
    assert low.doctor_text == "Weight 82.2 kg, 2.2 kg more than the lowest of 3 days, 80.0 kg."
    assert [(one.value, one.observed_at) for one in much.evidence] == [
        (82.2, minute(2 * DAY)), (83.3, minute(3 * DAY)), (80, minute(0)),
    ]  # fmt: skip
    assert (low.severity, much.severity, low.concern) == (Severity.LOW, Severity.MEDIUM, "weight")
    assert low.rationale == WEIGHT_GAIN.rationale


def test_an_end_says_what_the_gain_was_measured_from() -> None:
    *_, over = found(weighed(*daily(80, 81, 82.5, 81.5)))
    assert (over.end_reason, over.doctor_text) == (
        EndReason.RECOVERED,
        "Weight back to 81.5 kg; the gain was measured from 80.0 kg.",
    )


def weights(*values: tuple[float, float]) -> list[Sample]:
    return [Sample(minute(day * DAY), kg, 1, 1, number, 0, WEIGHT.number) for number, (day, kg) in enumerate(values)]


@pytest.mark.parametrize(
    ("known", "sample", "somebody_else"),
    [
        ([], (0, 60), False),
        ([(0, 80)], (1, 85), True),
        ([(0, 80)], (1, 75), True),
        ([(0, 80)], (1.01, 85), False),
        ([(0, 80)], (1.01, 85.1), True),
        ([(0, 80)], (0.5, 84.9), False),
        ([(0, 80)], (7.01, 95), False),
        ([(0, 80), (1, 81), (2, 83), (2.5, 86)], (5, 87.1), True),
        ([(0, 80), (1, 81), (2, 83), (2.5, 86)], (5, 87), False),
        ([(0, 80.3)], (2, 85.3), False),
    ],
)
def test_who_is_somebody_else(
    known: list[tuple[float, float]], sample: tuple[float, float], *, somebody_else: bool
) -> None:
    (one,) = weights(sample)
    assert is_somebody_else(weights(*known), one) is somebody_else


def test_a_weight_of_somebody_else_is_kept_to_ask_about_until_one_of_the_person_follows() -> None:
    fold = fold_of({"weight": usual_of("weight")})
    state = fold.start()
    known = []
    for one in weights(*daily(*[80.0] * 4), (3.5, 62), (4, 80.4)):
        assert fold.advance(state, one, rested=True) is None
        known.append(state.doubtful and (state.doubtful.at, state.doubtful.value))
        assert state.copied() == state
    assert known == [None] * 4 + [(minute(3.5 * DAY), 62.0), None]


def test_after_a_week_of_other_weights_the_new_ones_are_believed() -> None:
    moved = weighed(*daily(*[80] * 4), *((float(day), 62.0) for day in range(4, 12)), (13, 64.5))
    assert [(one.level, one.observed_at) for one in found(moved)] == [(1, minute(13 * DAY))]


def test_the_average_is_a_plain_mean_at_first_and_forgets_after() -> None:
    scale = Scale()
    for one in weights((0, 80), (1, 81), (2, 82)):
        scale.take(one)
    assert scale.average == pytest.approx(81)
    for one in weights(*((float(day), 90.0) for day in range(3, 60))):
        scale.take(one)
    assert scale.average == pytest.approx(90, abs=0.3)
    scale.forget(minute(74 * DAY))
    assert (scale.days, scale.weights) == (0, [])


GAPS = st.sampled_from([0.1, 0.5, 1, 1, 1, 2, 3, 5, 9])
VALUES = st.lists(st.tuples(GAPS, st.sampled_from([78.0, 80.0, 81.0, 82.1, 83.2, 84.4, 90.0])), min_size=1, max_size=14)


def story(drawn: list[tuple[float, float]]) -> list[tuple[float, float]]:
    at, samples = 0.0, []
    for gap, value in drawn:
        at += gap
        samples.append((at, value))
    return samples


@given(drawn=VALUES, restart=st.integers(0, 14))
def test_a_restart_anywhere_changes_nothing(drawn: list[tuple[float, float]], restart: int) -> None:
    records = weighed(*story(drawn))
    whole = HomeState(limits=HEART_FAILURE_BOOK)
    expected = run(records, whole)
    before = HomeState(limits=HEART_FAILURE_BOOK)
    said = run(records[:restart], before)
    after = HomeState.from_plain(parse_json(write_json(before.to_plain())), RULE_BOOK, HEART_FAILURE_BOOK)
    assert said + run(records[restart:], after) == expected
    assert after.to_plain() == whole.to_plain()


@given(drawn=VALUES, order=st.permutations(range(5)))
def test_in_any_order_of_arrival_within_the_window_it_comes_out_the_same(
    drawn: list[tuple[float, float]], order: list[int]
) -> None:
    """The last weights within the window, in any order; received together."""
    samples = story(drawn)
    last = samples[-1][0]
    tail = [one for one in samples if one[0] > last - LATE_MS / DAY_MS][-5:]
    head = samples[: len(samples) - len(tail)]
    in_order = [late(day, kg, received=last, seq=100 + n) for n, (day, kg) in enumerate(tail)]
    shuffled = [in_order[place] for place in order if place < len(in_order)]
    states = []
    for records in (in_order, shuffled):
        state = HomeState(limits=HEART_FAILURE_BOOK)
        run([*weighed(*head), *records], state)
        # A week of silence: everything is folded into the base, and what stands is what was found.
        run([late(last + 30, 80, received=last + 30, seq=500)], state)
        states.append(state)
    first, second = (state_of(one) for one in states)
    assert first.to_plain() == second.to_plain()


def alarms(seed: int, *, days: int, noise: float) -> int:
    """How many episodes a steady weight has, once a day, with noise of so many kg."""
    draw = Random(seed)
    values = [round(80 + draw.gauss(0, noise), 1) for _ in range(days)]
    return len({one.episode for one in found(weighed(*daily(*values))) if one.level})


def test_noise_of_half_a_kilogram_is_said_two_or_three_times_a_year() -> None:
    """Ten simulated years of a steady weight with a standard deviation of 0.5 kg: 23 episodes."""
    counted = sum(alarms(seed, days=365, noise=0.5) for seed in range(10))
    assert counted == 23


@pytest.mark.parametrize("seed", range(5))
def test_noise_of_a_third_of_a_kilogram_is_said_never(seed: int) -> None:
    assert alarms(seed, days=365, noise=0.33) == 0


@given(st.lists(st.floats(-0.8, 0.8), min_size=2, max_size=60))
def test_clothes_are_never_said(clothes: list[float]) -> None:
    assert found(weighed(*daily(*[80 + one for one in clothes]))) == []


@given(st.lists(st.floats(0, 0.6), min_size=2, max_size=40))
def test_a_loss_is_never_said(losses: list[float]) -> None:
    kg, values = 95.0, []
    for loss in losses:
        kg -= loss
        values.append(kg)
    assert found(weighed(*daily(*values))) == []
