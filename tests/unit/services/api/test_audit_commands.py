"""What `audit verify` says in the end."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from services.api.audit_chain import Anchor
from services.api.audit_commands import app, summary
from services.api.audit_verification import Verified

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
ANCHOR = Anchor(seal_no=1_200, seal=bytes(32), written_at=NOW - timedelta(hours=12))
DONE = Verified(
    sealed=1_204,
    waiting=0,
    oldest_waiting_at=None,
    faults=0,
    anchors=4,
    agreeing=4,
    lost_anchors=0,
    newest=ANCHOR,
)  # fmt: skip


def test_a_whole_audit_is_said_to_be_so() -> None:
    assert summary(DONE, NOW, has_anchors=True).splitlines() == [
        "1,204 rows are sealed, 0 wait for their seal.",
        "4 of 4 anchors agree; the newest is seal 1,200 of 2026-11-30 00:00:00 UTC.",
        "Nothing was changed, taken away or added.",
    ]


def test_rows_that_wait_faults_and_what_a_restore_lost_are_said() -> None:
    done = replace(
        DONE, waiting=2, oldest_waiting_at=NOW - timedelta(seconds=3), faults=3, agreeing=3, lost_anchors=1
    )  # fmt: skip
    assert summary(done, NOW, has_anchors=True).splitlines() == [
        "1,204 rows are sealed, 2 wait for their seal (the oldest for 3 s).",
        "3 of 4 anchors agree; the newest is seal 1,200 of 2026-11-30 00:00:00 UTC.",
        "1 more are of what was lost when a backup was restored.",
        "3 faults.",
    ]


def test_without_anchors_it_says_what_would_not_show() -> None:
    done = replace(DONE, anchors=0, agreeing=0, newest=None)
    assert "HB_API_AUDIT_ANCHORS is not set" in summary(done, NOW, has_anchors=False)
    assert "There are no anchors yet." in summary(done, NOW, has_anchors=True)


def test_without_a_database_named_the_command_says_which_setting_it_wants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HB_DB_DSN", raising=False)
    ended = CliRunner().invoke(app, ["verify"])
    assert (ended.exit_code, "HB_DB_DSN" in ended.stderr) == (2, True)
