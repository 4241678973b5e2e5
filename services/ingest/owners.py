"""Whose an item is, by the bindings in force: the one rule of both ways of judging. Pure."""

from typing import Final

from schemas.messages import REBINDING_GRACE_MS
from schemas.reasons import Flag
from services.ingest.registry import BoundPerson, RegisteredDevice

# Plain integers: combining members of a Flag costs more than judging the rest of a reading.
_OTHER_HOME: Final = int(Flag.OTHER_HOME)
_BEFORE_REBINDING: Final = int(Flag.BEFORE_REBINDING)


def owner_of(slot: int, observed_at: int, received_at: int, entry: RegisteredDevice) -> tuple[BoundPerson | None, int]:
    """Whose an item is, and what there is to say about that.

    The slot may have gone to somebody else since: for a day what was stamped before is still the former person's, and
    unscored; what comes later than that may as well be the stamp of a wrong clock, and is nobody's. A stamp ahead of
    reception is of now: whoever has the slot next has not got it yet.
    """
    # No call of min: this is asked for every uplink.
    person = entry.person_at(slot, observed_at if observed_at < received_at else received_at)  # noqa: FURB136
    if person is None:
        return None, 0
    flags = 0 if person.home_no == entry.home_no else _OTHER_HOME
    if person.to_ms <= received_at:
        now = entry.person_at(slot, received_at)
        if now is None or now.person_no != person.person_no:
            if received_at - person.to_ms > REBINDING_GRACE_MS:
                return None, 0
            flags |= _BEFORE_REBINDING
    return person, flags
