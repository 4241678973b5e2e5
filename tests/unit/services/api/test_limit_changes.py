"""One limit of a person is moved: what follows for the others, what mutes, and how the change is put in words."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.alerts import Severity
from schemas.default_limits import DEFAULT_BY_CONDITION, usual_of
from schemas.limit_levels import rows_of
from schemas.limits import CONCERN_BY_NAME, LevelLimit, Limits, LimitsError
from services.api.limit_changes import (
    LONGEST_MUTE,
    MuteRefusedError,
    changed_words,
    check_end,
    check_mute,
    check_until,
    choices_of,
    history_of,
    moved,
    muted_by,
    muted_words,
    mutes,
)
from services.api.limits_in_force import limits_in_force

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
FAST = usual_of("heart_rate.fast")
SAID = {"source": "the person's doctor", "signed_off_by": "Dr Brandt"}
USUAL = [DEFAULT_BY_CONDITION[None, name] for name in CONCERN_BY_NAME if (None, name) in DEFAULT_BY_CONDITION]
URGENT = [one for one in USUAL if any(level.severity is Severity.HIGH for level in one.levels)]


def move(limits: Limits, place: int, on: float) -> Limits:
    return moved(limits, place, on, **SAID)


def own(number: int, limits: Limits, *, withdrawn: bool = False, days: float = 1) -> dict[str, Any]:
    """A row of the person's own."""
    same = {name: getattr(limits, name) for name in ("concern", "off", "clear_min", "worse_by", "source")}
    return {
        **same, "limit_no": number, "person_no": 7, "region": False, "condition": None,
        "levels": rows_of(limits.levels), "withdrawn": withdrawn, "signed_off_by": "Dr Brandt", "author": "Dr Brandt",
        "reason": "athlete", "valid_from": NOW - timedelta(days=days), "written_at": NOW - timedelta(days=days),
    }  # fmt: skip


def test_every_limit_of_everybody_can_be_chosen_by_a_name_of_its_own() -> None:
    names = [one.name for one in choices_of(limits_in_force([], []))]
    assert len(names) == len(set(names)) == sum(len(one.levels) for one in USUAL)


def test_where_an_episode_is_over_keeps_its_distance_from_the_first_limit() -> None:
    further = move(FAST, 0, FAST.levels[0].on + 5)
    assert further.off - further.levels[0].on == FAST.off - FAST.levels[0].on
    assert [one.on for one in further.levels[1:]] == [one.on for one in FAST.levels[1:]]


def test_a_higher_limit_moves_alone() -> None:
    place = next(number for number, one in enumerate(FAST.levels) if one.level == 3 and not one.moving)
    assert move(FAST, place, 160).off == FAST.off


@pytest.mark.parametrize(("place", "on"), [(0, 400), (0, 200), (99, 130), (-1, 130)])
def test_what_contradicts_itself_is_refused(place: int, on: float) -> None:
    with pytest.raises(LimitsError):
        move(FAST, place, on)


@pytest.mark.parametrize("limits", USUAL, ids=lambda one: one.concern)
def test_the_usual_limits_mute_nothing(limits: Limits) -> None:
    assert not mutes(limits, limits)
    assert not mutes(None, limits)


@pytest.mark.parametrize("limits", URGENT, ids=lambda one: one.concern)
def test_limits_without_high_urgency_mute(limits: Limits) -> None:
    milder = [replace(one, severity=min(one.severity, Severity.MEDIUM)) for one in limits.levels]
    assert mutes(limits, replace(limits, levels=tuple(milder)))


def _urgent(limits: Limits, *, moving: bool) -> list[int]:
    return [
        number for number, one in enumerate(limits.levels) if one.severity is Severity.HIGH and one.moving is moving
    ]


@given(by=st.floats(-30, 30), longer=st.floats(0, 100), limits=st.sampled_from(USUAL))
def test_what_is_found_as_urgent_by_the_last_usual_limit_is_muted_or_still_found(
    by: float, longer: float, limits: Limits
) -> None:
    """A value just beyond the furthest urgent limit, for as long as any of them lasts."""
    side = CONCERN_BY_NAME[limits.concern].side

    def elsewhere(one: LevelLimit) -> LevelLimit:
        if one.severity is not Severity.HIGH:
            return one
        return replace(one, on=one.on + by * side, persist_min=one.persist_min + longer)

    wanted = replace(limits, levels=tuple(map(elsewhere, limits.levels)))
    for moving in (False, True):
        urgent = [limits.levels[number] for number in _urgent(limits, moving=moving)]
        if urgent and not mutes(limits, wanted):
            furthest, longest = max(one.on * side for one in urgent), max(one.persist_min for one in urgent)
            value = furthest * side + 1e-6 * side
            kept = [wanted.levels[number] for number in _urgent(wanted, moving=moving)]
            assert any(one.is_beyond(value, side) and one.persist_min <= longest for one in kept)


@pytest.mark.parametrize("until", [None, NOW, NOW + LONGEST_MUTE + timedelta(seconds=1)])
def test_a_mute_without_an_end_within_a_day_is_refused(until: datetime | None) -> None:
    with pytest.raises(MuteRefusedError) as refused:
        check_mute(NOW, until, confirmed=True)
    assert refused.value.field == "until"


def test_what_ends_ends_after_it_begins() -> None:
    check_until(NOW, None)
    check_until(NOW, NOW + timedelta(days=90))
    with pytest.raises(MuteRefusedError) as refused:
        check_until(NOW, NOW)
    assert refused.value.field == "until"


def test_a_mute_that_nobody_has_confirmed_is_refused() -> None:
    with pytest.raises(MuteRefusedError) as refused:
        check_mute(NOW, NOW + LONGEST_MUTE, confirmed=False)
    assert refused.value.field == "confirmed"


def test_a_mute_of_a_day_that_is_confirmed_may_begin() -> None:
    check_mute(NOW, NOW + LONGEST_MUTE, confirmed=True)


def test_a_change_names_both_numbers() -> None:
    words = changed_words(FAST, move(FAST, 0, 125))
    assert words[0].startswith("above 125 /min instead of above 120 /min, for 10 min")
    assert words[1:] == ["over at 115 instead of 110"]


def test_what_is_muted_in_movement_alone_says_so_and_what_is_left() -> None:
    (place,) = _urgent(FAST, moving=True)
    assert muted_words(FAST, move(FAST, place, 230)) == (
        "what is urgent for everybody else (170 /min or more for 5 min, moving) "
        "is urgent here only at 230 /min or more for 5 min, moving"
    )
    assert muted_words(FAST, FAST) == ""


def test_another_urgency_alone_is_a_change() -> None:
    mild = replace(FAST, levels=tuple(replace(one, severity=Severity.MEDIUM) for one in FAST.levels))
    assert changed_words(FAST, mild)[0] == ("131 /min or more for 10 min, at rest: of medium urgency instead of high")
    assert len(changed_words(FAST, mild)) == len(_urgent(FAST, moving=False)) + len(_urgent(FAST, moving=True))


@pytest.mark.parametrize("limits", USUAL, ids=lambda one: one.concern)
def test_an_episode_that_might_never_end_is_refused(limits: Limits) -> None:
    check_end(limits, limits)
    check_end(None, limits)
    side = CONCERN_BY_NAME[limits.concern].side
    far = 2 * abs(limits.levels[0].on - limits.off) + limits.worse_by + 1
    with pytest.raises(LimitsError) as refused:
        check_end(limits, replace(limits, off=limits.off - side * far))
    assert refused.value.field == "off"


@given(by=st.floats(-10, 10), limits=st.sampled_from(USUAL))
def test_a_limit_that_is_moved_ends_where_it_may(by: float, limits: Limits) -> None:
    try:
        found = move(limits, 0, round(limits.levels[0].on + by, 1))
    except LimitsError:
        return
    check_end(limits, found)


def test_the_history_says_of_each_change_what_was_before() -> None:
    first, second = move(FAST, 0, 125), move(FAST, 0, 128)
    rows = [own(3, second, withdrawn=True, days=-1), own(2, second), own(1, first, days=2)]
    newest, middle, oldest = history_of(rows, {FAST.concern: FAST}, NOW)
    assert (newest.withdrawn, newest.begins, middle.begins) == (True, True, False)
    assert newest.words[0].startswith("above 120 /min instead of above 128 /min")
    assert middle.words[0].startswith("above 128 /min instead of above 125 /min")
    assert oldest.words[0].startswith("above 125 /min instead of above 120 /min")
    assert [one.reason for one in (newest, middle, oldest)] == ["athlete"] * 3


def test_a_version_that_contradicts_itself_is_none() -> None:
    assert history_of([own(1, replace(FAST, off=200))], {FAST.concern: FAST}, NOW) == []


def test_what_is_muted_says_until_when() -> None:
    mild = replace(FAST, levels=tuple(replace(one, severity=Severity.MEDIUM) for one in FAST.levels))
    rows = [own(2, FAST, withdrawn=True, days=-0.25), own(1, mild)]
    in_force = limits_in_force([rows[1]], [])
    (mute,) = muted_by(in_force, {FAST.concern: FAST}, rows, NOW)
    assert (mute.concern, mute.until) == (FAST.concern, NOW + timedelta(hours=6))
    assert mute.what.startswith("what is urgent for everybody else (150 /min or more for 3 min")
    assert "is not urgent here, however far it goes; what is urgent for everybody else (170 /min" in mute.what
    assert muted_by(limits_in_force([], []), {FAST.concern: FAST}, [], NOW) == []
