"""Simulated people answer "Is this yours?" as it was, or don't answer: by their seed, whenever they are asked."""

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from device_sim.incident import NearMissKind, Use
from device_sim.incidents import IncidentPlan
from device_sim.physiology import MINUTE_MS, Span
from device_sim.whose import ANSWERED, NOT_UNDERSTOOD, answer_to
from device_sim.world import SimDevice
from schemas.events import Whose
from tests.unit.device_sim.sim_world import START_MS, world

ASKED = 2_000
SHARE = 0.03
"""Of 2,000 seeded draws: three standard deviations."""


def home() -> tuple[IncidentPlan, SimDevice]:
    """Nothing happens in it, and two people share a scale."""
    made = IncidentPlan(world(), start_ms=START_MS, rate=60, enabled=False)
    return made, next(row for row in made.world.devices if row.type == "scale" and len(row.people) == 2)


PLAN, SCALE = home()
AGAIN, SAME_SCALE = home()


def with_guest(at: int) -> IncidentPlan:
    """A guest stands on the scale under the first one's name."""
    plan = IncidentPlan(PLAN.world, start_ms=START_MS, rate=60, enabled=False)
    span = Span(at - MINUTE_MS, at + MINUTE_MS)
    guest = plan.nearly(0, NearMissKind.GUEST_ON_SCALE, SCALE, at, span)
    plan.add(replace(guest, uses=(Use(at_ms=at, values={"weight": 90.0}),)))
    return plan


def test_most_questions_are_answered_and_some_are_not_or_not_understood() -> None:
    said = Counter(answer_to(PLAN, SCALE, "weight", START_MS + number, 1) for number in range(ASKED))
    wanted = {None: 1 - ANSWERED, Whose.UNCLEAR: NOT_UNDERSTOOD, Whose.YES: ANSWERED - NOT_UNDERSTOOD}
    assert said.keys() == wanted.keys()
    assert all(abs(said[one] / ASKED - share) < SHARE for one, share in wanted.items())


@given(number=st.integers(0, 10_000), slot=st.sampled_from([1, 2]))
def test_the_same_question_has_the_same_answer_in_every_run(number: int, slot: int) -> None:
    question = "weight", START_MS + number, slot
    assert answer_to(PLAN, SCALE, *question) == answer_to(AGAIN, SAME_SCALE, *question)


def test_after_a_guest_nobody_says_yes_and_an_hour_later_nobody_says_no() -> None:
    moments = [START_MS + number * MINUTE_MS for number in range(40, 90)]
    said = Counter(answer_to(with_guest(at), SCALE, "weight", at + 400, 1) for at in moments)
    other = {answer_to(with_guest(at), SCALE, "weight", at, 2) for at in moments}
    later = {answer_to(with_guest(at), SCALE, "weight", at + 60 * MINUTE_MS, 1) for at in moments}
    assert said[Whose.NO] > said[None] > 0
    assert Whose.YES not in said
    assert Whose.YES in other & later
    assert Whose.NO not in other | later


def test_a_slot_that_is_nobodys_has_no_answer() -> None:
    assert {answer_to(PLAN, SCALE, "weight", START_MS + number, 7) for number in range(50)} == {None}
