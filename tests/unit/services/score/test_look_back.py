"""What comes later than a rule's window is judged too: the same is found in whatever order it came."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.alerts import EndReason, Finding
from schemas.default_limits import usual_of
from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.reasons import Flag
from schemas.records import JudgedUplink
from services.score.core import pass_time, step
from services.score.followups import Effect, LookBack, Tally
from services.score.home_state import HomeState
from services.score.look_back import Look, in_order_of_time
from services.score.rule import Subject
from services.score.rule_book import RULE_BOOK
from services.score.stood import Seen, stood_of
from tests.proving.backtest.stored import between, devices_off
from tests.unit.services.score.story import HOME, PERSON, minute, uplink
from tests.unit.services.score.test_ends import has_come_back

BAND, OTHER_BAND, CGM, CUFF, THERMOMETER = 11, 12, 13, 14, 15
TYPES = {
    device: DEVICE_TYPE_BY_CODE[code].number
    for device, code in (
        (BAND, "wearable_band"),
        (OTHER_BAND, "wearable_band"),
        (CGM, "cgm"),
        (CUFF, "pressure_cuff"),
        (THERMOMETER, "thermometer"),
    )
}
LONG_AFTER = 90 * 24 * 60
"""The minute at which nothing of a story waits for anything any more."""
RULES = {rule.name: rule for rule in RULE_BOOK.folded}


@dataclass
class Platform:
    """Step, rows and looks back as they work together, without a database."""

    state: HomeState = field(default_factory=HomeState)
    rows: list[JudgedUplink] = field(default_factory=list)
    findings: dict[UUID, Finding] = field(default_factory=dict)
    asked: dict[str, LookBack] = field(default_factory=dict)
    seen: dict[tuple[str, str, int], Seen] = field(default_factory=dict)
    looks: int = 0
    recovered: list[tuple[Finding, list[JudgedUplink]]] = field(default_factory=list)

    def take(self, record: JudgedUplink) -> None:
        """The next one that arrives."""
        self.rows.append(record)
        self._keep(step(self.state, record, Tally()))

    def wait(self, now: int) -> None:
        """Nothing comes until then."""
        self._keep(pass_time(self.state, HOME, now))

    def look_back(self, now: int) -> None:
        """All looks back that are due."""
        asked, self.asked = self.asked, {}
        for one in asked.values():
            look = self.look(one, now)
            self._keep(look.findings)
            self.seen |= {(one.rule, seen.concern, seen.episode): seen for seen in look.seen}
            if look.follow is not None and look.follow.received_at <= now:
                self.asked[one.rule] = look.follow

    def look(self, asked: LookBack, now: int) -> Look:
        """One look back."""
        known = [one for one in self.findings.values() if one.rule == asked.rule]
        look = Look(asked, RULES[asked.rule], self.state.limits, now, known, self._seen(asked.rule))
        self.looks += 1
        known_rows = [one for one in self.rows if one.received_at <= now]
        while not look.take(self._stored(look.since, look.until, now), devices_off(self._stored(0, look.since, now))):
            pass
        # The mean of a sitting, and a sum of points, say more than readings.
        self.recovered += [
            (one, known_rows)
            for one in look.findings
            if one.end_reason is EndReason.RECOVERED and one.rule not in {"blood_pressure", "news2"}
        ]
        return look

    def _seen(self, rule: str) -> list[Seen]:
        return [one for (of, _, _), one in self.seen.items() if of == rule]

    def _stored(self, since: int, until: int, now: int) -> list[JudgedUplink]:
        # As read_records gives them.
        return between(in_order_of_time(self.rows), since, until, received_by=now)

    def _keep(self, effects: Iterable[Effect]) -> None:
        for one in effects:
            if isinstance(one, Finding):
                known = self.findings.setdefault(one.finding_id, one)
                assert (known.observed_at, known.severity, known.evidence) == (
                    one.observed_at, one.severity, one.evidence
                )  # fmt: skip
            elif isinstance(one, LookBack):
                self.asked[one.rule] = self.asked.get(one.rule, one).with_all_of(one)

    def episodes(self) -> set[tuple[str, float, int]]:
        """Concern, onset in minutes of the story, highest level."""
        return {
            (one.concern, (one.since - minute(0)) / 60_000, one.level)
            for name in RULES
            for one in stood_of((one for one in self.findings.values() if one.rule == name), self._seen(name))
        }


def in_order(story: Sequence[JudgedUplink]) -> Platform:
    """Each uplink is received when it was measured."""
    platform = Platform()
    for record in story:
        platform.take(record)
    platform.wait(minute(LONG_AFTER))
    return platform


def arrived(story: Sequence[JudgedUplink], at: Sequence[float], looks: Random | None = None) -> Platform:
    """Each uplink is received at that minute. ``looks``: looks back come in between as well, else at the end alone."""
    platform = Platform()
    now = minute(0)
    for moment, record in sorted(zip(at, story, strict=True), key=lambda one: one[0]):
        now = max(now, minute(moment))
        platform.take(record._replace(received_at=now, sent_at=now))
        if looks is not None and looks.random() < 0.1:
            platform.look_back(now)
    now = max(now, minute(LONG_AFTER))
    platform.wait(now)
    while platform.asked:
        platform.look_back(now)
    return platform


LEAST_TOTAL = min(limit.on for limit in usual_of("news2").levels)
VALUES: dict[str, list[float]] = {
    "heart_rate": [70, 70, 100, 112, 121, 125, 140, 155, 38, 33],
    "spo2": [97, 97, 95, 93, 92, 90, 85, 83],
    "glucose": [110, 90, 75, 69, 60, 53, 45, 260, 310],
    "systolic": [130, 130, 175, 185, 225, 85],
    "body_temperature": [36.8, 36.9, 37.6, 38.2, 39.3, 34.5],
}


@st.composite
def stories(draw: st.DrawFn) -> list[JudgedUplink]:
    """Some hours of a person with several devices: values that stay for a while, gaps, walking, bands taken off."""
    records: list[JudgedUplink] = []
    for device, vitals, paces in (
        (BAND, ["heart_rate", "spo2"], [1, 1, 5]),
        (OTHER_BAND, ["heart_rate"], [1, 15, 30]),
        (CGM, ["glucose"], [5, 5, 15]),
        (CUFF, ["systolic"], [2, 60]),
        (THERMOMETER, ["body_temperature"], [60, 300]),
    ):
        at = draw(st.integers(0, 30)) / 10
        for _ in range(draw(st.integers(0, 6))):
            values = {name: draw(st.sampled_from(VALUES[name])) for name in vitals}
            if "systolic" in values:
                values["diastolic"] = draw(st.sampled_from([80, 80, 125]))
            pace = draw(st.sampled_from(paces))
            flags = draw(st.sampled_from([0, 0, 0, int(Flag.RESTING), int(Flag.MOVING)]))
            if device in {BAND, OTHER_BAND}:
                said = draw(st.sampled_from([None, None, None, "not_worn", "charging", "worn"]))
                if said is not None:
                    records.append(
                        uplink(len(records), at - 0.01, events=[said], device=device, device_type=TYPES[device])
                    )
            if device == BAND:
                values["steps"] = draw(st.sampled_from([0, 0, 10, 60]))
            for _ in range(draw(st.integers(1, 12))):
                records.append(uplink(len(records), at, values, device=device, flags=flags, device_type=TYPES[device]))
                at += pace
            at += draw(st.sampled_from([0, 0, 0, 20, 70, 300]))
    return sorted(records, key=lambda one: one.received_at)


DELAYS = [0, 0, 0, 3, 20, 90, 300, 1500, 9000]


@settings(max_examples=50, deadline=None)
@given(stories(), st.randoms(use_true_random=False))
def test_any_order_of_arrival_within_thirty_days_finds_the_same(story: list[JudgedUplink], chance: Random) -> None:
    delays = [chance.choice(DELAYS) for _ in story]
    at = [(one.received_at - minute(0)) / 60_000 + delay for one, delay in zip(story, delays, strict=True)]
    found = arrived(story, at, chance)
    assert found.episodes() == in_order(story).episodes()


LEVEL_2, LEVEL_3 = 85, 83


def low_oxygen(values: Sequence[float], moving: Mapping[int, float]) -> tuple[list[JudgedUplink], list[float]]:
    """Oxygen each 5 min by a band; a second device says of those in ``moving``, by place, that they were in movement.

    Gives the story and when each came: what the second device says comes in that minute.
    """
    story: list[JudgedUplink] = []
    at: list[float] = []
    for place, value in enumerate(values):
        minutes = 5.0 * place
        records = [(minutes, {"heart_rate": 70, "spo2": value, "steps": 0}, BAND, 0)]
        if place in moving:
            records.append((moving[place], {"glucose": 110}, CGM, int(Flag.MOVING)))
        for came, vitals, device, flags in records:
            seq = len(story)
            story.append(uplink(seq, minutes, vitals, device=device, flags=flags, device_type=TYPES[device]))
            at.append(came)
    return story, at


class OneLook(Random):
    """Looks back once, after so many uplinks."""

    def __init__(self, after: int) -> None:
        super().__init__(0)
        self._left = after

    def random(self) -> float:
        """Below the limit once."""
        self._left -= 1
        return 1.0 if self._left else 0.0


@pytest.mark.parametrize("after", range(1, 20))
@pytest.mark.parametrize(
    ("values", "moving"),
    [
        # What a look back has seen begins with a reading that was in movement, which another device says later.
        ([LEVEL_2, LEVEL_2, LEVEL_2, 97], {0: 0, 1: 25, 2: 10}),
        # Of what was said, a movement has made less, and a reading that came late as much again.
        ([LEVEL_3] * 8 + [97], {0: 0, 1: 25, 2: 10, 3: 15, 4: 20, 5: 25, 6: 30}),
        # What the rule could not look back to any more is worth more than its window knows.
        ([LEVEL_3] * 8 + [97] * 3, {1: 97, 2: 10, 3: 15, 4: 20, 5: 25, 6: 1533}),
    ],
)
def test_what_movement_makes_of_an_episode_does_not_depend_on_when_somebody_looked(
    values: list[float], moving: dict[int, float], after: int
) -> None:
    story, at = low_oxygen(values, moving)
    assert arrived(story, at, OneLook(after)).episodes() == in_order(story).episodes()


@pytest.mark.parametrize("sign", ["worn", ""])
def test_a_band_that_has_lain_on_its_charger_since_yesterday_measures_nobody(sign: str) -> None:
    """What it said of itself stands in no row that a look back reads, nor that it ever showed that it is worn."""
    flags, events, hours = 0 if sign else int(Flag.MOVING), [sign] if sign else [], 20 * 60
    story = [
        uplink(0, -1, {"heart_rate": 70}, device=BAND, device_type=TYPES[BAND], flags=flags, events=events),
        uplink(1, 4.9, device=BAND, device_type=TYPES[BAND], events=["charging"]),
        uplink(2, hours + 200, {"heart_rate": 70}, device=OTHER_BAND, device_type=TYPES[OTHER_BAND]),
    ] + [
        uplink(3 + n, hours + n, {"heart_rate": 140}, device=BAND, device_type=TYPES[BAND]) for n in range(30)
    ]  # fmt: skip
    platform = arrived(story, [-1, 4.9, hours + 200, *(hours + 300 + n for n in range(30))])
    assert platform.looks
    assert not [one for one in platform.findings.values() if one.rule == "heart_rate"]


@settings(max_examples=15, deadline=None)
@given(stories())
def test_newest_first_and_oldest_first_are_the_same_of_three_weeks_ago(story: list[JudgedUplink]) -> None:
    three_weeks = 21 * 24 * 60
    oldest_first = arrived(story, [three_weeks + n / 60 for n in range(len(story))])
    newest_first = arrived(story, [three_weeks - n / 60 for n in range(len(story))])
    assert newest_first.episodes() == oldest_first.episodes() == in_order(story).episodes()


@settings(max_examples=8, deadline=None)
@given(stories(), st.randoms(use_true_random=False))
def test_the_same_look_back_again_finds_nothing_more(story: list[JudgedUplink], chance: Random) -> None:
    at = [(one.received_at - minute(0)) / 60_000 + chance.choice(DELAYS) for one in story]
    platform = arrived(story, at, chance)
    now, before = minute(LONG_AFTER), platform.episodes()
    for name in RULES:
        again = LookBack(
            subject=Subject(PERSON, HOME), rule=name, first_at=minute(0), last_at=minute(3000), received_at=now,
            worn_since=platform.state.subject(PERSON).window.worn_since(),
        )  # fmt: skip
        look, other = platform.look(again, now), platform.look(again, now)
        # What a crash before the commit repeats has the same ids.
        assert look.findings == other.findings
        platform.asked[name] = again
    platform.look_back(now)
    assert platform.episodes() == before


@settings(max_examples=15, deadline=None)
@given(stories(), st.randoms(use_true_random=False))
def test_every_episode_ends_for_one_reason_and_recovers_on_values_that_show_it(
    story: list[JudgedUplink], chance: Random
) -> None:
    at = [(one.received_at - minute(0)) / 60_000 + chance.choice(DELAYS) for one in story]
    platform = arrived(story, at, chance)
    found = platform.findings.values()
    for finding, known in platform.recovered:
        has_come_back(finding, known)
    totals = [one.evidence[1].value for one in found if one.rule == "news2" and one.end_reason is EndReason.RECOVERED]
    assert all(total is not None and total < LEAST_TOTAL for total in totals)
    ends: dict[tuple[str, int], set[EndReason | None]] = {}
    for one in found:
        if not one.level and one.end_reason not in {EndReason.NO_DATA, EndReason.DISPROVED}:
            ends.setdefault((one.concern, one.episode), set()).add(one.end_reason)
    assert all(len(reasons) == 1 for reasons in ends.values())
