"""Recorded data, read straight from its file, held against the events that reports of the platform count."""

import json
from pathlib import Path

from pyarrow import parquet

from deploy.reconcile.episodes import Comparison, Samples, compare_episodes, expected_episodes, found_episodes

_MINUTE_MS = 60_000


async def compare_replay(dsn: str, recording: Path, people: Path, ended_at_ms: int) -> Comparison:
    """Episodes of everyone in ``people`` (the simulator's map) up to the platform time at which the replay ended."""
    streamed = {
        person: [(at, value) for at, value in samples if at <= ended_at_ms]
        for person, samples in read_streamed(recording, people).items()
    }
    return compare_episodes(expected_episodes(streamed), await found_episodes(dsn))


def read_streamed(recording: Path, people: Path) -> dict[str, Samples]:
    """Each person's recorded glucose, its minutes moved to when they were streamed."""
    table = parquet.read_table(recording, columns=["patient", "minute", "glucose_mgdl"]).to_pydict()
    chosen = {row["id"]: row for row in json.loads(people.read_text())}
    samples: dict[str, list[tuple[int, float]]] = {row["person_id"]: [] for row in chosen.values()}
    for patient, minute, glucose in zip(table["patient"], table["minute"], table["glucose_mgdl"], strict=True):
        row = chosen.get(str(patient))
        if row is not None and glucose == glucose:  # noqa: PLR0124 - a missing value is NaN
            samples[row["person_id"]].append((row["base_ms"] + round(minute * _MINUTE_MS), float(glucose)))
    return {person: sorted(rows) for person, rows in samples.items()}
