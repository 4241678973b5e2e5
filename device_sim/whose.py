"""What a simulated person answers when a device asks whether a reading was theirs. Pure."""

from typing import Final

from device_sim.chance import dice
from device_sim.incident import NearMissKind
from device_sim.incidents import IncidentPlan
from device_sim.physiology import MINUTE_MS
from device_sim.world import SimDevice
from schemas.events import Whose

ANSWERED: Final = 0.7
"""Share of questions that somebody answers: the others have left the room, or walk past. Ours."""
NOT_UNDERSTOOD: Final = 0.05
"""Share of all questions with an answer that the device does not understand. Ours."""
_NEAR_MS: Final = MINUTE_MS


def answer_to(plan: IncidentPlan, device: SimDevice, vital: str, at_ms: int, slot: int | None) -> Whose | None:
    """To "Is this yours?" of a reading of ``at_ms``; None where nobody answers. Who answers says what is so.

    The same for the same seed and question, however often and whenever it is asked. ``slot``: whose turn it was on a
    device that several people share; a device of one person asks that one.
    """
    person = _asked(device, slot)
    if person is None:
        return None
    drawn = dice(plan.world.seed, "whose", person, vital, at_ms).random()
    if drawn >= ANSWERED:
        return None
    if drawn < NOT_UNDERSTOOD:
        return Whose.UNCLEAR
    return Whose.NO if _was_guest(plan, person, vital, at_ms) else Whose.YES


def _asked(device: SimDevice, slot: int | None) -> str | None:
    place = (slot or 1) - 1
    return device.people[place] if 0 <= place < len(device.people) else None


def _was_guest(plan: IncidentPlan, person: str, vital: str, at_ms: int) -> bool:
    return any(
        one.kind is NearMissKind.GUEST_ON_SCALE
        and any(vital in use.values and abs(use.at_ms - at_ms) <= _NEAR_MS for use in one.uses)
        for one in plan.around(person, at_ms)
    )
