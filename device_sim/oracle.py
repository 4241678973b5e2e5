"""The oracle: a line for each uplink, durable before its first publish, to count arrivals by."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from schemas.codec import parse_json, write_json


class Line(NamedTuple):
    """An uplink as the oracle knows it."""

    device: str
    epoch: int
    seq: int
    readings: int
    events: int


class Oracle:
    """Appends lines; goes on with the file of an earlier run, whose torn last line is cut off."""

    def __init__(self, path: Path) -> None:
        self.known: set[tuple[str, int, int]] = set()
        self.readings = self.events = 0
        # A run that was killed may have written half a line; its uplink was not published.
        self._cut_torn_line(path)
        if path.exists():
            self._count(read_oracle(path))
        self._file = path.open("ab", buffering=0)

    @property
    def uplinks(self) -> int:
        return len(self.known)

    def write(self, lines: Iterable[Line]) -> None:
        """Durable when it returns."""
        # After a restart, uplinks that the outbox still holds are offered again.
        new = [line for line in lines if line[:3] not in self.known]
        if not new:
            return
        self._file.write(b"".join(write_json(line._asdict()) + b"\n" for line in new))
        os.fsync(self._file.fileno())
        self._count(new)

    def _count(self, lines: Iterable[Line]) -> None:
        for line in lines:
            self.known.add(line[:3])
            self.readings += line.readings
            self.events += line.events

    def close(self) -> None:
        self._file.close()

    @staticmethod
    def _cut_torn_line(path: Path) -> None:
        if path.exists():
            content = path.read_bytes()
            whole = content[: content.rfind(b"\n") + 1]
            if whole != content:
                path.write_bytes(whole)


def read_oracle(path: Path) -> Iterable[Line]:
    """The lines of an oracle file."""
    with path.open("rb") as file:
        for text in file:
            yield Line(**parse_json(text))
