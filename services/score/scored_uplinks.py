"""Which uplinks of a home's devices have been scored, so that a resend changes nothing. Pure."""

from bisect import bisect_right
from typing import Any, Final

_MOST_EPOCHS: Final = 4
_MOST_RANGES: Final = 64


class SeenMarks:
    """Per device and epoch the ranges of ``seq`` that were scored.

    Bounded: a device's newest 4 epochs, 64 ranges each. What falls between ranges that had to be merged counts as
    seen: a hole that old is beyond every rule's window.
    """

    __slots__ = ("_devices", "_latest", "_sources")

    def __init__(self) -> None:
        self._devices: dict[int, dict[int, list[int]]] = {}
        self._latest: dict[tuple[int, int], list[int]] = {}
        self._sources: dict[int, tuple[int, int]] = {}

    def source(self, device_no: int, epoch: int) -> tuple[int, int]:
        """The same two numbers, as objects that are the same for each uplink: windows keep them by the thousand."""
        known = self._sources.get(device_no)
        if known is None or known[1] != epoch:
            known = self._sources[device_no] = (device_no, epoch)
        return known

    def add(self, device_no: int, epoch: int, seq: int) -> bool:
        """True where this uplink comes for the first time."""
        bounds = self._latest.get((device_no, epoch))
        if bounds is None:
            self._begin(device_no, epoch, seq)
            return True
        # Nearly every uplink is the next one of its device.
        if seq == bounds[-1]:
            bounds[-1] = seq + 1
            return True
        return _insert(bounds, seq)

    def _begin(self, device_no: int, epoch: int, seq: int) -> None:
        epochs = self._devices.setdefault(device_no, {})
        if len(epochs) == _MOST_EPOCHS:
            oldest = next(iter(epochs))
            del epochs[oldest], self._latest[device_no, oldest]
        epochs[epoch] = self._latest[device_no, epoch] = [seq, seq + 1]

    def to_plain(self) -> list[Any]:
        """Devices in order of their number, epochs in order of appearance."""
        return [
            [device_no, [[epoch, bounds] for epoch, bounds in epochs.items()]]
            for device_no, epochs in sorted(self._devices.items())
        ]

    @classmethod
    def from_plain(cls, plain: list[Any]) -> "SeenMarks":
        """The marks that ``to_plain`` wrote."""
        marks = cls()
        for device_no, epochs in plain:
            marks._devices[device_no] = {epoch: list(bounds) for epoch, bounds in epochs}
            for epoch, bounds in marks._devices[device_no].items():
                # The same list under two keys, so that ``add`` finds it in one step.
                marks._latest[device_no, epoch] = bounds
        return marks


def _insert(bounds: list[int], seq: int) -> bool:
    """``bounds`` are half-open: start, end, start, end. An odd place lies inside a range."""
    # An odd number of bounds at or below ``seq`` means that a range has begun and not ended.
    place = bisect_right(bounds, seq)
    if place % 2:
        return False
    joins_left = place > 0 and bounds[place - 1] == seq
    joins_right = place < len(bounds) and bounds[place] == seq + 1
    if joins_left and joins_right:
        del bounds[place - 1 : place + 1]
    elif joins_left:
        bounds[place - 1] = seq + 1
    elif joins_right:
        bounds[place] = seq
    else:
        bounds[place:place] = [seq, seq + 1]
        if len(bounds) > 2 * _MOST_RANGES:
            # Joins the two oldest ranges: the hole between them counts as seen.
            del bounds[1:3]
    return True
