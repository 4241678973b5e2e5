"""How much memory a person takes who is measured all the time: it decides how many people a machine can watch."""

import json
import tracemalloc
from typing import Final

from schemas.codec import decode_uplink_record, encode_uplink_record
from schemas.devices import DEVICE_TYPES
from schemas.records import JudgedReading, JudgedUplink
from schemas.vitals import HEART_RATE, RESPIRATORY_RATE, SPO2, STEPS
from services.score.followups import Tally
from services.score.home_state import HomeState
from services.score.partition import Partition

_BEGAN_AT: Final = 1_796_000_000_000
_VALUES: Final = ((HEART_RATE, 70.0), (SPO2, 97.0), (RESPIRATORY_RATE, 15.0), (STEPS, 0.0))
_UPLINKS: Final = 127
"""Of steps, 128 are kept at most."""
_PEOPLE: Final = 40
_MOST_KIB: Final = 52
_MOST_KIB_LOADED: Final = 37
"""Of windows that hold 32 samples a vital: more are not saved."""
_BAND: Final = next(one.number for one in DEVICE_TYPES if one.code == "wearable_band")


def _uplink(home_no: int, seq: int) -> bytes:
    at = _BEGAN_AT + 100 * seq
    readings = tuple(
        JudgedReading(item, home_no, vital.number, value, at, 0) for item, (vital, value) in enumerate(_VALUES)
    )
    band = f"band-{home_no:05d}"
    return encode_uplink_record(
        JudgedUplink(home_no, band, home_no, 0, 2**40, seq, 0, at, at + 300, readings, device_type=_BAND)
    )


def _feed(partition: Partition, home_no: int) -> None:
    for seq in range(_UPLINKS):
        record = decode_uplink_record(_uplink(home_no, seq))
        assert isinstance(record, JudgedUplink)
        partition.take(record, Tally())


def _loaded(plain: str) -> HomeState:
    return HomeState.from_plain(json.loads(plain))


def test_a_person_who_was_loaded_shares_what_is_the_same() -> None:
    """Kafka gives a score its partitions anew after each outage, and everybody is loaded again."""
    partition = Partition()
    for home_no in range(1, _PEOPLE + 1):
        _feed(partition, home_no)
    saved = [json.dumps(partition.homes[home_no].to_plain()) for home_no in range(1, _PEOPLE + 1)]
    first = _loaded(saved[0])
    assert json.dumps(first.to_plain()) == saved[0]

    tracemalloc.start()
    try:
        homes = [_loaded(plain) for plain in saved]
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(homes[0].subjects[1].window.samples[HEART_RATE.number]) >= 32
    assert taken / 1024 / _PEOPLE <= _MOST_KIB_LOADED


def test_a_person_with_full_windows_takes_no_more_than_52_kib() -> None:
    # What is made once, for everybody, is made before it is measured.
    _feed(Partition(), 1)
    partition = Partition()
    tracemalloc.start()
    try:
        for home_no in range(1, _PEOPLE + 1):
            _feed(partition, home_no)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert all(len(partition.homes[1].subjects[1].window.samples[one.number]) > 60 for one, _ in _VALUES[:3])
    assert taken / 1024 / _PEOPLE <= _MOST_KIB
