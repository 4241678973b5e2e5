"""Blood pressure with a symptom, over stories that nobody chose: the order of arrival and restarts change nothing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.alerts import Finding, Severity
from schemas.codec import parse_json, write_json
from schemas.events import NO_SYMPTOM, names_symptom
from schemas.records import JudgedUplink
from services.score.home_state import HomeState
from services.score.limit_book import DEFAULT_BOOK
from services.score.older_states import upgraded
from tests.unit.services.score.pressure_cases import cuff, symptom
from tests.unit.services.score.story import PERSON, levels, run

DAY_MIN = 24 * 60
_SYSTOLIC = st.sampled_from([76, 80, 86, 90, 95, 130, 165, 175, 181, 190, 205, 221])


@st.composite
def stories(draw: st.DrawFn) -> list[JudgedUplink]:
    """Readings and symptoms of half a day, each at a minute of its own, all received when it is over."""
    minutes = draw(st.lists(st.integers(0, 150), min_size=2, max_size=12, unique=True))
    records = []
    for at in sorted(minutes):
        if draw(st.integers(0, 3)):
            record = cuff((at, draw(_SYSTOLIC), draw(st.sampled_from([55, 90, 125]))))[0]
            records.append(record._replace(seq=at))
        else:
            records.append(symptom(at))
    return records


def fold_of(state: HomeState) -> Any:
    return state.subject(PERSON).evaluations["blood_pressure"].shown()


def restarted(state: HomeState) -> HomeState:
    return HomeState.from_compared(as_written(state), DEFAULT_BOOK)


def as_written(state: HomeState) -> Any:
    """With the days, which are written apart."""
    return parse_json(write_json(state.to_compare()))


@given(stories(), st.randoms(use_true_random=False))
def test_the_order_in_which_readings_and_symptoms_arrive_does_not_matter(
    story: list[JudgedUplink], random: Any
) -> None:
    late = [one._replace(received_at=story[-1].received_at) for one in story]
    in_order, shuffled = HomeState(), HomeState()
    run(late, in_order)
    mixed = list(late)
    random.shuffle(mixed)
    run(mixed, shuffled)

    assert fold_of(shuffled) == fold_of(in_order)


@given(stories(), st.integers(0, 12))
def test_a_restart_at_any_record_changes_nothing(story: list[JudgedUplink], cut: int) -> None:
    state = HomeState()
    first = run(story[:cut], state)
    again = restarted(state)

    assert [*first, *run(story[cut:], again)] == run(story)
    undisturbed = HomeState()
    run(story, undisturbed)
    assert as_written(again) == as_written(undisturbed)


@given(stories())
def test_urgent_is_what_is_far_beyond_or_comes_with_a_symptom_and_a_symptom_takes_nothing_away(
    story: list[JudgedUplink],
) -> None:
    measured = [one for one in story if one.readings]
    urgent = {one[3] for one in levels(run(story)) if one[2] == 2}
    without = [one for one in run(measured) if isinstance(one, Finding)]

    assert not urgent or len(measured) < len(story) or any(one.level == 2 for one in without)
    assert max((one.severity for one in run(story) if isinstance(one, Finding)), default=0) >= max(
        (one.severity for one in without), default=0
    )


def test_a_finding_with_a_symptom_is_stamped_with_it_and_names_both_but_not_which_symptom() -> None:
    found = run([*cuff((0, 190, 102), (6, 190, 102)), symptom(8, "chest pain")])[-1]

    assert isinstance(found, Finding)
    assert found.severity is Severity.HIGH
    assert [one.what for one in found.evidence] == ["systolic", "systolic", "diastolic", "check_in_answered"]
    assert found.evidence[-1].value is None
    assert found.observed_at == found.evidence[-1].observed_at
    assert not found.retrospective
    assert "symptom" in found.doctor_text
    assert "chest" not in found.doctor_text + found.caregiver_text


def test_a_symptom_an_hour_after_the_reading_is_news_however_long_ago_that_was_measured() -> None:
    found = run([*cuff((0, 190, 102), (6, 190, 102)), symptom(66, late=50)])[-1]

    assert isinstance(found, Finding)
    assert (found.level, found.retrospective) == (2, False)


def test_a_symptom_makes_worse_what_was_said_to_be_unconfirmed_and_is_no_new_episode() -> None:
    found = [
        one
        for one in levels(run([*cuff((0, 188, 100)), *cuff((-9, 0, 0), (17, 130, 80))[1:], symptom(18)]))
        if one[2] != 0
    ]

    assert {episode for _, episode, _, _ in found} <= {1}


def test_the_same_answer_under_another_number_is_a_repetition() -> None:
    twice = symptom(8)._replace(seq=999_999)
    story = [*cuff((0, 190, 102), (6, 190, 102)), symptom(8)]

    assert len(run([*story, twice])) == len(run(story))


@pytest.mark.parametrize("said", ["chest pain", "Dizzy", "no strength", "none of your business"])
def test_words_are_a_symptom(said: str) -> None:
    assert names_symptom({"symptom": said})


@pytest.mark.parametrize("said", [*sorted(NO_SYMPTOM), " None. ", "NO", "No symptoms!", None, 3])
def test_what_says_that_there_is_none_is_no_symptom(said: object) -> None:
    assert not names_symptom({"symptom": said})
    assert not names_symptom({"answer": "help"})


def test_a_pressure_that_was_open_in_version_4_is_raised_by_a_symptom_of_now() -> None:
    state = HomeState()
    run(cuff((0, 88, 54), (5, 87, 54), (DAY_MIN + 30, 86, 54)), state)
    plain = parse_json(write_json(state.to_plain()))
    base = plain["subjects"][str(PERSON)]["rules"]["blood_pressure"]["base"]
    assert base[4] is not None
    before = [*base[:4], base[4][:-1]]
    plain["subjects"][str(PERSON)]["rules"]["blood_pressure"]["base"] = before
    # Bands came with version 5.
    del plain["subjects"][str(PERSON)]["bands"]

    assert upgraded(plain, 4)["subjects"][str(PERSON)]["rules"]["blood_pressure"]["base"] == base
    (found,) = run([symptom(DAY_MIN + 35)], HomeState.from_plain(plain | {"version": 4}))
    assert isinstance(found, Finding)
    assert (found.level, found.episode) == (2, 1)


def test_an_episode_can_begin_with_a_reading_that_was_among_those_that_ended_the_one_before() -> None:
    """A sitting of three is high as a whole; of its first two, the mean was not."""
    story = cuff((0, 130, 125), (60, 130, 125), (120, 130, 125), (122, 130, 80), (124, 130, 125), (184, 130, 125))
    assert levels(run(story)) == [
        ("blood_pressure", 1, 1, 0),
        ("blood_pressure", 1, 1, 60),
        ("blood_pressure", 1, 0, 122),
        ("blood_pressure", 2, 1, 124),
        ("blood_pressure", 2, 1, 184),
    ]
