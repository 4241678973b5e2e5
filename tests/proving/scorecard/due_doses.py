"""What becomes of the doses of a home, without a database: medication's fold and look, as its ledger calls them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from schemas.alerts import Finding
from schemas.doses import OPEN_STATES
from schemas.records import JudgedEvent, JudgedUplink
from schemas.registry import Home
from services.ingest.registry import RegisteredDevice
from services.medication.core import Moment, look
from services.medication.machine import DISPENSED, TAKING, Dose, DoseEvent, Taking, fold
from services.medication.planning import Plan, plan_doses
from services.medication.recurrence import Recurrence
from services.runtime.clock import to_datetime
from tests.proving.scorecard.simulated_homes import Neighbourhood

_KINDS: Final = frozenset((*TAKING, DISPENSED))
_EVENTS: Final = timedelta(hours=36)
_DOSES: Final = timedelta(hours=48)
"""What happened so long ago takes no dose any more: each is missed 12 h after it was due at the latest."""
_AHEAD: Final = timedelta(hours=12)
_SOON: Final = timedelta(seconds=1)
"""A watermark marker follows each uplink."""


@dataclass(slots=True, kw_only=True)
class _Dispenser:
    doses: dict[UUID, Dose]
    events: list[DoseEvent] = field(default_factory=list)
    heard_at: datetime | None = None


class DueDoses:
    """The doses of the dispensers of a home."""

    def __init__(self, homes: Neighbourhood, home: Home) -> None:
        self._episodes: dict[tuple[int, str], int] = {}
        self._dispensers = {
            entry.device_no: _Dispenser(doses=_doses_of(homes, home, entry))
            for device in home.devices
            if (entry := homes.entries[device.device]).type.code == "pill_dispenser"
        }

    def hear(self, record: JudgedUplink) -> Iterator[Finding]:
        """An uplink has come: what it shows to have been taken, and what is not taken by now."""
        dispenser = self._dispensers.get(record.device_no)
        if dispenser is None:
            return
        now = to_datetime(record.received_at)
        dispenser.heard_at = now
        news = [_event_of(record, event) for event in record.events if event.kind in _KINDS]
        takings: dict[UUID, Taking] = {}
        if news:
            dispenser.events = [one for one in dispenser.events if one.observed_at > now - _EVENTS] + news
            near = [dose for dose in dispenser.doses.values() if now - _DOSES < dose.due_at < now + _AHEAD]
            takings = fold(near, dispenser.events)
        doses = [
            dose
            for dose in dispenser.doses.values()
            if dose.dose_id in takings or (dose.due_at <= now and dose.state in OPEN_STATES)
        ]
        if doses:
            yield from self._look(dispenser, record.device_no, doses, takings, now + _SOON)
        for dose in [one for one in doses if one.state not in OPEN_STATES and one.due_at < now - _DOSES]:
            del dispenser.doses[dose.dose_id]

    def _look(
        self, dispenser: _Dispenser, device_no: int, doses: Iterable[Dose], takings: dict[UUID, Taking], now: datetime
    ) -> Iterator[Finding]:
        heard = {} if dispenser.heard_at is None else {device_no: dispenser.heard_at}
        moment = Moment(now=now, watermark=now, heard=heard, pauses=(), next_episode=self._episodes)
        outcome = look(list(doses), takings, moment)
        for dose in outcome.doses:
            dispenser.doses[dose.dose_id] = dose
        for finding in outcome.findings:
            key = finding.person_no, finding.rule
            self._episodes[key] = max(self._episodes.get(key, 1), finding.episode + 1)
            yield finding


def _event_of(record: JudgedUplink, event: JudgedEvent) -> DoseEvent:
    return DoseEvent(
        record.device_no, record.epoch, record.seq, event.item, event.person_no, event.kind,
        event.details["compartment"], to_datetime(event.observed_at), to_datetime(record.received_at),
    )  # fmt: skip


def _doses_of(homes: Neighbourhood, home: Home, entry: RegisteredDevice) -> dict[UUID, Dose]:
    """All that fall due in the time that is played, with some of after it."""
    start, end = to_datetime(homes.plan.start_ms), to_datetime(homes.end_ms) + _AHEAD
    doses = {}
    for person in home.people:
        for row in person.plans:
            if row.device != entry.device:
                continue
            plan = Plan(
                version_no=1, plan_id=row.plan_id, person_no=homes.person_nos[str(person.person_id)],
                home_no=entry.home_no, device_no=entry.device_no, compartment=row.compartment, drug=row.drug,
                time_critical=row.time_critical, valid_from=start,
                recurrence=Recurrence(zone=home.time_zone, at_times=row.at),
            )  # fmt: skip
            for one in plan_doses(plan, start, end):
                doses[one.dose_id] = Dose(
                    dose_id=one.dose_id, plan_id=plan.plan_id, version_no=1, person_no=plan.person_no,
                    home_no=plan.home_no, device_no=plan.device_no, compartment=plan.compartment, drug=plan.drug,
                    zone=home.time_zone, time_critical=plan.time_critical, early_after=one.early_after,
                    opens_at=one.opens_at, due_at=one.due_at, closes_at=one.closes_at, missed_at=one.missed_at,
                )  # fmt: skip
    return doses
