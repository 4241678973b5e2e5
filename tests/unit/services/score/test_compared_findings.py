"""A stored finding beside the same one computed again: equal in every field, or the fields are named."""

from dataclasses import replace
from typing import Any

import pytest

from schemas.alerts import EndReason, Finding, Severity
from schemas.codec import parse_json, write_json
from services.score.compared_findings import FIELDS, Verdict, compared, plain_of
from tests.unit.services.score.story import run, uplink

STORY = run([uplink(seq, seq, {"heart_rate": 135}) for seq in range(15)])
FOUND = next(one for one in STORY if isinstance(one, Finding))


def as_stored(finding: Finding) -> dict[str, Any]:
    """As the columns give it: JSON has gone through the database."""
    plain = plain_of(finding)
    return plain | {name: parse_json(write_json(plain[name])) for name in ("evidence", "facts")}


def test_the_same_finding_is_byte_identical() -> None:
    assert FOUND.rule == "heart_rate"
    assert compared(as_stored(FOUND), plain_of(FOUND)).verdict is Verdict.SAME


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"doctor_text": "other words"}, ["doctor_text"]),
        ({"severity": Severity.LOW}, ["severity"]),
        ({"level": 0, "end_reason": EndReason.RECOVERED}, ["finding_id", "level", "end_reason"]),
        ({"facts": {**FOUND.facts, "value": 1}}, ["facts"]),
        ({"evidence": FOUND.evidence[:1]}, ["evidence"]),
        ({"rule_version": 99}, ["rule_version"]),
        ({"artefact": "glucose_forecast 1 0"}, ["artefact"]),
        ({"retrospective": True}, ["retrospective"]),
    ],
)
def test_each_field_that_differs_is_named_with_both_values(change: dict[str, Any], names: list[str]) -> None:
    stored = as_stored(replace(FOUND, **change))
    done = compared(stored, plain_of(FOUND))
    assert done.verdict is Verdict.DIFFERS
    said = {one.field for one in done.differences}
    assert said - {"finding_id"} == set(names) - {"finding_id"}
    assert all(one.stored != one.recomputed for one in done.differences)


def test_every_field_that_a_finding_has_is_compared() -> None:
    kept = {name for name in Finding.__dataclass_fields__ if name not in {"said", "known_by"}}
    assert set(FIELDS) == kept | {"finding_id"}
    assert set(plain_of(FOUND)) == set(FIELDS)
