"""What really happens in simulated homes: what was planned, doses that are not kept to, lows and highs of diabetes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from device_sim.expected import EXPECTED
from device_sim.incident import Incident, IncidentKind, NearMissKind, Part
from device_sim.physiology import HOUR_MS, MINUTE_MS
from device_sim.reports import moments
from device_sim.world import SimDevice
from schemas.alerts import Severity
from schemas.doses import TIME_CRITICAL_WINDOW_MIN
from tests.proving.scorecard.simulated_homes import Neighbourhood

FORECAST: Final = "glucose_forecast"
FORESEES_MS: Final = HOUR_MS
"""A forecast of a low that comes within this was right."""
LATE_MS: Final = 30 * MINUTE_MS
_EARLY_MS: Final = MINUTE_MS
_LASTS_MS: Final = 15 * MINUTE_MS
"""Glucose so long below a limit is an event, and so long not below it ends one (Battelino 2019)."""
_MEASURED_AT_WILL: Final = frozenset({Part.TEMPERATURE, Part.PRESSURE, Part.WEIGHT})
"""Who was ill before, and has not been seen well since, is ill still: the alert is open, and goes on being repeated."""
_LEVEL_1, _LEVEL_2, _HIGH = 70, 54, 250
"""Limits in mg/dL of the same source."""
_OWN_KNOWN_MS: Final = 4 * 24 * HOUR_MS
_NEARLY, _NEARLY_ABOVE_OWN = 37.8, 0.9
"""A rise of more than 1.1 Cel over what is usual for somebody is a fever (IDSA 2008), and it varies by 0.2 in a day."""
_HEARD_MS: Final = 6 * MINUTE_MS
"""A dispenser reports each 5 min."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something to be found, by ``due_ms``, or a near-miss, of which nothing may be said.

    Only what is observed in [``first_ms``, ``last_ms``] is said of it. ``lasts``: an episode that goes on from before
    says it too. Where it is not ``asked``, it may be found or not. ``also``: rules that may say more of it.
    """

    kind: str
    home_no: int
    person_no: int
    rule: str
    level: int
    severity: Severity
    first_ms: int
    due_ms: int
    last_ms: int
    also: tuple[str, ...] = ()
    asked: bool = True
    near_miss: bool = False
    lasts: bool = False


def happenings(homes: Neighbourhood) -> list[Happening]:
    """All that begins before the end, by when it does; what is due later may be found, and has not to be."""
    found = [*_planned(homes), *_doses(homes), *_left_off(homes)]
    for device in homes.plan.world.devices:
        if device.type == "cgm":
            found += _glucose(homes, device)
    seen = [
        replace(one, asked=one.asked and one.due_ms < homes.end_ms)
        for one in found
        if one.due_ms < homes.end_ms or (one.first_ms < homes.end_ms and not one.near_miss)
    ]
    return sorted(seen, key=lambda one: (one.first_ms, one.kind))


def _planned(homes: Neighbourhood) -> Iterator[Happening]:
    for one in homes.plan.planned:
        is_above_own = _is_above_own(homes, one)
        yield Happening(
            kind=str(one.kind),
            home_no=homes.home_nos[one.home_id],
            person_no=homes.person_nos[one.person_id],
            rule=one.rule,
            level=one.level,
            severity=one.severity,
            first_ms=one.starts_at_ms - _EARLY_MS,
            due_ms=one.due_at_ms,
            last_ms=_last_of(one),
            also=one.also,
            asked=one.alert_expected and not is_above_own,
            near_miss=one.near_miss and not is_above_own,
            lasts=one.part in _MEASURED_AT_WILL and not one.near_miss,
        )


def _is_above_own(homes: Neighbourhood, one: Incident) -> bool:
    """Whether 37.8 is as much as a fever to this person, by the time that their own usual temperature is known."""
    usual = homes.plan.world.bodies[one.person_id].temperature
    is_known = one.starts_at_ms - homes.plan.start_ms >= _OWN_KNOWN_MS
    return one.kind is NearMissKind.TEMPERATURE_37_8 and is_known and _NEARLY - usual > _NEARLY_ABOVE_OWN


def _last_of(one: Incident) -> int:
    return max(one.due_at_ms, one.busy.last_ms if one.near_miss else 0) + LATE_MS


def _doses(homes: Neighbourhood) -> Iterator[Happening]:
    """Time-critical doses that people take late, or not at all, of themselves."""
    plan, window = homes.plan, TIME_CRITICAL_WINDOW_MIN * MINUTE_MS
    for row in plan.world.plans:
        played = {one.dose_at_ms for one in plan.of_device(row.device)}
        for dose in row.doses(plan.start_ms, homes.end_ms):
            late_ms = plan.dose_late_ms(row.device, dose)
            if dose.at_ms in played or late_ms == 0:
                continue
            due_ms = dose.at_ms + window + _HEARD_MS + plan.slack_ms
            yield Happening(
                kind="dose_not_taken" if late_ms is None else "dose_taken_out_of_time",
                home_no=homes.home_nos[plan.world.home_of[row.person_id]],
                person_no=homes.person_nos[row.person_id],
                rule="missed_dose",
                level=1,
                severity=Severity.MEDIUM,
                first_ms=dose.at_ms,
                due_ms=due_ms,
                last_ms=due_ms + LATE_MS,
            )


def _left_off(homes: Neighbourhood) -> Iterator[Happening]:
    """A band on the table for hours: that nobody is watched may be said, and has not to be."""
    for device in homes.plan.world.devices:
        for day in range(int(homes.days) + 2):
            off = homes.plan.left_off(device, homes.plan.start_ms + day * 24 * HOUR_MS)
            if off is not None and off.last_ms > off.first_ms:
                yield Happening(
                    kind=str(IncidentKind.WORN_OFF),
                    home_no=homes.home_nos[device.home_id],
                    person_no=homes.person_nos[device.people[0]],
                    rule=EXPECTED[IncidentKind.WORN_OFF].rule,
                    level=1,
                    severity=Severity.TECHNICAL,
                    first_ms=off.first_ms,
                    due_ms=off.last_ms,
                    last_ms=off.last_ms + HOUR_MS,
                    asked=False,
                )


def _glucose(homes: Neighbourhood, device: SimDevice) -> Iterator[Happening]:
    """Events of somebody with type 1 diabetes, by what the blood has at the moments at which the sensor shows it."""
    person, plan = device.people[0], homes.plan
    ats = list(moments(plan, device, plan.start_ms, homes.end_ms))
    values = [plan.value(person, "glucose", at) for at in ats]
    about = Happening(
        kind="low of diabetes",
        home_no=homes.home_nos[device.home_id],
        person_no=homes.person_nos[person],
        rule="glucose_low",
        level=1,
        severity=Severity.MEDIUM,
        first_ms=0,
        due_ms=0,
        last_ms=0,
        lasts=True,
    )
    # Too short for an event, or thought up: a forecast of it is right all the same.
    for first, last in events_of(ats, [value < _LEVEL_1 for value in values], 0):
        yield replace(
            about, kind="below 70", rule=FORECAST, asked=False, lasts=False, first_ms=first, due_ms=last, last_ms=last
        )
    if plan.world.bodies[person].type_1 is None:
        return
    severe = list(events_of(ats, [value < _LEVEL_2 for value in values], _LASTS_MS))
    for first, last in events_of(ats, [value < _LEVEL_1 for value in values], _LASTS_MS):
        yield _event_of(about, plan.slack_ms, first, last, _LASTS_MS)
        # One that is severe twice counts once.
        for begins, ends in [one for one in severe if first <= one[0] <= last][:1]:
            graver = replace(about, kind="severe low of diabetes", level=2, severity=Severity.HIGH)
            yield _event_of(graver, plan.slack_ms, begins, ends, _LASTS_MS)
    high = replace(about, kind="high of diabetes", rule="glucose_high", severity=Severity.LOW)
    for first, last in events_of(ats, [value > _HIGH for value in values], HOUR_MS):
        yield _event_of(high, plan.slack_ms, first, last, HOUR_MS)


def _event_of(about: Happening, slack_ms: int, first: int, last: int, lasts_ms: int) -> Happening:
    # Two readings more: a sensor that errs passes the limit a little later than the blood.
    due_ms = first + lasts_ms + 10 * MINUTE_MS + slack_ms
    return replace(about, first_ms=first - LATE_MS, due_ms=due_ms, last_ms=max(last, due_ms) + LATE_MS)


def events_of(ats: Sequence[int], beyond: Sequence[bool], lasts_ms: int) -> Iterator[tuple[int, int]]:
    """The first and the last moment beyond of each event: at least ``lasts_ms`` long, over after _LASTS_MS."""
    first = last = None
    for at, is_beyond in zip(ats, beyond, strict=True):
        if first is not None and last is not None and at - last > _LASTS_MS:
            if last - first >= lasts_ms:
                yield first, last
            first = last = None
        if is_beyond:
            first, last = (at if first is None else first), at
    if first is not None and last is not None and last - first >= lasts_ms:
        yield first, last
