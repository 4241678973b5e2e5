"""Settlement: which sequence numbers of a device are settled, what may be acknowledged, what a batch adds. Pure."""

from bisect import bisect_right
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from schemas.events import EVENT_TYPES
from schemas.messages import MAX_AHEAD, MAX_GAPS, MAX_RANGES, MAX_REJECTED, WHOLE_UPLINK, Ack, RejectedItem
from schemas.reasons import Flag, RejectionReason
from schemas.records import (
    READING,
    DeviceWord,
    JudgedReading,
    Rejection,
    SealedRecord,
    SealedUplink,
    SettledRecord,
    WatermarkMarker,
)

Ranges = list[tuple[int, int]]
"""Half-open ranges ``[first, end)``, ascending, neither touching nor overlapping."""
AT_HAND: Final = 64
"""A cursor's row holds at most this many ranges, the newest: every batch reads and writes them
all."""
KEPT_AT_HAND: Final = 32
"""So many stay in the row when it grows too long; the older ones become rows of
``settled_ranges``."""
LOW_RANGES: Final = MAX_GAPS + 8
"""So many of the ranges put away are read, the lowest from ``floor`` on: they give ``upto`` and
``gaps``."""
COUNTED_FROM: Final = MAX_RANGES // 2
"""From so many ranges put away on, those above ``floor`` are counted; below it the cap is out of
reach."""
_EMERGENCIES: Final = frozenset(row.number for row in EVENT_TYPES if row.is_emergency)

_FLAGS: Final = JudgedReading._fields.index("flags")


def holds(ranges: Ranges, number: int) -> bool:
    """Whether ``number`` lies in one of ``ranges``."""
    # With inf as its end, the pair sorts behind a range that begins at ``number`` itself.
    place = bisect_right(ranges, (number, float("inf")))
    return place > 0 and number < ranges[place - 1][1]


def add(ranges: Ranges, number: int) -> None:
    """Adds a ``number`` that ``ranges`` do not hold, joining neighbours."""
    # No range begins at ``number``, since none holds it: the place lies between its two neighbours.
    place = bisect_right(ranges, (number, number))
    joins_left = place > 0 and ranges[place - 1][1] == number
    joins_right = place < len(ranges) and ranges[place][0] == number + 1
    first = ranges[place - 1][0] if joins_left else number
    end = ranges[place][1] if joins_right else number + 1
    ranges[place - joins_left : place + joins_right] = [(first, end)]


def touches(ranges: Ranges, number: int) -> bool:
    """Whether ``number``, which ``ranges`` do not hold, would only make one of them longer."""
    place = bisect_right(ranges, (number, number))
    return (place > 0 and ranges[place - 1][1] == number) or (place < len(ranges) and ranges[place][0] == number + 1)


def joined(*parts: Ranges) -> Ranges:
    """All of them as one."""
    whole: Ranges = []
    for first, end in sorted(chain.from_iterable(parts)):
        if whole and first <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(end, whole[-1][1]))
        else:
            whole.append((first, end))
    return whole


def _place_of(ranges: Ranges, number: int) -> int:
    """Where a scan begins: at the range that holds ``number``, or the last one below it."""
    return max(0, bisect_right(ranges, (number, float("inf"))) - 1)


def upto_of(ranges: Ranges, floor: int) -> int:
    """The last number of the run from 0 in ``ranges`` and ``[0, floor)`` together; -1 for none."""
    end = floor
    for place in range(_place_of(ranges, floor), len(ranges)):
        first, last = ranges[place]
        if first > end:
            break
        end = max(end, last)
    return end - 1


def gaps_of(ranges: Ranges, upto: int) -> tuple[tuple[int, int], ...]:
    """The first unsettled ranges above ``upto`` and below the highest settled number, both ends included."""
    gaps = []
    missing_from = upto + 1
    for place in range(_place_of(ranges, upto), len(ranges)):
        first, end = ranges[place]
        if first > missing_from:
            gaps.append((missing_from, first - 1))
            if len(gaps) == MAX_GAPS:
                break
        missing_from = max(missing_from, end)
    return tuple(gaps)


@dataclass(slots=True, kw_only=True)
class Cursor:
    """What is settled of one epoch of one device.

    The device no longer holds what lies below ``floor``. ``settled`` are the ranges from
    ``boundary`` on. The older ones, ``put_away`` in number, are rows of their own. A batch reads
    two kinds of these: ``low``, the lowest from ``floor`` on, which are not changed
    (``low_is_all``: there are no others), and ``near``, which the batch's numbers may change.

    ``counted`` of the ranges put away count against the cap. Those below ``floor`` do not: an
    eviction leaves gaps that nobody can fill, and the device must not be held to them for ever.
    ``refused``: uplinks were refused unsettled, so there may be rows of ``rejected`` to delete
    later.
    """

    device_no: int
    epoch: int
    settled: Ranges = field(default_factory=list)
    boundary: int = 0
    put_away: int = 0
    counted: int = 0
    low: Ranges = field(default_factory=list)
    low_is_all: bool = True
    near: Ranges = field(default_factory=list)
    refused: bool = False
    floor: int = 0
    rejected: list[tuple[int, int, str]] = field(default_factory=list)
    _upto: int | None = field(default=None, compare=False)
    device: str = ""
    shard: int = 0
    last_received_at: int = 0

    def see(self, uplink: SealedUplink) -> None:
        """Notes where and when the device was heard, and what it has given up."""
        self.device, self.shard = uplink.device, uplink.shard
        # A broker that repeats what it has retained says nothing of the device.
        if not (is_retained(uplink) and self.holds(uplink.seq)):
            self.last_received_at = max(self.last_received_at, uplink.received_at)
        if uplink.oldest > self.floor:
            self.floor, self._upto = uplink.oldest, None

    def holds(self, seq: int) -> bool:
        """Whether it is settled."""
        return holds(self._side(seq), seq)

    def has_room_for(self, seq: int) -> bool:
        """Whether settling it keeps the ranges within bounds."""
        return self.counted + len(self.settled) < MAX_RANGES or touches(self._side(seq), seq)

    def settle(self, seq: int) -> None:
        """Adds what it does not hold."""
        side = self._side(seq)
        before = len(side)
        add(side, seq)
        if side is self.near:
            self.put_away, self.counted = self.put_away + len(side) - before, self.counted + len(side) - before
            self._close_up()
        # Any other number lies beyond a gap, and can't move it.
        if self._upto is not None and seq <= self._upto + 1:
            self._upto = None

    def _close_up(self) -> None:
        """A range put away that has grown up to the boundary joins the row's lowest range."""
        if self.near and self.near[-1][1] == self.settled[0][0]:
            self.boundary, _ = self.near.pop()
            self.settled[0] = (self.boundary, self.settled[0][1])
            self.put_away -= 1

    def put_old_ranges_away(self) -> Ranges:
        """Takes all ranges but the newest out of a row that has grown too long, and gives them.

        Only as the last step of a batch: ``near`` is empty after it.
        """
        if len(self.settled) <= AT_HAND:
            return []
        lowest = [one for one in self._lowest() if one[1] >= self.floor]
        self.low_is_all = self.low_is_all and len(lowest) <= LOW_RANGES
        self.low, self.near = lowest[:LOW_RANGES], []
        old, self.settled = self.settled[:-KEPT_AT_HAND], self.settled[-KEPT_AT_HAND:]
        self.boundary = self.settled[0][0]
        self.put_away += len(old)
        return old

    def _side(self, seq: int) -> Ranges:
        return self.settled if seq >= self.boundary else self.near

    @property
    def upto(self) -> int:
        """Everything up to there is settled or abandoned, as far as is at hand; -1 where nothing is."""
        if self._upto is None:
            self._upto = upto_of(self._lowest(), self.floor)
        return self._upto

    def _lowest(self) -> Ranges:
        """What is settled from ``floor`` on, in full up to where it ends."""
        if self.floor >= self.boundary:
            return self.settled
        known = joined(self.low, self.near)
        # A range put away that closed up to the boundary took it down with it. Once it lies among
        # ``low``, nothing that was not read is left in between; and what ``low`` says of the ranges
        # above it is of before.
        if self.low_is_all or self.boundary <= self.low[-1][0]:
            return joined(known, self.settled)
        # Beyond the last of ``low`` there may be ranges that were not read. What lies between would
        # look like a gap, and the device would send settled uplinks again: so the list ends there.
        return [one for one in known if one[0] <= max(self.low[-1][0], self.floor)]

    def reject(self, seq: int, rejections: Iterable[Rejection]) -> None:
        """Keeps the newest rejections for the ack."""
        self.rejected.extend((seq, rejection.item, rejection.reason) for rejection in rejections)
        del self.rejected[:-MAX_REJECTED]

    def settled_record(self, generation: int) -> SettledRecord:
        """The ack that this cursor gives."""
        rejected = tuple(RejectedItem(seq=seq, item=item, reason=reason) for seq, item, reason in self.rejected)
        ack = Ack(
            generation=generation,
            epoch=self.epoch,
            upto=self.upto,
            gaps=gaps_of(self._lowest(), self.upto),
            rejected=rejected,
        )
        return SettledRecord(device=self.device, shard=self.shard, ack=ack)


Cursors = dict[tuple[int, int], Cursor]
"""By ``(device_no, epoch)``."""


@dataclass(slots=True, kw_only=True)
class Batch:
    """What one transaction has to write. ``touched`` in the order in which devices were last heard.

    ``unsettled`` are refused and stay with their devices. ``turned_away``: of each device the newest epoch that it may
    not begin; nothing is kept of that, only its ack goes out.
    """

    new: list[SealedUplink] = field(default_factory=list)
    anonymous: list[tuple[int, int, SealedUplink]] = field(default_factory=list)
    unsettled: list[tuple[SealedUplink, Rejection]] = field(default_factory=list)
    touched: list[Cursor] = field(default_factory=list)
    turned_away: dict[int, Cursor] = field(default_factory=dict)
    markers: dict[tuple[str, int], int] = field(default_factory=dict)
    words: list[DeviceWord] = field(default_factory=list)
    duplicates: int = 0
    unregistered: int = 0


def cursors_needed(records: Iterable[SealedRecord]) -> list[tuple[int, int]]:
    """The ``(device_no, epoch)`` of a batch, ascending: the order in which rows are locked."""
    return sorted({(row.device_no, row.epoch) for row in records if isinstance(row, SealedUplink) and row.device_no})


def is_emergency(uplink: SealedUplink) -> bool:
    """Whether it holds an emergency: such a one is never refused for what its device costs."""
    return any(event.kind in _EMERGENCIES for event in uplink.events)


def is_retained(uplink: SealedUplink) -> bool:
    """Whether it came with the retain flag, as its first item says; one without items does not say it."""
    if uplink.readings:
        return bool(READING.unpack_from(uplink.readings)[_FLAGS] & Flag.RETAINED)
    return bool(uplink.events and uplink.events[0].flags & Flag.RETAINED)


def settle(
    records: Sequence[tuple[int, int, SealedRecord]],
    cursors: Cursors,
    too_many: Container[tuple[int, int]] = (),
) -> Batch:
    """Decides what of ``(partition, offset, record)`` is new. Changes ``cursors``.

    ``too_many``: epochs (device_no, epoch) that their device may not begin now. A device without a
    cursor is not registered, or no longer: nothing of it is settled, and it sends again.
    """
    batch = Batch()
    touched: dict[tuple[int, int], Cursor] = {}
    for partition, offset, record in records:
        if isinstance(record, WatermarkMarker):
            place = (record.instance, partition)
            batch.markers[place] = max(batch.markers.get(place, 0), record.received_at)
        elif isinstance(record, DeviceWord):
            batch.words.append(record)
        elif not record.device_no:
            batch.anonymous.append((partition, offset, record))
        # Before the next case: an epoch that may not begin has no cursor either.
        elif (record.device_no, record.epoch) in too_many:
            _turn_away(record, batch)
        elif (record.device_no, record.epoch) not in cursors:
            batch.unregistered += 1
        else:
            key = (record.device_no, record.epoch)
            cursor = cursors[key]
            _settle_one(record, cursor, batch)
            # Taken out and put in again, so that the dict's order is that in which devices were
            # last heard.
            touched.pop(key, None)
            touched[key] = cursor
    batch.touched = list(touched.values())
    return batch


def _settle_one(uplink: SealedUplink, cursor: Cursor, batch: Batch) -> None:
    cursor.see(uplink)
    if cursor.holds(uplink.seq):
        batch.duplicates += 1
    elif (reason := _why_not(uplink, cursor)) is not None:
        cursor.refused = True
        _reject(uplink, reason, cursor, batch)
    else:
        cursor.settle(uplink.seq)
        cursor.reject(uplink.seq, uplink.rejections)
        batch.new.append(uplink)


def _why_not(uplink: SealedUplink, cursor: Cursor) -> RejectionReason | None:
    """Why it has to wait with its device, if it has to."""
    if uplink.events and is_emergency(uplink):
        return None
    if uplink.seq > cursor.upto + MAX_AHEAD:
        return RejectionReason.SEQ_JUMP
    return None if cursor.has_room_for(uplink.seq) else RejectionReason.TOO_MANY_GAPS


def _turn_away(uplink: SealedUplink, batch: Batch) -> None:
    cursor = batch.turned_away.get(uplink.device_no)
    if cursor is None or cursor.epoch != uplink.epoch:
        cursor = batch.turned_away[uplink.device_no] = Cursor(device_no=uplink.device_no, epoch=uplink.epoch)
    cursor.see(uplink)
    # The ack must say that nothing is settled (``upto`` -1), whatever the device has evicted.
    cursor.floor = 0
    _reject(uplink, RejectionReason.TOO_MANY_EPOCHS, cursor, batch)


def _reject(uplink: SealedUplink, reason: RejectionReason, cursor: Cursor, batch: Batch) -> None:
    rejection = Rejection(WHOLE_UPLINK, reason, "epoch" if reason is RejectionReason.TOO_MANY_EPOCHS else "seq", b"")
    batch.unsettled.append((uplink, rejection))
    cursor.reject(uplink.seq, (rejection,))
