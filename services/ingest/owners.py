"""Whose an item is, by the bindings in force: the one rule of both ways of judging. Pure."""

from typing import Final

from schemas.messages import REBINDING_GRACE_MS
from schemas.reasons import Flag
from services.ingest.registry import BoundPerson, RegisteredDevice

# Plain integers: combining members of a Flag costs more than judging the rest of a reading.
_OTHER_HOME: Final = int(Flag.OTHER_HOME)
_BEFORE_REBINDING: Final = int(Flag.BEFORE_REBINDING)


def owner_of(slot: int, observed_at: int, received_at: int, entry: RegisteredDevice) -> tuple[BoundPerson | None, int]:
    """Whose an item is, and which flags that gives it.

    When a slot has gone to somebody else, an item stamped before that and received within a day
    after it is the former person's, and is not scored. Received later it is nobody's: its stamp may
    come from a wrong clock. An item stamped ahead of its reception is judged as of its reception.
    """
    # No call of min: this is asked for every uplink.
    person = entry.person_at(slot, observed_at if observed_at < received_at else received_at)  # noqa: FURB136
    if person is None:
        return None, 0
    flags = 0 if person.home_no == entry.home_no else _OTHER_HOME
    if person.to_ms <= received_at:
        now = entry.person_at(slot, received_at)
        # A person who has got the slot back counts as never having given it away.
        if now is None or now.person_no != person.person_no:
            if received_at - person.to_ms > REBINDING_GRACE_MS:
                return None, 0
            flags |= _BEFORE_REBINDING
    return person, flags
