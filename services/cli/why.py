"""Why there is no alert about a person: each cause that the facts show, the nearest to the device first. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.presentation import presentation_of
from schemas.reasons import NOT_SCORED, NOT_SHOWN, Flag, RejectionReason
from schemas.vitals import VITAL_BY_NUMBER
from services.score.rule import Rule
from services.score.rules import RULES
from services.score.sample import Sample

LOOK_BACK: Final = timedelta(hours=2)
"""So far back readings are played through the rules."""
STILL_S: Final = 60.0
"""Real seconds without a new watermark, after which nothing comes through."""
_QUIET_FACTOR: Final = 3
_QUIET_AT_LEAST: Final = timedelta(minutes=10)
"""Sooner than score's rule of silence: whoever asks wants to know already."""


class Cause(StrEnum):
    """Why nobody was notified."""

    NOTHING_COMES_THROUGH = "nothing_comes_through"
    NO_DEVICE = "no_device"
    NOT_YET_BOUND = "not_yet_bound"
    SUSPENDED = "suspended"
    NO_CREDENTIAL = "no_credential"
    SILENT_HOME = "silent_home"
    SILENT_DEVICE = "silent_device"
    WRONG_UNIT = "wrong_unit"
    WRONG_CLOCK = "wrong_clock"
    WRONG_FORM = "wrong_form"
    NOT_OF_THIS_PERSON = "not_of_this_person"
    REJECTED = "rejected"
    THROTTLED = "throttled"
    NOT_SCORED = "not_scored"
    WITHIN_LIMITS = "within_limits"
    NO_READINGS = "no_readings"
    ALERT_IS_OPEN = "alert_is_open"
    ACKNOWLEDGED = "acknowledged"
    NO_RECIPIENT = "no_recipient"
    NOT_DELIVERED = "not_delivered"


_BY_REASON: Final = {
    Cause.WRONG_UNIT: {RejectionReason.UNIT_MISSING, RejectionReason.UNKNOWN_UNIT},
    Cause.WRONG_CLOCK: {
        RejectionReason.IN_THE_FUTURE,
        RejectionReason.TOO_OLD,
        RejectionReason.BAD_TIME,
        RejectionReason.EARLIER_BOOT,
    },
    Cause.WRONG_FORM: {
        RejectionReason.NO_IDENTITY,
        RejectionReason.UNREADABLE,
        RejectionReason.BAD_ENVELOPE,
        RejectionReason.BAD_ITEM,
        RejectionReason.UNKNOWN_VITAL,
        RejectionReason.VITAL_NOT_OF_DEVICE,
        RejectionReason.UNKNOWN_EVENT,
        RejectionReason.EVENT_NOT_OF_DEVICE,
        RejectionReason.BAD_VALUE,
        RejectionReason.BAD_DETAIL,
    },
    Cause.NOT_OF_THIS_PERSON: {RejectionReason.UNATTRIBUTED, RejectionReason.BAD_SLOT},
}


class Said(NamedTuple):
    """A cause, and what the facts are."""

    cause: Cause
    text: str


class BoundDevice(NamedTuple):
    """A slot of a device over a time in which it was the person's; ``until_at`` None: for good.

    ``offline_at``: since then it has no connection, by its own word where it was ``leaving``, else by its last will.
    """

    device: str
    device_type: str
    slot: int
    from_at: datetime
    until_at: datetime | None
    removed_at: datetime | None
    has_credential: bool
    suspended_at: datetime | None
    heard_at: datetime | None
    offline_at: datetime | None = None
    leaving: bool | None = None


class Reading(NamedTuple):
    """A stored reading."""

    vital: int
    observed_at: datetime
    received_at: datetime
    value: float
    flags: int

    @property
    def text(self) -> str:
        """The value in words; where its sensor can't measure that far, the bound."""
        shown = presentation_of(VITAL_BY_NUMBER[self.vital])
        return shown.text(self.value, clipped=bool(self.flags & Flag.CLIPPED))

    @property
    def marks(self) -> str:
        """Why it is no newest value for anybody else, in words; "" where it is one."""
        return ", ".join(
            flag.name.replace("_", " ").lower() for flag in Flag if flag & NOT_SHOWN & self.flags and flag.name
        )


class Rejections(NamedTuple):
    """What was rejected of one device for one reason."""

    device: str
    reason: str
    items: int
    last_at: datetime
    field: str


class Recipient(NamedTuple):
    """A doctor and one of their channels; ``channel`` None: they have no address."""

    email: str
    channel: str | None
    works: bool


class OpenAlert(NamedTuple):
    """An alert that is not closed."""

    rule: str
    state: str
    opened_at: datetime
    acknowledged_at: datetime | None
    sent_at: datetime | None
    failed: int
    waiting: int
    held: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that the database knows about it, as of ``now`` (platform time); ``rate``: platform seconds a real second.

    ``home_devices`` and ``home_heard_at`` are of everybody's devices in the home. ``recent``: the readings of the last
    LOOK_BACK in the order of time; ``last``: the newest of each vital, however old.
    """

    now: datetime
    rate: float
    checks_devices: bool
    watermark: datetime | None
    devices: Sequence[BoundDevice]
    home_devices: int
    home_heard_at: datetime | None
    recent: Sequence[Reading]
    last: Sequence[Reading]
    rejections: Sequence[Rejections]
    throttled: Sequence[tuple[str, int]]
    recipients: Sequence[Recipient]
    alerts: Sequence[OpenAlert]
    findings: Sequence[str] = field(default_factory=tuple)


def causes_of(facts: Facts) -> list[Said]:
    """Every cause that holds, from the device to the doctor; empty where nothing stands in the way."""
    return [
        *_platform(facts),
        *_devices(facts),
        *_rejections(facts),
        *_throttled(facts),
        *_readings(facts),
        *_alerts(facts),
        *_recipients(facts),
    ]  # fmt: skip


def ago(facts: Facts, moment: datetime) -> str:
    """How long before ``now``."""
    seconds = max(0, round((facts.now - moment).total_seconds()))
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


def _platform(facts: Facts) -> Iterable[Said]:
    if facts.watermark is None:
        yield Said(Cause.NOTHING_COMES_THROUGH, "No uplink has ever come through; do all services run?")
    elif (facts.now - facts.watermark).total_seconds() > STILL_S * facts.rate:
        yield Said(
            Cause.NOTHING_COMES_THROUGH,
            f"What came through last was received {ago(facts, facts.watermark)}; something between broker and database"
            " stands still.",
        )


def _devices(facts: Facts) -> Iterable[Said]:
    now = [
        one for one in facts.devices if one.from_at <= facts.now and (one.until_at is None or one.until_at > facts.now)
    ]
    later = [one for one in facts.devices if one.from_at > facts.now]
    for one in later:
        yield Said(Cause.NOT_YET_BOUND, f"{one.device} is this person's only from {one.from_at:%Y-%m-%d %H:%M:%S} UTC.")
    if not now and not later:
        former = max((one for one in facts.devices if one.until_at), key=lambda one: one.from_at, default=None)
        was = f" {former.device} was, until {former.until_at:%Y-%m-%d %H:%M} UTC." if former else ""
        yield Said(Cause.NO_DEVICE, f"No device is this person's.{was}")
    barred = set()
    for one in now:
        if one.suspended_at is not None:
            barred.add(one.device)
            yield Said(Cause.SUSPENDED, f"{one.device} is suspended since {one.suspended_at:%Y-%m-%d %H:%M} UTC.")
        elif facts.checks_devices and not one.has_credential and one.heard_at is None:
            barred.add(one.device)
            yield Said(
                Cause.NO_CREDENTIAL,
                f"{one.device} has no secret: give it one with hearthbeat device rotate {one.device}.",
            )
    quiet = [one for one in now if one.device not in barred and _is_quiet(facts, one)]
    if len(quiet) == len(now) > 0 and facts.home_devices > 1 and _home_is_quiet(facts):
        since = f" since {ago(facts, facts.home_heard_at)}" if facts.home_heard_at else ""
        yield Said(
            Cause.SILENT_HOME,
            f"None of the home's {facts.home_devices} devices was heard{since}: its gateway or network may be off.",
        )
        return
    for one in quiet:
        heard = f"was heard {ago(facts, one.heard_at)}" if one.heard_at else "was never heard"
        yield Said(Cause.SILENT_DEVICE, f"{one.device} {heard}{_end_of_connection(facts, one)}.")


def _end_of_connection(facts: Facts, one: BoundDevice) -> str:
    if one.offline_at is None or (one.heard_at and one.offline_at < one.heard_at):
        return ""
    how = "said good-bye" if one.leaving else "lost its connection"
    return f", and {how} {ago(facts, one.offline_at)}"


def _quiet_after(device_type: str) -> timedelta:
    return max(_QUIET_AT_LEAST, _QUIET_FACTOR * timedelta(seconds=DEVICE_TYPE_BY_CODE[device_type].reports_every_s))


def _is_quiet(facts: Facts, one: BoundDevice) -> bool:
    return one.heard_at is None or facts.now - one.heard_at > _quiet_after(one.device_type)


def _home_is_quiet(facts: Facts) -> bool:
    shortest = min(_quiet_after(one.device_type) for one in facts.devices)
    return facts.home_heard_at is None or facts.now - facts.home_heard_at > shortest


def _rejections(facts: Facts) -> Iterable[Said]:
    for one in facts.rejections:
        cause = next((cause for cause, reasons in _BY_REASON.items() if one.reason in reasons), Cause.REJECTED)
        where = f", field {one.field}" if one.field else ""
        yield Said(
            cause,
            f"Of {one.device}, {one.items} items were rejected as {one.reason}{where}, last {ago(facts, one.last_at)}.",
        )


def _throttled(facts: Facts) -> Iterable[Said]:
    for device, uplinks in facts.throttled:
        yield Said(Cause.THROTTLED, f"{device} sends more than it may; {uplinks} uplinks were left with it.")


def _readings(facts: Facts) -> Iterable[Said]:
    if not facts.last and facts.devices:
        yield Said(Cause.NO_READINGS, "Not one reading of this person is stored.")
    for rule in (one for one in RULES if one.fold is not None):
        of_rule = [one for one in facts.recent if VITAL_BY_NUMBER[one.vital].code == rule.what]
        scored = [one for one in of_rule if not one.flags & NOT_SCORED]
        shown = presentation_of(VITAL_BY_NUMBER[of_rule[0].vital]) if of_rule else None
        if shown is None:
            continue
        if not scored:
            flags = " ".join(flag.name.lower() for flag in Flag if flag & NOT_SCORED & of_rule[-1].flags and flag.name)
            yield Said(
                Cause.NOT_SCORED, f"{shown.label}: {len(of_rule)} readings of the last 2 h are not judged ({flags})."
            )
        elif not _reports(rule, scored):
            newest = scored[-1]
            yield Said(
                Cause.WITHIN_LIMITS,
                f"{shown.label}: {newest.text} at last, {ago(facts, newest.observed_at)}. Nothing in the"
                f" last 2 h ({len(scored)} readings) is what {rule.name} reports. {rule.rationale}",
            )


def _reports(rule: Rule, readings: Sequence[Reading]) -> bool:
    """Whether the rule, played over these readings alone, reports something."""
    assert rule.fold is not None  # noqa: S101 - asked of such rules only
    state, found = rule.fold.start(), False
    for number, one in enumerate(readings):
        sample = Sample(round(one.observed_at.timestamp() * 1000), one.value, 0, 0, number, 0)
        marks = rule.fold.advance(state, sample, rested=not one.flags & Flag.MOVING)
        found = found or any(mark.level for mark in marks or ())
    return found


def _alerts(facts: Facts) -> Iterable[Said]:
    for one in facts.alerts:
        sent = f"notified {ago(facts, one.sent_at)}" if one.sent_at else "nobody was notified yet"
        if one.held:
            sent += f"; quiet hours hold {one.held}"
        if one.acknowledged_at is not None and one.state == "acknowledged":
            yield Said(
                Cause.ACKNOWLEDGED,
                f"{one.rule}: a doctor has acknowledged it {ago(facts, one.acknowledged_at)}; it is not repeated.",
            )
        else:
            yield Said(Cause.ALERT_IS_OPEN, f"{one.rule}: open since {ago(facts, one.opened_at)}; {sent}.")
        if one.failed or (one.waiting and not one.sent_at):
            yield Said(
                Cause.NOT_DELIVERED,
                f"{one.rule}: {one.failed} notifications failed, {one.waiting} are still to be sent.",
            )


def _recipients(facts: Facts) -> Iterable[Said]:
    if not facts.recipients:
        yield Said(Cause.NO_RECIPIENT, "No doctor cares for this person.")
    elif not any(one.channel for one in facts.recipients):
        yield Said(Cause.NO_RECIPIENT, "No doctor of this person has an address to be notified at.")
    elif not any(one.channel and one.works for one in facts.recipients):
        channels = ", ".join(sorted({one.channel for one in facts.recipients if one.channel}))
        yield Said(
            Cause.NO_RECIPIENT,
            f"This person's doctors are to be notified by {channels}, and alert runs without that"
            " (HB_ALERT_SMTP_HOST sets up e-mail, HB_ALERT_WEBHOOK_KEY_FILE webhooks).",
        )
