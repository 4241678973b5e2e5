"""What is known of a fall by a beginning of the log gives what the rows have given: the cases of the rule."""

import pytest

from schemas.reasons import Flag
from schemas.records import JudgedUplink
from services.score.fall_rerun import Around, known_of
from services.score.falls import course_of
from services.score.followups import FallCheck
from services.score.rule import Subject
from services.score.sample import Sample
from tests.integration.score_cases import FALL_CASES, FallCase
from tests.unit.services.score.story import BAND, EPOCH, HOME, PERSON, START, minute, uplink

OTHER = 12


def check_of(lag: float) -> FallCheck:
    received_at = START + round(lag * 1000)
    return FallCheck(
        subject=Subject(PERSON, HOME), episode=1, sample=Sample(START, 0.0, BAND, EPOCH, 0, 0),
        due_at=received_at + 60_000, received_at=received_at,
    )  # fmt: skip


def records_of(case: FallCase) -> list[JudgedUplink]:
    records = []
    for seq, (second, kind, answer) in enumerate(case.answers, start=1):
        lag = (second + case.lag) / 60
        details = {"answer": answer} if answer else {}
        records.append(uplink(seq, second / 60, events=[kind], received=lag, details=details))
    for seq, (second, kind, answer) in enumerate(case.elsewhere, start=40):
        records.append(uplink(seq, second / 60, events=[kind], device=OTHER, details={"answer": answer}))
    for seq, (second, vital, value, flags) in enumerate(case.readings, start=80):
        records.append(uplink(seq, second / 60, {vital: value}, flags=int(flags), received=(second + case.lag) / 60))
    return records


@pytest.mark.parametrize("case", FALL_CASES, ids=lambda case: case.story)
def test_the_signs_decide_as_the_rows_do(case: FallCase) -> None:
    check, now = check_of(case.lag), START + round(case.watermark * 1000)
    around = Around(records=records_of(case), people=[PERSON])
    fall = known_of(check, around, now, level=None, said=0, lying_at=None)
    signs = fall.help_at, fall.ok_at, fall.up_at
    if case.level is None:
        assert now < check.due_at
        assert signs == (None, None, None)
        return
    course = course_of(fall, now)
    assert course.level == case.level
    assert course.findings[0].observed_at == START + round(case.at * 1000)


def test_what_is_received_later_is_not_known_yet() -> None:
    around = Around(records=[uplink(1, 0.5, events=["fall_answered"], details={"answer": "ok"}, received=3)], people=[])
    for by, known in ((2, None), (3, minute(0.5))):
        fall = known_of(check_of(0), around, minute(by), level=None, said=0, lying_at=None)
        assert fall.ok_at == known


def test_a_device_that_counts_up_says_nothing_by_its_steps() -> None:
    record = uplink(1, 0.5, {"steps": 900, "heart_rate": 90}, flags=int(Flag.UPRIGHT))
    for totals, up_at in (((), minute(0.5)), ((BAND,), None)):
        around = Around(records=[record], people=[PERSON], totals=totals)
        assert known_of(check_of(0), around, minute(1), level=None, said=0, lying_at=None).up_at == up_at
