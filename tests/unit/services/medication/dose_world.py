"""Doses and events of one dispenser, for tests of pure code."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from services.medication.core import DoseOutcome, Heard, Moment, look
from services.medication.machine import CONFIRMED, DISPENSED, LIFTED, Dose, DoseEvent, Needed, Pause, fold
from services.medication.past import dose_of
from services.medication.planning import Plan, plan_doses
from services.medication.recurrence import Recurrence

START = datetime(2026, 6, 1, tzinfo=UTC)
LEVODOPA, METOPROLOL, IBUPROFEN = UUID(int=1), UUID(int=2), UUID(int=3)
DEVICE, PERSON = 9, 1


def at(hour: int, minute: int = 0, *, day: int = 1) -> datetime:
    """A moment of June 2026."""
    return datetime(2026, 6, day, hour, minute, tzinfo=UTC)


def plan_of(*times: time, critical: bool = False, zone: str = "UTC", version_no: int = 1) -> Plan:
    """A plan that has always been there."""
    return Plan(
        version_no=version_no, plan_id=LEVODOPA, person_no=PERSON, home_no=4, device_no=DEVICE, compartment=2,
        drug="Levodopa", time_critical=critical, recurrence=Recurrence(zone=zone, at_times=times),
        valid_from=datetime(2000, 1, 1, tzinfo=UTC),
    )  # fmt: skip


def doses_of(
    *times: time,
    plan_id: UUID = LEVODOPA,
    critical: bool = False,
    compartment: int = 2,
    days: int = 1,
    zone: str = "UTC",
) -> list[Dose]:
    """The doses of a plan, of so many days."""
    plan = replace(plan_of(*times, critical=critical, zone=zone), plan_id=plan_id, compartment=compartment)
    return [dose_of(plan, dose) for dose in plan_doses(plan, START, START + timedelta(days=days))]


def event(
    moment: datetime,
    *,
    kind: int = LIFTED,
    compartment: int = 2,
    person_no: int = PERSON,
    late: timedelta = timedelta(),
) -> DoseEvent:
    """One that was received ``late`` after it happened; its number is its moment."""
    seq = int((moment - START).total_seconds()) * 10 + kind
    return DoseEvent(DEVICE, 1, seq, 0, person_no, kind, compartment, moment, moment + late)


def lifts(*moments: datetime) -> list[DoseEvent]:
    """Cups lifted."""
    return [event(moment) for moment in moments]


def confirmed(moment: datetime) -> DoseEvent:
    """A dose confirmed."""
    return event(moment, kind=CONFIRMED)


def dispensed(moment: datetime, *, compartment: int = 2) -> DoseEvent:
    """A dose put into the cup."""
    return event(moment, kind=DISPENSED, compartment=compartment)


def as_needed(*, most: int | None = None, listed: bool = False, compartment: int = 2) -> Needed:
    """A plan that is taken as needed, at least six hours apart."""
    return Needed(
        version_no=3, plan_id=IBUPROFEN, person_no=PERSON, home_no=4, device_no=DEVICE, compartment=compartment,
        drug="Ibuprofen", strength="400 mg", count=1.0, zone="Europe/Berlin", listed=listed,
        least_interval=timedelta(hours=6), most_per_day=most, valid_from=START - timedelta(days=9), valid_to=None,
    )  # fmt: skip


def listed(doses: Sequence[Dose]) -> list[Dose]:
    """The same, of a drug of which a second dose is dangerous."""
    return [replace(dose, listed=True) for dose in doses]


FREE = {(PERSON, "missed_dose"): 6, (PERSON, "double_dose"): 3}


def seen(
    doses: Sequence[Dose],
    *events: DoseEvent,
    now: datetime,
    heard: datetime | None = None,
    pauses: tuple[Pause, ...] = (),
    watermark: datetime | None = None,
    lacks: bool = False,
) -> DoseOutcome:
    """One look; store and score are as far as the clock, and the dispenser was heard just then.

    ``lacks``: an uplink that it sent before is missing. It sends again after a minute.
    """
    moment = Moment(
        now=now,
        watermark=watermark or now,
        heard={DEVICE: Heard(heard or now, is_whole=not lacks)},
        pauses=pauses,
        next_episode=FREE,
        resend_after=timedelta(minutes=1),
    )
    return look(doses, fold(doses, events, pauses=pauses) if events else {}, moment)


def heard_often(doses: Sequence[Dose], until: datetime) -> list[Dose]:
    """Doses of a dispenser that was heard a few minutes before."""
    return [replace(dose, heard_at=until) for dose in doses]


def only(outcome: DoseOutcome) -> Dose:
    (dose,) = outcome.doses
    return dose


def said(outcome: DoseOutcome) -> list[tuple[int, str]]:
    return [(one.level, one.message) for one in outcome.findings]
