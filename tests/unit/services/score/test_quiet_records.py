"""What is left of a quiet record, taken without the step, is what the step leaves of it."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.reasons import Flag
from schemas.records import JudgedUplink
from services.score.core import step
from services.score.followups import Effect, QuarterLook, Tally
from services.score.home_state import HomeState
from services.score.quiet_records import QuietRecords
from services.score.recent_values import NoDays
from services.score.rule_book import RULE_BOOK
from tests.unit.services.score.rules_alone import rules_for
from tests.unit.services.score.story import PERSON, minute, uplink

RULES = {rule.name: rule for rule in RULE_BOOK.folded}
BAND, OTHER_BAND, CUFF = 11, 12, 15
RESTING, MOVING = int(Flag.RESTING), int(Flag.MOVING)


def state_of(rule: str) -> HomeState:
    """Of a run over stored rows."""
    state = HomeState(rules=rules_for(RULES[rule]))
    state.subject(PERSON).recent = NoDays(PERSON)
    return state


def known(state: HomeState) -> Any:
    """What rules know, as plain values."""
    plain = state.to_plain()
    person = plain["subjects"][str(PERSON)]
    parts = {name: person[name] for name in ("samples", "movement", "wearing", "rules", "episodes")}
    return parts, plain["habits"], plain["devices"], plain["heard"], plain["seen"]


@st.composite
def stories(draw: st.DrawFn) -> list[JudgedUplink]:
    """Two hours of a band, most of it quiet: some of it fast, walking, off the body, late, or of a second band."""
    found, at = [], 0.0
    for seq in range(draw(st.integers(40, 120))):
        kind = draw(st.sampled_from(["quiet"] * 12 + ["fast", "walks", "moves", "off", "late", "other", "gap"]))
        at += 20 if kind == "gap" else 1
        pulse = draw(st.integers(122, 160)) if kind == "fast" else draw(st.integers(68, 76))
        vitals = {"heart_rate": pulse, "spo2": 97, "respiratory_rate": 14, "steps": 80 if kind == "walks" else 0}
        of = OTHER_BAND if kind == "other" else BAND
        if kind == "off":
            found.append(uplink(500 + seq, at, events=["not_worn"], device=of, device_type=1))
        flags = draw(st.sampled_from([RESTING] * 9 + [0])) if kind != "moves" else MOVING
        when = at - 7.5 if kind == "late" else at
        found.append(uplink(seq, when, vitals, flags=flags, device=of, received=at, device_type=1))
    return found


def run(state: HomeState, records: Sequence[JudgedUplink], *, quietly: bool) -> tuple[list[Effect], int]:
    """What follows, but for quarter hours as such; and how many were taken without the step."""
    quiet, tally, effects, taken = QuietRecords(state, PERSON), Tally(), list[Effect](), 0
    for record in records:
        if quietly and quiet.step(record):
            taken += 1
        else:
            effects += step(state, record, tally)
    return [one for one in effects if not isinstance(one, QuarterLook)], taken


@settings(max_examples=25, deadline=None)
@given(stories(), st.sampled_from(["heart_rate", "respiratory_rate", "news2", "blood_pressure"]))
def test_a_state_is_the_same_with_the_step_and_without(records: list[JudgedUplink], rule: str) -> None:
    stepped, quiet = state_of(rule), state_of(rule)
    expected, _ = run(stepped, records, quietly=False)
    effects, _ = run(quiet, records, quietly=True)
    assert effects == expected
    assert known(quiet) == known(stepped)


def test_nearly_all_of_a_quiet_day_is_taken_so() -> None:
    vitals = {"heart_rate": 72, "steps": 0}
    records = [uplink(seq, seq, vitals, flags=RESTING, device_type=1) for seq in range(600)]
    state = state_of("heart_rate")
    effects, taken = run(state, records, quietly=True)
    assert taken > 0.9 * len(records)
    assert not effects


@pytest.mark.parametrize(
    "record",
    [
        uplink(600, 600, {"heart_rate": 130, "steps": 0}, flags=RESTING, device_type=1),
        uplink(600, 600, {"heart_rate": 72, "steps": 60}, flags=RESTING, device_type=1),
        uplink(600, 600, {"heart_rate": 72, "steps": 0}, flags=MOVING, device_type=1),
        uplink(600, 600, {"heart_rate": 72, "steps": 0}, flags=int(Flag.POOR_QUALITY), device_type=1),
        uplink(600, 600, {"heart_rate": 72}, events=["worn"], device_type=1),
        uplink(600, 598, {"heart_rate": 72, "steps": 0}, flags=RESTING, received=600, device_type=1),
        uplink(600, 600, {"heart_rate": 72, "steps": 0}, device=CUFF, device_type=3),
    ],
    ids=["beyond a limit", "walking", "moving", "poor", "an event", "late", "a device nothing is known of"],
)
def test_what_may_have_consequences_is_left_to_the_step(record: JudgedUplink) -> None:
    state = state_of("heart_rate")
    before = [uplink(seq, seq, {"heart_rate": 72, "steps": 0}, flags=RESTING, device_type=1) for seq in range(600)]
    run(state, before, quietly=False)
    state.due_at = max(state.due_at, minute(700))
    shown = known(state)
    assert not QuietRecords(state, PERSON).step(record)
    assert known(state) == shown
