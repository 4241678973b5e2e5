"""What each rule says, held to its case table, and what every rule must have."""

from dataclasses import replace

import pytest

from schemas.alerts import EndReason, Finding, Message, Severity
from schemas.codec import parse_json, write_json
from schemas.default_limits import DEFAULT_LIMITS, DefaultLimits
from schemas.devices.glucose import GLUCOSE_METER
from schemas.limits import CONCERN_BY_NAME, Concern, Limits
from schemas.reasons import Flag
from schemas.vitals import HEART_RATE, VITAL_BY_CODE
from services.score.home_state import HomeState
from services.score.rule import Mark, Rule
from services.score.rules import RULES
from services.score.rules.fall import CONFIRMED, NEAR_FALL, level_of_fall
from services.score.sample import Sample
from services.sentences.catalogue import ENGLISH, Reader
from tests.integration.score_cases import FALL_CASES, SILENCE_CASES
from tests.unit.services.score.case import Kind
from tests.unit.services.score.cases import CASES, Case
from tests.unit.services.score.story import PERSON, levels, minute, run, series, uplink

rules = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)


def found_in(case: Case) -> list[Finding]:
    return [
        one for one in run(case.records, HomeState(limits=case.limits, rules=case.rules)) if isinstance(one, Finding)
    ]


def of(default: DefaultLimits) -> Concern:
    return CONCERN_BY_NAME[default.limits.concern]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}: {case.kind}: {case.story}")
def test_a_rule_says_what_its_case_table_says(case: Case) -> None:
    findings = levels(run(case.records, HomeState(limits=case.limits, rules=case.rules)))

    assert {rule for rule, *_ in findings} <= {case.rule}
    assert [(level, at) for _, _, level, at in findings] == case.expected


@rules
def test_every_rule_has_a_case_of_every_kind(rule: Rule) -> None:
    kinds = {(case.rule, case.kind) for case in CASES}
    kinds |= {("fall", case.kind) for case in FALL_CASES} | {("silent_device", case.kind) for case in SILENCE_CASES}

    assert {kind for name, kind in kinds if name == rule.name} == {*Kind}


@rules
def test_every_rule_names_its_source_and_speaks_to_doctor_and_caregiver(rule: Rule) -> None:
    sample = Sample(minute(10), 35, 1, 2, 3, 4, HEART_RATE.number)

    assert rule.version >= 1
    assert len(rule.rationale) > 80
    assert "docs/clinical.md#" in rule.rationale
    limits: list[Limits | None] = [one.limits for one in DEFAULT_LIMITS if of(one).rule == rule.name]
    for limit in limits or [None]:
        for level in (0, *rule.severities):
            of_level = [one for one in limit.levels if one.level == level] if limit else [None]
            for passed in of_level if level else [None]:
                reason = None if level else EndReason.RECOVERED
                message = rule.message(Mark(level, sample, sample, reason, limits=limit, passed=passed))
                assert message.key in rule.messages
                assert all(ENGLISH.say(message, reader).endswith(".") for reader in Reader)


@pytest.mark.parametrize("concern", [one for one in CONCERN_BY_NAME.values() if one.moving], ids=lambda one: one.name)
def test_every_limit_in_movement_that_may_be_set_has_words(concern: Concern) -> None:
    (rule,) = [rule for rule in RULES if rule.name == concern.rule]
    sample = Sample(minute(10), 35, 1, 2, 3, 4, concern.vital.number)
    usual = next(one.limits for one in DEFAULT_LIMITS if of(one) is concern)
    for level in concern.moving:
        moving = replace(usual.levels[0], level=level, moving=True)
        limits = replace(usual, levels=(*(one for one in usual.levels if not one.moving), moving))
        message = rule.message(Mark(level, sample, sample, limits=limits, passed=moving))
        assert message.key in rule.messages
        assert "movement" in ENGLISH.say(message, Reader.DOCTOR) or "moving" in ENGLISH.say(message, Reader.DOCTOR)


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.fold is not None], ids=lambda rule: rule.name)
def test_every_message_of_a_rule_over_a_vital_is_said_by_some_case_and_its_sentence_can_be_made_again(
    rule: Rule,
) -> None:
    found = [one for case in CASES if case.rule == rule.name for one in found_in(case)]

    assert {one.message for one in found} == set(rule.messages)
    for one in found:
        # As it comes back from a row of the database.
        facts = parse_json(write_json(dict(one.facts)))
        assert ENGLISH.say(Message(one.message, facts), Reader.DOCTOR) == one.doctor_text
        assert ENGLISH.say(Message(one.message, facts), Reader.CAREGIVER) == one.caregiver_text


def test_an_end_and_only_an_end_has_a_reason() -> None:
    found = [one for case in CASES for one in found_in(case)]

    assert all((one.level == 0) is (one.end_reason is not None) for one in found)
    assert {one.end_reason for one in found if one.rule == "spo2" and one.level == 0} >= {EndReason.RECOVERED}


@pytest.mark.parametrize(
    ("vital", "samples", "reason"),
    [
        ("spo2", [*((n, 88) for n in range(5)), *((n, 96) for n in range(5, 12))], EndReason.RECOVERED),
        ("spo2", [*((n, 88) for n in range(5)), (70, 86)], EndReason.NO_DATA),
        ("heart_rate", [*((n, 140) for n in range(12)), *((n, 80) for n in range(12, 25))], EndReason.RECOVERED),
        ("glucose", [*((5 * n, 60) for n in range(4)), *((5 * n, 90) for n in range(4, 9))], EndReason.RECOVERED),
        ("glucose", [*((5 * n, 60) for n in range(4)), (60, 60)], EndReason.NO_DATA),
        ("glucose", [(0, 60), (20, 60), (5, 80), (10, 80), (15, 80)], EndReason.DISPROVED),
        ("heart_rate", [*((n, 125) for n in range(12)), (12, 70), *((n, 28) for n in range(13, 17))], EndReason.TURNED),
    ],
)
def test_an_episode_ends_for_the_reason_that_readings_show(
    vital: str, samples: list[tuple[float, float]], reason: EndReason
) -> None:
    (over,) = [one for one in run(series(vital, samples)) if isinstance(one, Finding) and one.level == 0]

    assert over.end_reason is reason


@rules
def test_the_end_of_an_episode_opens_no_alert_and_a_higher_level_is_no_less_severe(rule: Rule) -> None:
    ordered = [rule.severity(level) for level in sorted(rule.severities)]

    assert rule.severity(0) is Severity.LOW
    assert ordered == sorted(ordered)
    assert rule.fold is None or rule.what in VITAL_BY_CODE or len(rule.inputs) > 1


@pytest.mark.parametrize(
    ("answered", "helped", "up", "level"),
    [
        (True, False, False, NEAR_FALL),
        (False, False, True, NEAR_FALL),
        (False, False, False, CONFIRMED),
        (False, True, False, CONFIRMED),
        (True, True, True, CONFIRMED),
    ],
)
def test_only_an_answer_or_being_up_makes_a_fall_a_near_fall_unless_help_is_asked_for(
    *, answered: bool, helped: bool, up: bool, level: int
) -> None:
    assert level_of_fall(answered=answered, helped=helped, up=up) == level


def test_a_glucose_finding_rests_on_the_first_low_reading_and_the_one_that_made_it_count() -> None:
    low, over = (
        finding for finding in run(series("glucose", [(5 * n, v) for n, v in enumerate([66, 65, 64, 63, *[75] * 4])]))
    )

    assert isinstance(low, Finding)
    assert isinstance(over, Finding)
    assert [(one.value, one.observed_at) for one in low.evidence] == [(66, minute(0)), (63, minute(15))]
    assert low.observed_at == minute(15)
    assert low.doctor_text == "Glucose below 70 mg/dL for 15 min; 63 mg/dL at last."
    assert over.evidence[0].observed_at == minute(15)
    assert over.observed_at == minute(35)


@pytest.mark.parametrize(("value", "said"), [(20, "below 40 mg/dL"), (600, "above 400 mg/dL")])
def test_lo_and_hi_of_a_meter_are_said_as_bounds(value: float, said: str) -> None:
    records = series("glucose", [(0, value)], flags=int(Flag.CLIPPED), device_type=GLUCOSE_METER.number, device=21)
    (one,) = (one for one in run(records) if isinstance(one, Finding))
    assert said in one.doctor_text
    assert f"{value} mg/dL" not in one.doctor_text


def test_a_finding_says_which_reading_of_which_uplink_it_rests_on() -> None:
    finding = run(series("heart_rate", [(n, 140) for n in range(11)], flags=int(Flag.RESTING)))[0]

    assert isinstance(finding, Finding)
    assert (finding.person_no, finding.rule, finding.severity) == (PERSON, "heart_rate", Severity.HIGH)
    assert [one.seq for one in finding.evidence] == [0, 10]
    assert finding.doctor_text == "Heart rate at or above 131 /min at rest for 10 min; 140 /min at last."


def test_an_event_of_no_rule_gives_nothing() -> None:
    assert run([uplink(0, 1, events=["charging", "dose_confirmed"])]) == []
