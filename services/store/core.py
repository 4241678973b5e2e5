"""Settlement: which sequence numbers of a device are settled, what may be acknowledged, what a batch adds. Pure."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from schemas.messages import MAX_AHEAD, MAX_GAPS, MAX_REJECTED, WHOLE_UPLINK, Ack, Refusal
from schemas.reasons import Reason
from schemas.records import Canary, Refused, SealedRecord, SealedUplink, SettledRecord

Ranges = list[tuple[int, int]]
"""Half-open ranges ``[first, end)``, ascending, neither touching nor overlapping."""


def holds(ranges: Ranges, number: int) -> bool:
    """Whether ``number`` lies in one of ``ranges``."""
    place = bisect_right(ranges, (number, float("inf")))
    return place > 0 and number < ranges[place - 1][1]


def add(ranges: Ranges, number: int) -> None:
    """Adds a ``number`` that ``ranges`` do not hold, joining neighbours."""
    place = bisect_right(ranges, (number, number))
    joins_left = place > 0 and ranges[place - 1][1] == number
    joins_right = place < len(ranges) and ranges[place][0] == number + 1
    first = ranges[place - 1][0] if joins_left else number
    end = ranges[place][1] if joins_right else number + 1
    ranges[place - joins_left : place + joins_right] = [(first, end)]


def upto_of(ranges: Ranges, floor: int) -> int:
    """The last number of the run from 0 in the union of ``settled`` and ``[0, floor)``; -1 where there is none."""
    end = floor
    for first, last in ranges:
        if first > end:
            break
        end = max(end, last)
    return end - 1


def gaps_of(ranges: Ranges, upto: int) -> tuple[tuple[int, int], ...]:
    """The first unsettled ranges above ``upto`` and below the highest settled number, both ends included."""
    gaps = []
    missing_from = upto + 1
    for first, end in ranges:
        if first > missing_from:
            gaps.append((missing_from, first - 1))
            if len(gaps) == MAX_GAPS:
                break
        missing_from = max(missing_from, end)
    return tuple(gaps)


@dataclass(slots=True, kw_only=True)
class Cursor:
    """What is settled of one epoch of one device. ``floor``: what the device no longer holds below it is abandoned."""

    device_no: int
    epoch: int
    settled: Ranges = field(default_factory=list)
    floor: int = 0
    rejected: list[tuple[int, int, str]] = field(default_factory=list)
    device: str = ""
    shard: int = 0
    last_received_at: int = 0

    def see(self, uplink: SealedUplink) -> None:
        """Notes where and when the device was heard, and what it has given up."""
        self.device, self.shard = uplink.device, uplink.shard
        self.last_received_at = max(self.last_received_at, uplink.received_at)
        self.floor = max(self.floor, uplink.oldest)

    def reject(self, seq: int, refusals: Iterable[Refused]) -> None:
        """Keeps the newest refusals for the ack."""
        self.rejected.extend((seq, refusal.item, refusal.reason) for refusal in refusals)
        del self.rejected[:-MAX_REJECTED]

    def settled_record(self, generation: int) -> SettledRecord:
        """The ack that this cursor gives."""
        upto = upto_of(self.settled, self.floor)
        rejected = tuple(Refusal(seq=seq, item=item, reason=reason) for seq, item, reason in self.rejected)
        ack = Ack(
            generation=generation,
            epoch=self.epoch,
            upto=upto,
            gaps=gaps_of(self.settled, upto),
            rejected=rejected,
        )
        return SettledRecord(device=self.device, shard=self.shard, ack=ack)


Cursors = dict[tuple[int, int], Cursor]
"""By ``(device_no, epoch)``."""


@dataclass(slots=True, kw_only=True)
class Batch:
    """What one transaction has to write. ``touched`` in the order in which devices were last heard."""

    new: list[SealedUplink] = field(default_factory=list)
    anonymous: list[tuple[int, int, SealedUplink]] = field(default_factory=list)
    jumped: list[tuple[SealedUplink, Refused]] = field(default_factory=list)
    touched: list[Cursor] = field(default_factory=list)
    canaries: dict[tuple[str, int], int] = field(default_factory=dict)
    duplicates: int = 0
    strangers: int = 0


def cursors_needed(records: Iterable[SealedRecord]) -> list[tuple[int, int]]:
    """The ``(device_no, epoch)`` of a batch, ascending: the order in which rows are locked."""
    return sorted({(row.device_no, row.epoch) for row in records if isinstance(row, SealedUplink) and row.device_no})


def settle(records: Sequence[tuple[int, int, SealedRecord]], cursors: Cursors) -> Batch:
    """Decides what of ``(partition, offset, record)`` is new. Changes ``cursors``.

    A device without a cursor is not registered (any more): nothing of it is kept or settled, it will be judged anew.
    """
    batch = Batch()
    touched: dict[tuple[int, int], Cursor] = {}
    for partition, offset, record in records:
        if isinstance(record, Canary):
            place = (record.instance, partition)
            batch.canaries[place] = max(batch.canaries.get(place, 0), record.received_at)
        elif not record.device_no:
            batch.anonymous.append((partition, offset, record))
        elif (record.device_no, record.epoch) not in cursors:
            batch.strangers += 1
        else:
            key = (record.device_no, record.epoch)
            cursor = cursors[key]
            _settle_one(record, cursor, batch)
            touched.pop(key, None)
            touched[key] = cursor
    batch.touched = list(touched.values())
    return batch


def _settle_one(uplink: SealedUplink, cursor: Cursor, batch: Batch) -> None:
    cursor.see(uplink)
    if holds(cursor.settled, uplink.seq):
        batch.duplicates += 1
    elif uplink.seq > upto_of(cursor.settled, cursor.floor) + MAX_AHEAD:
        refusal = Refused(WHOLE_UPLINK, Reason.SEQ_JUMP, "seq", b"")
        batch.jumped.append((uplink, refusal))
        cursor.reject(uplink.seq, (refusal,))
    else:
        add(cursor.settled, uplink.seq)
        cursor.reject(uplink.seq, uplink.refusals)
        batch.new.append(uplink)
