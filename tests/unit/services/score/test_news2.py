"""NEWS2 at quarter hours: its inputs, its sentences, and that it is the same in whatever order things come."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.alerts import EndReason, Finding, Severity
from schemas.codec import parse_json, write_json
from schemas.default_limits import defaults_of
from schemas.devices.finger_oximeter import FINGER_OXIMETER
from schemas.limits import Condition, LevelLimit
from schemas.records import JudgedUplink
from schemas.vitals import VITAL_BY_CODE
from services.score.core import pass_time, step
from services.score.followups import Effect, QuarterLook, Tally
from services.score.home_state import HomeState
from services.score.limit_book import ALWAYS, NEVER, LimitBook, PersonCondition, Scope, Version
from services.score.news2 import News2
from services.score.quarters import Quarters
from services.score.sample import INPUT_CODES, Sample
from tests.unit.services.score.news2_cases import FIVE, SIX, WELL, band, by_reception, cuff, quarter, thermometer
from tests.unit.services.score.story import HOME, PERSON, START, minute, run, uplink

PRESCRIBED = LimitBook(
    [],
    [PersonCondition(person_no=PERSON, condition=Condition.SPO2_88_92, valid_from=ALWAYS, valid_to=NEVER)],
)


def news2_of(records: Sequence[JudgedUplink], state: HomeState | None = None) -> list[Finding]:
    return [one for one in run(records, state) if isinstance(one, Finding) and one.rule == "news2"]


def findings_of(effects: Sequence[Effect]) -> list[Finding]:
    return [one for one in effects if isinstance(one, Finding)]


def quarters_of(state: HomeState) -> Quarters:
    found = state.subjects[PERSON].evaluations["news2"]
    assert isinstance(found, Quarters)
    return found


def totals(records: Sequence[JudgedUplink], state: HomeState | None = None) -> dict[float, int]:
    """By minute of each quarter hour that was looked at, the total."""
    state = HomeState() if state is None else state
    found: dict[float, int] = {}
    for record in records:
        looks = [one.look for one in step(state, record, Tally()) if isinstance(one, QuarterLook)]
        found |= {(one.at - START) / 60_000: one.score.total for one in looks if one.score}
        for one in looks:
            if one.score is None:
                found.pop((one.at - START) / 60_000, None)
    return found


def test_the_doctor_reads_the_total_its_inputs_and_what_is_missing() -> None:
    (finding,) = news2_of([*thermometer(0), *band(FIVE, 0, 20)])

    assert finding.severity is Severity.MEDIUM
    assert finding.doctor_text == (
        "NEWS2 5 of at most 20, from 4 of 6 inputs: breathing 2, oxygen saturation 1, pulse 2, temperature 0; systolic"
        " pressure not known, consciousness not assessed. Air is assumed, not oxygen."
    )
    assert [(one.what, one.value) for one in finding.evidence] == [
        ("news2", 5), ("news2", 5), ("respiratory_rate", 22), ("spo2", 95), ("heart_rate", 112),
        ("body_temperature", 36.6),
    ]  # fmt: skip
    assert finding.observed_at == minute(quarter(1))


def test_a_parameter_that_scores_3_is_named() -> None:
    (finding,) = news2_of(band({"heart_rate": 112, "respiratory_rate": 25, "spo2": 93}, 0, 3))

    assert finding.severity is Severity.HIGH
    assert "3 points alone: breathing." in finding.doctor_text


def test_where_88_to_92_is_prescribed_91_has_no_points() -> None:
    story = [*thermometer(0), *band(FIVE | {"spo2": 91}, 0, 20)]

    assert totals(story)[quarter(1)] == 7
    assert totals(story, HomeState(limits=PRESCRIBED))[quarter(1)] == 4
    assert totals([*thermometer(0), *band(FIVE | {"spo2": 85}, 0, 20)], HomeState(limits=PRESCRIBED))[quarter(1)] == 6


def test_a_doctor_may_have_one_person_scored_by_other_limits() -> None:
    usual = defaults_of("news2")["news2"]
    limits = replace(usual, levels=(replace(usual.levels[0], on=6), usual.levels[1]), off=5)
    version = Version(scope=Scope(person_no=PERSON), concern="news2", valid_from=ALWAYS, limits=limits)

    assert news2_of([*thermometer(0), *band(FIVE, 0, 40)], HomeState(limits=LimitBook([version]))) == []
    (finding,) = news2_of([*thermometer(0), *band(SIX, 0, 20)], HomeState(limits=LimitBook([version])))
    assert finding.level == 1


def test_the_pulse_of_a_finger_oximeter_and_of_a_cuff_counts() -> None:
    finger = [
        uplink(at, at, {"heart_rate": 125, "spo2": 95}, device=51, device_type=FINGER_OXIMETER.number)
        for at in (1, 10)
    ]  # fmt: skip

    assert totals([*finger, *cuff(12, 105), *cuff(20, 105)]) == {quarter(0): 3, quarter(1): 4}


def test_one_leap_of_the_pulse_that_no_body_makes_is_left_out() -> None:
    leap = uplink(1_500, quarter(0), {"heart_rate": 200}, device_type=1)
    story = by_reception([*thermometer(0), *band(WELL, 0, 1), leap, *band(WELL, 2, 20)])

    assert totals(story)[quarter(0)] == 0


def test_a_value_counts_at_the_quarter_hour_itself_and_one_of_after_it_does_not() -> None:
    at, after = ([uplink(1_500, quarter(0) + late, WELL, device_type=1)] for late in (0, 0.001))

    assert totals(by_reception(band(FIVE, 0, 1), at, band(WELL, 2, 3)))[quarter(0)] == 0
    assert totals(by_reception(band(FIVE, 0, 1), after, band(WELL, 2, 3)))[quarter(0)] == 5


def test_quarter_hours_before_which_nothing_was_measured_are_not_looked_at() -> None:
    assert totals([*thermometer(0), *thermometer(200), *cuff(1_000, 120), *cuff(1_020, 120)]) == {
        quarter(0): 0, quarter(14): 0, quarter(67): 0,
    }  # fmt: skip


def test_what_time_has_shown_is_said_once_and_a_late_reading_of_before_it_disproves_it() -> None:
    for restarts in (False, True):
        state = HomeState()
        assert news2_of([*thermometer(0), *band(FIVE, 0, 10)], state) == []
        assert quarters_of(state).due_at == minute(quarter(1) + 15) + 1
        (said,) = findings_of(pass_time(state, HOME, minute(quarter(1) + 15) + 1))
        if restarts:
            state = HomeState.from_plain(parse_json(write_json(state.to_plain())))
        assert said.level == 1
        assert not findings_of(pass_time(state, HOME, minute(40)))
        (over,) = news2_of([uplink(7, 15, WELL, device_type=1, received=41)], state)
        assert over.end_reason is EndReason.DISPROVED
        assert over.said == 2


@given(
    values=st.dictionaries(
        st.sampled_from(["heart_rate", "spo2", "respiratory_rate", "systolic", "body_temperature"]),
        st.tuples(st.floats(0, 1), st.integers(0, 30 * 60)),
        min_size=1,
    ),
    scale_2=st.booleans(),
)
def test_what_decides_is_the_score_that_is_shown(*, values: dict[str, tuple[float, int]], scale_2: bool) -> None:
    """Evaluations add up by themselves, since most of them say nothing."""
    at = minute(quarter(100))
    always = LevelLimit(on=0, inclusive=True, persist_min=0, severity=Severity.HIGH, level=2, least=1)
    fold = News2(limits=replace(defaults_of("news2")["news2"], levels=(always,)), scale_2=scale_2)
    state = fold.start()
    for code, (part, age_min) in values.items():
        vital = VITAL_BY_CODE[code]
        value = vital.lowest + part * (vital.highest - vital.lowest)
        sample = Sample(at - age_min * 60_000, value, 1, 2, 3, 0, vital.number, 0, at, 1)
        fold.advance(state, sample, rested=True)
    found = fold.look(state, at)

    if found is None:
        assert all(age_min >= 15 for _, age_min in values.values())
        return
    look, mark = found
    assert look.score is not None
    assert mark is not None
    assert (mark.last.value, mark.facts["total"]) == (look.score.total, look.score.total)
    assert len(mark.also) == len(look.score.fresh) == mark.facts["fresh"]
    assert look.score.scale_2 is scale_2


@pytest.mark.parametrize(
    ("code", "age_min"), [("heart_rate", 15), ("spo2", 15), ("systolic", 24 * 60), ("body_temperature", 12 * 60)]
)
def test_a_value_counts_for_as_long_as_its_input_does_and_no_longer(code: str, age_min: int) -> None:
    fold = News2(limits=defaults_of("news2")["news2"])
    at = minute(quarter(100))
    for too_old in (0, 1):
        state = fold.start()
        for one, taken_at in ((code, at - age_min * 60_000 - too_old), ("respiratory_rate", at)):
            vital = VITAL_BY_CODE[one]
            fold.advance(state, Sample(taken_at, vital.lowest, 1, 2, 3, 0, vital.number, 0, at, 1), rested=True)
        look, _ = fold.look(state, at) or (None, None)
        assert look is not None
        assert look.last is not None
        assert {INPUT_CODES[one.vital] for one in look.last} == {"respiratory_rate", *([] if too_old else [code])}


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[JudgedUplink], list[JudgedUplink]]:
    """Some hours of one person, in order; and the same with uplinks that come late, in the order of reception."""
    parts: list[list[JudgedUplink]] = [thermometer(0, draw(st.sampled_from([36.6, 36.0])))]
    at = 1
    for _ in range(draw(st.integers(1, 6))):
        lasts = draw(st.sampled_from([3, 10, 17, 30, 80]))
        values = draw(st.sampled_from([FIVE, SIX, WELL, {"heart_rate": 112.0}, {}]))
        if values:
            parts.append(band(values, at, at + lasts, every=draw(st.sampled_from([1, 3, 5]))))
        at += lasts + 1
    records = [record for part in parts for record in part]
    late = [
        one._replace(received_at=one.received_at + 60_000 * draw(st.sampled_from([0, 0, 0, 2, 7]))) for one in records
    ]
    return records, by_reception(late)


@given(stories())
def test_late_readings_lead_to_the_same_evaluations(
    stories: tuple[list[JudgedUplink], list[JudgedUplink]],
) -> None:
    in_order, late = stories
    assert totals(late) == totals(in_order)


@given(stories(), st.integers(0, 200))
def test_a_restart_changes_nothing(stories: tuple[list[JudgedUplink], list[JudgedUplink]], cut: int) -> None:
    _, story = stories
    undisturbed, state = HomeState(), HomeState()
    expected = news2_of(story, undisturbed)
    before = news2_of(story[:cut], state)
    loaded = HomeState.from_plain(parse_json(write_json(state.to_plain())))
    assert before + news2_of(story[cut:], loaded) == expected
    assert write_json(loaded.to_plain()) == write_json(undisturbed.to_plain())


@given(stories())
def test_it_is_called_over_only_where_totals_show_it_and_paused_after_an_hour_without(
    stories: tuple[list[JudgedUplink], list[JudgedUplink]],
) -> None:
    for one in news2_of(stories[1]):
        if one.end_reason is EndReason.RECOVERED:
            assert one.facts["total"] <= 4  # type: ignore[operator]
            assert one.facts["fresh"] >= 3  # type: ignore[operator]
        elif one.end_reason is EndReason.NO_DATA:
            assert one.facts["minutes"] == 60
        elif one.level:
            assert one.facts["total"] >= (5 if one.level == 1 else 7)  # type: ignore[operator]
