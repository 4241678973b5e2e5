"""A reading that was given to somebody else no longer carries a finding of the person it was taken for."""

import pytest

from schemas.alerts import EndReason, Finding
from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.records import JudgedUplink
from services.score.core import step
from services.score.followups import LookBack, Tally
from services.score.home_state import HomeState
from services.score.limit_book import DEFAULT_BOOK
from services.score.look_back import Look
from services.score.rule import Subject
from services.score.rules.glucose_low import GLUCOSE_LOW
from services.score.stood import Source, source_of
from tests.unit.services.score.story import HOME, PERSON, minute, uplink


def measured(seq: int, at: float, glucose: float) -> JudgedUplink:
    return uplink(seq, at, {"glucose": glucose}, device_type=DEVICE_TYPE_BY_CODE["glucose_meter"].number)


@pytest.mark.parametrize(("is_given", "ends"), [(True, [EndReason.DISPROVED]), (False, [])])
def test_an_episode_ends_disproved_once_its_reading_is_somebody_elses(*, is_given: bool, ends: list[EndReason]) -> None:
    low, later = measured(0, 0, 48), measured(1, 30, 65)
    found = [one for one in step(HomeState(), low, Tally()) if isinstance(one, Finding) and one.rule == "glucose_low"]
    assert [one.level for one in found] == [2]
    gone = {source_of(low.readings[0], low)} if is_given else set[Source]()
    asked = LookBack(
        subject=Subject(PERSON, HOME), rule="glucose_low", first_at=minute(0), last_at=minute(0), received_at=minute(60)
    )
    look = Look(asked, GLUCOSE_LOW, DEFAULT_BOOK, minute(200), found, [], gone)
    # The reading itself is no row of this person any more; nor is it where it was given away.
    while not look.take([measured(1, 30, 110)] if is_given else [low, later], []):
        pass

    assert [one.end_reason for one in look.findings if one.end_reason] == ends
