"""The short way for what nearly every uplink holds: bare readings in the usual range, stamped by a set clock. Pure."""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from schemas.devices import DEVICE_TYPES
from schemas.messages import NEWEST_ACCEPTED_MS, OLDEST_ACCEPTED_MS, SEQ_LIMIT
from schemas.reasons import Flag
from schemas.records import JudgedReading
from schemas.vitals import VITAL_BY_CODE, Vital
from services.ingest.registry import RegisteredDevice

_BARE_FIELDS: Final = 3
_OTHER_HOME: Final = int(Flag.OTHER_HOME)
_reading_of: Final = partial(tuple.__new__, JudgedReading)
"""A reading of the fields in their order, at less than half of what its constructor takes."""


class _Usual(NamedTuple):
    """A vital's number and the inclusive range in which nothing about a value is worth a flag."""

    number: int
    lowest: float
    highest: float


def _usual(vital: Vital) -> _Usual:
    lows = [vital.lowest, vital.lowest if vital.flag_below is None else vital.flag_below]
    highs = [vital.highest, vital.highest if vital.flag_above is None else vital.flag_above]
    if vital.clipped_low is not None:
        lows.append(math.nextafter(vital.clipped_low, math.inf))
    if vital.clipped_high is not None:
        highs.append(math.nextafter(vital.clipped_high, -math.inf))
    return _Usual(vital.number, max(lows), min(highs))


_USUAL_BY_TYPE: Final[Mapping[str, Mapping[str, _Usual]]] = MappingProxyType(
    {
        kind.code: {code: _usual(VITAL_BY_CODE[code]) for code in kind.vitals if not VITAL_BY_CODE[code].conversions}
        for kind in DEVICE_TYPES
        if kind.slots == 1
    }
)


def judge_plain(readings: Sequence[Any], entry: RegisteredDevice, received_at: int) -> tuple[JudgedReading, ...] | None:
    """The readings of an uplink whose clock is set, if nothing about any of them is unusual; else None."""
    usual = _USUAL_BY_TYPE.get(entry.type.code)
    if usual is None:
        return None
    oldest, newest = max(0, received_at - OLDEST_ACCEPTED_MS), min(SEQ_LIMIT - 1, received_at + NEWEST_ACCEPTED_MS)
    person_no, flags, person_from, person_to = 0, 0, 0, 0
    found = []
    for item, reading in enumerate(readings):
        if type(reading) is not dict or len(reading) != _BARE_FIELDS:
            return None
        code, value, at = reading.get("vital"), reading.get("value"), reading.get("at")
        vital = usual.get(code) if type(code) is str else None
        if (
            vital is None
            or (type(value) is not int and type(value) is not float)
            or not vital.lowest <= value <= vital.highest
            or type(at) is not int
            or not oldest <= at <= newest
        ):
            return None
        if not person_from <= at < person_to:
            person = entry.person_at(1, at)
            if person is None or not person.from_ms <= received_at < person.to_ms:
                return None
            person_no, person_from, person_to = person.person_no, person.from_ms, person.to_ms
            flags = 0 if person.home_no == entry.home_no else _OTHER_HOME
        found.append(_reading_of((item, person_no, vital.number, float(value), at, flags)))
    return tuple(found)
