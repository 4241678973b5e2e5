"""What became of a notification is said in words, each state and each reason of alert's own."""

from typing import Any

import pytest

from schemas.alert_events import DoctorAction, Reason, Verdict
from schemas.alerts import DeliveryState
from services.alert.channels.port import AttemptReason
from services.api.notified import ACTION_WORDS, ATTEMPT_WORDS, REASON_WORDS, VERDICT_WORDS, standing_of


def row(**some: Any) -> dict[str, Any]:
    usual = {"state": "sent", "suppressed": False, "attempts": 1, "attempt_reason": "accepted"}
    return usual | {"possible_duplicate": False} | some


def test_every_reason_verdict_and_action_has_words() -> None:
    assert set(REASON_WORDS) == set(Reason)
    assert set(VERDICT_WORDS) == set(Verdict)
    assert set(ACTION_WORDS) == set(DoctorAction)
    assert set(ATTEMPT_WORDS) == set(AttemptReason) - {AttemptReason.ACCEPTED}


def test_every_state_of_a_delivery_has_words_of_its_own() -> None:
    states = [*DeliveryState, "held", "withdrawn"]
    said = {state: standing_of(row(state=state), sent_at="14:25", held_until="07:00") for state in states}

    assert said["sent"] == "Handed over 14:25"
    assert said["held"] == "Held by quiet hours until 07:00"
    assert said["withdrawn"].startswith("Withdrawn before it was sent")
    assert said["failed"] == "Failed"
    assert said["pending"] == said["sending"] == "On its way"


@pytest.mark.parametrize(
    ("some", "words"),
    [
        ({"state": "failed", "attempt_reason": "refused_by_receiver"}, "Failed: the receiver refused it for good"),
        ({"state": "failed", "attempt_reason": "of_a_newer_alert"}, "Failed: of a newer alert"),
        (
            {"state": "pending", "attempts": 3, "attempt_reason": "no_answer"},
            "On its way; so far nobody answered there, 3 attempts",
        ),
        ({"attempts": 2, "possible_duplicate": True}, "Handed over 14:25, 2 attempts, possibly twice"),
        ({"state": None, "suppressed": True}, "Not sent: another alert says as much"),
        ({"state": None}, "Nobody: there was no recipient"),
    ],
)
def test_why_it_stands_so_is_said(some: dict[str, Any], words: str) -> None:
    assert standing_of(row(**some), sent_at="14:25") == words
