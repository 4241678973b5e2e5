"""Limits in force: for whom, when; a change in the middle of a log gives what two logs would."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from schemas.alerts import EndReason, Finding, Severity
from schemas.codec import parse_json, write_json
from schemas.default_limits import DEFAULT_BY_CONDITION, defaults_of
from schemas.limits import Condition, Limits, Side
from services.score.age import Reception
from services.score.episodes import FOREVER, Episodes, Report, Seen
from services.score.home_state import HomeState
from services.score.limit_book import ALWAYS, DEFAULT_BOOK, NEVER, LimitBook, PersonCondition, Scope, Version
from services.score.rule import Mark
from services.score.rule_book import RULE_BOOK
from services.score.rules.spo2 import SPO2_LOW
from services.score.sample import Sample
from tests.unit.services.score.story import PERSON, levels, minute, run, series, uplink

USUAL = defaults_of("spo2")["spo2"]
PRESCRIBED = DEFAULT_BY_CONDITION[Condition.SPO2_88_92, "spo2"]


def lowered(by: float, usual: Limits = USUAL) -> Limits:
    """The same limits so many points lower."""
    levels = tuple(replace(level, on=level.on - by) for level in usual.levels)
    return replace(usual, levels=levels, off=usual.off - by, source="a test")


def book(*versions: tuple[Scope, float, Limits | None], conditions: Sequence[PersonCondition] = ()) -> LimitBook:
    """A book of versions of ``spo2``: for whom, from which minute of the story on, what."""
    return LimitBook(
        [
            Version(scope=scope, concern="spo2", valid_from=ALWAYS if at < 0 else minute(at), limits=limits)
            for scope, at, limits in versions
        ],
        conditions,
    )


def target(first: float = -1, end: float = -1) -> PersonCondition:
    return PersonCondition(
        person_no=PERSON,
        condition=Condition.SPO2_88_92,
        valid_from=ALWAYS if first < 0 else minute(first),
        valid_to=NEVER if end < 0 else minute(end),
    )


@pytest.mark.parametrize(
    ("limits", "person", "on"),
    [
        (DEFAULT_BOOK, PERSON, 92),
        (book((Scope(), -1, lowered(1))), PERSON, 91),
        (book((Scope(), -1, lowered(1)), (Scope(region=True), -1, lowered(2))), PERSON, 90),
        (book((Scope(region=True), -1, lowered(2)), (Scope(person_no=PERSON), -1, lowered(3))), PERSON, 89),
        (book((Scope(region=True), -1, lowered(2)), (Scope(person_no=PERSON), -1, lowered(3))), PERSON + 1, 90),
        (book(conditions=[target()]), PERSON, 87),
        (book(conditions=[target()]), PERSON + 1, 92),
        (book((Scope(region=True), -1, lowered(2)), conditions=[target()]), PERSON, 87),
        (book((Scope(region=True, condition=Condition.SPO2_88_92), -1, lowered(9)), conditions=[target()]), PERSON, 83),
        (book((Scope(person_no=PERSON), -1, lowered(3)), conditions=[target()]), PERSON, 89),
        (book((Scope(person_no=PERSON), -1, lowered(3)), (Scope(person_no=PERSON), 5, None)), PERSON, 92),
        (book((Scope(person_no=PERSON), 11, lowered(3))), PERSON, 92),
        (book(conditions=[target(0, 10)]), PERSON, 92),
        (book(conditions=[target(10)]), PERSON, 87),
    ],
)
def test_the_most_specific_limits_in_force_hold(limits: LimitBook, person: int, on: float) -> None:
    assert limits.in_force("spo2", person, minute(10)).levels[0].on == on
    fold: Any = limits.folds(SPO2_LOW, person).at(minute(10))
    assert fold.sides[Side.BELOW].levels[0].on == on


def test_nothing_begins_with_limits_that_say_what_held_before() -> None:
    same = book((Scope(), 5, USUAL), (Scope(), 7, USUAL), (Scope(person_no=PERSON), 9, USUAL)).folds(SPO2_LOW, PERSON)
    assert (same.begins_at, same.ends_at) == (ALWAYS, NEVER)
    other = book((Scope(), 5, USUAL), (Scope(), 7, lowered(1)), (Scope(), 9, lowered(1))).folds(SPO2_LOW, PERSON)
    assert (other.begins_at, other.ends_at) == (minute(7), NEVER)


def test_people_of_whom_nothing_is_said_share_one_fold() -> None:
    limits = book((Scope(person_no=PERSON), 5, lowered(3)), conditions=[target(7)])
    assert limits.folds(SPO2_LOW, 1) is limits.folds(SPO2_LOW, 2)
    assert limits.folds(SPO2_LOW, PERSON) is not limits.folds(SPO2_LOW, 1)


def test_what_is_found_says_the_limit_and_the_severity_in_force() -> None:
    milder = replace(
        PRESCRIBED, levels=(replace(PRESCRIBED.levels[0], severity=Severity.LOW), PRESCRIBED.levels[1]), source="a test"
    )
    for limits, said in ((book(conditions=[target()]), Severity.MEDIUM), (book((Scope(), -1, milder)), Severity.LOW)):
        found = run(series("spo2", [(n, 86) for n in range(6)]), HomeState(limits=limits))
        (finding,) = [one for one in found if isinstance(one, Finding)]
        assert (finding.level, finding.severity, finding.facts["limit"]) == (1, said, 87)
        assert "87 %" in finding.doctor_text


def test_what_is_found_under_other_limits_says_where_those_are_from() -> None:
    """The rule's own reasons name the numbers that hold for everybody else."""
    own = replace(PRESCRIBED, source="Dr. Example, letter of 2026-11-02")
    same_numbers = replace(DEFAULT_BY_CONDITION[None, "spo2"], source="signed off anew")
    for limits, reason in (
        (book(conditions=[target()]), PRESCRIBED.source),
        (book((Scope(person_no=PERSON), -1, own)), own.source),
        (book(), SPO2_LOW.rationale),
        (book((Scope(), -1, same_numbers)), SPO2_LOW.rationale),
    ):
        readings = [(n, 86) for n in range(6)] + [(n, 97) for n in range(6, 13)]
        found = [one for one in run(series("spo2", readings), HomeState(limits=limits)) if isinstance(one, Finding)]
        assert found[-1].level == 0
        assert all(reason in one.rationale for one in found)
        assert all((SPO2_LOW.rationale in one.rationale) == (reason == SPO2_LOW.rationale) for one in found)


def test_an_episode_of_one_concern_is_never_taken_for_one_of_another() -> None:
    """Late readings show that the pulse was slow where it was said to be fast: one is disproved, one begins."""
    fast = Episodes()
    first, last = Sample(minute(0), 140, 1, 1, 1, 1), Sample(minute(12), 140, 1, 1, 2, 1)
    limits = {name: DEFAULT_BY_CONDITION[None, name] for name in ("heart_rate.fast", "heart_rate.slow")}
    fast.reports([Mark(1, first, last, limits=limits["heart_rate.fast"])], Reception(last.at, last.at))
    slow = Mark(1, first, last, limits=limits["heart_rate.slow"])
    reports = fast.reconcile([Seen(first.at, FOREVER, 1, [slow])], [first, last], Reception(last.at, last.at))
    said = [one for one in reports if isinstance(one, Report)]
    assert [(one.episode, one.mark.level, one.mark.end_reason) for one in said] == [
        (2, 1, None),
        (1, 0, EndReason.DISPROVED),
    ]


def test_a_reading_received_before_the_change_is_judged_by_the_limits_of_its_time_however_late_it_is_folded() -> None:
    """Low for the limits of after the change alone: 93 % until minute 5, received before, folded again at minute 9."""
    stricter = book((Scope(), 5, lowered(-3)))
    records = [uplink(n, n, {"spo2": 93}) for n in range(5)]
    records += [uplink(9, 9, {"spo2": 97}), uplink(10, 3.5, {"spo2": 93}, received=10)]
    assert levels(run(records, HomeState(limits=stricter))) == []
    records += [uplink(20 + n, 12 + n, {"spo2": 93}) for n in range(6)]
    assert [one[2:] for one in levels(run(records, HomeState(limits=stricter)))] == [(1, 17)]


VALUES = st.lists(st.sampled_from([84.0, 86.0, 88.0, 90.0, 92.0, 93.0, 95.0, 98.0]), min_size=5, max_size=40)


@given(values=VALUES, change=st.integers(0, 40), by=st.integers(-3, 6))
def test_a_version_that_begins_in_the_middle_of_a_log_gives_what_two_logs_would(
    values: list[float], change: int, by: int
) -> None:
    """The first log under the old limits alone; then the second, from where that ended, under the new alone."""
    records = series("spo2", list(enumerate(values)))
    whole = HomeState(limits=book((Scope(), change, lowered(by))))
    found = run(records, whole)

    apart = HomeState()
    expected = run(records[:change], apart)
    apart.use(book((Scope(), -1, lowered(by))))
    expected += run(records[change:], apart)

    assert found == expected


@given(values=VALUES, change=st.integers(0, 40), by=st.integers(-3, 6), quiet=st.integers(61, 300))
def test_after_a_gap_with_nothing_open_the_second_log_owes_the_first_one_nothing(
    values: list[float], change: int, by: int, quiet: int
) -> None:
    """What is open pauses over the gap, and goes on after it."""
    change = min(change, len(values))
    old, new = values[:change], values[change:]
    before = HomeState(limits=book((Scope(), change, lowered(by))))
    run(series("spo2", list(enumerate(old))), before)
    assume(not any(one.episodes.standing for one in before.subject(PERSON).evaluations.values()))
    late = [(change + quiet + number, value) for number, value in enumerate(new)]
    found = run(series("spo2", [*enumerate(old), *late]), HomeState(limits=book((Scope(), change, lowered(by)))))

    alone = run(series("spo2", late), HomeState(limits=book((Scope(), -1, lowered(by)))))
    # Numbers go on.
    second = [one for one in levels(found) if one[3] >= change and one[2] != 0]
    assert [one[2:] for one in second] == [one[2:] for one in levels(alone) if one[2] != 0]


@given(
    values=VALUES,
    lags=st.lists(st.sampled_from([0.0, 0.0, 0.0, 3.0, 9.0]), min_size=40, max_size=40),
    change=st.integers(0, 40),
    restart=st.integers(0, 40),
)
def test_a_restart_around_a_change_changes_nothing(
    values: list[float], lags: list[float], change: int, restart: int
) -> None:
    limits = book((Scope(), change, lowered(4)), (Scope(person_no=PERSON), change + 7, lowered(1)))
    records = sorted(
        (
            uplink(number, number, {"spo2": value}, received=number + lag)
            for number, (value, lag) in enumerate(zip(values, lags, strict=False))
        ),
        key=lambda record: record.received_at,
    )
    undisturbed = HomeState(limits=limits)
    expected = run(records, undisturbed)

    before = HomeState(limits=limits)
    found = run(records[:restart], before)
    after = restored(before, limits)
    found += run(records[restart:], after)

    assert found == expected
    assert after.to_plain() == undisturbed.to_plain()


def restored(state: HomeState, limits: LimitBook) -> HomeState:
    return HomeState.from_plain(parse_json(write_json(state.to_plain())), RULE_BOOK, limits)


def test_limits_that_become_known_later_hold_from_when_they_begin() -> None:
    """Whoever read the tables before the version was written, and looks again, finds what one who knew it found."""
    records = series("spo2", [(n, 91) for n in range(20)])
    version = book((Scope(person_no=PERSON), 1, lowered(3)))
    early, late = HomeState(limits=version), HomeState()
    expected = run(records, early)
    run(records[:1], late)
    late.use(version)
    assert run(records[1:], late) == expected == []
