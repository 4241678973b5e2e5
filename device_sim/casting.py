"""To whom something may happen, and when: seeded choices that keep incidents and near-misses apart."""

from collections.abc import Iterator, Sequence
from typing import Final

from device_sim.adherence import PERFECT
from device_sim.chance import dice
from device_sim.expected import EXPECTED, QUIET
from device_sim.incident import PART_OF, Incident, IncidentKind, NearMissKind, Part
from device_sim.physiology import HOUR_MS, MINUTE_MS, Span
from device_sim.world import SimDevice, World
from schemas.alerts import Severity
from schemas.devices import DEVICE_TYPE_BY_CODE

BLOCK_MS: Final = HOUR_MS
_REST_MS: Final = 4 * HOUR_MS
_AGAIN_MS: Final = 24 * HOUR_MS
_APART_MS: Final = 15 * MINUTE_MS
"""Between a near-miss and whatever else shares its part of a person: no run of a rule spans both."""
_RESEND_REAL_S: Final = 5
_SLACK_MS: Final = 30_000
_FIRST_MIN, _LAST_MIN = 2, 57
"""A near-miss lies wholly in such minutes of its hour."""


class Casting:
    """What has been planned so far, and who is free. Only the first SOS and the length of silences need ``rate``.

    ``all`` are the incidents, ``near_misses`` what nearly is one, ``planned`` both. In a demo everybody
    wears what they should, and takes doses in time; ``adherence`` is how far people do.
    """

    def __init__(self, world: World, *, start_ms: int, rate: float, no_activity: float) -> None:
        self.world, self.start_ms, self.rate = world, start_ms, rate
        self.adherence = PERFECT
        self.slack_ms = _SLACK_MS + int(_RESEND_REAL_S * 1000 * rate)
        self.all: list[Incident] = []
        self.near_misses: list[Incident] = []
        self.planned: list[Incident] = []
        self.first_person = next(iter(world.bodies), "")
        self.turn = 0
        self._no_activity = no_activity
        self._activity: dict[str, tuple[int, bool]] = {}
        self._of_person: dict[str, list[Incident]] = {}
        self._of_device: dict[str, list[Incident]] = {}
        self._by_hour: dict[tuple[str, int], list[Incident]] = {}

    def reports_every_ms(self, device: SimDevice, _at_ms: int) -> int:
        """How far apart the reports of a device lie, that it makes by itself, in the hour of ``at_ms``."""
        return usual_period_ms(device)

    def of_person(self, person_id: str) -> Sequence[Incident]:
        """The person's incidents and near-misses."""
        return self._of_person.get(person_id, ())

    def of_device(self, device: str) -> Sequence[Incident]:
        """Those that this device plays."""
        return self._of_device.get(device, ())

    def around(self, person_or_device: str, at_ms: int) -> Sequence[Incident]:
        """Those whose reach is near ``at_ms``."""
        return self._by_hour.get((person_or_device, at_ms // HOUR_MS), ())

    def busy(self, person_id: str, first_ms: int, last_ms: int, part: Part | None = None) -> bool:
        """Something happens to this person in that time, to this part of them."""
        hours = range(first_ms // HOUR_MS, last_ms // HOUR_MS + 1)
        return any(
            row.busy.overlaps(first_ms, last_ms)
            for hour in hours
            for row in self._by_hour.get((person_id, hour), ())
            if part is None or row.part is part
        )

    def says_activity(self, device: str, at_ms: int) -> bool:
        """Whether a band sends activity and posture then: some firmware, now and then, does not for an hour."""
        hour = at_ms // HOUR_MS
        known, says = self._activity.get(device, (0, False))
        if known != hour:
            says = dice(self.world.seed, "activity", device, hour).random() >= self._no_activity
            self._activity[device] = hour, says
        return says

    def add(self, incident: Incident) -> None:
        """Plans it; nobody may be cast for its time any more."""
        (self.near_misses if incident.near_miss else self.all).append(incident)
        self.planned.append(incident)
        self._of_person.setdefault(incident.person_id, []).append(incident)
        self._of_device.setdefault(incident.device, []).append(incident)
        reach = incident.reach
        for hour in range(reach.first_ms // HOUR_MS, reach.last_ms // HOUR_MS + 1):
            for name in (incident.person_id, incident.device):
                self._by_hour.setdefault((name, hour), []).append(incident)
        body = self.world.bodies[incident.person_id]
        if incident.still:
            body.still.append(incident.still)
        if incident.walk:
            body.walks.append(incident.walk)

    def candidates(self, block: int, kind: IncidentKind, rule: str, busy: Span, *types: str) -> Iterator[SimDevice]:
        """Devices whose person may have an incident then, in a seeded order; the first person has the first SOS."""
        for row in self._shuffled(types, "who", block, kind):
            # The first person is kept free for the first SOS, which a short run must see.
            person = row.people[0]
            free = not any(_in_the_way(old, rule, busy) for old in self.of_person(person))
            if person != self.first_person and free and self._wears(row, busy):
                yield row

    def near_candidates(self, block: int, kind: NearMissKind, busy: Span, *types: str) -> Iterator[SimDevice]:
        """Devices whose person may have a near-miss then: nothing else shares that part of them."""
        # What happens to the first person depends on the speed of a run.
        for row in self._shuffled(types, "nearly", block, kind, self.turn):
            person = row.people[0]
            near = busy.first_ms - _APART_MS, busy.last_ms + _APART_MS
            free = not self.busy(person, *near, PART_OF[row.type])
            if person != self.first_person and free and self._wears(row, Span(*near)):
                yield row

    def _shuffled(self, types: Sequence[str], *names: object) -> list[SimDevice]:
        rows = [row for row in self.world.devices if row.type in types and row.people and self._may_play(row)]
        dice(self.world.seed, *names).shuffle(rows)
        return rows

    def left_off(self, device: SimDevice, at_ms: int) -> Span | None:
        """When a band lies on the table on the day of ``at_ms``, for no reason; never in a run's first hour."""
        if self.adherence.is_perfect or device.type != "wearable_band":
            return None
        off = self.adherence.off_body(device.device, at_ms)
        return None if off.overlaps(self.start_ms, self.start_ms + HOUR_MS) else off

    def _wears(self, device: SimDevice, busy: Span) -> bool:
        """Whether a band is worn all that time, or the device is none."""
        near = Span(busy.first_ms - _APART_MS, busy.last_ms + _APART_MS)
        offs = (self.left_off(device, at) for at in near)
        return not any(off is not None and off.overlaps(*near) for off in offs)

    def _may_play(self, device: SimDevice) -> bool:
        """Whose glucose has its own highs and lows needs nobody to think them up."""
        return PART_OF[device.type] is not Part.GLUCOSE or self.world.bodies[device.people[0]].type_1 is None

    def moment(self, block: int, kind: IncidentKind, first_min: float, last_min: float) -> int:
        """When in its hour an incident starts; the first hour is tight, so that a short run sees every kind."""
        start = self.start_ms + block * BLOCK_MS
        if block:
            last_min = 50
        turn = (self.turn,) if self.turn else ()
        return start + int(dice(self.world.seed, "when", block, kind, *turn).uniform(first_min, last_min) * MINUTE_MS)

    def near_moment(self, block: int, kind: NearMissKind, before_min: float, lasts_min: float) -> int:
        """When in its hour a near-miss of so many minutes starts, with so many that lead up to it."""
        draw = dice(self.world.seed, "nearly when", block, kind, self.turn)
        at_min = draw.uniform(_FIRST_MIN + before_min, _LAST_MIN - lasts_min)
        return self.start_ms + block * BLOCK_MS + int(at_min * MINUTE_MS)

    def make(self, block: int, kind: IncidentKind, device: SimDevice, at: int, busy: Span) -> Incident:
        """An incident that begins at ``at``, with what all of them have."""
        expected = EXPECTED[kind]
        return Incident(
            name=f"{kind}-{block}" + (f"-{self.turn}" if self.turn else ""),
            kind=kind,
            home_id=device.home_id,
            person_id=device.people[0],
            device=device.device,
            part=PART_OF[device.type],
            rule=expected.rule,
            level=expected.level,
            severity=expected.severity,
            starts_at_ms=at,
            due_at_ms=self.due_ms(kind, at),
            alert_expected=expected.is_alerted,
            also=expected.also,
            busy=busy,
        )

    def due_ms(self, kind: IncidentKind, at: int) -> int:
        """When an incident that begins at ``at`` has certainly been seen."""
        return at + int(EXPECTED[kind].within_min * MINUTE_MS) + self.slack_ms

    def nearly(self, block: int, kind: NearMissKind, device: SimDevice, at: int, busy: Span) -> Incident:
        """A near-miss, with what all of them have."""
        return Incident(
            name=f"{kind}-{block}-{self.turn}",
            kind=kind,
            home_id=device.home_id,
            person_id=device.people[0],
            device=device.device,
            part=PART_OF[device.type],
            rule=QUIET[kind],
            level=1,
            severity=Severity.TECHNICAL,
            starts_at_ms=at,
            due_at_ms=busy.last_ms + self.slack_ms,
            alert_expected=False,
            busy=busy,
        )


def _in_the_way(old: Incident, rule: str, busy: Span) -> bool:
    """Whether somebody to whom ``old`` happens can't have an incident of ``rule`` in that time.

    Two incidents of one rule close together would be one alert, and no truth to compare with.
    """
    if old.near_miss:
        return old.busy.overlaps(busy.first_ms - _APART_MS, busy.last_ms + _APART_MS)
    rests = old.busy.last_ms + _REST_MS > busy.first_ms
    return rests or (old.rule == rule and old.starts_at_ms + _AGAIN_MS > busy.first_ms)


def usual_period_ms(device: SimDevice) -> int:
    """How far apart the reports of its type lie."""
    return DEVICE_TYPE_BY_CODE[device.type].reports_every_s * 1000
