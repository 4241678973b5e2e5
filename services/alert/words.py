"""What a notification says: subject and text of its severity, kind, age and how long it has been waiting. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Final
from uuid import UUID

from schemas.alerts import Severity
from schemas.wall_clock import zone_of
from services.sentences.catalogue import NOTIFICATIONS, Catalogue, load

LATE_MS: Final = 15 * 60_000
"""What was measured or reported longer before it was found came late, and is said to be so."""
_MINUTE_MS: Final = 60_000
_HOUR_MIN: Final = 60
_DAY_MIN: Final = 24 * 60
_LONGEST_NAME: Final = 100
_REPEAT: Final = "repeat"


class Standing(StrEnum):
    """How an alert stands when a notification of it is sent."""

    WAITING = "waiting"
    ANSWERED = "answered"
    RECOVERED = "recovered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What only somebody may read who has asked for it: whom it is about, and what was found."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationFacts:
    """What the words are made of. Platform milliseconds.

    ``reason`` is that of the escalation step. ``times``: how often it has happened since ``opened_at``, when the alert
    last became open. ``observed_at`` and ``found_at`` are of the newest finding. ``queued_at``: when the notification
    was queued, or let go by quiet hours, so that each attempt at it says the same.
    """

    severity: Severity
    reason: str
    standing: Standing
    times: int
    opened_at: int
    observed_at: int
    found_at: int
    queued_at: int
    zone: str
    details: Details | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """As a mail has them. ``subject`` is one line."""

    subject: str
    text: str


@cache
def words_of(language: str) -> Catalogue:
    """The words of notifications in that language, in English where there are none."""
    try:
        return load(language, NOTIFICATIONS)
    except FileNotFoundError:
        return load("en", NOTIFICATIONS)


def notification_words(facts: NotificationFacts, catalogue: Catalogue, *, alert_id: UUID, link: str) -> Words:
    """Subject and text; no name and no value but those of ``facts.details``."""
    said = _said(facts, catalogue)
    is_late = facts.reason != _REPEAT and facts.found_at - facts.observed_at >= LATE_MS
    subject = [catalogue.phrase("subject", facts.reason, **said)]
    text = [catalogue.phrase("opening", facts.reason, **said)]
    if is_late:
        subject.append(catalogue.phrase("suffix", "late", **said))
        text.append(catalogue.phrase("sentence", "late", **said))
    if facts.standing is not Standing.WAITING:
        subject.append(catalogue.phrase("suffix", facts.standing))
    text.append(catalogue.phrase("state", facts.standing))
    if facts.details is not None:
        name = one_line(facts.details.name)
        subject.append(catalogue.phrase("suffix", "name", name=name))
        text.append(catalogue.phrase("sentence", "details", name=name, text=facts.details.text))
    text += [catalogue.phrase("sentence", "alert", alert_id=str(alert_id)), catalogue.phrase("sentence", "link"), link]
    return Words(subject="".join(subject), text="\n".join([*text, ""]))


def say_span(milliseconds: int, catalogue: Catalogue) -> str:
    """A span of time in words, whole minutes rounded down; nothing is shorter than 0 min."""
    minutes = max(0, milliseconds // _MINUTE_MS)
    if minutes < _HOUR_MIN:
        return catalogue.phrase("span", "minutes", minutes=minutes)
    if minutes < _DAY_MIN:
        return catalogue.phrase("span", "hours", hours=minutes // _HOUR_MIN, minutes=minutes % _HOUR_MIN)
    return catalogue.phrase("span", "days", days=minutes // _DAY_MIN, hours=minutes % _DAY_MIN // _HOUR_MIN)


def say_severity(severity: Severity, catalogue: Catalogue) -> str:
    """Its word."""
    return catalogue.phrase("severity", severity.name.lower())


def say_moment(at: int, now: int, zone: str) -> str:
    """A moment on the clock of ``zone``, UTC if nobody knows it; with its day where that is another than today."""
    clock = zone_of(zone)
    there, today = (datetime.fromtimestamp(one / 1000, UTC).astimezone(clock) for one in (at, now))
    return f"{there:%H:%M}" if there.date() == today.date() else f"{there:%Y-%m-%d %H:%M}"


def one_line(name: str) -> str:
    """A name as a header can hold it: printable, on one line, of a bounded length."""
    line = " ".join("".join(one if one.isprintable() else " " for one in name).split())
    return line if len(line) <= _LONGEST_NAME else line[: _LONGEST_NAME - 1] + "…"


def _said(facts: NotificationFacts, catalogue: Catalogue) -> Mapping[str, str | int]:
    return {
        "severity": say_severity(facts.severity, catalogue),
        "times": facts.times,
        "since": say_moment(facts.opened_at, facts.queued_at, facts.zone),
        "waiting": say_span(facts.queued_at - facts.opened_at, catalogue),
        "age": say_span(facts.queued_at - facts.observed_at, catalogue),
    }
