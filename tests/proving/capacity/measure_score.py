"""What score keeps of people whose windows are full, in one process, and for how long Python looks through it."""

import gc
import time
from collections.abc import Callable, Sequence
from typing import Final

import psutil

from schemas.codec import decode_uplink_record, encode_uplink_record
from schemas.devices import DEVICE_TYPES
from schemas.records import JudgedReading, JudgedUplink
from schemas.vitals import HEART_RATE, RESPIRATORY_RATE, SPO2, STEPS
from services.runtime.lifecycle import GC_THRESHOLDS
from services.score.followups import Tally
from services.score.partition import Partition

PEOPLE: Final = (1_000, 3_000, 10_000)
_UPLINKS: Final = 127
"""Then everybody's windows are as full as they get."""
_BEGAN_AT: Final = 1_796_000_000_000
_VALUES: Final = ((HEART_RATE, 70.0), (SPO2, 97.0), (RESPIRATORY_RATE, 15.0), (STEPS, 0.0))
_BAND: Final = next(one.number for one in DEVICE_TYPES if one.code == "wearable_band")

Point = dict[str, float]


def measure(say: Callable[[str], None], people: Sequence[int] = PEOPLE) -> list[Point]:
    """A point for each number of people, all in one partition that grows."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    partition, before, known, found = Partition(), psutil.Process().memory_info().rss, 0, []
    for target in people:
        say(f"score: {target:,} people with full windows")
        began = time.process_time()
        for home_no in range(known + 1, target + 1):
            _fill(partition, home_no)
        spent, readings = time.process_time() - began, (target - known) * _UPLINKS * len(_VALUES)
        known = target
        gc.disable()
        mb = (psutil.Process().memory_info().rss - before) / 1e6
        began = time.perf_counter()
        gc.collect()
        found.append(
            {
                "people": target,
                "mb": mb,
                "collection_s": time.perf_counter() - began,
                "us_a_reading": 1e6 * spent / readings,
            }
        )
        gc.enable()
    return found


def _fill(partition: Partition, home_no: int) -> None:
    for seq in range(_UPLINKS):
        # By its record, as score gets it: what is decoded is what is kept.
        record = decode_uplink_record(_uplink(home_no, seq))
        assert isinstance(record, JudgedUplink)
        partition.take(record, Tally())


def _uplink(home_no: int, seq: int) -> bytes:
    at = _BEGAN_AT + 60_000 * seq
    readings = tuple(
        JudgedReading(item, home_no, vital.number, value + seq % 3, at, 0)
        for item, (vital, value) in enumerate(_VALUES)
    )
    band = f"band-{home_no:07d}"
    return encode_uplink_record(
        JudgedUplink(home_no, band, home_no, 0, 2**40, seq, 0, at, at + 300, readings, device_type=_BAND)
    )
