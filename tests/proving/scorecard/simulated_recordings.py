"""Where no recordings are given: seeded simulations in their place, as files of the same form; evidence of no people.

Written are monitors of glucose, bands and cuffs, whose signals device_sim has. Stays in hospital and falls have none.
"""

import csv
import gzip
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from device_sim.diabetes import make_type_one
from device_sim.physiology import MINUTE_MS, PROCESS_OF, Body, effort, make_body
from tests.proving.alarms.recordings import PRESSURE_FILE, WORN_FILE
from tests.proving.scorecard.recorded_glucose import COLUMNS
from tests.proving.scorecard.recorded_glucose import FILE as GLUCOSE_FILE
from tests.proving.scorecard.section import Section, Wanted
from tests.proving.scorecard.simulated_homes import DAY_MS, START_MS

_STEP_MS: Final = 5 * MINUTE_MS
_GAPS_A_DAY: Final = 1.0
_GAP_MIN: Final = (20.0, 1.1)
"""Median of the minutes in which a monitor is not heard, and the spread of their logarithm: about as recorded."""
_WARM_UP_MIN: Final = 120
"""A new sensor says nothing for so long, on one of ten days."""
_WALKING_G, _STILL_G = 0.4, 0.03
_CUFF_DAYS: Final = 30
_PREFACE: Final = """**Simulated**: no recordings were given, so that nobody was measured here; the signals are drawn by
device_sim from a seed. No goal is compared, as all goals are of recorded people. What follows describes the recordings
in whose place these stand."""


def write_recordings(folder: Path, *, seed: int, people: int, days: int) -> None:
    """Files of the three recordings, of so many simulated people over so many days each."""
    _write_glucose(folder / GLUCOSE_FILE, seed, people, days)
    rows = [(f"simulated {one}", row) for one in range(people // 4) for row in _band(seed, one, days)]
    head = ("patient", "minute", "heart_rate", "resp_rate", "activity_g")
    _write(folder / WORN_FILE, head, ((person, *row) for person, row in rows))
    cuffs = [(f"simulated {one}", *row) for one in range(people) for row in _cuff(seed, one)]
    _write(folder / PRESSURE_FILE, ("user_code", "measurement_datetime", "systolic", "diastolic"), cuffs)


def with_simulated(measure: Callable[[Wanted], Section], wanted: Wanted, *, people: int = 24, days: int = 7) -> Section:
    """What ``measure`` says of simulated recordings, marked as that, and with no goal. Raises MissingDataError."""
    with TemporaryDirectory() as folder:
        write_recordings(Path(folder), seed=wanted.seed, people=people, days=days)
        return as_simulated(measure(replace(wanted, data=Path(folder))))


def as_simulated(section: Section) -> Section:
    """The same as evidence of no people."""
    return replace(
        section,
        title=f"{section.title} (simulated)",
        counted=f"{_PREFACE}\n\n{section.counted}",
        goals=(),
        details={**section.details, "simulated": True},
    )


def _write_glucose(path: Path, seed: int, people: int, days: int) -> None:
    columns: dict[str, list[object]] = {name: [] for name in COLUMNS}
    for one in range(people):
        body, random = make_type_one(seed, f"simulated {one}"), np.random.default_rng((seed, one))
        for place in np.flatnonzero(_is_heard(days, random)).tolist():
            at = START_MS + place * _STEP_MS
            mg_dl = float(round(min(max(body.sensed(body.glucose(at), at), 39), 401)))
            for name, value in zip(COLUMNS, (f"simulated {one}", place * 5, mg_dl), strict=True):
                columns[name].append(value)
    parquet.write_table(pa.table(columns), path)


def _is_heard(days: int, random: np.random.Generator) -> np.ndarray:
    heard = np.ones(days * DAY_MS // _STEP_MS, dtype=bool)
    median, spread = _GAP_MIN
    gaps = [median * float(np.exp(one)) for one in random.normal(0, spread, random.poisson(_GAPS_A_DAY * days))]
    gaps += [_WARM_UP_MIN] * random.binomial(days, 0.1)
    for minutes in gaps:
        first = random.integers(0, len(heard))
        heard[first : first + max(1, round(minutes / 5))] = False
    return heard


def _band(seed: int, one: int, days: int) -> Iterable[tuple[int, float, float, float]]:
    body = make_body(seed, f"simulated {one}", "UTC")
    for place in range(days * DAY_MS // _STEP_MS):
        at = START_MS + place * _STEP_MS
        # With a digit more than the band shows: what repeats itself counts as imputed in the recording.
        yield (
            place * 5,
            round(_value(body, "heart_rate", at), 2),
            round(_value(body, "respiratory_rate", at), 2),
            _WALKING_G if effort(body, at).walking else _STILL_G,
        )


def _cuff(seed: int, one: int) -> Iterable[tuple[str, int, int]]:
    body, random = make_body(seed, f"simulated {one}", "UTC"), np.random.default_rng((seed, one, 1))
    for day in range(_CUFF_DAYS):
        if random.random() < 0.8:
            minute = day * 1440 + 8 * 60 + int(random.integers(0, 60))
            at = START_MS + minute * MINUTE_MS
            moment = datetime(2020, 1, 1) + timedelta(minutes=minute)  # noqa: DTZ001 - as the recording, without a zone
            yield f"{moment}", round(_value(body, "systolic", at)), round(_value(body, "diastolic", at))


def _value(body: Body, vital: str, at_ms: int) -> float:
    return PROCESS_OF[vital].value(body, at_ms)


def _write(path: Path, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with gzip.open(path, "wt", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows(rows)
