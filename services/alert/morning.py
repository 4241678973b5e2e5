"""When a doctor's list of the morning is due, what stands on it and in which order, and its words. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from schemas.alerts import Fact, Severity
from schemas.presentation import presentation_of
from schemas.vitals import VITAL_BY_NUMBER
from schemas.wall_clock import moment_of, zone_of
from services.alert.words import Words, one_line, say_severity
from services.sentences.catalogue import Catalogue

MORNING_HOUR: Final = 7
"""On the doctor's own clock."""
LATEST_MS: Final = 12 * 60 * 60_000
"""A list that was missed for longer is left to the next morning, which names what it would have named."""
MOST_IN_WORDS: Final = 50
_ONE_DAY: Final = timedelta(days=1)


class EntryKind(StrEnum):
    """Why something stands on the list; in the order of the list."""

    OPEN = "open"
    """An alert that nobody has answered."""
    RECOVERED = "recovered"
    """Likewise, and since the list before it has recovered."""
    HELD = "held"
    """Readings that no rule has seen for longer than WAITS_LONG, since nobody has said whose they are."""
    LISTED = "listed"
    """Of a rule, or a severity, of which nobody is notified."""
    RETROSPECTIVE = "retrospective"
    """What became known too late to notify anybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListEntry:
    """An alert, a finding, or what is held, which has no rule. ``at``: since when, platform milliseconds.

    ``held_id``: the oldest reading that is held; ``waiting``: how many measurements are, by then.
    """

    kind: EntryKind
    severity: Severity
    person_no: int
    home_no: int
    rule: str | None
    concern: str
    at: int
    alert_id: UUID | None = None
    finding_id: UUID | None = None
    held_id: UUID | None = None
    waiting: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidEntry:
    """An entry as the words name it; ``name`` and ``text`` only for who has asked for them."""

    kind: EntryKind
    severity: Severity
    name: str
    text: str


def held_text(vitals: Iterable[int], unit: str, since: int, waiting: int, *, zone: str, catalogue: Catalogue) -> str:
    """What is held, since when (platform milliseconds) and why; names nobody whom it may fit.

    ``vitals`` by number; ``unit``: the one that the number is in, "" where it is only not usual of the person.
    """
    rows = [presentation_of(VITAL_BY_NUMBER[vital]) for vital in vitals]
    what = ", ".join(catalogue.sentences.get(("vital", row.vital.code), row.label) for row in rows)
    said: dict[str, Fact] = {"what": what, "since": f"{_local(since, zone):%Y-%m-%d}", "waiting": waiting}
    if unit:
        return catalogue.phrase("held", "unit", unit=catalogue.sentences.get(("unit", unit), unit), **said)
    return catalogue.phrase("held", "person", **said)


def next_morning(after: int, zone: str) -> int:
    """The first morning after that moment. Platform milliseconds."""
    clock = zone_of(zone)
    day = _local(after, zone)
    # A zone may skip a whole day.
    for number in range(4):
        due = round(moment_of(day + number * _ONE_DAY, time(MORNING_HOUR), clock).timestamp() * 1000)
        if due > after:
            return due
    raise AssertionError("four days without a morning")


def morning_of(due: int, now: int, zone: str) -> date | None:
    """The local day of the newest morning from ``due`` to ``now``; None where that was more than LATEST_MS ago."""
    while (following := next_morning(due, zone)) <= now:
        due = following
    return None if now - due > LATEST_MS else _local(due, zone)


def in_order(entries: Iterable[ListEntry]) -> Sequence[ListEntry]:
    """By kind, the gravest and then the oldest first; of findings of one person and concern the newest alone."""
    newest: dict[tuple[object, ...], ListEntry] = {}
    for one in sorted(entries, key=lambda entry: entry.at):
        key = (one.alert_id,) if one.alert_id is not None else (one.kind, one.person_no, one.home_no, one.concern)
        newest[key] = one
    kinds = list(EntryKind)
    return sorted(newest.values(), key=lambda one: (kinds.index(one.kind), -one.severity, one.at, one.concern))


def list_words(day: date, entries: Sequence[SaidEntry], catalogue: Catalogue, *, details: bool, link: str) -> Words:
    """Subject and text: how many there are of each kind; with ``details`` each by name."""
    said_day, number = f"{day:%Y-%m-%d}", len(entries)
    text = [catalogue.phrase("list", "opening", day=said_day)]
    counted = Counter(one.kind for one in entries)
    left = MOST_IN_WORDS
    for kind in EntryKind:
        if not counted[kind]:
            continue
        text.append(catalogue.phrase("list", kind, count=counted[kind]))
        if details:
            such = [one for one in entries if one.kind is kind]
            text += [_line(one, catalogue) for one in such[:left]]
            if len(such) > left:
                text.append(catalogue.phrase("list", "more", count=len(such) - left))
            left = max(0, left - len(such))
    text += [catalogue.phrase("list", "link"), link, ""]
    return Words(subject=catalogue.phrase("list", "subject", day=said_day, count=number), text="\n".join(text))


def _line(entry: SaidEntry, catalogue: Catalogue) -> str:
    if entry.kind is EntryKind.HELD:
        return catalogue.phrase("list", "held_entry", name=one_line(entry.name), text=entry.text)
    severity = say_severity(entry.severity, catalogue)
    return catalogue.phrase("list", "entry", name=one_line(entry.name), severity=severity, text=entry.text)


def _local(at: int, zone: str) -> date:
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(zone_of(zone)).date()
