"""The truth file: what was made to go wrong, written ahead of time, one fsynced line an incident."""

import os
from collections.abc import Sequence
from pathlib import Path

from device_sim.incident import Incident
from schemas.codec import parse_json, write_json


class TruthFile:
    """Appends incidents that the file has not yet. ``last_ms``: the run's end, 0 for none."""

    def __init__(self, path: Path, last_ms: int) -> None:
        self._last_ms = last_ms
        known = path.read_bytes().splitlines() if path.exists() else []
        lines = [parse_json(line) for line in known]
        self._written: set[str] = {line["incident"] for line in lines}
        self._near_misses = sum(bool(line["near_miss"]) for line in lines)
        self._seen = 0
        self._file = path.open("ab", buffering=0)

    @property
    def written(self) -> int:
        """How many incidents the file names."""
        return len(self._written) - self._near_misses

    @property
    def near_misses(self) -> int:
        """How many near-misses it names."""
        return self._near_misses

    def write(self, incidents: Sequence[Incident]) -> None:
        """Durable when it returns; incidents that start after the run's end are left out."""
        if len(incidents) == self._seen:
            return
        self._seen = len(incidents)
        new = [row for row in incidents if row.name not in self._written]
        if self._last_ms:
            new = [row for row in new if row.starts_at_ms < self._last_ms]
        if new:
            self._file.write(b"".join(write_json(row.truth()) + b"\n" for row in new))
            os.fsync(self._file.fileno())
            self._written |= {row.name for row in new}
            self._near_misses += sum(row.near_miss for row in new)

    def close(self) -> None:
        self._file.close()
