"""Doses in words: each state is explained by what it rests on; nothing is claimed that is not known."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from schemas.doses import DoseState
from schemas.events import EVENT_TYPE_BY_KIND, EventKind
from services.api.dose_words import ShownDose, shown_doses

DUE = datetime(2026, 11, 29, 7, tzinfo=UTC)  # 08:00 in Berlin
HOUR = timedelta(hours=1)
LIFTED = EVENT_TYPE_BY_KIND[EventKind.CUP_LIFTED].number


def dose(
    state: DoseState,
    *evidence: tuple[str, timedelta] | tuple[str, timedelta, timedelta],
    paused: bool = False,
    **more: Any,
) -> ShownDose:
    row = {
        "dose_id": uuid4(),
        "plan_id": uuid4(),
        "zone": "Europe/Berlin",
        "state": state,
        "due_at": DUE,
        "opens_at": DUE - HOUR,
        "closes_at": DUE + HOUR,
        "missed_at": DUE + 6 * HOUR,
        "settled_at": None,
        "unknown_since": None,
        "reminders": 0,
        "as_needed": False,
        "listed": False,
    } | more
    events = [
        {
            "dose_id": row["dose_id"],
            "role": role,
            "kind": LIFTED,
            "observed_at": DUE + after,
            "received_at": DUE + after + (delay[0] if delay else timedelta(seconds=2)),
        }
        for role, after, *delay in evidence
    ]
    pause = {
        "plan_id": row["plan_id"],
        "paused_at": DUE - HOUR,
        "paused_until": None,
        "why": "fasting",
        "paused_by": "Dr X",
    }
    (shown,) = shown_doses([row], events, [pause] if paused else [])
    return shown


TWICE = (
    "Taken at 29 Nov, 08:03 and again at 29 Nov, 11:20: more than one dose may have been swallowed."
    " Taking this drug twice is dangerous."
)
EMPTY = "Not taken by 29 Nov, 14:00, from when on it can't be taken any more. The cup was lifted, but it was empty."
UNKNOWN = (
    "Nobody knows whether it was taken: the dispenser has not been heard since 29 Nov, 07:40, and the window has"
    " closed. It is settled once the dispenser is heard again."
)


def minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


@pytest.mark.parametrize(
    ("shown", "badge", "words"),
    [
        (dose(DoseState.PENDING), "Due", "Not taken yet. On time until 29 Nov, 09:00."),
        (
            dose(DoseState.REMINDED, reminders=2),
            "Reminded",
            "Reminded 2 times, not taken yet. On time until 29 Nov, 09:00.",
        ),
        (
            dose(DoseState.TAKEN, ("decided", minutes(3))),
            "Taken",
            "Taken at 29 Nov, 08:03, in its window (29 Nov, 07:00 to 29 Nov, 09:00).",
        ),
        (dose(DoseState.TAKEN, ("decided", minutes(3)), as_needed=True), "Taken", "Taken as needed at 29 Nov, 08:03."),
        (
            dose(DoseState.EARLY, ("decided", minutes(-90))),
            "Taken early",
            "Taken at 29 Nov, 06:30, before its window opened at 29 Nov, 07:00.",
        ),
        (
            dose(DoseState.LATE, ("decided", minutes(90))),
            "Taken late",
            "Taken at 29 Nov, 09:30, after its window closed at 29 Nov, 09:00.",
        ),
        (
            dose(DoseState.MISSED),
            "Missed",
            "Not taken by 29 Nov, 14:00, from when on it can't be taken any more.",
        ),
        (
            dose(DoseState.MISSED, ("empty", minutes(3))),
            "Missed",
            EMPTY,
        ),
        (
            dose(DoseState.DOUBLE, ("decided", minutes(3)), ("double", minutes(200)), listed=True),
            "Taken twice",
            TWICE,
        ),
        (
            dose(DoseState.DOUBLE, ("decided", minutes(3)), as_needed=True),
            "Taken twice",
            "Taken at 29 Nov, 08:03, too soon after the one before, or once too often that day.",
        ),
        (
            dose(DoseState.UNKNOWN, unknown_since=DUE - minutes(20)),
            "Not known",
            UNKNOWN,
        ),
        (dose(DoseState.HELD), "Held", "Held: the plan was paused."),
        (
            dose(DoseState.HELD, ("held", minutes(3)), paused=True),
            "Held",
            "Held: paused by Dr X (“fasting”). The cup was lifted all the same.",
        ),
    ],
)
def test_a_state_is_explained(shown: ShownDose, badge: str, words: str) -> None:
    assert (shown.badge(DUE + minutes(1)), shown.words(DUE + minutes(1))) == (badge, words)


def test_what_is_to_come_says_when_it_is_on_time() -> None:
    shown = dose(DoseState.PENDING)
    assert shown.badge(DUE - HOUR) == "Not due yet"
    assert shown.words(DUE - HOUR) == "On time from 29 Nov, 07:00 to 29 Nov, 09:00."


def test_a_taking_that_was_reported_late_says_so() -> None:
    late = dose(DoseState.TAKEN, ("decided", minutes(3), 7 * HOUR))
    assert late.reported_late
    assert late.words(DUE + 9 * HOUR).endswith("Reported late: the dispenser's message came only at 29 Nov, 15:03.")
    assert late.evidence[0].words(late.zone) == (
        "Cup lifted at 29 Nov, 08:03: this is the taking; reported late, at 29 Nov, 15:03"
    )
    assert not dose(DoseState.TAKEN, ("decided", minutes(3), minutes(10))).reported_late


def test_a_pause_that_did_not_cover_the_dose_is_not_its_reason() -> None:
    pause = {"paused_at": DUE - 5 * HOUR, "paused_until": DUE, "why": "fasting", "paused_by": "Dr X"}
    row = dose(DoseState.HELD).row
    (shown,) = shown_doses([row], [], [pause | {"plan_id": row["plan_id"]}])
    assert shown.pause is None
    (held,) = shown_doses([row], [], [pause | {"plan_id": row["plan_id"], "paused_until": DUE + minutes(1)}])
    assert held.pause is not None


def test_every_state_is_explained() -> None:
    assert all(dose(state).words(DUE) and dose(state).badge(DUE) for state in DoseState)
