"""How old the newest backup is and how much room a disk has, as the metrics say it."""

import os
from pathlib import Path

import pytest

from schemas.metrics import METRICS
from services.runtime.metrics import Metrics
from services.watch.disks import DisksLook, free_share, newest_file_at


def written(file: Path, at: float, content: bytes = b"backup") -> None:
    file.write_bytes(content)
    os.utime(file, (at, at))


def test_the_newest_whole_file_counts(tmp_path: Path) -> None:
    written(tmp_path / "monday.tar.gz", 1_000.0)
    written(tmp_path / "tuesday.tar.gz", 2_000.0)
    written(tmp_path / "wednesday.tar.gz.new", 3_000.0)
    written(tmp_path / "thursday.tar.gz", 4_000.0, b"")
    (tmp_path / "a folder").mkdir()
    assert newest_file_at(tmp_path) == 2_000.0


def test_a_folder_without_a_backup_has_one_of_long_ago(tmp_path: Path) -> None:
    assert newest_file_at(tmp_path) == 0.0


def test_what_is_free_is_what_the_file_system_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert 0 <= free_share(tmp_path) <= 1
    quarter = os.statvfs_result((4096, 4096, 1000, 300, 250, 0, 0, 0, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda _directory: quarter)
    assert free_share(tmp_path) == 0.25


async def test_a_directory_that_is_gone_counts_as_full_and_as_empty(tmp_path: Path) -> None:
    written(tmp_path / "one.tar.gz", 5_000.0)
    metrics, gone = Metrics(METRICS), tmp_path / "gone"
    look = DisksLook(disks={"db": tmp_path, "log": gone}, backups={"here": tmp_path, "there": gone}, metrics=metrics)
    assert await look.look() == 0

    def value(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(name, labels)

    assert (value("hb_watch_disk_free_ratio", disk="db") or 0) > 0
    assert value("hb_watch_disk_free_ratio", disk="log") == 0
    assert value("hb_watch_newest_backup_timestamp_seconds", place="here") == 5_000.0
    assert value("hb_watch_newest_backup_timestamp_seconds", place="there") == 0
