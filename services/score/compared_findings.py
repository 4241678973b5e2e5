"""A stored finding beside the same one computed again: every stored field, byte by byte. Pure."""

from collections.abc import Mapping
from dataclasses import asdict
from enum import StrEnum
from typing import Any, Final, NamedTuple

from schemas.alerts import Finding
from schemas.codec import parse_json, write_json

FIELDS: Final = (
    "finding_id", "person_no", "home_no", "rule", "rule_version", "episode", "level", "severity", "observed_at",
    "evidence", "doctor_text", "caregiver_text", "rationale", "unverified", "message", "facts", "end_reason",
    "retrospective", "concern", "looked_back", "artefact", "variant",
)  # fmt: skip
"""Everything that a finding says; not when it was written, nor what alert does with it."""


class Verdict(StrEnum):
    """What came of computing a finding again."""

    SAME = "byte-identical"
    DIFFERS = "differs"
    NOT_FOUND = "not found again"
    """What is stored gives no such finding."""
    CANNOT = "can't be computed again"
    """What it rests on is not kept."""


class Difference(NamedTuple):
    """A field with both values, as JSON."""

    field: str
    stored: str
    recomputed: str


class Explained(NamedTuple):
    """``why`` says what is not kept, or what was looked for in vain; "" where the two can be compared."""

    verdict: Verdict
    differences: tuple[Difference, ...] = ()
    why: str = ""


def compared(stored: Mapping[str, Any], again: Mapping[str, Any]) -> Explained:
    """Two findings as ``plain_of`` gives them."""
    differences = tuple(
        Difference(name, said, found)
        for name in FIELDS
        if (said := text_of(stored[name])) != (found := text_of(again[name]))
    )
    return Explained(Verdict.DIFFERS if differences else Verdict.SAME, differences)


def plain_of(finding: Finding) -> dict[str, Any]:
    """What is stored of a finding, by the name of its field. Times in ms."""
    return {
        "finding_id": str(finding.finding_id),
        "severity": int(finding.severity),
        "evidence": parse_json(write_json([asdict(one) for one in finding.evidence])),
        "facts": parse_json(write_json(dict(finding.facts))),
        "end_reason": None if finding.end_reason is None else str(finding.end_reason),
        "variant": str(finding.variant),
        **{name: getattr(finding, name) for name in _AS_IT_IS},
    }


_AS_IT_IS: Final = (
    "person_no", "home_no", "rule", "rule_version", "episode", "level", "observed_at", "doctor_text", "caregiver_text",
    "rationale", "unverified", "message", "retrospective", "concern", "looked_back", "artefact",
)  # fmt: skip


def text_of(value: Any) -> str:
    """One text for one value: names sorted."""
    return write_json(_ordered(value)).decode()


def _ordered(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _ordered(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [_ordered(one) for one in value]
    return value
