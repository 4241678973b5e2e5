"""What other limits would have made of the past is what a live run by them finds, finding by finding."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.alerts import Finding, Severity
from schemas.default_limits import usual_of
from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.limits import CONCERN_BY_NAME, Condition, LevelLimit, Limits
from schemas.records import JudgedUplink
from schemas.vitals import HEART_RATE
from services.score.back_test import BackTest, Extent, NotLimitedError, Said, compare
from services.score.home_rerun import HomeRerun, rerun
from services.score.home_state import HomeState
from services.score.limit_book import ALWAYS, DEFAULT_BOOK, NEVER, LimitBook, PersonCondition, Scope, Version
from services.score.rerun import MARKS_MS, needed
from services.score.rule import HOUR_MS, Fold, Rule
from services.score.rule_book import RULE_BOOK, RuleBook
from services.score.rule_timeline import ALWAYS_THE_SAME, RuleTimeline, always
from services.score.stood import FOREVER
from tests.unit.services.score.rules_alone import rules_for
from tests.unit.services.score.story import HOME, PERSON, minute, series, uplink
from tests.unit.services.score.test_look_back import RULES, Platform, stories

TRIED = [
    "heart_rate.fast",
    "heart_rate.slow",
    "spo2",
    "temperature.high",
    "blood_pressure.high",
    "glucose_low",
    "news2",
]
END_MS = 2 * HOUR_MS
DELAYS = [0.0, 0.0, 0.0, 0.0, 0.0, 3.0, 20.0, 90.0, 300.0]


class Live(Platform):
    """The platform with a marker each second: what is due without a record happens at the next one."""

    def mark(self, now: int) -> None:
        """The log has come so far."""
        late = {name: one for name, one in self.asked.items() if one.received_at < now}
        for name, one in late.items():
            del self.asked[name]
            look = self.look(one, now - 1)
            self._keep(look.findings)
            self.seen |= {(one.rule, seen.concern, seen.episode): seen for seen in look.seen}
            if look.follow is not None:
                self.asked[name] = look.follow
        if self.state.due_at <= now:
            self.wait(now)

    def hear(self, records: Iterable[JudgedUplink], until: int) -> None:
        """All of them, by when they were received, with the markers between them."""
        now = 0
        for record in records:
            self._mark_up_to(now, record.received_at)
            self.take(record)
            now = record.received_at
        self._mark_up_to(now, until)

    def _mark_up_to(self, now: int, until: int) -> None:
        # Each second at which something is due; at the others nothing happens.
        while now < until:
            due = min([self.state.due_at, *(one.received_at + 1 for one in self.asked.values())])
            now = max(now + 1, due)
            now = -(-now // MARKS_MS) * MARKS_MS
            if now < until:
                self.mark(now)


def moved(limits: Limits, by: float) -> Limits:
    """The same, each level and the end of an episode further out by so much, or further in."""
    side = CONCERN_BY_NAME[limits.concern].side
    levels = tuple(replace(one, on=one.on + by * side) for one in limits.levels)
    return replace(limits, levels=levels, off=limits.off + by * side)


def back_test(
    instead: Limits,
    records: Sequence[JudgedUplink],
    until: int,
    book: LimitBook = DEFAULT_BOOK,
    rules: RuleTimeline = ALWAYS_THE_SAME,
    people: Sequence[int] = (),
) -> BackTest:
    """As score runs it."""
    extent: Extent | None = Extent()
    while extent is not None:
        done = BackTest(
            person_no=PERSON, home_no=HOME, people=people, instead=instead, limits=book, asked_at=until, rules=rules,
            extent=extent,
        )  # fmt: skip
        for _ in done.take(records):
            pass
        extent = done.needs
    done.compared(0)
    return done


def live(limits: Iterable[Limits], records: Sequence[JudgedUplink], until: int, rule: str) -> list[Finding]:
    """What all rules, by these limits of the person, find of the rule."""
    versions = [
        Version(scope=Scope(person_no=PERSON), concern=one.concern, valid_from=ALWAYS, limits=one) for one in limits
    ]
    platform = Live(HomeState(limits=LimitBook(versions)))
    platform.hear(records, until)
    return [one for one in platform.findings.values() if one.rule == rule]


def arriving(story: Sequence[JudgedUplink], chance: Random, delays: Sequence[float]) -> list[JudgedUplink]:
    """The story as it is received: some of it late, and some seconds after it was measured."""
    found = []
    for record in story:
        at = record.received_at + round(chance.choice(delays) * 60_000) + chance.randrange(0, 5_000)
        found.append(record._replace(received_at=at, sent_at=at))
    return sorted(found, key=lambda one: one.received_at)


@settings(max_examples=8, deadline=None)
@given(
    stories(),
    st.randoms(use_true_random=False),
    st.sampled_from(TRIED),
    st.sampled_from([-1.0, 0.0, 0.5, 3.0]),
    st.sampled_from([DELAYS, [0.0]]),
)
def test_a_back_test_finds_what_a_live_run_by_these_limits_finds(
    story: list[JudgedUplink], chance: Random, concern: str, by: float, delays: list[float]
) -> None:
    records = arriving(story, chance, delays)
    until = max((one.received_at for one in records), default=minute(0)) + END_MS
    instead, rule = moved(usual_of(concern), by), CONCERN_BY_NAME[concern].rule
    today, changed = back_test(instead, records, until).findings
    assert today == live([], records, until, rule)
    assert changed == live([instead], records, until, rule)


@settings(max_examples=6, deadline=None)
@given(stories(), st.randoms(use_true_random=False), st.sampled_from(sorted(RULES)))
def test_the_rules_that_run_alone_find_what_they_find_among_all(
    story: list[JudgedUplink], chance: Random, name: str
) -> None:
    records = arriving(story, chance, DELAYS)
    rules, until = rules_for(RULES[name]), max((one.received_at for one in records), default=0) + END_MS
    alone, among = Live(HomeState(rules=rules)), Live()
    alone.hear([needed(one, rules) for one in records], until)
    among.hear(records, until)
    assert [one for one in alone.findings.values() if one.rule == name] == [
        one for one in among.findings.values() if one.rule == name
    ]


def pulse(*values: float) -> list[JudgedUplink]:
    """Ten minutes of each value, one reading a minute."""
    return series("heart_rate", [(10 * place + more, one) for place, one in enumerate(values) for more in range(10)])


HIGHER = replace(
    usual_of("heart_rate.fast"),
    levels=tuple(
        replace(one, on=max(one.on, 129)) if not one.moving else one for one in usual_of("heart_rate.fast").levels
    ),
)


def test_it_says_which_episodes_vanish_and_which_stay() -> None:
    records = pulse(70, 125, 125, 80, 80, 140, 140, 80, 80)
    done = back_test(HIGHER, records, minute(200)).compared(minute(0))
    assert [(one.since, one.level) for one in done.today] == [(minute(10), 1), (minute(50), 2)]
    assert [one.since for one in done.vanish] == [minute(10)]
    assert [one.since for one in done.changed] == [minute(50)]
    assert all(one.alerts for one in done.today)
    assert not done.begin
    assert not done.differ


def test_what_began_before_the_time_asked_for_is_left_out() -> None:
    records = pulse(70, 125, 125, 80, 80, 140, 140, 80, 80)
    done = back_test(HIGHER, records, minute(200)).compared(minute(30))
    assert [one.since for one in done.today] == [minute(50)]
    assert not done.vanish


def shared_cuff(pulse: float, points: Mapping[str, float]) -> list[JudgedUplink]:
    """Two people use a cuff each day; then one of them, who wears a band, measures what may be the other's."""
    cuff, days = DEVICE_TYPE_BY_CODE["pressure_cuff"].number, 12
    now, records = days * 24 * 60, list[JudgedUplink]()
    for day in range(days):
        for place, (person, low) in enumerate(((PERSON, 74), (PERSON + 1, 93))):
            values = {"systolic": low * 1.64 + day % 4, "diastolic": low + day % 4, "heart_rate": pulse}
            at = day * 24 * 60 + place
            records.append(uplink(2 * day + place, at, values, person=person, device=22, device_type=cuff))
    for minutes in range(40):
        records.append(uplink(1_000 + minutes, now - 40 + minutes, points, device_type=1))
    meant: list[dict[str, float]] = [
        {"systolic": 153, "diastolic": 94, "heart_rate": pulse},
        {"systolic": 154, "diastolic": 93},
    ]
    for place, one in enumerate(meant):
        records.append(uplink(900 + place, now + 3 * place, one, device=22, device_type=cuff))
    return [one._replace(received_at=one.received_at + 1_000) for one in records]


WELL = {"spo2": 97.0, "heart_rate": 70.0, "respiratory_rate": 14.0}
ILL = {"spo2": 91.0, "heart_rate": 118.0, "respiratory_rate": 14.0}


@pytest.mark.parametrize(
    ("concern", "by", "pulse", "points", "extent"),
    [
        ("blood_pressure.high", 0.0, 70, WELL, Extent(whole=True)),
        ("blood_pressure.high", -30.0, 70, WELL, Extent(apart=True, whole=True)),
        ("blood_pressure.high", 0.0, 70, ILL, Extent(whole=True)),
        ("heart_rate.fast", -33.0, 88, WELL, Extent(apart=True, whole=True)),
        ("heart_rate.fast", 1.0, 70, ILL, Extent(whole=True)),
        ("news2", -1.0, 70, WELL, Extent()),
        ("news2", -1.0, 70, ILL, Extent()),
        ("spo2", 1.0, 70, ILL, Extent()),
    ],
)
def test_what_a_live_run_holds_back_is_held_back(
    concern: str, by: float, pulse: float, points: Mapping[str, float], extent: Extent
) -> None:
    records = shared_cuff(pulse, points)
    until, rule = records[-1].received_at + END_MS, CONCERN_BY_NAME[concern].rule
    instead = moved(usual_of(concern), by)
    done = back_test(instead, records, until, people=[PERSON, PERSON + 1])
    ran = [[one for one in live(its, records, until, rule) if one.person_no == PERSON] for its in ([], [instead])]
    assert list(done.findings) == ran
    assert done.extent == extent


def test_limits_of_yesterday_play_no_part() -> None:
    strict = moved(usual_of("heart_rate.fast"), -20)
    # From the end of the story on; what counts is what holds when it is asked.
    scope = Scope(person_no=PERSON)
    version = Version(scope=scope, concern=strict.concern, valid_from=minute(150), limits=strict)
    book = LimitBook([version])
    records = pulse(70, 105, 105, 80)
    today, changed = back_test(usual_of("heart_rate.fast"), records, minute(200), book).findings
    assert today
    assert not changed


def deaf(rule: Rule) -> Rule:
    """A version of before: its limits lay so much further out."""
    make = rule.limited
    assert make is not None

    def further_out(limits: Mapping[str, Limits]) -> Fold[Any]:
        return make({name: moved(one, 60) for name, one in limits.items()})

    known = {name: usual_of(name) for name, one in CONCERN_BY_NAME.items() if one.rule == rule.name}
    return replace(rule, version=rule.version + 1, limited=further_out, fold=further_out(known))


@pytest.mark.parametrize("concern", ["heart_rate.fast", "news2"])
def test_each_version_of_a_rule_runs_over_what_came_while_it_was_in_force(concern: str) -> None:
    rule = CONCERN_BY_NAME[concern].rule
    before = RuleBook([deaf(one) if one.name == rule else one for one in RULE_BOOK.rules])
    rules, instead = RuleTimeline([(ALWAYS, before), (minute(100), RULE_BOOK)]), moved(usual_of(concern), 0.5)
    ill = {"heart_rate": 140.0, "spo2": 89.0, "respiratory_rate": 31.0, "body_temperature": 39.5}
    well = {"heart_rate": 75.0, "spo2": 98.0, "respiratory_rate": 14.0, "body_temperature": 36.8}
    records = [uplink(at, at, ill if at // 35 % 2 else well, device_type=1) for at in range(240)]
    today, changed = back_test(instead, records, minute(240), rules=rules).findings
    run = rerun(HomeRerun(HOME, DEFAULT_BOOK.standing([PERSON], 0), rules), records, minute(240) - 1)
    assert today == [one for one in run.findings.values() if one.rule == rule]
    assert today
    assert changed
    assert min(one.observed_at for one in [*today, *changed]) >= minute(100)
    assert len(back_test(instead, records, minute(240)).findings[0]) > len(today)


def test_what_holds_stands_as_if_it_always_had() -> None:
    condition = PersonCondition(
        person_no=PERSON, condition=Condition.SPO2_88_92, valid_from=minute(10), valid_to=minute(20)
    )
    book = LimitBook(conditions=[condition])
    within, after = book.standing([PERSON], minute(15)), book.standing([PERSON], minute(20))
    for at in (0, minute(15), NEVER - 1):
        assert within.in_force("spo2", PERSON, at) == book.in_force("spo2", PERSON, minute(15))
        assert after.in_force("spo2", PERSON, at) == usual_of("spo2")


def test_without_the_own_limits_what_is_less_specific_holds() -> None:
    own = moved(usual_of("spo2"), 1)
    version = Version(scope=Scope(person_no=PERSON), concern="spo2", valid_from=0, limits=own)
    book = LimitBook([version])
    assert book.in_force("spo2", PERSON, 1) == own
    assert book.less_specific("spo2", PERSON, 1) == usual_of("spo2")
    assert book.less_specific("weight", PERSON, 1) is None


def said(since: int, until: int = FOREVER, severity: Severity = Severity.MEDIUM, concern: str = "spo2") -> Said:
    """An episode."""
    return Said(concern, since, until, 1, severity, alerts=True)


def test_episodes_of_one_time_are_one() -> None:
    worse = said(12, 20, Severity.HIGH)
    done = compare([said(10, 20), said(30, 40)], [worse, said(50)])
    assert done.vanish == [said(30, 40)]
    assert done.begin == [said(50)]
    assert done.differ == [(said(10, 20), worse)]


def test_episodes_of_two_concerns_are_two() -> None:
    done = compare([said(10, 20)], [said(10, 20, concern="heart_rate.fast")])
    assert (len(done.vanish), len(done.begin)) == (1, 1)


def test_a_concern_without_a_rule_is_refused() -> None:
    level = LevelLimit(on=1, inclusive=True, persist_min=0, severity=Severity.LOW, level=1)
    none = RuleBook([one for one in RULE_BOOK.rules if one.name != "heart_rate" and HEART_RATE.code not in one.inputs])
    limits = replace(usual_of("heart_rate.fast"), levels=(level,))
    with pytest.raises(NotLimitedError):
        back_test(limits, [], 0, rules=always(none))
