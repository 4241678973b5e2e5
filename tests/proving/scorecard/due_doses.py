"""What becomes of the doses of a home, without a database: medication's fold and look, as its ledger calls them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from schemas.alerts import Finding
from schemas.doses import OPEN_STATES
from schemas.records import JudgedEvent, JudgedUplink
from schemas.registry import Home
from services.ingest.registry import RegisteredDevice
from services.medication.core import Heard, Moment, look
from services.medication.machine import DISPENSED, TAKING, Dose, DoseEvent, Taking, fold
from services.medication.planning import Plan, plan_doses
from services.medication.recurrence import Recurrence
from services.runtime.clock import to_datetime
from tests.proving.scorecard.simulated_homes import Neighbourhood

_KINDS: Final = frozenset((*TAKING, DISPENSED))
_DOSES, _EVENTS = timedelta(hours=24), timedelta(hours=30)
"""Doses so old are settled: each is missed 12 h after it was due at the latest. What took one early came 6 h before."""
_AHEAD: Final = timedelta(hours=12)
_SOON: Final = timedelta(seconds=1)
"""A watermark marker follows each uplink."""


@dataclass(slots=True, kw_only=True)
class _Dispenser:
    doses: dict[UUID, Dose]
    events: list[DoseEvent] = field(default_factory=list)
    heard_at: datetime | None = None
    again_at: datetime | None = None


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
        yield from self._look(dispenser, record.device_no, takings, now + _SOON)

    def look(self, now_ms: int) -> Iterator[Finding]:
        """What only time brings: a dispenser that was away has had its minutes to send what it kept."""
        for device_no, dispenser in self._dispensers.items():
            if dispenser.again_at is not None and dispenser.again_at <= (now := to_datetime(now_ms)):
                yield from self._look(dispenser, device_no, {}, now)

    def _look(
        self, dispenser: _Dispenser, device_no: int, takings: dict[UUID, Taking], now: datetime
    ) -> Iterator[Finding]:
        doses = [
            dose
            for dose in dispenser.doses.values()
            if dose.dose_id in takings or (dose.due_at <= now and dose.state in OPEN_STATES)
        ]
        dispenser.again_at = None
        if not doses:
            return
        heard = {} if dispenser.heard_at is None else {device_no: Heard(dispenser.heard_at)}
        moment = Moment(now=now, watermark=now, heard=heard, pauses=(), next_episode=self._episodes)
        outcome = look(doses, takings, moment)
        for dose in outcome.doses:
            dispenser.doses[dose.dose_id] = dose
        for finding in outcome.findings:
            key = finding.person_no, finding.rule
            self._episodes[key] = max(self._episodes.get(key, 1), finding.episode + 1)
            yield finding
        waiting = [
            dose.judged_from for dose in outcome.doses if dose.judged_from is not None and dose.judged_from > now
        ]
        dispenser.again_at = min(waiting, default=None)
        for dose in doses:
            if dose.due_at < now - _DOSES - _AHEAD:
                del dispenser.doses[dose.dose_id]


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
