"""The anomaly rule: what it says of which vitals, its state in a checkpoint, and silence without a model."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.alerts import EndReason, Finding, Message
from schemas.codec import parse_json, write_json
from schemas.reasons import Flag
from schemas.records import JudgedUplink
from schemas.vitals import HEART_RATE, SPO2
from services.score.anomaly_course import LONGEST_GAP_MS, Anomaly, AnomalyState
from services.score.core import step, with_answers
from services.score.followups import Tally
from services.score.home_state import HomeState
from services.score.models.anomaly import Asked
from services.score.rule import HOUR_MS
from services.score.sample import Sample
from services.sentences.catalogue import ENGLISH, Reader, deviations_of
from tests.unit.services.score.anomaly_cases import ANOMALY_BOOK, DRIFTED, MODEL, USUAL, WELL, hours
from tests.unit.services.score.story import HOME, minute, run, uplink

ILL = [*WELL, *hours(DRIFTED, 30, 40)]
ODD_ROW = (97.0, 97.0, 36.8, 110.0, 22.0, 22.0, 0.0, 0.0, -12.0, 6.0)


def findings(records: list[JudgedUplink], state: HomeState | None = None) -> list[Finding]:
    state = state or HomeState(rules=ANOMALY_BOOK)
    return [one for one in run(records, state) if isinstance(one, Finding)]


def test_it_is_said_in_words_which_vitals_are_how_far_from_their_usual() -> None:
    (found,) = findings(ILL)
    assert found.doctor_text == (
        "Unusual together over the last hours: pulse 100 /min, 19 above their usual; breathing 21 /min, 4 above their"
        " usual; temperature 37.6 °C, 0.7 above their usual. More than in 97.7 % of the hours of people at home that"
        " this was learned from."
    )
    assert found.caregiver_text.endswith("Please ask how they feel.")
    assert [one.code for one in deviations_of(found.facts)] == ["heart_rate", "respiratory_rate", "body_temperature"]
    assert [(one.what, one.value) for one in found.evidence] == [("anomaly", 97.7)]


@pytest.mark.parametrize(
    ("unusual", "words"),
    [
        ("respiratory_rate:22:+6 heart_rate:97:+22", "breathing 22 /min, 6 above their usual; pulse 97 /min, 22 above"),
        ("systolic:110:-12", "systolic pressure 110 mmHg, 12 below their usual"),
        ("spo2:93", "oxygen saturation 93 % (their usual is not known yet)"),
        ("body_temperature:37.44:+0.04", "temperature 37.4 °C, as is usual for them"),
        ("spo2:93:-0", "oxygen saturation 93 %, as is usual for them"),
    ],
)
@pytest.mark.parametrize("reader", Reader)
def test_nothing_is_said_of_a_usual_that_is_not_known(unusual: str, words: str, reader: Reader) -> None:
    assert words in ENGLISH.say(Message("anomaly.unusual", {"unusual": unusual, "percent": 97.5}), reader)


def test_ends_are_said_with_what_it_began_with() -> None:
    over = findings([*ILL, *hours(USUAL, 40, 55)])[-1]
    assert (over.level, over.end_reason) == (0, EndReason.RECOVERED)
    assert over.doctor_text.startswith("Taken together no longer unusual; it began with pulse 100 /min")


def test_without_a_model_nothing_is_asked_and_nothing_is_said() -> None:
    assert findings(ILL, HomeState()) == []
    silent = Anomaly(model=None)
    assert silent.ask(silent.start_asking(), Sample(HOUR_MS, 70.0, 1, 1, 1, 1, 1), rested=True) is None


def test_a_cuffless_pressure_is_not_asked_about() -> None:
    """Of three vitals one is left: too few to say anything."""
    cuffless = {"systolic": 150.0, "heart_rate": 72.0, "spo2": 97.0}
    state = HomeState(rules=ANOMALY_BOOK)
    run([*hours(cuffless, 0, 20, flags=Flag.CUFFLESS | Flag.RESTING)], state)
    asked = state.to_plain()["subjects"]["7"]["models"]["anomaly"]["asked"]
    assert [bool(course) for course in asked[1:]] == [True, True, False, False, False]


def test_what_it_remembers_survives_a_checkpoint_to_the_byte() -> None:
    state = HomeState(rules=ANOMALY_BOOK)
    run(ILL, state)
    written = write_json(state.to_plain())
    again = HomeState.from_plain(parse_json(written), ANOMALY_BOOK)
    assert write_json(again.to_plain()) == written
    assert state.to_plain()["subjects"]["7"]["models"]["anomaly"]["concluded"][1]


VALUES: list[Mapping[str, float]] = [USUAL, DRIFTED, {"heart_rate": 90, "spo2": 95}, {"systolic": 150}]


@given(
    st.lists(st.tuples(st.sampled_from(VALUES), st.integers(1, 8)), min_size=1, max_size=6),
    st.lists(st.integers(1, 40), min_size=1, max_size=4),
    st.booleans(),
)
@settings(deadline=None, max_examples=25)
def test_the_size_of_a_batch_and_a_restart_after_it_change_nothing(
    parts: list[tuple[Mapping[str, float], int]],
    sizes: list[int],
    saved: bool,  # noqa: FBT001 - drawn
) -> None:
    story, at = [*hours(USUAL, 0, 12), *hours(DRIFTED, 12, 22)], 22
    for vitals, lasts in parts:
        story += hours(vitals, at, at + lasts)
        at += lasts + (7 if lasts == 8 else 0)
    assert set(in_batches(story, sizes, saved=saved)) == set(in_batches(story, [1], saved=False))


def in_batches(story: list[JudgedUplink], sizes: list[int], *, saved: bool) -> list[object]:
    state, done, place, turn = HomeState(rules=ANOMALY_BOOK), list[object](), 0, 0
    while place < len(story):
        batch = story[place : place + sizes[turn % len(sizes)]]
        place, turn = place + len(batch), turn + 1
        effects = [effect for record in batch for effect in step(state, record, Tally())]
        done += [one for one in with_answers(effects, {HOME: state}.__getitem__) if isinstance(one, Finding)]
        if saved:
            plain = parse_json(write_json(state.to_plain()))
            state = HomeState.from_plain(plain, ANOMALY_BOOK)
    return done


DENSE = st.lists(st.tuples(st.integers(1, 130), st.integers(60, 100), st.booleans()), min_size=1, max_size=80)


@given(DENSE, st.integers(1, 9))
@settings(deadline=None, max_examples=50)
def test_what_score_does_not_ask_about_the_model_would_not_take(
    dense: list[tuple[int, int, bool]], saved_every: int
) -> None:
    """By values some seconds apart, sometimes an hour; a restart knows no more than what was saved."""
    alone, state, at = Asked(), HomeState(rules=ANOMALY_BOOK), 0.0
    for seq, (apart_s, pulse, is_long) in enumerate(dense):
        at += apart_s / 60 + is_long * 60
        values = {"heart_rate": float(pulse), "spo2": 97.0}
        for vital in (HEART_RATE, SPO2):
            alone.ask(vital.number, values[vital.code], minute(at))
        run([uplink(seq, at, values, flags=Flag.RESTING)], state)
        if seq % saved_every == 0:
            state = HomeState.from_plain(parse_json(write_json(state.to_plain())), ANOMALY_BOOK)
    asked = state.to_plain()["subjects"]["7"]["models"]["anomaly"]["asked"]
    assert asked == parse_json(write_json(alone.to_plain()))


def test_a_pause_needs_an_open_episode() -> None:
    fold = Anomaly(model=MODEL)
    state = fold.start_concluding()
    sample = Sample(40 * HOUR_MS, 70.0, 1, 1, 1, 1, 1, received_at=40 * HOUR_MS)
    assert fold.lapse(state) is None
    fold.conclude(state, sample, ODD_ROW, 0.99)
    (pause,) = fold.lapse(state) or []
    assert (pause.end_reason, pause.pauses_at) == (EndReason.NO_DATA, sample.at + LONGEST_GAP_MS)
    assert AnomalyState().from_plain(parse_json(write_json(state.to_plain()))) == state
