"""When it is said that somebody takes too few of their doses, and when that they take enough again."""

from datetime import UTC, datetime
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.adherence import ADHERENT_FROM, LEAST_DOSES, CountedDose, Measures, measure
from schemas.alerts import EndReason, Finding, Severity
from schemas.doses import DoseState
from services.medication.adherence import CONCERN, Episodes, judge
from services.runtime.clock import to_ms

NIGHT = datetime(2026, 6, 7, 22, tzinfo=UTC)


def counts(taken: int, missed: int, *others: DoseState) -> Measures:
    states = [DoseState.TAKEN] * taken + [DoseState.MISSED] * missed + list(others)
    return measure(counted(state) for state in states)


def counted(state: DoseState) -> CountedDose:
    return CountedDose(UUID(int=1), NIGHT, NIGHT.date(), state, in_window=False)


NOTHING_BEFORE = Episodes()


def judged(found: Measures, before: Episodes = NOTHING_BEFORE) -> Finding | None:
    return judge(3, 4, found, before, NIGHT)


def test_seven_of_ten_is_too_little() -> None:
    finding = judged(counts(7, 3))

    assert finding is not None
    assert (finding.rule, finding.concern, finding.severity, finding.level) == (
        "adherence", CONCERN, Severity.MEDIUM, 1,
    )  # fmt: skip
    assert (finding.episode, finding.observed_at, finding.end_reason) == (1, to_ms(NIGHT), None)
    assert finding.doctor_text == (
        "7 of 10 doses of the last 7 days were taken (70 %), fewer than 80 %."
        " Doses that are not known or were held are not counted."
    )
    assert finding.caregiver_text.startswith("Over the last 7 days, 7 of 10 doses of medicine were taken.")


def test_just_too_little_is_not_said_as_the_limit() -> None:
    finding = judged(counts(79, 20))

    assert finding is not None
    assert finding.facts["percent"] == 79


@pytest.mark.parametrize(
    "found",
    [
        counts(8, 2),
        counts(0, 9),
        counts(0, 9, *[DoseState.UNKNOWN] * 20),
        counts(0, 9, *[DoseState.HELD] * 20),
        counts(0, 9, *[DoseState.REMINDED] * 20),
    ],
)
def test_enough_or_too_little_known_is_said_by_nobody(found: Measures) -> None:
    assert judged(found) is None


def test_an_episode_is_said_once_and_ends_when_enough_is_taken_again() -> None:
    low = judged(counts(7, 3), Episodes(2, is_open=False))
    assert low is not None
    assert low.episode == 3
    going_on = Episodes(3, is_open=True)

    assert judged(counts(0, 10), going_on) is None
    assert judged(counts(9, 0), going_on) is None, "nine doses say nothing, neither way"
    again = judged(counts(8, 2), going_on)

    assert again is not None
    assert (again.episode, again.level, again.end_reason) == (3, 0, EndReason.RECOVERED)
    assert again.finding_id != low.finding_id
    assert "80 % or more again" in again.doctor_text


@given(
    st.lists(st.lists(st.sampled_from(DoseState), max_size=25), max_size=30),
    st.randoms(use_true_random=False),
)
def test_episodes_open_and_close_in_turn_whatever_the_days_come_to(days: list[list[DoseState]], random: Random) -> None:
    before, said = Episodes(), []
    for states in days:
        doses = [counted(state) for state in states]
        random.shuffle(doses)
        found = measure(doses)
        finding = judged(found, before)
        if finding is not None:
            assert found.known >= LEAST_DOSES
            assert (finding.level == 1) is ((found.taking or 0) < ADHERENT_FROM)
            said.append((finding.episode, finding.level))
            before = Episodes(finding.episode, is_open=finding.level == 1)
        elif found.known >= LEAST_DOSES:
            assert before.is_open is ((found.taking or 0) < ADHERENT_FROM)
    assert said == [(place // 2 + 1, 1 - place % 2) for place in range(len(said))]
