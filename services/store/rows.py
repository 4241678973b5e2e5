"""Readings from the bytes of their records to the bytes of a binary COPY, a column at a time. Pure."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from schemas.codec import BrokenRecordError
from schemas.records import READING, SealedUplink
from schemas.validity import STAMP_LIMIT

ReadingRows = NDArray[np.void]
"""One record a reading, of type ``ROW``."""

_PACKED: Final = np.dtype(
    [
        ("item", "<i2"),
        ("person_no", "<i4"),
        ("vital", "<i2"),
        ("value", "<f8"),
        ("observed_at", "<i8"),
        ("flags", "<i4"),
    ]
)
"""``schemas.records.READING`` as numpy sees it."""
assert _PACKED.itemsize == READING.size  # noqa: S101 - both are constants

ROW: Final = np.dtype(
    [
        ("person_no", "i4"),
        ("vital", "i2"),
        ("observed_at", "i8"),
        ("device_no", "i4"),
        ("epoch", "i8"),
        ("seq", "i8"),
        ("item", "i2"),
        ("value", "f8"),
        ("flags", "i4"),
        ("received_at", "i8"),
    ]
)
"""A row of ``readings``; times in milliseconds UTC."""
READING_COLUMNS: Final = tuple(ROW.names or ())

_TIMES: Final = ("observed_at", "received_at")
_PG_EPOCH_MS: Final = 946_684_800_000
"""PostgreSQL counts from 2000-01-01 UTC."""
# The signature, then two numbers of four bytes that are 0: flags, and the length of an extension.
_HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
# A row that says it has -1 fields ends the stream.
_TRAILER: Final = b"\xff\xff"


def _wire_type() -> np.dtype[Any]:
    """A row as binary COPY wants it: how many fields, then each one's length and its bytes, all big-endian."""
    fields: list[tuple[str, str]] = [("fields", ">i2")]
    for name in READING_COLUMNS:
        fields += [(f"{name} length", ">i4"), (name, ROW[name].newbyteorder(">").str)]
    return np.dtype(fields)


def _blank() -> NDArray[np.void]:
    """A row on the wire with everything filled in but the values."""
    row = np.zeros(1, dtype=_wire_type())
    row["fields"] = len(READING_COLUMNS)
    for name in READING_COLUMNS:
        row[f"{name} length"] = ROW[name].itemsize
    return row


_BLANK: Final = _blank()


def reading_rows(uplinks: Sequence[SealedUplink]) -> ReadingRows:
    """The readings of ``uplinks`` as rows, in their order. Raises BrokenRecordError."""
    packed = np.frombuffer(b"".join([uplink.readings for uplink in uplinks]), dtype=_PACKED)
    observed_at = packed["observed_at"]
    if not (np.isfinite(packed["value"]) & (observed_at >= 0) & (observed_at < STAMP_LIMIT)).all():
        raise BrokenRecordError("uplinks.judged.v1 holds a reading that no row can hold")
    rows = np.empty(packed.size, dtype=ROW)
    for name in _PACKED.names or ():
        rows[name] = packed[name]
    readings = np.array([len(uplink.readings) // READING.size for uplink in uplinks], dtype=np.intp)
    # What an uplink says once is repeated for each of its readings.
    rows["device_no"] = np.repeat(np.array([uplink.device_no for uplink in uplinks], dtype="i4"), readings)
    for name in ("epoch", "seq", "received_at"):
        numbers = np.array([getattr(uplink, name) for uplink in uplinks], dtype="i8")
        rows[name] = np.repeat(numbers, readings)
    return rows


async def binary_copy(rows: ReadingRows) -> AsyncIterator[bytes]:
    """The stream that ``COPY readings (READING_COLUMNS) FROM STDIN (FORMAT binary)`` takes."""
    # A column at a time, so that no reading is ever made into ten Python values.
    wire = np.repeat(_BLANK, rows.size)
    for name in READING_COLUMNS:
        wire[name] = (rows[name] - _PG_EPOCH_MS) * 1000 if name in _TIMES else rows[name]
    yield _HEADER + wire.tobytes() + _TRAILER
