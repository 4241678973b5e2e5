"""Where outboxes keep their uplinks: one SQLite file for the whole fleet, or memory for the load generator."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from device_sim.outbox import Position

_SCHEMA: Final = """
create table if not exists positions (
    device text primary key, epoch integer not null, next_seq integer not null, upto integer not null,
    generation integer not null, kept_from integer not null, evicted integer not null);
create table if not exists uplinks (
    device text not null, epoch integer not null, seq integer not null, tail blob not null,
    primary key (device, epoch, seq)) without rowid;
create table if not exists plans (device text primary key, done integer not null);
"""
_SAVE: Final = "insert or replace into positions values (?, ?, ?, ?, ?, ?, ?)"


class SqliteStore:
    """Changes gather in memory and become durable together, in one transaction, by ``commit``."""

    def __init__(self, path: Path) -> None:
        # None: Python's module begins no transactions of its own; ``commit`` does.
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = full")
        self._db.executescript(_SCHEMA)
        self._new: list[tuple[str, int, int, bytes]] = []
        self._positions: dict[str, Position] = {}
        self._forgotten: dict[tuple[str, int], int] = {}
        self._plans: dict[str, int] = {}

    def add(self, device: str, epoch: int, seq: int, tail: bytes) -> None:
        self._new.append((device, epoch, seq, tail))

    def forget(self, device: str, epoch: int, below: int) -> None:
        self._forgotten[device, epoch] = below

    def read(self, device: str, epoch: int, first: int, last: int) -> Mapping[int, bytes]:
        # What was added since the last commit is not in the file yet.
        self.commit()
        query = "select seq, tail from uplinks where device = ? and epoch = ? and seq between ? and ? order by seq"
        return dict(self._db.execute(query, (device, epoch, first, last)))

    def save(self, device: str, position: Position) -> None:
        self._positions[device] = position

    def save_plan(self, device: str, done: int) -> None:
        """Keeps how many uplinks of its plan a device has taken into its outbox."""
        self._plans[device] = done

    def positions(self) -> dict[str, Position]:
        """Where every outbox of the file stands."""
        return {row[0]: Position(*row[1:]) for row in self._db.execute("select * from positions")}

    def plans(self) -> dict[str, int]:
        """How many uplinks of its plan each device has taken."""
        return dict(self._db.execute("select device, done from plans"))

    def commit(self) -> None:
        """Makes all changes durable."""
        if not (self._new or self._positions or self._forgotten or self._plans):
            return
        db = self._db
        db.execute("begin")
        db.executemany("insert into uplinks values (?, ?, ?, ?)", self._new)
        db.executemany(_SAVE, [_row(device, at) for device, at in self._positions.items()])
        db.executemany(
            "delete from uplinks where device = ? and epoch = ? and seq < ?",
            [(*key, below) for key, below in self._forgotten.items()],
        )
        db.executemany("insert or replace into plans values (?, ?)", self._plans.items())
        db.execute("commit")
        self._new.clear()
        self._positions.clear()
        self._forgotten.clear()
        self._plans.clear()

    def close(self) -> None:
        self.commit()
        self._db.close()


def _row(device: str, at: Position) -> tuple[str, int, int, int, int, int, int]:
    return device, at.epoch, at.next_seq, at.upto, at.generation, at.kept_from, at.evicted


class MemoryStore:
    """Keeps nothing that a restart would find: unsettled uplinks live in the outbox alone."""

    def add(self, device: str, epoch: int, seq: int, tail: bytes) -> None:
        """Held by the outbox."""

    def forget(self, device: str, epoch: int, below: int) -> None:
        """Nothing is kept."""

    def read(self, *_: object, **__: object) -> Mapping[int, bytes]:
        return {}

    def save(self, device: str, position: Position) -> None:
        """Nothing is kept."""

    def save_plan(self, device: str, done: int) -> None:
        """Nothing is kept."""

    def positions(self) -> dict[str, Position]:
        return {}

    def plans(self) -> dict[str, int]:
        return {}

    def commit(self) -> None:
        """Nothing is kept."""

    def close(self) -> None:
        """Nothing is open."""
