"""Anchors in a file: once a day, at stop, and across a restored backup."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.api.audit_anchors import AnchorFile, AnchorFileError, DailyAnchor, Why, in_force
from services.api.audit_chain import Anchor

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def anchor(seal_no: int, at: datetime = NOON) -> Anchor:
    return Anchor(seal_no=seal_no, seal=bytes([seal_no]) * 32, written_at=at)


def numbers(anchors: list[Anchor]) -> list[int]:
    return [one.seal_no for one in anchors]


def test_what_is_appended_is_read_again_in_order_by_its_owner_alone(tmp_path: Path) -> None:
    file = AnchorFile(tmp_path / "new" / "anchors")
    assert file.read() == []
    file.append(anchor(3), Why.DAY)
    file.append(anchor(5, NOON + timedelta(days=1)), Why.STOP)
    assert file.read() == [(anchor(3), Why.DAY), (anchor(5, NOON + timedelta(days=1)), Why.STOP)]
    assert file.path.stat().st_mode & 0o777 == 0o600


def test_one_anchor_a_day_and_at_stop_only_what_is_new(tmp_path: Path) -> None:
    file = AnchorFile(tmp_path)
    daily = DailyAnchor(file)
    assert daily.is_due(NOON.date())
    assert daily.keep(anchor(1), Why.DAY)
    assert not daily.is_due(NOON.date())
    assert not daily.keep(anchor(2, NOON + timedelta(hours=1)), Why.DAY)
    assert daily.keep(anchor(2, NOON + timedelta(days=1)), Why.DAY)
    assert not daily.keep(anchor(2, NOON + timedelta(days=1, hours=1)), Why.STOP)
    assert daily.keep(anchor(3, NOON + timedelta(days=1, hours=2)), Why.STOP)
    assert [(one.seal_no, why) for one, why in file.read()] == [(1, Why.DAY), (2, Why.DAY), (3, Why.STOP)]


def test_a_process_that_begins_again_knows_what_the_day_has(tmp_path: Path) -> None:
    file = AnchorFile(tmp_path)
    DailyAnchor(file).keep(anchor(1), Why.DAY)
    again = DailyAnchor(file)
    assert not again.keep(anchor(4, NOON + timedelta(hours=1)), Why.DAY)
    assert not again.keep(anchor(1, NOON + timedelta(hours=2)), Why.STOP)
    assert again.keep(anchor(4, NOON + timedelta(hours=3)), Why.STOP)


def test_an_empty_chain_has_no_anchor(tmp_path: Path) -> None:
    assert not DailyAnchor(AnchorFile(tmp_path)).keep(anchor(0), Why.DAY)
    assert AnchorFile(tmp_path).read() == []


def test_what_a_restored_backup_lost_is_not_asked_for_any_more(tmp_path: Path) -> None:
    file = AnchorFile(tmp_path)
    for number in (2, 5, 9):
        file.append(anchor(number), Why.DAY)
    file.append(anchor(4), Why.RESTORED)
    # On the same day, so that what is sealed after the restore has an anchor soon.
    assert DailyAnchor(file).keep(anchor(6), Why.DAY)
    kept, lost = in_force(file.read())
    assert (numbers(kept), numbers(lost)) == ([2, 4, 6], [5, 9])


def test_an_empty_chain_after_a_restore_loses_every_anchor() -> None:
    kept, lost = in_force([(anchor(3), Why.DAY), (anchor(0), Why.RESTORED)])
    assert (kept, numbers(lost)) == ([], [3])


@pytest.mark.parametrize("line", ["{", "{}", '{"seal_no": 1, "seal": "xy", "written_at": "now", "why": "day"}', "[]"])
def test_a_line_that_is_no_anchor_is_refused_by_its_number(tmp_path: Path, line: str) -> None:
    file = AnchorFile(tmp_path)
    file.append(anchor(1), Why.DAY)
    with file.path.open("a") as opened:
        opened.write(f"{line}\n")
    with pytest.raises(AnchorFileError, match="Line 2"):
        file.read()
