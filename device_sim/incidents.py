"""What goes wrong in the simulated homes, planned ahead from the seed: who, when, and what the platform must say."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from device_sim.chance import dice
from device_sim.physiology import HOUR_MS, MINUTE_MS, PROCESS_OF, Span
from device_sim.world import SimDevice, World
from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.messages import DeviceEvent

BLOCK_MS: Final = HOUR_MS
_REST_MS: Final = 4 * HOUR_MS
_AGAIN_MS: Final = 24 * HOUR_MS
_SILENT_BUSY_MS: Final = 5 * HOUR_MS
_STAYS_SILENT_REAL_S: Final = 60.0
"""Longer than an outage of the platform may keep it from noticing."""
_RESEND_REAL_S: Final = 5
_SLACK_MS: Final = 30_000
_LOOK_AHEAD_MS: Final = 2 * HOUR_MS


class IncidentKind(StrEnum):
    """What can go wrong."""

    SOS = "sos"
    FALL_UNANSWERED = "fall_unanswered"
    FALL_ANSWERED = "fall_answered"
    SILENT_DEVICE = "silent_device"
    HYPOGLYCAEMIA = "hypoglycaemia"
    MISSED_DOSE = "missed_dose"
    HYPOXIA = "hypoxia"
    TACHYCARDIA_AT_REST = "tachycardia_at_rest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Excursion:
    """A vital leaves what is usual for ``target`` at ``rate`` a minute from ``from_ms``, returns from ``back_ms``."""

    vital: str
    target: float
    rate: float
    from_ms: int
    back_ms: int

    def bend(self, usual: float, at_ms: int) -> float:
        """The value in place of ``usual``."""
        if at_ms < self.from_ms:
            return usual
        sign = 1.0 if self.target > usual else -1.0
        gone = min(abs(self.target - usual), self.rate * (min(at_ms, self.back_ms) - self.from_ms) / MINUTE_MS)
        returned = self.rate * max(0, at_ms - self.back_ms) / MINUTE_MS
        return usual + sign * max(0.0, gone - returned)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One thing that goes wrong. ``due_at_ms``: by then the platform has certainly seen enough to alert."""

    name: str
    kind: IncidentKind
    home_id: str
    person_id: str
    device: str
    rule: str
    level: int
    starts_at_ms: int
    due_at_ms: int
    alert_expected: bool = True
    busy: Span
    excursion: Excursion | None = None
    events: tuple[DeviceEvent, ...] = ()
    still: Span | None = None
    lying: Span | None = None
    off: Span | None = None
    dose_at_ms: int = 0

    def truth(self) -> dict[str, object]:
        """The line of the truth file."""
        return {
            "incident": self.name,
            "kind": self.kind,
            "home_id": self.home_id,
            "person_id": self.person_id,
            "device": self.device,
            "rule": self.rule,
            "level": self.level,
            "starts_at_ms": self.starts_at_ms,
            "due_at_ms": self.due_at_ms,
            "alert_expected": self.alert_expected,
        }


class IncidentPlan:
    """The incidents of a world, hour by hour. Only the first SOS and the length of silences depend on ``rate``.

    Each hour has one incident of each kind, or ``times`` as many.
    """

    def __init__(self, world: World, *, start_ms: int, rate: float, enabled: bool = True, times: int = 1) -> None:
        self.world, self.start_ms, self.rate = world, start_ms, rate
        self.slack_ms = _SLACK_MS + int(_RESEND_REAL_S * 1000 * rate)
        self.all: list[Incident] = []
        self._of_person: dict[str, list[Incident]] = {}
        self._of_device: dict[str, list[Incident]] = {}
        self.first_person = next(iter(world.bodies), "")
        self.turn = 0
        self._blocks = 0
        self._times = times if enabled else 0

    def ensure(self, until_ms: int) -> None:
        """Plans all that starts before ``until_ms``, and further: incidents may begin early."""
        while self._times and self.start_ms + self._blocks * BLOCK_MS < until_ms + _LOOK_AHEAD_MS:
            self._plan_block(self._blocks)
            self._blocks += 1

    def of_person(self, person_id: str) -> Sequence[Incident]:
        return self._of_person.get(person_id, ())

    def of_device(self, device: str) -> Sequence[Incident]:
        return self._of_device.get(device, ())

    def busy(self, person_id: str, first_ms: int, last_ms: int) -> bool:
        """Something goes wrong for this person in that time."""
        return any(row.busy.overlaps(first_ms, last_ms) for row in self.of_person(person_id))

    def powered_off(self, device: str, at_ms: int) -> bool:
        return any(row.off and row.off.first_ms <= at_ms < row.off.last_ms for row in self.of_device(device))

    def value(self, person_id: str, vital: str, at_ms: int) -> float:
        """The person's value of a vital, in its own unit, with whatever goes wrong for them."""
        process = PROCESS_OF[vital]
        value = process.value(self.world.bodies[person_id], at_ms)
        for row in self.of_person(person_id):
            if row.excursion and row.excursion.vital == vital:
                value = row.excursion.bend(value, at_ms)
        return round(value, process.decimals)

    def lying(self, person_id: str, at_ms: int) -> bool:
        return any(row.lying and row.lying.first_ms <= at_ms < row.lying.last_ms for row in self.of_person(person_id))

    def _plan_block(self, block: int) -> None:
        taken: set[str] = set()
        for turn in range(self._times):
            self.turn = turn
            for make in MAKERS:
                for incident in make(self, block):
                    if incident.person_id not in taken:
                        taken.add(incident.person_id)
                        self._add(incident)
                        break

    def _add(self, incident: Incident) -> None:
        self.all.append(incident)
        self._of_person.setdefault(incident.person_id, []).append(incident)
        self._of_device.setdefault(incident.device, []).append(incident)
        if incident.still:
            self.world.bodies[incident.person_id].still.append(incident.still)

    def candidates(self, block: int, kind: IncidentKind, rule: str, busy: Span, *types: str) -> Iterator[SimDevice]:
        """Devices whose person may have an incident then, in a seeded order; the first person has the first SOS."""
        rows = [row for row in self.world.devices if row.type in types and row.people]
        dice(self.world.seed, "who", block, kind).shuffle(rows)
        for row in rows:
            # The first person is kept free for the first SOS, which a short run must see.
            person = row.people[0]
            if person == self.first_person or self.busy(person, busy.first_ms - HOUR_MS, busy.last_ms + HOUR_MS):
                continue
            # Two incidents of one rule close together would be one alert, and no truth to compare
            # with.
            if not any(_too_soon(old, rule, busy.first_ms) for old in self.of_person(person)):
                yield row

    def moment(self, block: int, kind: IncidentKind, first_min: float, last_min: float) -> int:
        """When in its hour an incident starts; the first hour is tight, so that a short run sees every kind."""
        start = self.start_ms + block * BLOCK_MS
        if block:
            last_min = 50
        turn = (self.turn,) if self.turn else ()
        return start + int(dice(self.world.seed, "when", block, kind, *turn).uniform(first_min, last_min) * MINUTE_MS)

    def make(self, block: int, kind: IncidentKind, device: SimDevice, rule: str, level: int, busy: Span) -> Incident:
        """An incident with what all of them have."""
        return Incident(
            name=f"{kind}-{block}" + (f"-{self.turn}" if self.turn else ""),
            kind=kind,
            home_id=device.home_id,
            person_id=device.people[0],
            device=device.device,
            rule=rule,
            level=level,
            starts_at_ms=busy.first_ms,
            due_at_ms=busy.first_ms + self.slack_ms,
            busy=busy,
        )


def _too_soon(old: Incident, rule: str, at_ms: int) -> bool:
    return old.busy.last_ms + _REST_MS > at_ms or (old.rule == rule and old.starts_at_ms + _AGAIN_MS > at_ms)


def _sos(plan: IncidentPlan, block: int) -> Iterator[Incident]:
    kind = IncidentKind.SOS
    if block == 0 and not plan.turn:
        at = plan.start_ms + int(10_000 * plan.rate)
        devices: Sequence[SimDevice] = plan.world.devices_of(plan.first_person, "wearable_band")
    else:
        at = plan.moment(block, kind, 5, 50)
        devices = list(plan.candidates(block, kind, "sos", Span(at, at + MINUTE_MS), "wearable_band"))
    for device in devices:
        made = plan.make(block, kind, device, "sos", 1, Span(at, at + MINUTE_MS))
        yield replace(made, events=(DeviceEvent(event="sos_pressed", at=at),))


def _fall_unanswered(plan: IncidentPlan, block: int) -> Iterator[Incident]:
    kind = IncidentKind.FALL_UNANSWERED
    at = plan.moment(block, kind, 5, 50) if block or plan.turn else plan.start_ms + 3000
    busy = Span(at, at + 20 * MINUTE_MS)
    for device in plan.candidates(block, kind, "fall", busy, "wearable_band", "fall_robot"):
        made = plan.make(block, kind, device, "fall", 2, busy)
        yield replace(
            made,
            due_at_ms=at + MINUTE_MS + plan.slack_ms,
            events=(_fall(device, at, peak_g=3.4, still_s=12),),
            still=Span(at - 5 * MINUTE_MS, at + 20 * MINUTE_MS),
            lying=Span(at, at + 18 * MINUTE_MS),
        )


def _fall_answered(plan: IncidentPlan, block: int) -> Iterator[Incident]:
    kind = IncidentKind.FALL_ANSWERED
    at = plan.moment(block, kind, 1, 3)
    busy = Span(at, at + 5 * MINUTE_MS)
    for device in plan.candidates(block, kind, "fall", busy, "wearable_band", "fall_robot"):
        made = plan.make(block, kind, device, "fall", 1, busy)
        answer = DeviceEvent(event="fall_answered", at=at + 15_000, details={"answer": "ok"})
        yield replace(
            made,
            due_at_ms=at + MINUTE_MS + plan.slack_ms,
            alert_expected=False,
            events=(_fall(device, at, peak_g=2.6, still_s=3), answer),
        )


def _fall(device: SimDevice, at: int, *, peak_g: float, still_s: float) -> DeviceEvent:
    if device.type == "fall_robot":
        details: dict[str, object] = {"method": "vision", "confidence": 0.93, "tilt_deg": 82, "room": "kitchen"}
    else:
        details = {"method": "imu", "peak_g": peak_g, "tilt_deg": 78}
    return DeviceEvent(event="fall_suspected", at=at, details=details | {"still_s": still_s, "posture": "lying"})


def _silent_device(plan: IncidentPlan, block: int) -> Iterator[Incident]:
    kind = IncidentKind.SILENT_DEVICE
    off_at = plan.moment(block, kind, 2, 4)
    busy = Span(off_at, off_at + _SILENT_BUSY_MS)
    for device in plan.candidates(block, kind, "silent_device", busy, "pill_dispenser", "fall_robot"):
        row = DEVICE_TYPE_BY_CODE[device.type]
        if (block == 0 and device.type == "fall_robot") or _doses_between(plan, device.device, busy):
            continue
        # Silence is at least three resends long, in real time
        # (services/score/rules/silent_device.py).
        limit = max((row.silent_after_s or 0) * 1000, int(15_000 * plan.rate))
        due = off_at + limit + plan.slack_ms
        on_at = min(due + int(_STAYS_SILENT_REAL_S * 1000 * plan.rate) + 5 * MINUTE_MS, busy.last_ms)
        yield replace(plan.make(block, kind, device, "silent_device", 1, busy), due_at_ms=due, off=Span(off_at, on_at))


def _doses_between(plan: IncidentPlan, device: str, busy: Span) -> bool:
    return any(
        True for row in plan.world.plans_of(device) for _ in row.doses(busy.first_ms - HOUR_MS, busy.last_ms + HOUR_MS)
    )


def _hypoglycaemia(plan: IncidentPlan, block: int) -> Iterator[Incident]:
    kind = IncidentKind.HYPOGLYCAEMIA
    at = plan.moment(block, kind, 2, 5)
    busy = Span(at - 5 * MINUTE_MS, at + 140 * MINUTE_MS)
    for device in plan.candidates(block, kind, "glucose_low", busy, "cgm"):
        body = plan.world.bodies[device.people[0]]
        dip = Excursion(vital="glucose", target=45, rate=5, from_ms=at, back_ms=at + 80 * MINUTE_MS)
        low_at = next(
            moment
            for moment in range(at, dip.back_ms, MINUTE_MS)
            if dip.bend(PROCESS_OF["glucose"].value(body, moment), moment) < 70  # noqa: PLR2004 - level 1 is < 70 mg/dL
        )
        made = plan.make(block, kind, device, "glucose_low", 1, busy)
        due = low_at + (15 + 2 * 5) * MINUTE_MS + plan.slack_ms
        yield replace(made, starts_at_ms=at, due_at_ms=due, excursion=dip)


def _missed_dose(plan: IncidentPlan, block: int) -> Iterator[Incident]:
    kind = IncidentKind.MISSED_DOSE
    first = plan.start_ms + block * BLOCK_MS
    busy = Span(first, first + BLOCK_MS + 40 * MINUTE_MS)
    for device in plan.candidates(block, kind, "missed_dose", busy, "pill_dispenser"):
        doses = [dose for row in plan.world.plans_of(device.device) for dose in row.doses(first, first + BLOCK_MS)]
        critical = [dose for dose in doses if dose.time_critical]
        if critical:
            at = critical[0].at_ms
            made = plan.make(block, kind, device, "missed_dose", 1, busy)
            due = at + 30 * MINUTE_MS + plan.slack_ms
            yield replace(made, starts_at_ms=at, due_at_ms=due, dose_at_ms=at)


def _hypoxia(plan: IncidentPlan, block: int) -> Iterator[Incident]:
    """SpO2 85 %: crosses 88 within 2 min, holds it for 14 min, at rest."""
    return _at_rest(plan, block, IncidentKind.HYPOXIA, rule="spo2", vital="spo2", target=85, rate=7, due_min=2 + 5 + 3)


def _tachycardia(plan: IncidentPlan, block: int) -> Iterator[Incident]:
    """136 beats: crosses 120 within 4 min, holds it for 14 min, no steps for 13 min before."""
    kind = IncidentKind.TACHYCARDIA_AT_REST
    return _at_rest(plan, block, kind, rule="heart_rate", vital="heart_rate", target=136, rate=20, due_min=4 + 10 + 3)


def _at_rest(
    plan: IncidentPlan,
    block: int,
    kind: IncidentKind,
    *,
    rule: str,
    vital: str,
    target: float,
    rate: float,
    due_min: int,
) -> Iterator[Incident]:
    at = plan.moment(block, kind, 14, 20)
    back = at + 20 * MINUTE_MS
    busy = Span(at - 14 * MINUTE_MS, back + 10 * MINUTE_MS)
    for device in plan.candidates(block, kind, rule, busy, "wearable_band"):
        yield replace(
            plan.make(block, kind, device, rule, 1, busy),
            starts_at_ms=at,
            due_at_ms=at + due_min * MINUTE_MS + plan.slack_ms,
            excursion=Excursion(vital=vital, target=target, rate=rate, from_ms=at, back_ms=back),
            still=Span(at - 13 * MINUTE_MS, back + 5 * MINUTE_MS),
        )


MAKERS: Final[Sequence[Callable[[IncidentPlan, int], Iterator[Incident]]]] = (
    _sos,
    _missed_dose,
    _silent_device,
    _hypoglycaemia,
    _fall_unanswered,
    _fall_answered,
    _hypoxia,
    _tachycardia,
)
