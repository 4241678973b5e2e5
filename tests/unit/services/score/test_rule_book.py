"""Rules beside each other: none is lost, none takes the place of another, and a new one is a file and a line."""

from dataclasses import dataclass, replace
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.alerts import Finding, Message, Severity, Variant
from schemas.codec import parse_json, write_json
from schemas.default_limits import defaults_of
from schemas.devices.device_type import DeviceType
from schemas.devices.glucose import CGM, GLUCOSE_METER
from schemas.limits import LevelLimit, Limits, Side
from schemas.reasons import Flag
from schemas.vitals import GLUCOSE, HEART_RATE, SPO2
from services.score.beyond import Beyond
from services.score.home_state import HomeState
from services.score.person import LateError, PersonState
from services.score.rule import HOUR_MS, NEVER, Mark, Rule
from services.score.rule_book import RULE_BOOK, RuleBook
from services.score.rules import RULES
from services.score.rules.spo2 import SPO2_LOW
from services.score.sample import INPUTS, FlatState, Rest, Sample
from services.score.window import MOST_OF_A_MOMENT
from tests.unit.services.score.story import PERSON, levels, minute, run, series, uplink


@dataclass(slots=True)
class Latest(FlatState):
    """Whether it was said, and when."""

    level: int = 0
    since: int = 0


@dataclass(frozen=True, slots=True)
class ByMeter:
    """A throw-away fold for one kind of device: one reading of a meter decides, any number of a sensor do not."""

    window_ms: int = HOUR_MS
    needs_rest: bool = False

    def start(self) -> Latest:
        return Latest()

    def advance(self, state: Latest, sample: Sample, *, rested: bool) -> list[Mark] | None:
        del rested
        if state.level or not sample.is_spot or sample.value >= 54:
            return None
        state.level, state.since = 1, sample.at
        return [Mark(1, sample, sample)]

    def standing(self, state: Latest, first: Sample, last: Sample) -> Mark:
        return Mark(state.level, first, last)

    def still(self, state: Latest, sample: Sample) -> Mark | None:
        raise AssertionError(f"nothing of {state} was ever a look back at {sample}")

    def pauses_at(self, state: Latest) -> int:
        del state
        return NEVER

    def pause(self, state: Latest) -> Mark:
        raise AssertionError(f"{state} never pauses")


@dataclass(slots=True)
class PairState(FlatState):
    """The newest reading of each of two vitals."""

    level: int = 0
    since: int = 0
    pulse: Sample | None = None
    oxygen: Sample | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """A throw-away fold over two vitals: a fast heart and low oxygen within an hour."""

    window_ms: int = HOUR_MS
    needs_rest: bool = False

    def start(self) -> PairState:
        return PairState()

    def advance(self, state: PairState, sample: Sample, *, rested: bool) -> list[Mark] | None:
        del rested
        if sample.vital == HEART_RATE.number:
            state.pulse = sample
        else:
            state.oxygen = sample
        pulse, oxygen = state.pulse, state.oxygen
        if state.level or pulse is None or oxygen is None or pulse.value < 110 or oxygen.value > 94:
            return None
        state.level, state.since = 1, sample.at
        other = oxygen if sample is pulse else pulse
        return [Mark(1, sample, sample, also=(other,))]

    def standing(self, state: PairState, first: Sample, last: Sample) -> Mark:
        return Mark(state.level, first, last)

    def still(self, state: PairState, sample: Sample) -> Mark | None:
        raise AssertionError(f"nothing of {state} was ever a look back at {sample}")

    def pauses_at(self, state: PairState) -> int:
        del state
        return NEVER

    def pause(self, state: PairState) -> Mark:
        raise AssertionError(f"{state} never pauses")


def like_sos(name: str) -> Rule:
    """The words of another rule, for one that is thrown away."""
    return Rule(
        name=name, version=1, what="pulse_and_oxygen", severities=MappingProxyType({1: Severity.LOW}),
        rationale="Thrown away.", messages=("sos.pressed",), message=lambda _mark: Message("sos.pressed"),
    )  # fmt: skip


PAIR = replace(like_sos("pair"), inputs=(HEART_RATE.code, SPO2.code), fold=Pair())
SECOND = replace(
    like_sos("second"),
    inputs=(SPO2.code,),
    fold=Beyond(
        sides={Side.BELOW: Limits(concern="spo2", off=96, clear_min=0, worse_by=50, source="thrown away", levels=(
            LevelLimit(on=96, inclusive=False, persist_min=0, severity=Severity.LOW, level=1, least=3),
        ))},
    ),
)  # fmt: skip
BY_METER = replace(like_sos("by_meter"), inputs=(GLUCOSE.code,), fold=ByMeter())
WITH_BOTH = RuleBook((*RULES, PAIR, SECOND))
LOW = [(minute, 88.0 if minute >= 5 else 95.0) for minute in range(12)]


def test_every_rule_with_a_fold_reads_its_inputs_and_no_rule_is_lost() -> None:
    read = [
        (vital, rule.name)
        for of_vital in (RULE_BOOK.readers, RULE_BOOK.askers)
        for vital, rules in of_vital.items()
        for rule in rules
    ]
    wanted = [(INPUTS[code], rule.name) for rule in RULES for code in rule.inputs]
    assert sorted(read) == sorted(wanted)
    assert {rule.name for rule in RULE_BOOK.rules} == {rule.name for rule in RULES}
    assert {rule.name for rule in RULES if rule.fold or rule.asks} == {name for _, name in read}


@pytest.mark.parametrize("wrong", [(PAIR, PAIR), (replace(PAIR, inputs=()),), (replace(PAIR, fold=None),)])
def test_two_rules_of_one_name_or_a_fold_without_inputs_are_refused(wrong: tuple[Rule, ...]) -> None:
    with pytest.raises(ValueError, match="pair"):
        RuleBook((*RULES, *wrong))


def test_a_second_rule_on_one_vital_stands_beside_the_first() -> None:
    state = HomeState(WITH_BOTH)
    found = levels(run(series("spo2", LOW), state))
    assert [one for one in found if one[0] == "spo2"] == levels(run(series("spo2", LOW)))
    assert ("second", 1, 1, 1.0) in found


def test_a_rule_over_two_vitals_rests_on_a_reading_of_each() -> None:
    records = [uplink(0, 0, {"heart_rate": 120}), uplink(1, 1, {"spo2": 93}), uplink(2, 2, {"glucose": 100})]
    (finding,) = [one for one in run(records, HomeState(WITH_BOTH)) if isinstance(one, Finding) and one.rule == "pair"]
    assert {(one.what, one.value, one.seq) for one in finding.evidence} == {("spo2", 93, 1), ("heart_rate", 120, 0)}


@pytest.mark.parametrize(("kind", "said"), [(GLUCOSE_METER, True), (CGM, False), (None, False)])
def test_a_rule_for_one_kind_of_device_hears_which_kind_measured(kind: DeviceType | None, *, said: bool) -> None:
    number = kind.number if kind else 0
    found = run([uplink(0, 0, {"glucose": 50}, device_type=number)], HomeState(RuleBook((*RULES, BY_METER))))
    assert [one[:3] for one in levels(found) if one[0] == "by_meter"] == ([("by_meter", 1, 1)] if said else [])


def test_a_sample_says_how_it_was_measured_and_keeps_it_in_a_saved_state() -> None:
    state = HomeState()
    flags = {Rest.MOVING: Flag.MOVING, Rest.KNOWN: Flag.RESTING, Rest.UNKNOWN: Flag(0)}
    for number, flag in enumerate(flags.values()):
        story = uplink(number, number, {"glucose": 90}, flags=int(flag), device_type=GLUCOSE_METER.number, received=9)
        run([story], state)
    (kept,) = HomeState.from_plain(parse_json(write_json(state.to_plain()))).subjects[PERSON].window.samples.values()
    assert [(one.rest, one.is_spot, one.received_at) for one in kept] == [(rest, True, minute(9)) for rest in flags]


def test_what_comes_late_of_one_vital_reaches_a_rule_over_two() -> None:
    records = [uplink(0, 10, {"spo2": 93}), uplink(1, 4, {"heart_rate": 120})]
    found = levels(run(records, HomeState(WITH_BOTH)))
    assert [one for one in found if one[0] == "pair"] == [("pair", 1, 1, 10.0)]


def test_the_window_is_the_person_s_and_each_sample_is_kept_once() -> None:
    state = HomeState(WITH_BOTH)
    run(series("spo2", LOW), state)
    person = state.subjects[PERSON]
    assert [len(samples) for samples in person.window.samples.values()] == [len(LOW)]
    assert len(write_json(person.to_plain()["samples"])) < 60 * len(LOW)


def test_a_year_of_readings_leaves_a_window_that_is_no_longer_than_its_rules_look_back() -> None:
    person = PersonState(WITH_BOTH)
    for number in range(20_000):
        person.take(Sample(number * 30_000, 95.0, 1, 2, number, 0, SPO2.number))
        if number % 100 == 0:
            person.take(Sample(number * 30_000, 100.0, 1, 2, number, 1, GLUCOSE.number))
    assert len(person.window.samples[SPO2.number]) <= 200
    person.trim()
    assert len(person.window.samples[SPO2.number]) <= 40


def test_a_clock_that_stands_still_fills_no_memory() -> None:
    person, late = PersonState(WITH_BOTH), 0
    for number in range(5_000):
        try:
            late += bool(
                person.take(Sample(1_000_000 * (number % 2), 90 + number / 1000, 1, 2, number, 0, SPO2.number))
            )
        except LateError:
            late += 1
    assert len(person.window.samples[SPO2.number]) <= 2 * MOST_OF_A_MOMENT
    assert late >= 4_000


def test_of_a_rule_that_is_no_more_the_numbers_are_kept_and_of_a_new_one_nothing_is_made_up() -> None:
    state = HomeState(WITH_BOTH)
    run(series("spo2", LOW), state)
    plain = parse_json(write_json(state.to_plain()))
    without = HomeState.from_plain(plain)
    assert without.subjects[PERSON].episodes["second"] == 1
    again = HomeState.from_plain(parse_json(write_json(without.to_plain())), WITH_BOTH)
    later = [uplink(100 + n, 60 + n, {"spo2": 90}) for n in range(5)]
    assert ("second", 2, 1) in {one[:3] for one in levels(run(later, again))}


@given(st.integers(0, 11), st.integers(0, 11), st.integers(0, 11))
def test_a_rule_that_is_new_begins_when_it_comes_and_a_restart_after_that_changes_nothing(
    come: int, restart: int, late: int
) -> None:
    story = series("spo2", LOW)
    story.insert(late, story.pop(max(0, late - 2)))
    before = HomeState()
    run(story[:come], before)
    plain = parse_json(write_json(before.to_plain()))
    undisturbed, disturbed = HomeState.from_plain(plain, WITH_BOTH), HomeState.from_plain(plain, WITH_BOTH)
    expected = run(story[come:], undisturbed)
    found = run(story[come : come + restart], disturbed)
    loaded = HomeState.from_plain(parse_json(write_json(disturbed.to_plain())), WITH_BOTH)
    assert found + run(story[come + restart :], loaded) == expected
    assert write_json(loaded.to_plain()) == write_json(undisturbed.to_plain())


def test_a_rule_that_comes_where_another_went_takes_nothing_of_before_its_time_after_a_restart() -> None:
    before, book = HomeState(), RuleBook((SECOND,))
    run(series("spo2", LOW), before)
    plain = parse_json(write_json(before.to_plain()))
    undisturbed = HomeState.from_plain(plain, book)
    late, later = uplink(90, 10.5, {"spo2": 90}), [uplink(91 + n, 11.5 + n, {"spo2": 90}) for n in range(4)]
    run([uplink(80, 11, {"spo2": 97}, person=9)], undisturbed)
    undisturbed.subject(PERSON).move(0, 0)
    loaded = HomeState.from_plain(parse_json(write_json(undisturbed.to_plain())), book)
    assert run([late, *later], undisturbed) == run([late, *later], loaded)
    assert write_json(undisturbed.to_plain()) == write_json(loaded.to_plain())


@given(st.data())
def test_more_rules_change_nothing_of_what_the_others_say(data: st.DataObject) -> None:
    readings = data.draw(
        st.lists(
            st.tuples(
                st.sampled_from(["heart_rate", "spo2", "glucose"]),
                st.sampled_from([60.0, 88.0, 93.0, 97.0, 125.0, 140.0]),
                st.integers(0, 90),
            ),
            max_size=60,
        )
    )
    records = [
        uplink(seq, at, {vital: min(value, 100.0) if vital == "spo2" else value})
        for seq, (vital, value, at) in enumerate(readings)
    ]
    own = [one for one in run(records, HomeState(WITH_BOTH)) if isinstance(one, Finding)]
    found = [one for one in run(records) if isinstance(one, Finding)]
    assert [one for one in own if one.rule not in {"pair", "second"}] == found


def tried(on: float) -> RuleBook:
    """The product's rules, and beside oxygen's a variant in the shadow that finds it low from ``on`` down."""
    usual = defaults_of("spo2")["spo2"]
    milder = replace(usual, levels=tuple(replace(level, on=on) for level in usual.levels), off=99)
    fold = Beyond(sides={Side.BELOW: milder}, max_step_per_minute=15)
    return RuleBook((*RULES, replace(SPO2_LOW, fold=fold, limited=None, variant=Variant.SHADOW)))


def test_a_variant_in_the_shadow_changes_nothing_of_what_is_live() -> None:
    records = series("spo2", [(n, 91.0 if n in range(5, 12) else 96.0) for n in range(40)])
    found = [one for one in run(records, HomeState(tried(97))) if isinstance(one, Finding)]
    live = [one for one in found if one.variant is Variant.LIVE]
    shadow = [one for one in found if one.variant is Variant.SHADOW]
    assert live == run(records)
    assert [(one.rule, one.level) for one in shadow] == [("spo2", 3), ("spo2", 3)]
    assert {one.finding_id for one in live}.isdisjoint(one.finding_id for one in shadow)


def test_a_variant_keeps_its_own_episodes_over_a_restart_and_goes_without_a_trace_in_the_other() -> None:
    records = series("spo2", [(n, 91.0 if n in range(5, 12) else 96.0) for n in range(40)])
    rules, undisturbed = tried(97), HomeState(tried(97))
    expected = run(records, undisturbed)
    for cut in range(0, 40, 3):
        before = HomeState(rules)
        found = run(records[:cut], before)
        after = HomeState.from_plain(parse_json(write_json(before.to_plain())), rules)
        assert found + run(records[cut:], after) == expected
    kept = parse_json(write_json(undisturbed.to_plain()))
    without = HomeState.from_plain(kept)
    again = [uplink(900 + n, 200 + n, {"spo2": 85}) for n in range(5)]
    assert [one[:3] for one in levels(run(again, without))] == [("spo2", 2, 2)]


def test_two_variants_of_one_name_are_refused_only_where_they_are_the_same() -> None:
    twice = replace(SPO2_LOW, variant=Variant.SHADOW)
    RuleBook((*RULES, twice))
    with pytest.raises(ValueError, match="shadow"):
        RuleBook((*RULES, twice, twice))
