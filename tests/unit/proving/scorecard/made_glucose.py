"""Made glucose of made people, seeded: it wanders around a middle and dips below 70 mg/dL now and then."""

from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from tests.proving.scorecard.recorded_glucose import FILE, Trace


def made_trace(seed: int, days: float = 2) -> Trace:
    """Readings each 5 min with a minute of jitter, a few gaps, clipped as sensors do."""
    random = np.random.default_rng(seed)
    count = round(days * 288)
    drift, values = 0.0, np.empty(count)
    log = np.log(110.0)
    for place in range(count):
        drift = 0.9 * drift + random.normal(0, 0.012)
        log += drift - 0.01 * (log - np.log(110))
        values[place] = np.exp(log)
    minutes = np.arange(count) * 5 + random.integers(0, 2, count)
    kept = random.random(count) > 0.02
    kept[count // 2 : count // 2 + 20] = False
    return Trace(minutes[kept], np.clip(np.round(values), 39, 401)[kept])


def write(folder: Path, people: int, days: float) -> None:
    """The recording's file, of so many made people."""
    traces = {f"made {number}": made_trace(number, days) for number in range(people)}
    table = pa.table(
        {
            "patient": [person for person, trace in traces.items() for _ in trace.minutes],
            "minute": np.concatenate([trace.minutes for trace in traces.values()]).astype(np.int32),
            "glucose_mgdl": np.concatenate([trace.mg_dl for trace in traces.values()]).astype(np.int16),
        }
    )
    parquet.write_table(table, folder / FILE)
