"""What goes wrong with doses: missed, taken twice or late, in a dispenser that is not heard; and what only looks so."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from device_sim.casting import BLOCK_MS, Casting
from device_sim.fleet import MOVED_BY, MOVED_DRUG
from device_sim.incident import Incident, IncidentKind, NearMissKind
from device_sim.physiology import HOUR_MS, MINUTE_MS, Span
from device_sim.world import Dose, SimDevice

_TAKEN_LATE_MS: Final = 90 * MINUTE_MS
"""An hour after its window: until then an uplink that went missing just then has come, however fast the clock runs."""
_TAKEN_AGAIN_MS: Final = 30 * MINUTE_MS
"""After it was due, so at least twenty minutes after it was taken."""
_AWAY_BEFORE_MS: Final = 5 * MINUTE_MS
_AWAY_AFTER_MS: Final = 31 * MINUTE_MS
"""Until its window is over, and longer than a dispenser may be silent."""
_WITHIN_WINDOW_MS: Final = 15 * MINUTE_MS
_MOVED_MS: Final = round(MOVED_BY.total_seconds() * 1000)


def has_doses(plan: Casting, device: str, busy: Span) -> bool:
    """Whether a dispenser has something to do around that time."""
    return any(
        True for row in plan.world.plans_of(device) for _ in row.doses(busy.first_ms - HOUR_MS, busy.last_ms + HOUR_MS)
    )


def missed_dose(plan: Casting, block: int) -> Iterator[Incident]:
    """A time-critical dose stays in its cup."""
    for made, _ in _of_doses(plan, block, IncidentKind.MISSED_DOSE, "missed_dose"):
        yield replace(made, dose_stays=True)


def dose_taken_late(plan: Casting, block: int) -> Iterator[Incident]:
    """A time-critical dose is taken an hour after its window."""
    kind = IncidentKind.DOSE_TAKEN_LATE
    for made, _ in _of_doses(plan, block, kind, "missed_dose", busy_ms=_TAKEN_LATE_MS + 10 * MINUTE_MS):
        yield replace(made, dose_late_ms=_TAKEN_LATE_MS)


def double_dose(plan: Casting, block: int) -> Iterator[Incident]:
    """A time-critical dose is taken in time, and then another one out of its turn."""
    for made, _ in _of_doses(plan, block, IncidentKind.DOUBLE_DOSE, "double_dose"):
        yield replace(made, dose_again_ms=_TAKEN_AGAIN_MS)


def dose_unheard(plan: Casting, block: int) -> Iterator[Incident]:
    """The dispenser can't send while a dose is due and taken; it says so when it is back."""
    kind = IncidentKind.DOSE_UNHEARD
    for made, away in _of_doses(plan, block, kind, "silent_device"):
        starts = away.first_ms
        yield replace(made, starts_at_ms=starts, due_at_ms=plan.due_ms(kind, away.last_ms), away=away)


def dose_unheard_and_missed(plan: Casting, block: int) -> Iterator[Incident]:
    """The dispenser can't send while a dose is due and stays in its cup."""
    kind = IncidentKind.DOSE_UNHEARD_AND_MISSED
    for made, away in _of_doses(plan, block, kind, "missed_dose"):
        yield replace(made, due_at_ms=plan.due_ms(kind, away.last_ms), away=away, dose_stays=True)


def _of_doses(
    plan: Casting, block: int, kind: IncidentKind, rule: str, *, busy_ms: int = 40 * MINUTE_MS
) -> Iterator[tuple[Incident, Span]]:
    """An incident from the moment a time-critical dose is due, and when its dispenser would be away.

    For ``busy_ms`` after it is due at the latest nothing else happens with that dispenser.
    """
    first = plan.start_ms + block * BLOCK_MS
    busy = Span(first, first + BLOCK_MS + busy_ms)
    for device in plan.candidates(block, kind, rule, busy, "pill_dispenser"):
        critical = critical_doses(plan, device, block)
        if critical:
            at = critical[0].at_ms
            made = replace(plan.make(block, kind, device, at, busy), dose_at_ms=at)
            yield made, Span(at - _AWAY_BEFORE_MS, at + _AWAY_AFTER_MS)


def critical_doses(plan: Casting, device: SimDevice, block: int) -> Sequence[Dose]:
    """The time-critical doses of a dispenser in an hour, where each is one plan's alone and stays when it is."""
    plans = plan.world.plans_of(device.device)
    if len(plans) > 1:
        return ()
    return _in_block(plan, device, block)


def _in_block(plan: Casting, device: SimDevice, block: int, drug: str = "") -> Sequence[Dose]:
    first = plan.start_ms + block * BLOCK_MS
    plans = [row for row in plan.world.plans_of(device.device) if drug in {"", row.drug} and row.time_critical]
    return [dose for row in plans for dose in row.doses(first, first + BLOCK_MS)]


def late_dose(plan: Casting, block: int) -> Iterator[Incident]:
    """A time-critical dose that is taken a quarter of an hour late, within its window."""
    kind = NearMissKind.LATE_DOSE
    for device in _dispensers(plan, block, kind):
        for dose in critical_doses(plan, device, block)[:1]:
            yield _nearly(plan, block, kind, device, dose, _WITHIN_WINDOW_MS)


def two_in_a_cup(plan: Casting, block: int) -> Iterator[Incident]:
    """Two drugs in one compartment, both taken by one lift."""
    kind = NearMissKind.TWO_IN_A_CUP
    for device in _dispensers(plan, block, kind):
        doses = _in_block(plan, device, block)
        together = [one for one in doses if sum(one.is_with(other) for other in doses) > 1]
        for dose in together[:1]:
            yield _nearly(plan, block, kind, device, dose, _WITHIN_WINDOW_MS)


def moved_dose(plan: Casting, block: int) -> Iterator[Incident]:
    """A dose that an edited plan has moved before it was due, taken at its new time."""
    kind = NearMissKind.MOVED_DOSE
    for device in _dispensers(plan, block, kind):
        for dose in _in_block(plan, device, block, MOVED_DRUG)[:1]:
            yield _nearly(plan, block, kind, device, dose, _MOVED_MS)


def _dispensers(plan: Casting, block: int, kind: NearMissKind) -> Iterator[SimDevice]:
    first = plan.start_ms + block * BLOCK_MS
    return plan.near_candidates(block, kind, Span(first, first + 80 * MINUTE_MS), "pill_dispenser")


def _nearly(plan: Casting, block: int, kind: NearMissKind, device: SimDevice, dose: Dose, late_ms: int) -> Incident:
    at = dose.at_ms
    made = plan.nearly(block, kind, device, at, Span(at - MINUTE_MS, at + late_ms + 5 * MINUTE_MS))
    return replace(made, dose_at_ms=at, dose_late_ms=late_ms)
