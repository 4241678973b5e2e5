"""Recordings of real people as the records that score takes; the files are named by a folder, and stay outside."""

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.reasons import Flag
from schemas.records import JudgedReading, JudgedUplink
from schemas.vitals import VITAL_BY_CODE
from tests.proving.scorecard.recorded_glucose import FILE as GLUCOSE_FILE
from tests.proving.scorecard.recorded_glucose import HIGHEST, LOWEST, traces

WORN_FILE: Final = "d1namo_multivital_5min.csv.gz"
PRESSURE_FILE: Final = "welltory_home_bp.csv.gz"
MINUTE_MS: Final = 60_000
_START_MS: Final = 1_700_000_000_000
_WALKING_G: Final = 0.25
"""D1NAMO says activity in g: from here on somebody moves. Ours: nearly all of its readings lie below."""


class Row(NamedTuple):
    """What was measured at a minute: values by vital, and the flags of its circumstances."""

    minute: float
    values: Mapping[str, float]
    flags: int = 0


People = Mapping[str, list[Row]]
"""Rows of each person, in the order of time."""


def glucose(folder: Path) -> People:
    """Continuous monitors of 134 older adults, each five minutes; what lies beyond the sensor is flagged."""
    return {
        person: [
            Row(minute, {"glucose": mg_dl}, 0 if LOWEST <= mg_dl <= HIGHEST else int(Flag.CLIPPED))
            for minute, mg_dl in zip(one.minutes.tolist(), one.mg_dl.tolist(), strict=True)
        ]
        for person, one in traces(folder / GLUCOSE_FILE).items()
    }


def worn(folder: Path, moving_g: float = _WALKING_G) -> People:
    """Pulse and breathing of nine people each five minutes; what repeats itself was imputed, and is left out.

    ``moving_g``: mean activity of five minutes, in g, from which on somebody moves.
    """
    found: dict[str, list[Row]] = defaultdict(list)
    before: dict[tuple[str, str], str] = {}
    # A repeat is known by what came before it.
    for row in sorted(_rows(folder / WORN_FILE), key=lambda one: float(one["minute"])):
        values = {}
        for column, code in (("heart_rate", "heart_rate"), ("resp_rate", "respiratory_rate")):
            said, vital = row[column], VITAL_BY_CODE[code]
            repeats = before.get((row["patient"], column)) == said
            before[row["patient"], column] = said
            if said and not repeats and vital.lowest <= float(said) <= vital.highest:
                values[code] = float(said)
        moves = row["activity_g"] and float(row["activity_g"]) >= moving_g
        found[row["patient"]].append(Row(float(row["minute"]), values, int(Flag.MOVING if moves else Flag.RESTING)))
    return {person: sorted(rows, key=lambda one: one.minute) for person, rows in found.items()}


def pressure(folder: Path) -> People:
    """Home cuffs of 28 people, as they were used."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in _rows(folder / PRESSURE_FILE):
        if not row["systolic"] or not row["diastolic"]:
            continue
        at = datetime.fromisoformat(" ".join(row["measurement_datetime"].split()))
        minute = (at - datetime(2019, 1, 1)).total_seconds() / 60  # noqa: DTZ001 - wall clock without a zone
        values = {"systolic": float(row["systolic"]), "diastolic": float(row["diastolic"])}
        found[row["user_code"]].append(Row(minute, values))
    return {person: sorted(rows, key=lambda one: one.minute) for person, rows in found.items()}


def _rows(path: Path) -> Iterable[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def records(rows: Iterable[Row], device: str) -> Iterable[JudgedUplink]:
    """One uplink for each row, of a device of that type, received as it was measured."""
    kind = DEVICE_TYPE_BY_CODE[device].number
    for seq, row in enumerate(rows):
        at = _START_MS + round(row.minute * MINUTE_MS)
        yield JudgedUplink(
            device_no=1, device="recorded", home_no=1, shard=0, epoch=1, seq=seq, oldest=0, sent_at=at, received_at=at,
            device_type=kind, events=(),
            readings=tuple(
                JudgedReading(item, 1, VITAL_BY_CODE[code].number, value, at, row.flags)
                for item, (code, value) in enumerate(row.values.items())
            ),
        )  # fmt: skip
