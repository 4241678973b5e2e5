"""How much a device may send: an allowance that refills with real time. What is too much is throttled. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from schemas.events import EVENT_TYPES

BYTES_AN_UPLINK: Final = 4_096
"""A payload costs one uplink, and one more for each of these: size counts, too."""
ITEMS_AN_UPLINK: Final = 2
"""So many items that have to be rejected cost one uplink more: a row of theirs costs the database two of readings."""
MOST_DEVICES: Final = 200_000
"""Names remembered at once; the broker knows every device, so more of them are unregistered, at an open broker."""
# So that ``burst`` costs of 1 / ``per_s``, added up in floating point, are still a burst.
_ROUNDING_S: Final = 1e-6
_EMERGENCIES: Final = tuple(row.kind.value.encode() for row in EVENT_TYPES if row.is_emergency)


def may_hold_emergency(payload: bytes) -> bool:
    """Whether the name of an emergency stands anywhere in the bytes: nothing is parsed for it.

    Both mistakes are harmless. An uplink that only quotes such a name uses the emergency allowance.
    An emergency whose name is written with JSON's escapes waits like any uplink; its device sends
    it again.
    """
    return any(word in payload for word in _EMERGENCIES)


@dataclass(slots=True, kw_only=True)
class Allowance:
    """``per_s`` uplinks a real second, and up to ``burst`` at once after a rest.

    Of each device one number is kept: when, at this pace, all that it has sent so far would have been sent.
    """

    per_s: float
    burst: int
    _spent_until: dict[str, float] = field(default_factory=dict)

    def take(self, device: str, cost: int, now_s: float) -> bool:
        """Whether the device may send ``cost`` more. ``now_s`` is monotonic; what is refused costs nothing."""
        # A virtual clock instead of a bucket of tokens (GCRA): nothing has to be refilled.
        spent_until = max(self._spent_until.get(device, now_s), now_s) + cost / self.per_s
        if spent_until - now_s > self.burst / self.per_s + _ROUNDING_S:
            return False
        self._spent_until[device] = spent_until
        return True

    def charge(self, device: str, cost: int, now_s: float) -> None:
        """Takes ``cost`` for what was sent already; the device then waits for longer."""
        self._spent_until[device] = max(self._spent_until.get(device, now_s), now_s) + cost / self.per_s

    def forget_rested(self, now_s: float) -> None:
        """Drops devices whose allowance is full, once there are many."""
        if len(self._spent_until) > MOST_DEVICES:
            self._spent_until = {device: at for device, at in self._spent_until.items() if at > now_s}


class DeviceAllowances:
    """What each device may send. An emergency has an allowance of its own, so that no flood drowns it."""

    def __init__(self, *, per_s: float, burst: int) -> None:
        self._all = Allowance(per_s=per_s, burst=burst)
        self._emergency = Allowance(per_s=per_s, burst=burst)
        self._throttled: Counter[str] = Counter()

    def admit(self, device: str, payload: bytes, now_s: float) -> bool:
        """Whether an uplink is passed on. If not, its device still holds it and sends it again."""
        cost = 1 + len(payload) // BYTES_AN_UPLINK
        if self._all.take(device, cost, now_s):
            return True
        if may_hold_emergency(payload) and self._emergency.take(device, cost, now_s):
            return True
        self._throttled[device] += 1
        return False

    def charge_for(self, device: str, refused: int, now_s: float) -> None:
        """Charges a device for items that had to be rejected: each of them is a row, bytes or not."""
        if refused >= ITEMS_AN_UPLINK:
            self._all.charge(device, refused // ITEMS_AN_UPLINK, now_s)

    def drain(self, now_s: float) -> Counter[str]:
        """How many uplinks of which device were throttled since the last call."""
        for allowance in (self._all, self._emergency):
            allowance.forget_rested(now_s)
        throttled, self._throttled = self._throttled, Counter()
        return throttled

    def give_back(self, throttled: Iterable[tuple[str, int]]) -> None:
        """Counts that could not be noted; they come with the next ``drain``."""
        self._throttled.update(dict(throttled))
