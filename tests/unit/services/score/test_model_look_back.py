"""A reading that is somebody else's after all no longer carries what a model has found with it."""

from dataclasses import replace

import pytest

from schemas.alerts import EndReason, Finding
from schemas.records import JudgedUplink
from services.score.followups import LookBack
from services.score.home_state import HomeState
from services.score.limit_book import DEFAULT_BOOK
from services.score.model_look_back import asking, disproofs
from services.score.rule import Subject
from tests.unit.services.score.anomaly_cases import ANOMALY_BOOK, DRIFTED, USUAL, hour, hours, without
from tests.unit.services.score.story import HOME, PERSON, minute, run, uplink

RULE = asking(ANOMALY_BOOK)["anomaly"]
BAND = without("body_temperature", USUAL)
TIRED = {"heart_rate": 88, "respiratory_rate": 18, "spo2": 96}
"""A little off: not enough by itself."""


def story(*, ill: bool) -> tuple[list[JudgedUplink], list[JudgedUplink]]:
    """The person's own from hour to hour, well and then tired or ill; and what somebody else has measured as theirs."""
    band = [*hours(BAND, 0, 30), *hours(without("body_temperature", DRIFTED) if ill else TIRED, 30, 45)]
    own = [uplink(9_000 + at, hour(at + 0.2), {"body_temperature": 36.6}, device=12) for at in (1, 9, 17, 25)]
    warm = [uplink(9_100, hour(31), {"body_temperature": 37.9}, device=12)] if ill else []
    other = [uplink(9_900, hour(30.2), {"body_temperature": 38.8, "systolic": 180}, device=12)]
    return sorted([*band, *own, *warm], key=lambda one: one.received_at), other


def said_of(records: list[JudgedUplink]) -> list[Finding]:
    found = run(sorted(records, key=lambda one: one.received_at), HomeState(rules=ANOMALY_BOOK))
    return [one for one in found if isinstance(one, Finding) and one.rule == "anomaly"]


def looked_at(known: list[Finding], own: list[JudgedUplink], gone: list[JudgedUplink]) -> list[Finding]:
    at = minute(hour(30.2))
    asked = LookBack(subject=Subject(PERSON, HOME), rule="anomaly", first_at=at, last_at=at, received_at=at)
    return disproofs(asked, RULE, DEFAULT_BOOK, known, own, gone)


def test_what_only_that_reading_has_raised_is_disproved_once() -> None:
    own, other = story(ill=False)
    known = said_of([*own, *other])
    assert [one.level for one in known[:1]] == [1]
    (end,) = looked_at(known, own, other)
    assert (end.level, end.end_reason, end.episode) == (0, EndReason.DISPROVED, known[0].episode)
    assert end.doctor_text == "Readings that came late do not bear out that this was unusual."
    assert end.looked_back
    assert looked_at([*known, end], own, other) == []


@pytest.mark.parametrize("what", ["is shown without it", "is of another version", "rests on nothing that is gone"])
def test_what_it_has_not_raised_stands(what: str) -> None:
    own, other = story(ill=what == "is shown without it")
    known = said_of([*own, *other])
    assert known
    assert bool(said_of(own)) is (what == "is shown without it")
    if what == "is of another version":
        known = [replace(one, rule_version=9) for one in known]
    gone = [] if what == "rests on nothing that is gone" else other
    assert looked_at(known, own, gone) == []
