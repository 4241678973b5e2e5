"""Which findings nothing that is stored gives again, said plainly."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.score.explain import stored_of, why_not_kept


def row(**other: Any) -> dict[str, Any]:
    return {"rule": "spo2", "level": 1, "evidence": [{"seq": 4}], **other}


@pytest.mark.parametrize(
    ("stored", "says"),
    [
        (row(), ""),
        (row(rule="missed_dose"), "doses"),
        (row(rule="adherence"), "doses"),
        (row(rule="of_tomorrow"), "this version does not know"),
        (row(rule="low_battery", evidence=[{"seq": -1}]), "status"),
        (row(rule="low_battery", evidence=[{"seq": 8}]), ""),
        (row(rule="clock"), "clock"),
        (row(rule="clock", level=0), ""),
    ],
)
def test_what_a_finding_rests_on_is_kept_or_it_is_said_what_is_not(stored: dict[str, Any], says: str) -> None:
    why = why_not_kept(stored)
    assert (why == "") == (says == "")
    assert says in why


def test_what_older_findings_do_not_say_is_as_if_there_were_none_of_it() -> None:
    older: dict[str, Any] = dict.fromkeys(("message", "facts", "concern", "artefact"))
    stored = stored_of({"finding_id": 1, "observed_at": datetime(2026, 1, 1, tzinfo=UTC), **older})
    assert [stored[name] for name in older] == ["", {}, "", ""]
    assert stored["observed_at"] == 1_767_225_600_000
