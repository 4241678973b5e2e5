"""What lies on disks: how much room they have, and how old the newest backup is."""

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.runtime.metrics import Metrics

EVERY_S: Final = 60.0


def free_share(directory: Path) -> float:
    """Which share of the file system of ``directory`` whoever is not root may still use, 0 to 1. Raises OSError."""
    found = os.statvfs(directory)
    return found.f_bavail / found.f_blocks if found.f_blocks else 0.0


def newest_file_at(directory: Path) -> float:
    """When the newest file in ``directory`` was last written, Unix seconds; 0: there is none. Raises OSError."""
    # An empty file holds nothing, and one whose writing goes on is no backup yet.
    found = [entry.stat() for entry in os.scandir(directory) if entry.is_file() and not entry.name.endswith(".new")]
    return max((one.st_mtime for one in found if one.st_size), default=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DisksLook:
    """``disks`` and ``backups`` are directories by name. One that can't be read counts as full, and as empty."""

    disks: Mapping[str, Path]
    backups: Mapping[str, Path]
    metrics: Metrics

    async def look(self) -> int:
        """One round. Gives 0: there is never more to do at once."""
        await asyncio.to_thread(self._look)
        return 0

    def _look(self) -> None:
        for name, directory in self.disks.items():
            self.metrics.set("hb_watch_disk_free_ratio", _or_zero(free_share, directory), disk=name)
        for name, directory in self.backups.items():
            newest = _or_zero(newest_file_at, directory)
            self.metrics.set("hb_watch_newest_backup_timestamp_seconds", newest, place=name)


def _or_zero(ask: Callable[[Path], float], directory: Path) -> float:
    """A directory that is gone has no room, and no backup."""
    try:
        return ask(directory)
    except OSError:
        return 0.0
