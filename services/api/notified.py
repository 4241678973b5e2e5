"""What people were notified of an alert, why, and how it stands; in words. Pure."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from schemas.alert_events import DoctorAction, Reason, Verdict
from schemas.presentation import spelled_out

REASON_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        Reason.FIRST: "It began",
        Reason.WORSE: "It got worse",
        Reason.CAME_BACK: "It came back after somebody had taken it on",
        Reason.AGAIN: "It came again, and nobody had answered",
        Reason.CALLED: "Help was called for again",
        Reason.REPEAT: "Nobody had answered",
    }
)
"""Why people were notified."""
ATTEMPT_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "no_address": "there is no address for this channel",
        "no_answer": "nobody answered there",
        "server_error": "the server had a fault",
        "refused_by_receiver": "the receiver refused it for good",
        "refuses_us": "the server refuses everything that HearthBeat sends",
        "refused_target": "HearthBeat does not send to that address",
        "unknown_host": "the server's name is not known",
        "unknown_key": "the receiver's secret can't be read",
        "redirect": "the receiver pointed elsewhere",
    }
)
"""Why an attempt came to nothing; the reasons of alert's delivery log."""
VERDICT_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {Verdict.REAL: "It was real", Verdict.FALSE: "It was a false alert", Verdict.UNCLEAR: "It is unclear"}
)
ACTION_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        DoctorAction.CALLED: "Called",
        DoctorAction.VISITED: "Visited",
        DoctorAction.HANDLED_ALREADY: "Handled already",
        DoctorAction.NOTHING: "Nothing",
    }
)
SAID_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {"acknowledged": "Took it on", "outcome": "Said what came of it", "finished": "Finished it"}
)
"""On which occasion a doctor said what came of it."""


def standing_of(row: Mapping[str, Any], *, sent_at: str = "", held_until: str = "") -> str:
    """How a notification stands, with its moments as people read them; ``row`` is one of ``notified_of_alert``."""
    if row["state"] is None:
        return "Not sent: another alert says as much" if row["suppressed"] else "Nobody: there was no recipient"
    words = _state_words(row, sent_at=sent_at, held_until=held_until)
    if row["state"] != "withdrawn" and row["attempts"] > 1:
        words += f", {row['attempts']} attempts"
    return words + (", possibly twice" if row["possible_duplicate"] else "")


def _state_words(row: Mapping[str, Any], *, sent_at: str, held_until: str) -> str:
    why = row["attempt_reason"]
    because = ATTEMPT_WORDS.get(why, spelled_out(why).lower()) if why and why != "accepted" else ""
    match row["state"]:
        case "sent":
            return f"Handed over {sent_at}"
        case "failed":
            return f"Failed: {because}" if because else "Failed"
        case "held":
            return f"Held by quiet hours until {held_until}"
        case "withdrawn":
            return "Withdrawn before it was sent: a later one took its place, or it was not needed any more"
    return f"On its way; so far {because}" if because else "On its way"
