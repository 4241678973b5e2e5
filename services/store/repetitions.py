"""Which rows of a batch may say what was stored before, under another epoch or number. Pure.

A device that has lost its storage, or its count, sends again what it measured and sent. Nearly every reading is newer
than all of its device before it, and so is none of these: only of the others the database has to be asked.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from schemas.reasons import Flag
from services.store.rows import ReadingRows

Places = NDArray[np.intp]
_REPEATED: Final = int(Flag.REPEATED)
_SAME: Final = ("device_no", "person_no", "vital", "observed_at", "value")
_ANY: Final = 2**62
_UPLINK: Final = ("epoch", "seq")
ASKED_OF_REPEATED: Final = (*_SAME, *_UPLINK)
"""The columns of a row that ``stored_before`` asks with, in its order."""


class NewestReadings:
    """When the newest reading of each device was taken, in ms, as far as this process has written them.

    ``offsets`` are those at which the next batch of each partition begins. Where it begins elsewhere, another process
    has written in between, and nothing is known any more.
    """

    def __init__(self) -> None:
        self._newest: dict[int, int] = {}
        self._offsets: dict[int, int] = {}

    def begin(self, firsts: dict[int, int]) -> None:
        """A batch begins at these offsets, by partition."""
        if any(self._offsets.get(partition_no) != offset for partition_no, offset in firsts.items()):
            self._newest.clear()

    def written(self, rows: ReadingRows, nexts: dict[int, int]) -> None:
        """A batch was committed, and the next one begins at these offsets."""
        self._offsets |= nexts
        # Those of an uplink lie together.
        devices, at = rows["device_no"], rows["observed_at"]
        begin = np.flatnonzero(np.diff(devices, prepend=-1))
        newest = np.maximum.reduceat(at, begin) if begin.size else at
        for device_no, moment in zip(devices[begin].tolist(), newest.tolist(), strict=True):
            if moment > self._newest.get(device_no, 0):
                self._newest[device_no] = moment

    def doubtful(self, rows: ReadingRows) -> Places:
        """The places of the rows that may be repetitions: not newer than all that came of their device before."""
        known = self._newest.get
        # Of a device that is not known here, any may be one.
        newest = np.fromiter((known(one, _ANY) for one in rows["device_no"].tolist()), dtype="i8", count=rows.size)
        return np.flatnonzero(rows["observed_at"] <= newest)


def repeated_here(rows: ReadingRows) -> Places:
    """The places of the rows that say again what another uplink of the same batch, before it, has said."""
    uplinks = np.flatnonzero(
        np.logical_or.reduce([np.diff(rows[name], prepend=-1) != 0 for name in ("device_no", "epoch", "seq")])
    )
    # Nearly always: each device has but one uplink in it.
    if len(set(rows["device_no"][uplinks].tolist())) == uplinks.size:
        return uplinks[:0]
    # The last key counts first; of the same, that which came first stays first.
    order = np.lexsort([np.arange(rows.size), *(rows[name] for name in reversed(_SAME))])
    here, before = rows[order[1:]], rows[order[:-1]]
    same = np.ones(rows.size - 1, dtype=np.bool_)
    for name in _SAME:
        same &= here[name] == before[name]
    other = (here["epoch"] != before["epoch"]) | (here["seq"] != before["seq"])
    found: Places = order[1:][same & other]
    return found


def flag(rows: ReadingRows, places: Any) -> None:
    """Marks them as repetitions."""
    rows["flags"][places] |= _REPEATED
