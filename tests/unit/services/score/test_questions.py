"""A model as a rule: asked once a batch, folded in the order of the log, and the size of a batch changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from hypothesis import given
from hypothesis import strategies as st

from schemas.alerts import EndReason, Finding, Message, Severity
from schemas.codec import parse_json, write_json
from schemas.records import JudgedUplink
from schemas.vitals import HEART_RATE, SPO2
from services.score.core import step, with_answers
from services.score.followups import Effect, Tally
from services.score.home_state import HomeState
from services.score.rule import ENDED, MINUTE_MS, NEVER, Mark, Rule
from services.score.rule_book import RuleBook
from services.score.rules import RULES
from services.score.sample import FlatState, Sample
from tests.unit.services.score.story import HOME, levels, uplink


@dataclass(slots=True)
class Asked(FlatState):
    """The last pulse, and how often it was asked."""

    pulse: float = 0.0
    asked: int = 0


@dataclass(slots=True)
class Concluded(FlatState):
    """How many high answers came in a row, and where they began."""

    level: int = 0
    high: int = 0
    first: Sample | None = None
    last: Sample | None = None


@dataclass(slots=True)
class ThrowAway:
    """A model over two vitals: three answers above a half in a row begin an episode, one below ends it."""

    needs_rest: bool = True
    longest_gap_ms: int = 10 * MINUTE_MS
    calls: list[int] = field(default_factory=list)

    def start_asking(self) -> Asked:
        return Asked()

    def start_concluding(self) -> Concluded:
        return Concluded()

    def takes_from(self, asked: Asked, vital: int) -> int:
        return 0 if vital and asked.asked >= 0 else NEVER

    def ask(self, asked: Asked, sample: Sample, *, rested: bool) -> tuple[float, ...] | None:
        if sample.vital == HEART_RATE.number:
            asked.pulse = sample.value
            return None
        if not rested or not asked.pulse:
            return None
        asked.asked += 1
        return asked.pulse, sample.value, float(asked.asked)

    def answer(self, rows: Sequence[Sequence[float]]) -> Sequence[float]:
        self.calls.append(len(rows))
        return [min(1.0, pulse / 200 + (100 - oxygen) / 40) for pulse, oxygen, _ in rows]

    def conclude(
        self, concluded: Concluded, sample: Sample, features: Sequence[float], answer: float
    ) -> list[Mark] | None:
        assert features[1] == sample.value
        concluded.last = sample
        if answer <= 0.5:
            ended = [Mark(ENDED, concluded.first or sample, sample, EndReason.RECOVERED)] if concluded.level else None
            concluded.level, concluded.high, concluded.first = 0, 0, None
            return ended
        concluded.first, concluded.high = concluded.first or sample, concluded.high + 1
        if concluded.level or concluded.high < 3:
            return None
        concluded.level = 1
        return [Mark(1, concluded.first, sample)]

    def lapse(self, concluded: Concluded) -> list[Mark] | None:
        last = concluded.last
        if not concluded.level or last is None:
            return None
        return [Mark(ENDED, last, last, EndReason.NO_DATA, pauses_at=last.at + self.longest_gap_ms)]


def book_with(model: ThrowAway) -> RuleBook:
    rule = Rule(
        name="unwell", version=1, what="pulse_and_oxygen", severities=MappingProxyType({1: Severity.LOW}),
        rationale="Thrown away.", messages=("fall.near", "fall.ended"),
        message=lambda mark: Message("fall.near" if mark.level else "fall.ended"),
        inputs=(HEART_RATE.code, SPO2.code), asks=model,
    )  # fmt: skip
    return RuleBook((*RULES, rule))


def in_batches(records: Sequence[JudgedUplink], sizes: Sequence[int], rules: RuleBook, *, saved: bool) -> list[Effect]:
    """What follows from batches of these sizes, round and round; the state is saved and loaded after each."""
    state, done, place, turn = HomeState(rules), list[Effect](), 0, 0
    while place < len(records):
        size = sizes[turn % len(sizes)]
        batch = records[place : place + size]
        place, turn = place + size, turn + 1
        effects = [effect for record in batch for effect in step(state, record, Tally())]
        current = {HOME: state}
        done += with_answers(effects, current.__getitem__)
        if saved:
            state = HomeState.from_plain(parse_json(write_json(state.to_plain())), rules)
    return done


@st.composite
def stories(draw: st.DrawFn) -> list[JudgedUplink]:
    records = []
    at = 0.0
    for seq in range(draw(st.integers(1, 40))):
        at += draw(st.sampled_from([1, 1, 2, 5, 30]))
        late = draw(st.sampled_from([0, 0, 0, 0, 3, 12]))
        vitals = {"heart_rate": draw(st.sampled_from([60, 90, 130])), "spo2": draw(st.sampled_from([97, 90, 84]))}
        if draw(st.integers(0, 6)) == 0:
            vitals["steps"] = 40
        records.append(uplink(seq, at - late, vitals))
    return records


@given(stories(), st.lists(st.integers(1, 9), min_size=1, max_size=4), st.booleans())
def test_the_size_of_a_batch_and_a_restart_after_it_change_nothing(
    story: list[JudgedUplink],
    sizes: list[int],
    saved: bool,  # noqa: FBT001 - drawn
) -> None:
    one_by_one = in_batches(story, [1], book_with(ThrowAway()), saved=False)
    assert set(in_batches(story, sizes, book_with(ThrowAway()), saved=saved)) == set(one_by_one)


def test_a_model_is_asked_once_a_batch_and_its_findings_have_evidence_and_an_end() -> None:
    model = ThrowAway()
    ill = [uplink(n, n, {"heart_rate": 130, "spo2": 84}) for n in range(6)]
    well = [uplink(10 + n, 10 + n, {"heart_rate": 60, "spo2": 98}) for n in range(3)]
    found = in_batches([*ill, *well], [9], book_with(model), saved=False)

    assert model.calls == [9]
    assert [one for one in levels(found) if one[0] == "unwell"] == [("unwell", 1, 1, 2.0), ("unwell", 1, 0, 10.0)]
    begun = next(one for one in found if isinstance(one, Finding) and one.rule == "unwell")
    assert [(one.what, one.value, one.seq) for one in begun.evidence] == [("spo2", 84, 0), ("spo2", 84, 2)]


def test_a_model_takes_the_place_of_no_rule_and_its_episode_numbers_go_on() -> None:
    story = [uplink(n, n, {"heart_rate": 130, "spo2": 84}) for n in range(6)]
    with_model = in_batches(story, [2], book_with(ThrowAway()), saved=True)
    without = in_batches(story, [2], RuleBook(RULES), saved=True)
    assert [one for one in levels(with_model) if one[0] != "unwell"] == levels(without)

    state = HomeState(book_with(ThrowAway()))
    state.subject(7).episodes["unwell"] = 4
    homes = {HOME: state}
    found = [one for record in story for one in with_answers(step(state, record, Tally()), homes.__getitem__)]
    assert [one.episode for one in found if isinstance(one, Finding) and one.rule == "unwell"] == [5]


def test_after_its_longest_gap_an_open_episode_pauses_once_and_others_say_nothing() -> None:
    ill = [uplink(n, n, {"heart_rate": 130, "spo2": 84}) for n in range(4)]
    later = [uplink(10 + n, 14 + n, {"steps": 0}) for n in range(30)]
    begun, paused = ("unwell", 1, 1, 2.0), ("unwell", 1, 0, 13.0)
    assert of_the_model(in_batches([*ill, *later], [99], book_with(ThrowAway()), saved=False)) == [begun, paused]
    again = [uplink(50, 60, {"heart_rate": 130, "spo2": 84})]
    assert of_the_model(in_batches([*ill, *later, *again], [3], book_with(ThrowAway()), saved=True)) == [begun, paused]
    assert of_the_model(in_batches([*ill[:2], *later], [3], book_with(ThrowAway()), saved=True)) == []


def test_what_a_device_measures_off_the_body_or_sends_twice_is_not_asked_about() -> None:
    model = ThrowAway()
    off = [uplink(0, 0, {"heart_rate": 130}), uplink(1, 1, events=["not_worn"])]
    in_batches([*off, *[uplink(2 + n, 2 + n, {"spo2": 84}) for n in range(6)]], [1], book_with(model), saved=True)
    assert not model.calls
    twice = [uplink(0, 0, {"heart_rate": 130}), uplink(1, 1, {"spo2": 84}), uplink(2, 1, {"spo2": 84})]
    in_batches(twice, [1], book_with(model), saved=True)
    assert model.calls == [1]


def of_the_model(effects: Sequence[Effect]) -> list[tuple[str, int, int, float]]:
    return [one for one in levels(effects) if one[0] == "unwell"]


def test_episodes_that_are_over_do_not_pile_up_in_the_state() -> None:
    state, homes = HomeState(book_with(ThrowAway())), {}
    homes[HOME] = state
    for number in range(400):
        ill = number % 8 < 4
        record = uplink(number, number, {"heart_rate": 130 if ill else 60, "spo2": 84 if ill else 98})
        with_answers(step(state, record, Tally()), homes.__getitem__)
    kept = state.to_plain()["subjects"]["7"]["models"]["unwell"]
    assert kept["episodes"] == 50
    assert len(kept.get("reported", [])) <= 1
