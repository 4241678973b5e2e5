"""Normal life: one process per vital sign, over a day's rhythm of sleep, meals and walks. Pure functions of time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import exp, sin, tau
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from device_sim.chance import Noise, dice
from device_sim.diabetes import TypeOne, make_type_one

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
_WALK_SLOT_MS: Final = 20 * MINUTE_MS
_MEALS: Final = (8.0, 12.5, 18.5)
_RECOVERY_MS: Final = 45_000
_WALKS_KEPT: Final = 16
STEPS_PER_MINUTE: Final = 90


class Span(NamedTuple):
    """From ``first_ms`` up to ``last_ms``."""

    first_ms: int
    last_ms: int

    def overlaps(self, first_ms: int, last_ms: int) -> bool:
        return self.first_ms < last_ms and first_ms < self.last_ms


@dataclass(slots=True, kw_only=True)
class Body:
    """One person: what is usual for them. ``still`` are spans in which an incident keeps them from walking.

    ``walks`` are those that an incident makes them take, ``still`` or not. ``moved`` is what ``effort`` found last, and
    of when. ``type_1``: their type 1 diabetes, if any.
    """

    seed: int
    person: str
    zone: ZoneInfo
    resting_heart_rate: float
    spo2: float
    respiratory_rate: float
    temperature: float
    systolic: float
    glucose: float
    weight: float
    wakes_at: float
    type_1: TypeOne | None = None
    noises: dict[str, Noise] = field(default_factory=dict)
    still: list[Span] = field(default_factory=list)
    walks: list[Span] = field(default_factory=list)
    _offsets: dict[int, int] = field(default_factory=dict)
    moved: "tuple[tuple[int, int, int], Effort] | None" = None
    _walk_of: dict[tuple[int, int], Span | None] = field(default_factory=dict)

    def noise(self, name: str) -> Noise:
        """This person's noise for one thing."""
        found = self.noises.get(name)
        if found is None:
            found = self.noises[name] = Noise(self.seed, self.person, name)
        return found

    def local_ms(self, at_ms: int) -> int:
        """Wall-clock milliseconds of the home's zone."""
        hour = at_ms // HOUR_MS
        if hour not in self._offsets:
            offset = self.zone.utcoffset(datetime.fromtimestamp(hour * 3600, UTC).astimezone(self.zone))
            self._offsets[hour] = round(offset.total_seconds() * 1000) if offset else 0
        return at_ms + self._offsets[hour]

    def local_hour(self, at_ms: int) -> float:
        """Hour of the day, 0 to 24."""
        return self.local_ms(at_ms) % (24 * HOUR_MS) / HOUR_MS

    def asleep(self, at_ms: int) -> bool:
        """In bed for the night."""
        return (self.local_hour(at_ms) - self.wakes_at) % 24 > 15.5  # noqa: PLR2004 - awake 15.5 hours a day

    def walk_in(self, slot: int) -> Span | None:
        """The walk of a 20-minute slot, if there is one and nothing keeps the person still."""
        # Asked several times a report. An incident that is planned later may keep them still after all.
        known = slot, len(self.still)
        if known not in self._walk_of:
            if len(self._walk_of) >= _WALKS_KEPT:
                self._walk_of.clear()
            self._walk_of[known] = self._draw_walk(slot)
        return self._walk_of[known]

    def _draw_walk(self, slot: int) -> Span | None:
        noise, start = self.noise("walks"), slot * _WALK_SLOT_MS
        if self.asleep(start) or noise.share(2 * slot) > 0.4:  # noqa: PLR2004 - a walk in four of ten slots
            return None
        first = start + int(noise.share(2 * slot + 1) * 10) * MINUTE_MS
        last = first + (3 + slot % 5) * MINUTE_MS
        if any(span.overlaps(first, last + 4 * _RECOVERY_MS) for span in self.still):
            return None
        return Span(first, last)


def make_body(seed: int, person: str, zone: str, *, type_1: bool = False) -> Body:
    """Somebody, the same for the same seed and person. All usual values are inside every alarm limit.

    But for the glucose of somebody who has type 1 diabetes, which often is not.
    """
    draw = dice(seed, "body", person)
    return Body(
        seed=seed,
        person=person,
        zone=ZoneInfo(zone),
        resting_heart_rate=draw.uniform(64, 80),
        spo2=draw.uniform(96.2, 97.8),
        respiratory_rate=draw.uniform(13, 17),
        temperature=draw.uniform(36.3, 36.8),
        systolic=draw.uniform(112, 130),
        glucose=draw.uniform(108, 132),
        weight=draw.uniform(52, 95),
        wakes_at=draw.uniform(6, 7.5),
        type_1=make_type_one(seed, person) if type_1 else None,
    )


class Effort(NamedTuple):
    """How hard a body works: ``walking`` now, ``load`` 0 to 1 with recovery, steps in the minute before."""

    walking: bool
    load: float
    steps: int


def effort(body: Body, at_ms: int) -> Effort:
    """What the band's accelerometer sees at ``at_ms``."""
    # Asked for each vital of a report.
    known = at_ms, len(body.walks), len(body.still)
    if body.moved is None or body.moved[0] != known:
        body.moved = known, _effort(body, at_ms)
    return body.moved[1]


def _effort(body: Body, at_ms: int) -> Effort:
    slot = at_ms // _WALK_SLOT_MS
    load, steps = 0.0, 0
    # A walk of the slot before may go on, or its recovery may.
    for walk in (body.walk_in(slot), body.walk_in(slot - 1), *body.walks):
        if walk is None or at_ms < walk.first_ms:
            continue
        overlap = min(at_ms, walk.last_ms) - max(at_ms - MINUTE_MS, walk.first_ms)
        steps += max(0, overlap) * STEPS_PER_MINUTE // MINUTE_MS
        if at_ms < walk.last_ms:
            load = 1 - exp(-(at_ms - walk.first_ms) / MINUTE_MS)
        else:
            load = max(load, exp(-(at_ms - walk.last_ms) / _RECOVERY_MS))
    return Effort(steps > 0, load, steps)


def walked(body: Body, first_ms: int, last_ms: int) -> int:
    """Steps from ``first_ms`` up to ``last_ms``."""
    slots = range(first_ms // _WALK_SLOT_MS - 1, last_ms // _WALK_SLOT_MS + 1)
    walks = [walk for slot in slots if (walk := body.walk_in(slot)) is not None]
    walking_ms = sum(max(0, min(last_ms, one.last_ms) - max(first_ms, one.first_ms)) for one in (*walks, *body.walks))
    return walking_ms * STEPS_PER_MINUTE // MINUTE_MS


def _heart_rate(body: Body, at_ms: int) -> float:
    drift = 2.5 * body.noise("heart_rate").smooth(at_ms, 7 * MINUTE_MS) + 1.5 * body.noise("beat").sudden(at_ms)
    return body.resting_heart_rate - 5 * body.asleep(at_ms) + 26 * effort(body, at_ms).load + drift


def _spo2(body: Body, at_ms: int) -> float:
    return min(99.0, body.spo2 + body.noise("spo2").smooth(at_ms, 9 * MINUTE_MS))


def _respiratory_rate(body: Body, at_ms: int) -> float:
    return (
        body.respiratory_rate
        + 5 * effort(body, at_ms).load
        + body.noise("respiratory_rate").smooth(at_ms, 5 * MINUTE_MS)
    )


def _temperature(body: Body, at_ms: int) -> float:
    rhythm = 0.2 * sin(tau * (body.local_hour(at_ms) - 11) / 24)
    return body.temperature + rhythm + 0.1 * body.noise("temperature").smooth(at_ms, 2 * HOUR_MS)


def _skin_temperature(body: Body, at_ms: int) -> float:
    """On the wrist: under the blanket it comes nearer to the body's own, in the room it follows the room."""
    room = 0.9 * body.noise("room").smooth(at_ms, 40 * MINUTE_MS)
    return _temperature(body, at_ms) - (2.2 if body.asleep(at_ms) else 3.4) + room


def _systolic(body: Body, at_ms: int) -> float:
    return body.systolic + 5 * body.noise("systolic").sudden(at_ms)


def _diastolic(body: Body, at_ms: int) -> float:
    return 0.58 * body.systolic + 4 * body.noise("diastolic").sudden(at_ms)


def _glucose(body: Body, at_ms: int) -> float:
    if body.type_1 is not None:
        return body.type_1.glucose(body.local_ms(at_ms))
    hour = body.local_hour(at_ms)
    meals = sum(_meal((hour - meal) % 24) for meal in _MEALS)
    return body.glucose + 40 * meals + 8 * body.noise("glucose").smooth(at_ms, 25 * MINUTE_MS)


def _meal(hours: float) -> float:
    return hours * exp(1 - hours) if hours < 5 else 0.0  # noqa: PLR2004 - a peak after one hour, over after five


def _weight(body: Body, at_ms: int) -> float:
    return body.weight + 0.5 * body.noise("weight").sudden(at_ms)


def _steps(body: Body, at_ms: int) -> float:
    return effort(body, at_ms).steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """Where a vital's simulated values come from, in the vital's own unit, rounded to ``decimals``."""

    vital: str
    value: Callable[[Body, int], float]
    decimals: int


PROCESSES: Final[Sequence[Process]] = (
    Process(vital="heart_rate", value=_heart_rate, decimals=0),
    Process(vital="spo2", value=_spo2, decimals=0),
    Process(vital="respiratory_rate", value=_respiratory_rate, decimals=0),
    Process(vital="body_temperature", value=_temperature, decimals=1),
    Process(vital="systolic", value=_systolic, decimals=0),
    Process(vital="diastolic", value=_diastolic, decimals=0),
    Process(vital="glucose", value=_glucose, decimals=0),
    Process(vital="weight", value=_weight, decimals=1),
    Process(vital="steps", value=_steps, decimals=0),
    Process(vital="skin_temperature", value=_skin_temperature, decimals=1),
)
PROCESS_OF: Final = {row.vital: row for row in PROCESSES}
