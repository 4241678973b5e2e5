"""Where a page of readings ended, as text that a program hands back and need not understand. Pure."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Final, NamedTuple

_KEY: Final = Struct(">qiqqh")
_SINCE: Final = datetime(1970, 1, 1, tzinfo=UTC)
CURSOR: Final = r"^[A-Za-z0-9_-]{40}$"
"""Thirty bytes are forty letters with no bit to spare, so that a key has one cursor."""


class ReadingKey(NamedTuple):
    """What sets one reading of a vital of a person apart, in the order in which readings are listed."""

    observed_at: datetime
    device_no: int
    epoch: int
    seq: int
    item: int


def before_all_of(moment: datetime) -> ReadingKey:
    """Comes before every reading of ``moment`` and after every earlier one: devices count from 1."""
    return ReadingKey(moment, 0, 0, 0, 0)


def write_cursor(key: ReadingKey) -> str:
    """``key`` to the microsecond."""
    microseconds = (key.observed_at - _SINCE) // timedelta(microseconds=1)
    return urlsafe_b64encode(_KEY.pack(microseconds, *key[1:])).decode()


def read_cursor(cursor: str) -> ReadingKey:
    """The key of a cursor. Raises ValueError for what is none."""
    if re.fullmatch(CURSOR, cursor) is None:
        raise ValueError("not forty letters")
    microseconds, *rest = _KEY.unpack(urlsafe_b64decode(cursor))
    try:
        return ReadingKey(_SINCE + timedelta(microseconds=microseconds), *rest)
    except OverflowError as error:
        raise ValueError("beyond the calendar") from error
