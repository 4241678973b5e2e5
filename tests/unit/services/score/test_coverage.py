"""Which minutes of a vital were watched, and why the others were not."""

from collections.abc import Iterable, Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import parse_json, write_json
from schemas.coverage import CAUSE_WORDS, Coverage
from schemas.devices import DEVICE_TYPES
from schemas.reasons import Flag
from schemas.records import JudgedUplink
from schemas.vitals import VITAL_BY_CODE, VITAL_BY_NUMBER
from services.score.beyond import Beyond
from services.score.core import step
from services.score.coverage import LONGEST_GAPS, MONITORED_MS, OPEN_HOURS, CoverageLedger
from services.score.followups import Tally
from services.score.home_state import HomeState
from services.score.limit_book import DEFAULT_BOOK
from services.score.rule import HOUR_MS, MINUTE_MS
from services.score.rule_book import RULE_BOOK
from tests.unit.services.score.story import BAND, PERSON, START, run, uplink

RESTING, MOVING, POOR = int(Flag.RESTING), int(Flag.MOVING), int(Flag.POOR_QUALITY)
TYPES = {one.code: one.number for one in DEVICE_TYPES}
BEGIN = -(-START // HOUR_MS) * HOUR_MS
SHIFT = (BEGIN - START) // MINUTE_MS + (BEGIN - START) % MINUTE_MS / MINUTE_MS
"""Stories below begin with an hour."""


def said(at: float, vitals: dict[str, float] | None = None, **more: object) -> JudgedUplink:
    seq = more.pop("seq", None)
    received = more.pop("received", None)
    return uplink(
        round(at * 100) if seq is None else seq,  # type: ignore[arg-type]
        SHIFT + at,
        vitals,
        received=None if received is None else SHIFT + received,  # type: ignore[operator]
        **more,  # type: ignore[arg-type]
    )


def pulse(minutes: Iterable[float], **more: object) -> list[JudgedUplink]:
    return [said(at, {"heart_rate": 72.0}, **{"flags": RESTING, **more}) for at in minutes]


def covered(state: HomeState, now: float, vital: str = "heart_rate", person: int = PERSON) -> dict[Coverage, set[int]]:
    """The minutes of each kind, counted from the beginning, as the table would have them; and notes that it has."""
    at = BEGIN + round(now * MINUTE_MS)
    found: dict[Coverage, set[int]] = {one: set() for one in Coverage}
    for of, row in state.covered(at):
        if of == person and row.vital == VITAL_BY_CODE[vital].number:
            for kind, bits in zip(Coverage, row.bits, strict=True):
                found[kind] |= {(row.hour - BEGIN) // MINUTE_MS + bit for bit in range(60) if bits >> bit & 1}
    return found


def of(records: Sequence[JudgedUplink], now: float, vital: str = "heart_rate") -> dict[Coverage, set[int]]:
    state = HomeState()
    run(records, state)
    return covered(state, now, vital)


def test_a_pulse_is_watched_for_an_hour_after_its_last_reading_and_then_the_home_is_silent() -> None:
    found = of(pulse(range(30)), 150)
    assert found[Coverage.WATCHED] == set(range(89))
    assert found[Coverage.HOME_SILENT] == set(range(89, 150))


def test_a_home_where_something_else_is_heard_is_not_silent() -> None:
    others = [said(at, {"steps": 0.0}, device=12) for at in range(30, 150, 10)]
    found = of([*pulse(range(30)), *others], 150)
    assert found[Coverage.DEVICE_SILENT] == set(range(89, 150))


def test_minutes_that_have_not_passed_are_nothing_yet() -> None:
    found = of(pulse(range(30)), 40.9)
    assert found[Coverage.WATCHED] == set(range(40))
    assert not any(found[one] for one in CAUSE_WORDS)


def test_what_was_not_measured_yet_was_not_unwatched() -> None:
    found = of(pulse(range(20, 30)), 40)
    assert found[Coverage.WATCHED] == set(range(20, 40))
    assert not any(found[one] for one in CAUSE_WORDS)


def test_a_vital_that_nobody_measured_is_no_row() -> None:
    found = of(pulse(range(30)), 60, "spo2")
    assert not any(found.values())


@pytest.mark.parametrize(("event", "kind"), [("not_worn", Coverage.NOT_WORN), ("charging", Coverage.CHARGING)])
def test_a_device_off_the_body_watches_nobody_whatever_it_measures(event: str, kind: Coverage) -> None:
    records = [
        *pulse(range(30)),
        said(30, events=[event]),
        *pulse(range(31, 60), flags=0),
        *pulse(range(60, 90)),
    ]
    found = of(records, 90)
    assert found[Coverage.WATCHED] == {*range(30), *range(60, 90)}
    assert found[kind] == set(range(30, 60))


def test_a_band_that_is_taken_off_and_then_put_on_its_charger_is_charging() -> None:
    found = of([*pulse(range(30)), said(30, events=["not_worn"]), said(40, events=["charging"])], 60)
    assert (found[Coverage.NOT_WORN], found[Coverage.CHARGING]) == (set(range(30, 40)), set(range(40, 60)))


def test_what_is_said_at_the_very_moment_by_the_charger_goes_before_the_skin() -> None:
    for events in (["not_worn", "charging"], ["charging", "not_worn"]):
        found = of([*pulse(range(30)), said(30, events=events)], 60)
        assert found[Coverage.CHARGING] == set(range(30, 60))


def test_another_band_watches_while_one_is_charged() -> None:
    other = [said(at, {"heart_rate": 70.0}, device=12, flags=RESTING) for at in range(60)]
    found = of([*pulse(range(30)), said(30, events=["charging"]), *other], 60)
    assert found[Coverage.WATCHED] == set(range(60))


def test_movement_unwatches_nothing_that_has_limits_for_movement() -> None:
    assert of(pulse(range(60), flags=MOVING), 60)[Coverage.WATCHED] == set(range(60))


def test_where_a_doctor_set_no_limit_for_movement_nobody_who_moves_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    state = HomeState()
    run([*pulse(range(30)), *pulse(range(30, 40), flags=MOVING), *pulse(range(40, 60))], state)
    monkeypatch.setattr(
        type(state.subjects[PERSON]), "resting_only", lambda _: frozenset({VITAL_BY_CODE["heart_rate"].number})
    )
    state.to_plain()
    found = covered(state, 60)
    assert found[Coverage.MOVING] == set(range(30, 44))
    assert found[Coverage.WATCHED] == {*range(30), *range(44, 60)}


def test_the_products_limits_leave_no_worn_vital_unwatched_in_movement() -> None:
    state = HomeState()
    run([said(0, {"heart_rate": 72, "spo2": 96, "respiratory_rate": 15, "glucose": 110}, flags=RESTING)], state)
    assert state.subjects[PERSON].resting_only() == frozenset()


def test_poor_readings_say_why_nothing_usable_was_known() -> None:
    found = of([*pulse(range(15)), *pulse(range(15, 150), flags=RESTING | POOR)], 150)
    assert found[Coverage.WATCHED] == set(range(74))
    assert found[Coverage.POOR] == set(range(74, 150))


def test_a_sensor_watches_glucose_for_half_an_hour_and_a_meter_for_four() -> None:
    sensor, meter = TYPES["cgm"], TYPES["glucose_meter"]
    worn = [said(at, {"glucose": 110}, device=12, device_type=sensor) for at in range(0, 30, 5)]
    assert of(worn, 100, "glucose")[Coverage.WATCHED] == set(range(55))
    assert of([said(0, {"glucose": 110}, device=13, device_type=meter)], 300, "glucose")[Coverage.WATCHED] == set(
        range(240)
    )


def test_the_pulse_of_a_finger_oximeter_watches_no_pulse_but_its_oxygen_does() -> None:
    records = [said(0, {"heart_rate": 72, "spo2": 96}, device=14, device_type=TYPES["finger_oximeter"])]
    assert not of(records, 60)[Coverage.WATCHED]
    assert of(records, 60, "spo2")[Coverage.WATCHED] == set(range(60))


def test_a_meter_beside_the_person_watches_whatever_the_band_says() -> None:
    records = [
        said(0, {"glucose": 110}, device=13, device_type=TYPES["glucose_meter"]),
        said(1, device=13, device_type=TYPES["glucose_meter"], events=["not_worn"]),
    ]
    assert of(records, 30, "glucose")[Coverage.WATCHED] == set(range(30))


def test_after_a_week_without_a_usable_reading_a_vital_is_not_monitored_any_more() -> None:
    state = HomeState()
    run(pulse(range(30)), state)
    week = 29 + MONITORED_MS // MINUTE_MS
    assert any(covered(state, week - 1).values())
    assert not any(covered(state, week + 1).values())
    run([said(week + 5, {"steps": 0.0})], state)
    assert state.to_plain()["subjects"][str(PERSON)]["coverage"] == {}


def test_only_what_changed_is_written_again() -> None:
    state = HomeState()
    run(pulse(range(150)), state)
    assert covered(state, 150)[Coverage.WATCHED] == set(range(150))
    state.covered_is_written(BEGIN + 150 * MINUTE_MS)
    assert state.covered(BEGIN + 150 * MINUTE_MS + 40_000) == []
    run(pulse([150]), state)
    assert covered(state, 151)[Coverage.WATCHED] == set(range(120, 151))


@pytest.mark.parametrize("late", [
    said(200, events=["not_worn"], received=310, seq=1), said(100, {"heart_rate": 80.0}, received=310, seq=1),
    said(100, {"heart_rate": 80.0}, flags=POOR, received=310, seq=1),
])  # fmt: skip
def test_what_becomes_known_late_changes_the_hours_that_stand_in_the_table(late: JudgedUplink) -> None:
    state, fresh = HomeState(), HomeState()
    records = [*pulse(range(30)), *pulse(range(180, 300))]
    run(records, state)
    table = covered(state, 300)
    state.covered_is_written(BEGIN + 300 * MINUTE_MS)
    run([late], state)
    run([*records, late], fresh)
    again = covered(state, 310)
    first = min(min(minutes, default=999) for minutes in again.values())
    merged = {kind: {one for one in table[kind] if one < first} | again[kind] for kind in Coverage}
    assert merged == covered(fresh, 310) != table


STORY = st.lists(
    st.tuples(
        st.integers(0, 200), st.sampled_from(["rest", "silent", "poor", "moving"]), st.sampled_from([BAND, 12])
    ),
    min_size=1, max_size=25, unique_by=lambda one: one[::2],
)  # fmt: skip
OFF = st.lists(
    st.tuples(st.integers(0, 200), st.sampled_from(["not_worn", "charging", "worn"]), st.sampled_from([BAND, 12])),
    max_size=4, unique_by=lambda one: one[::2],
)  # fmt: skip


def records_of(story: Iterable[tuple[int, str, int]], off: Iterable[tuple[int, str, int]]) -> list[JudgedUplink]:
    flags = {"rest": RESTING, "silent": 0, "poor": POOR, "moving": MOVING}
    readings = [said(at, {"heart_rate": 72.0}, flags=flags[kind], device=device) for at, kind, device in story]
    events = [said(at, seq=10**6 + at, events=[kind], device=device) for at, kind, device in off]
    return sorted([*readings, *events], key=lambda one: (one.received_at, one.device_no, one.seq))


@given(STORY, OFF, st.integers(0, 300))
def test_every_minute_since_the_first_reading_is_exactly_one_thing(
    story: list[tuple[int, str, int]], off: list[tuple[int, str, int]], later: int
) -> None:
    records = records_of(story, off)
    now = max((one.received_at - BEGIN) // MINUTE_MS for one in records) + later
    found = of(records, now)
    kinds = list(found.values())
    assert sum(map(len, kinds)) == len(set().union(*kinds))
    every = set().union(*kinds)
    assert every == set(range(min(every), now)) if every else True


@given(STORY, OFF, st.integers(1, 20), st.integers(0, 100))
def test_checkpoints_and_restarts_change_no_minute(
    story: list[tuple[int, str, int]], off: list[tuple[int, str, int]], every: int, later: int
) -> None:
    records = records_of(story, off)
    now = (records[-1].received_at - BEGIN) // MINUTE_MS + later
    state, through = HomeState(), HomeState()
    table: dict[tuple[int, int], tuple[int, ...]] = {}
    for number, record in enumerate(records):
        step(state, record, Tally())
        step(through, record, Tally())
        if number % every == 0:
            _write(through, through.newest, table)
            through = HomeState.from_compared(parse_json(write_json(through.to_compare())), DEFAULT_BOOK)
    _write(through, BEGIN + now * MINUTE_MS, table)
    expected: dict[tuple[int, int], tuple[int, ...]] = {}
    _write(state, BEGIN + now * MINUTE_MS, expected)
    assert table == expected
    assert through.to_compare() == state.to_compare()


def _write(state: HomeState, now: int, table: dict[tuple[int, int], tuple[int, ...]]) -> None:
    """As the query of the checkpoint does: minutes that are not written anew stay."""
    for person, row in state.covered(now):
        before = table.get((person, row.hour), (0,) * len(Coverage))
        anew = 0
        for bits in row.bits:
            anew |= bits
        table[person, row.hour] = tuple(old & ~anew | new for old, new in zip(before, row.bits, strict=True))
    state.covered_is_written(now)


@given(st.lists(st.integers(0, 29), min_size=2, max_size=20, unique=True), st.randoms(use_true_random=False),
       st.integers(0, 100))  # fmt: skip
def test_the_order_of_arrival_within_the_window_changes_no_minute(minutes: list[int], chance: Random, now: int) -> None:
    def story(order: Sequence[int]) -> list[JudgedUplink]:
        return [
            said(at, {"heart_rate": 72.0}, flags=0 if at % 3 else RESTING, received=30, seq=at)
            if at % 7 else said(at, events=["charging"], received=30, seq=at)
            for at in order
        ]  # fmt: skip

    shuffled = list(minutes)
    chance.shuffle(shuffled)
    assert of(story(shuffled), 30 + now) == of(story(sorted(minutes)), 30 + now)


def test_whole_hours_that_come_newest_first_after_an_outage_are_watched_all_the_same() -> None:
    backwards = [said(at, {"heart_rate": 72.0}, flags=RESTING, received=400) for at in range(380, 0, -10)]
    assert of(backwards, 400)[Coverage.WATCHED] == set(range(10, 400))


def test_what_is_older_than_the_open_hours_changes_nothing() -> None:
    state = HomeState()
    run(pulse(range(OPEN_HOURS * 60, OPEN_HOURS * 60 + 30)), state)
    run([said(0, {"heart_rate": 80.0}, received=OPEN_HOURS * 60 + 30)], state)
    assert min(covered(state, OPEN_HOURS * 60 + 31)[Coverage.WATCHED]) == OPEN_HOURS * 60


def test_the_state_stays_small_however_long_the_story() -> None:
    state = HomeState()
    for day in range(5):
        day_at = day * 1440
        run(pulse(range(day_at, day_at + 900, 5)), state)
        run([said(day_at + 900, events=["charging"])], state)
        state.to_plain()
    assert len(write_json(state.to_plain()["subjects"][str(PERSON)]["coverage"])) < 200


@pytest.mark.parametrize("vital", LONGEST_GAPS, ids=lambda one: VITAL_BY_NUMBER[one].code)
def test_the_longest_gaps_are_those_of_the_rules(vital: int) -> None:
    folds = [rule.fold for rule in RULE_BOOK.readers.get(vital, ()) if isinstance(rule.fold, Beyond)]
    for fold in folds:
        gaps = LONGEST_GAPS[vital]
        assert gaps.worn_ms == fold.pause_ms
        assert gaps.asked_ms == (fold.asked_pause_ms if fold.takes_asked else 0)


def test_a_ledger_that_knows_nothing_takes_no_room() -> None:
    assert CoverageLedger().to_plain() == {}
