"""What there is to say of a suspected fall, as a pure function of its row and of the signs that are known."""

from dataclasses import replace

import pytest

from schemas.alerts import EndReason, Severity
from services.score.falls import Course, Fall, course_of
from services.score.rule import Subject
from services.score.sample import Sample
from tests.unit.services.score.story import BAND, EPOCH, HOME, PERSON, minute

FALL = Fall(
    subject=Subject(PERSON, HOME), episode=3, sample=Sample(minute(0), 0.0, BAND, EPOCH, 9, 0), due_at=minute(1),
    retrospective=False,
)  # fmt: skip
CONFIRMED = replace(FALL, level=2, said=1, lying_at=minute(30))


def said(course: Course) -> list[tuple[int, str, float]]:
    """Level, key and minute of each finding."""
    return [(one.level, one.message, (one.observed_at - minute(0)) / 60_000) for one in course.findings]


def test_an_answer_is_noted_and_over_at_once() -> None:
    course = course_of(replace(FALL, ok_at=minute(0.5)), minute(0.5))

    assert said(course) == [(1, "fall.near", 0.5), (0, "fall.ended", 0.5)]
    assert course.findings[0].severity is Severity.LOW
    assert (course.level, course.said, course.lying_at, course.ended_at) == (1, 2, None, None)


def test_who_is_up_again_is_noted_as_such_and_an_answer_says_more() -> None:
    up = replace(FALL, up_at=minute(0.7))

    assert said(course_of(up, minute(0.8)))[0] == (1, "fall.up", 0.7)
    assert said(course_of(replace(up, ok_at=minute(0.4)), minute(0.8)))[0] == (1, "fall.near", 0.4)


@pytest.mark.parametrize("unverified", [False, True])
def test_without_a_sign_the_fall_is_confirmed_and_has_half_an_hour_to_be_said_again(*, unverified: bool) -> None:
    course = course_of(FALL, minute(1), unverified=unverified)

    assert said(course) == [(2, "fall.confirmed", 1)]
    assert course.findings[0].severity is Severity.HIGH
    assert course.findings[0].unverified is unverified
    assert course.lying_at == minute(30)


def test_help_confirms_whatever_else_is_known_and_is_certain() -> None:
    course = course_of(replace(FALL, ok_at=minute(0.1), help_at=minute(0.3)), minute(0.4), unverified=True)

    assert said(course) == [(2, "fall.help", 0.3)]
    assert not course.findings[0].unverified


def test_every_finding_of_a_fall_has_an_id_of_its_own() -> None:
    story = [
        course_of(replace(FALL, ok_at=minute(0.1)), minute(0.1)),
        course_of(replace(FALL, level=1, said=2, ok_at=minute(0.1), help_at=minute(2)), minute(2)),
        course_of(replace(CONFIRMED, said=3), minute(30)),
        course_of(replace(CONFIRMED, level=3, said=4, lying_at=minute(60)), minute(60)),
        course_of(replace(CONFIRMED, level=3, said=5, lying_at=None, recovered_at=minute(70)), minute(71)),
    ]
    found = [one for course in story for one in course.findings]

    assert [one.level for one in found] == [1, 0, 2, 3, 3, 0]
    assert len({one.finding_id for one in found}) == len(found)
    assert [course.said for course in story] == [2, 3, 4, 5, 6]


def test_a_near_fall_is_over_when_nothing_more_can_come_of_it() -> None:
    course = course_of(replace(FALL, level=1, said=2, up_at=minute(0.5)), minute(31))

    assert (said(course), course.ended_at) == ([], minute(1))


@pytest.mark.parametrize(
    ("now", "words", "at", "lying_at"),
    [
        (30, "fall.lies_on", 30, minute(60)),
        (59.9, "fall.lies_on", 30, minute(60)),
        (60, "fall.long_lie", 60, None),
        (300, "fall.long_lie", 60, None),
    ],
)
def test_who_lies_on_is_said_again(now: float, words: str, at: float, lying_at: int | None) -> None:
    course = course_of(CONFIRMED, minute(now))

    assert said(course) == [(3, words, at)]
    assert course.lying_at == lying_at


def test_a_fall_ends_by_recovery_or_because_nothing_more_is_known() -> None:
    recovered = course_of(replace(CONFIRMED, recovered_at=minute(10)), minute(40))
    forgotten = course_of(replace(CONFIRMED, level=3, lying_at=None), minute(24 * 60 + 1))

    assert said(recovered) == [(0, "fall.ended", 10)]
    assert said(forgotten) == [(0, "fall.no_data", 24 * 60 + 1)]
    assert [course.findings[0].end_reason for course in (recovered, forgotten)] == [
        EndReason.RECOVERED,
        EndReason.NO_DATA,
    ]
    assert recovered.ended_at == minute(10)


def test_what_is_looked_back_on_is_not_said_again() -> None:
    course = course_of(replace(FALL, retrospective=True), minute(1))

    assert course.findings[0].retrospective
    assert course.lying_at is None
