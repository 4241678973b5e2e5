"""Draws a person's past: a band each minute, a meter, a cuff, a thermometer; bad days, outages, and what comes late."""

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Final

from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.events import EVENT_TYPE_BY_KIND
from schemas.reasons import Flag
from schemas.records import JudgedEvent, JudgedReading, JudgedUplink
from schemas.vitals import VITAL_BY_CODE

START_MS: Final = 1_700_000_000_000
PERSON_NO, HOME_NO = 7, 3
MINUTE_MS: Final = 60_000
_DAY_MIN: Final = 24 * 60
_TYPES: Final = {
    device_no: DEVICE_TYPE_BY_CODE[code].number
    for device_no, code in enumerate(("wearable_band", "cgm", "pressure_cuff", "thermometer"), 11)
}
_BAND, _CGM, _CUFF, _THERMOMETER = _TYPES
_RESENT: Final = 64


def past_of(seed: int, days: int) -> list[JudgedUplink]:
    """The records of so many days from START_MS, in the order of reception."""
    chance = Random(seed)
    measured = sorted(
        [*_band(chance, days), *_spot(chance, days)], key=lambda one: (one.readings or one.events)[0].observed_at
    )
    return sorted(_received(chance, measured), key=lambda one: (one.received_at, one.device_no, one.epoch, one.seq))


def _band(chance: Random, days: int) -> Iterator[JudgedUplink]:
    pulse, worse, is_worn = 72.0, 0.0, True
    for minute in range(days * _DAY_MIN):
        hour = minute // 60 % 24
        if minute % 240 == 0:
            # Now and then some hours in which a person is ill.
            worse = chance.choice([0, 0, 0, 0, 0, 0, 0.4, 0.8, 1.2])
        is_moving = 8 <= hour < 20 and minute // 15 % 8 == 0
        pulse += 0.2 * (66 + 10 * (8 <= hour < 22) + 25 * is_moving + 55 * worse - pulse) + chance.gauss(0, 3)
        if chance.random() < 1 / 900:
            is_worn = not is_worn
            yield _uplink(_BAND, minute, {}, 0, ["worn" if is_worn else "not_worn"])
        if is_worn or chance.random() < 0.02:
            values = {
                "heart_rate": round(min(220, max(25, pulse))),
                "spo2": min(100, round(97 - 6 * worse * chance.random() + chance.gauss(0, 1))),
                "respiratory_rate": round(15 + 12 * worse + chance.gauss(0, 1)),
                "steps": chance.randrange(20, 90) if is_moving else 0,
            }
            yield _uplink(_BAND, minute, values, int(Flag.MOVING if is_moving else Flag.RESTING))


def _spot(chance: Random, days: int) -> Iterator[JudgedUplink]:
    glucose = 120.0
    for minute in range(0, days * _DAY_MIN, 5):
        glucose += 0.1 * (125 - glucose) + chance.gauss(0, 12)
        yield _uplink(_CGM, minute + 1, {"glucose": round(min(500, max(30, glucose)))}, 0)
    for minute in range(8 * 60, days * _DAY_MIN, 720):
        systolic = round(chance.gauss(145, 25))
        for more in range(2):
            values = {"systolic": systolic + more, "diastolic": round(systolic * 0.6), "heart_rate": 70}
            yield _uplink(_CUFF, minute + 2 * more, values, 0)
        yield _uplink(_THERMOMETER, minute + 9, {"body_temperature": round(chance.gauss(37.1, 0.6), 1)}, 0)


def _uplink(
    device_no: int, minute: int, values: Mapping[str, float], flags: int, kinds: Sequence[str] = ()
) -> JudgedUplink:
    at = START_MS + minute * MINUTE_MS
    return JudgedUplink(
        device_no=device_no, device=f"device-{device_no}", home_no=HOME_NO, shard=0, epoch=1,
        seq=2 * minute + bool(kinds), oldest=0, sent_at=at, received_at=at, device_type=_TYPES[device_no],
        readings=tuple(
            JudgedReading(item, PERSON_NO, VITAL_BY_CODE[code].number, float(value), at, flags)
            for item, (code, value) in enumerate(values.items())
        ),
        events=tuple(
            JudgedEvent(item, PERSON_NO, EVENT_TYPE_BY_KIND[kind].number, at, 0, {}) for item, kind in enumerate(kinds)
        ),
    )  # fmt: skip


def _received(chance: Random, measured: list[JudgedUplink]) -> Iterator[JudgedUplink]:
    """Most of it within seconds; after an outage in bulk, 64 at a time; some singly late."""
    back_at, sent = dict.fromkeys(_TYPES, 0), dict.fromkeys(_TYPES, 0)
    for record in measured:
        device_no, at = record.device_no, record.received_at
        if at > back_at[device_no] and chance.random() < (1 / 4000 if device_no in {_BAND, _CGM} else 0.05):
            back_at[device_no] = at + chance.choice([20, 90, 400, 1500]) * MINUTE_MS
            sent[device_no] = 0
        if at <= back_at[device_no]:
            sent[device_no] += 1
            received_at = back_at[device_no] + sent[device_no] // _RESENT * 1_500 + chance.randrange(400)
        else:
            received_at = at + (chance.randrange(5, 45) * MINUTE_MS if chance.random() < 1 / 800 else 0)
            received_at += chance.randrange(300, 4_000)
        yield record._replace(received_at=received_at, sent_at=received_at)
