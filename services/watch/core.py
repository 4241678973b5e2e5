"""What is wrong with the platform, since when, and what operators must hear now. Pure; times are real milliseconds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID

REMIND_MS: Final = 15 * 60_000
"""An incident that lasts is notified again every quarter of an hour, but for those of ``REMINDS_MS``."""
MARK_LASTS_MS: Final = 5 * 60_000
"""A thing that happened (a rise of a counter) stays an incident for so long after it happened last."""


class Kind(StrEnum):
    """What can be wrong; the order is that in which a notification lists it."""

    PLATFORM_OUTAGE = "platform_outage"
    DATABASE_AWAY = "database_away"
    SERVICE_DOWN = "service_down"
    SERVICE_WAITS = "service_waits"
    NO_PROGRESS = "no_progress"
    STEP_OVERDUE = "step_overdue"
    NOTIFICATION_UNSENT = "notification_unsent"
    FINDING_UNCLAIMED = "finding_unclaimed"
    CHECK_OVERDUE = "check_overdue"
    COMMAND_UNSENT = "command_unsent"
    AUDIT_UNSEALED = "audit_unsealed"
    NO_RECIPIENT = "no_recipient"
    CLAIM_USED_AGAIN = "claim_used_again"
    NOTIFICATION_FAILED = "notification_failed"
    DROPPED_AT_BROKER = "dropped_at_broker"
    SESSION_LOST = "session_lost"
    KEY_CONFLICT = "key_conflict"
    WAKE_UPS_PILE_UP = "wake_ups_pile_up"
    VIEWER_ENDED = "viewer_ended"
    VIEWER_STAYS = "viewer_stays"
    DEVICE_THROTTLED = "device_throttled"
    DEVICE_JUNK = "device_junk"


MEANING: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        Kind.PLATFORM_OUTAGE: "Uplinks do not get through to the database and the rules; alerts are late.",
        Kind.DATABASE_AWAY: "The database does not answer.",
        Kind.SERVICE_DOWN: "A service does not answer.",
        Kind.SERVICE_WAITS: "A service waits for a server that it needs.",
        Kind.NO_PROGRESS: "A consumer has work before it and does none.",
        Kind.STEP_OVERDUE: "Doctors should have been notified again of an alert, and were not.",
        Kind.NOTIFICATION_UNSENT: "A notification of a doctor lies unsent.",
        Kind.FINDING_UNCLAIMED: "A finding has become no alert.",
        Kind.CHECK_OVERDUE: "A fall, a call for help or a dose should have been judged, and was not.",
        Kind.COMMAND_UNSENT: "A command to a device lies unsent.",
        Kind.AUDIT_UNSEALED: "Rows of the audit wait for their seals; until then a change of one would not show.",
        Kind.NO_RECIPIENT: "People are monitored without a recipient; `services.api without-recipient` lists them.",
        Kind.CLAIM_USED_AGAIN: "A device's code was used twice, so it may be stolen; `device doubted` lists which.",
        Kind.NOTIFICATION_FAILED: "A notification could not be delivered at all.",
        Kind.DROPPED_AT_BROKER: "The MQTT broker has thrown messages away; devices will send them again.",
        Kind.SESSION_LOST: "The MQTT broker has lost a session of ingest; devices will send again what it held.",
        Kind.KEY_CONFLICT: "The unique key caught a duplicate that the cursors had let through: a bug.",
        Kind.WAKE_UPS_PILE_UP: "The database server's queue of notifications fills: a session listens and sleeps.",
        Kind.VIEWER_ENDED: "A viewer's session was ended, since its transaction had been open for too long.",
        Kind.VIEWER_STAYS: "A viewer's transaction is open for too long, and watch's login may not end it.",
        Kind.DEVICE_THROTTLED: "A device sends more than it may; what is too much is throttled.",
        Kind.DEVICE_JUNK: "A device sends much that can't be used.",
    }
)

HOLDS_MS: Final[Mapping[Kind, int]] = MappingProxyType(
    {Kind.PLATFORM_OUTAGE: 10_000, Kind.DATABASE_AWAY: 5_000, Kind.SERVICE_DOWN: 15_000, Kind.SERVICE_WAITS: 15_000,
     Kind.NO_RECIPIENT: 30_000}
)  # fmt: skip
"""How long a condition has to be seen before it is an incident: a restart takes a few seconds and is none. Nor is it
one that a register file ends care and a binding: the binding ends ten seconds later."""

REMINDS_MS: Final[Mapping[Kind, int]] = MappingProxyType({Kind.NO_RECIPIENT: 24 * 3_600_000})
"""Repeated once a day: it may be meant (``no_recipient`` of a register file), and then stands for long."""

OUTAGES: Final = frozenset({Kind.PLATFORM_OUTAGE, Kind.DATABASE_AWAY})
SYMPTOMS: Final = frozenset(
    {Kind.SERVICE_WAITS, Kind.NO_PROGRESS, Kind.STEP_OVERDUE, Kind.NOTIFICATION_UNSENT, Kind.FINDING_UNCLAIMED,
     Kind.CHECK_OVERDUE, Kind.COMMAND_UNSENT}
)  # fmt: skip
"""What an outage brings with it. Meanwhile these are listed in its notification, and get none of
their own."""
HAPPENINGS: Final = frozenset(
    {Kind.NOTIFICATION_FAILED, Kind.DROPPED_AT_BROKER, Kind.SESSION_LOST, Kind.KEY_CONFLICT, Kind.VIEWER_ENDED}
)
"""Things that happen in a moment (a counter rose, a session was ended) and are incidents all the
same."""

Key = tuple[Kind, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Something that is wrong now. ``subject`` distinguishes one of a kind from another; ``detail`` is for people."""

    kind: Kind
    subject: str = ""
    detail: str = ""

    @property
    def key(self) -> Key:
        """No two open incidents have the same."""
        return self.kind, self.subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """A condition from first to last sight; ``notified_at``: operators heard of it, ``end_notified_at``: of its end."""

    incident_id: UUID
    kind: Kind
    subject: str
    detail: str
    opened_at: int
    last_seen_at: int
    ended_at: int | None = None
    notified_at: int | None = None
    end_notified_at: int | None = None

    @property
    def key(self) -> Key:
        """That of its condition."""
        return self.kind, self.subject


@dataclass(slots=True)
class Suspicions:
    """Since when each condition is seen: not all have lasted long enough to be incidents."""

    since: dict[Key, int] = field(default_factory=dict)

    def ripe(self, conditions: Iterable[Condition], now: int) -> list[Condition]:
        """Those that have lasted; forgets what is no longer seen."""
        listed = list(conditions)
        # Built anew from what is seen, so that a condition that went away begins to count again.
        self.since = {one.key: self.since.get(one.key, now) for one in listed}
        return [one for one in listed if now - self.since[one.key] >= HOLDS_MS.get(one.kind, 0)]


def fold(
    live: Sequence[Incident], ripe: Iterable[Condition], seen: Iterable[Condition], now: int, fresh: Iterable[UUID]
) -> list[Incident]:
    """The incidents after a look: opened by what is ``ripe``, kept by what is ``seen``, ended by its absence.

    ``live`` are those that are open or whose end was not notified; ``fresh`` yields ids for new ones.
    """
    ids = iter(fresh)
    after = {one.incident_id: one for one in live}
    open_by_key = {one.key: one for one in live if one.ended_at is None}
    for condition in ripe:
        known = open_by_key.get(condition.key)
        if known is None:
            new = Incident(
                incident_id=next(ids),
                kind=condition.kind,
                subject=condition.subject,
                detail=condition.detail,
                opened_at=now,
                last_seen_at=now,
            )
            after[new.incident_id] = open_by_key[condition.key] = new
        else:
            # What people read follows the newest look; the beginning stays.
            after[known.incident_id] = replace(known, detail=condition.detail, last_seen_at=now)
    still = {one.key for one in seen}
    for one in list(after.values()):
        if one.ended_at is None and one.key not in still and not _lingers(one, now):
            after[one.incident_id] = replace(one, ended_at=now)
    return list(after.values())


def _lingers(one: Incident, now: int) -> bool:
    return one.kind in HAPPENINGS and now < one.last_seen_at + MARK_LASTS_MS


def to_notify(incidents: Sequence[Incident], now: int, *, outage_suspected: bool = False) -> list[Incident]:
    """What operators have to be notified of now, the gravest first: new, lasting for long, or over.

    While an outage is open or suspected its symptoms are kept back: one loud alert, not one for each thing that waits.
    """
    outage = outage_suspected or any(one.ended_at is None and one.kind in OUTAGES for one in incidents)
    due = [one for one in incidents if _is_due(one, now) and not (outage and one.kind in SYMPTOMS)]
    return sorted(due, key=lambda one: (one.ended_at is not None, list(Kind).index(one.kind), one.opened_at))


def _is_due(one: Incident, now: int) -> bool:
    if one.ended_at is not None:
        return one.notified_at is not None and one.end_notified_at is None
    again = REMINDS_MS.get(one.kind, REMIND_MS)
    return one.notified_at is None or (one.kind not in HAPPENINGS and now - one.notified_at >= again)


def notified(incident: Incident, now: int) -> Incident:
    """The incident after operators have heard of it, or of its end."""
    return replace(incident, notified_at=now) if incident.ended_at is None else replace(incident, end_notified_at=now)


def is_over(incident: Incident) -> bool:
    """Whether nothing is left to do: it is over, and operators heard of the end or of neither."""
    return incident.ended_at is not None and (incident.notified_at is None or incident.end_notified_at is not None)


def rise(before: int | None, now: int) -> int:
    """By how much a counter rose. One that is lower than before began anew, with its process."""
    return now if before is None or now < before else now - before


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a group is in a partition, and since when it has stood there. ``lag`` in records."""

    position: int
    lag: int
    since: int


def advance(before: Mapping[str, Progress], places: Mapping[str, tuple[int, int]], now: int) -> dict[str, Progress]:
    """Progress after a look at ``(position, end)`` of each place; a place without work begins anew."""
    after = {}
    for place, (position, end) in places.items():
        known, lag = before.get(place), max(0, end - position)
        # Standing still counts only with work to do; a group that has caught up begins anew.
        stands = known is not None and known.position == position and known.lag > 0 and lag > 0
        after[place] = Progress(position=position, lag=lag, since=known.since if stands and known else now)
    return after


def notification_text(due: Sequence[Incident], all_of_them: Sequence[Incident]) -> tuple[str, str]:
    """Subject and body of a notification of ``due``; what else is open comes below. No person, no reading's value."""
    begun = [one for one in due if one.ended_at is None]
    first = (begun or list(due))[0]
    more = f" and {len(due) - 1} more" if len(due) > 1 else ""
    subject = f"HearthBeat platform: {first.kind.replace('_', ' ')}{'' if begun else ' is over'}{more}"
    others = [one for one in all_of_them if one.ended_at is None and one not in due]
    lines = [_line(one) for one in due]
    if others:
        lines += ["", "Also open:", *(_line(one) for one in others)]
    return subject, "\n".join(lines) + "\n"


def _line(one: Incident) -> str:
    what = f"{one.kind}{f' ({one.subject})' if one.subject else ''}"
    detail = f" {one.detail}" if one.detail else ""
    return f"{'over: ' if one.ended_at is not None else ''}{what}: {MEANING[one.kind]}{detail}"
