"""Simulated homes played into score's real step, and what came of it judged as a demo judges it: no servers needed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from deploy.reconcile.incidents import AlertedFinding, Incident, IncidentOutcome, judge_incidents
from device_sim.chance import dice
from device_sim.device import make_tail
from device_sim.faults import Fault, fault_of, spoil
from device_sim.incident import Incident as Planned
from device_sim.incidents import IncidentPlan
from device_sim.world import SimDevice
from schemas.alerts import Finding, Severity
from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.records import WatermarkMarker
from services.ingest.core import judge
from services.ingest.registry import BoundPerson, RegisteredDevice
from services.score.followups import Effect, FallCheck, Tally
from services.score.limit_book import LimitBook, PersonCondition
from services.score.partition import Partition
from services.score.rule import Subject
from services.score.rules.fall import ANSWER_WITHIN_MS, CONFIRMED, FALL, RECOVERY_STEPS, level_of_fall
from tests.unit.device_sim.sim_world import MINUTE_MS, uplinks

_ON_THE_WAY_MS: Final = 400
_REAL_MS: Final = (50, 500)
"""The same of a demo, in real time."""
_LATER_REAL_MS: Final[Mapping[Fault | None, int]] = {Fault.DROP: 5_000, Fault.DELAY: 2_000, Fault.REORDER: 1_000}
"""What a demo's devices need to send again, and what links hold back at most, in real time."""
_NOT_OF_THE_LOG: Final = frozenset({"silent_device", "missed_dose", "double_dose"})
"""Found by what did not come, or by the service of medication: score's step does not see them."""


@dataclass(slots=True)
class Played:
    """What was found, with the names of the simulator; ``at`` is when each of ``alerted`` was found, in ms."""

    findings: list[Finding] = field(default_factory=list)
    alerted: list[AlertedFinding] = field(default_factory=list)
    at: list[int] = field(default_factory=list)


def play(
    plan: IncidentPlan, *, minutes: float, devices: Sequence[SimDevice] | None = None, faults: bool = False
) -> Played:
    """All that these devices send in so many minutes, through ingest's judgement and score's step, in its order.

    ``faults``: of links and devices, as in a demo of the plan's speed.
    """
    cast = _Cast(plan)
    received = sorted(
        (at, order, payload)
        for order, device in enumerate(plan.world.devices if devices is None else devices)
        for at, payload in _sent(plan, device, minutes / 60, faults=faults)
    )
    chosen = list(plan.world.devices if devices is None else devices)
    partition, tally, done, walked = Partition(limits=cast.book), Tally(), Played(), _Signs(plan)
    ticks = iter(range(plan.start_ms, plan.start_ms + int((minutes + 1) * MINUTE_MS), MINUTE_MS))
    tick = next(ticks)
    for at, order, payload in received:
        while tick < at:
            cast.note(done, partition.mark(WatermarkMarker(instance="one", received_at=tick)), walked, tick)
            tick = next(ticks, 1 << 62)
        entry = cast.entries[chosen[order].device]
        record = judge(payload, device=entry.device, entry=entry, shard=entry.shard, received_at=at)
        cast.note(done, partition.take(record, tally), walked, at)
    assert faults or not tally.late
    return done


def outcome_of(plan: IncidentPlan, played: Played, *, minutes: float) -> IncidentOutcome:
    """As a demo judges it, of the rules that the log alone decides."""
    truth = [_line(row) for row in plan.planned if row.rule not in _NOT_OF_THE_LOG]
    return judge_incidents(truth, played.alerted, plan.start_ms + int(minutes * MINUTE_MS))


def _line(row: Planned) -> Incident:
    line: dict[str, Any] = row.truth()
    return Incident(**{name: line[name] for name in Incident.__dataclass_fields__})


def late_ones(plan: IncidentPlan, played: Played) -> list[str]:
    """Incidents whose alert came, and came too late."""
    late = []
    for row in plan.all:
        incident = _line(row)
        answers = [
            at
            for one, at in zip(played.alerted, played.at, strict=True)
            if one.answers(incident) and one.reaches(incident)
        ]
        if answers and incident.alert_expected and min(answers) > incident.due_at_ms:
            late.append(incident.incident)
    return late


def _sent(plan: IncidentPlan, device: SimDevice, hours: float, *, faults: bool) -> Iterator[tuple[int, bytes]]:
    """When what is received; what a device measures while it is away comes when it is back, in its order."""
    at, seed = 0, plan.world.seed
    for seq, usual in enumerate(uplinks(plan, device, hours=hours)):
        backs = [
            one.away.last_ms
            for one in plan.of_device(device.device)
            if one.away and one.away.first_ms <= usual.at_ms < one.away.last_ms
        ]
        sent = max([usual.at_ms, *(back + seq for back in backs)])
        fault = fault_of(seed, device.device, usual) if faults else None
        row = spoil(seed, device.device, usual, fault)
        on_the_way = _ON_THE_WAY_MS
        if faults:
            on_the_way = int(plan.rate * dice(seed, "on the way", device.device, seq).uniform(*_REAL_MS))
        at = max(at + 1, sent + on_the_way)
        head = b'{"epoch":1,"seq":%d,"sent_at":%d,"clock":"synced","oldest":0,' % (seq, sent)
        payload = head + make_tail(row.readings, row.events)
        yield at + int(plan.rate * _LATER_REAL_MS.get(fault, 0)), payload
        if fault is Fault.DUPLICATE:
            yield at + 1, payload


class _Cast:
    """Numbers of people, homes and devices."""

    def __init__(self, plan: IncidentPlan) -> None:
        people, homes = list(plan.world.bodies), list(dict.fromkeys(plan.world.home_of.values()))
        self._person = dict(enumerate(people, start=1))
        self._home = dict(enumerate(homes, start=1))
        number = {name: no for no, name in self._person.items()}
        home_no = {name: no for no, name in self._home.items()}
        self.book = LimitBook(
            conditions=[
                PersonCondition(person_no=number[person], condition=condition, valid_from=0, valid_to=1 << 62)
                for person, held in plan.world.conditions_of.items()
                for condition in held
            ]
        )
        self.entries = {
            device.device: RegisteredDevice(
                device_no=place,
                device=device.device,
                home_no=home_no[device.home_id],
                shard=device.shard,
                type=DEVICE_TYPE_BY_CODE[device.type],
                people={
                    slot: (
                        BoundPerson(
                            person_no=number[person], home_no=home_no[device.home_id], from_ms=0, to_ms=1 << 62
                        ),
                    )
                    for slot, person in enumerate(device.people, start=1)
                },
            )
            for place, device in enumerate(plan.world.devices, start=1)
        }

    def note(self, done: Played, effects: Sequence[Effect], signs: "_Signs", now: int) -> None:
        """What was found at ``now``. A fall is decided at the end of its minute."""
        for effect in effects:
            if isinstance(effect, FallCheck):
                level = signs.level_of(self._person[effect.subject.person_no], effect.sample.at)
                if level == CONFIRMED:
                    fall = self._alerted(FALL.name, effect.subject, level, Severity.HIGH, effect.due_at)
                    done.alerted.append(fall)
                    done.at.append(max(now, effect.due_at))
            elif isinstance(effect, Finding):
                done.findings.append(effect)
                if effect.level and effect.severity is not Severity.LOW and not effect.retrospective:
                    subject = Subject(effect.person_no, effect.home_no)
                    found = self._alerted(effect.rule, subject, effect.level, effect.severity, effect.observed_at)
                    done.alerted.append(found)
                    done.at.append(now)

    def _alerted(self, rule: str, subject: Subject, level: int, severity: Severity, at: int) -> AlertedFinding:
        """One alert for a person and rule: nobody acknowledges any."""
        person, home = self._person.get(subject.person_no, ""), self._home[subject.home_no]
        return AlertedFinding(
            alert_id=f"{person or home} {rule}", rule=rule, person_id=person, home_id=home, level=level,
            severity=severity, observed_at=at,
        )  # fmt: skip


class _Signs:
    """What there is of answers and steps within the minute of a fall, as the query ``claim_falls`` sees it."""

    def __init__(self, plan: IncidentPlan) -> None:
        self._plan = plan

    def level_of(self, person: str, at: int) -> int:
        last, hours = at + ANSWER_WITHIN_MS, (at + 2 * ANSWER_WITHIN_MS - self._plan.start_ms) / 3_600_000
        answered = helped = up = False
        steps = 0.0
        for device in self._plan.world.devices_of(person, "wearable_band", "fall_robot"):
            for row in uplinks(self._plan, device, hours=hours):
                if not at < row.at_ms <= last:
                    continue
                said = [one.details["answer"] for one in row.events if one.event == "fall_answered"]
                answered, helped = answered or "ok" in said, helped or "help" in said
                steps += sum(one.value for one in row.readings if one.vital == "steps")
                up = up or (steps >= RECOVERY_STEPS and any(one.posture == "upright" for one in row.readings))
        return level_of_fall(answered=answered, helped=helped, up=up)
