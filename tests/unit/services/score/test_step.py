"""The step as a whole: resends, any order, saving in between, calls for help."""

from collections.abc import Sequence
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.alerts import EndReason, Finding, Severity
from schemas.codec import parse_json, write_json
from schemas.reasons import Flag
from schemas.records import JudgedUplink
from schemas.vitals import GLUCOSE, VITALS
from services.score.core import pass_time, step
from services.score.followups import FallCheck, LookBack, SosCall, Tally
from services.score.home_state import HomeState, seeded
from services.score.limit_book import DEFAULT_BOOK
from services.score.replay import canonical, replay
from services.score.rules import RULES
from services.score.sample import Sample
from tests.unit.services.score.story import EPOCH, HOME, PERSON, levels, minute, run, series, uplink

KNOWN = {
    "heart_rate": st.sampled_from([60, 100, 111, 121, 125, 140, 38, 33]),
    "spo2": st.sampled_from([97, 97, 95, 93, 92, 90, 85]),
    "glucose": st.sampled_from([110, 75, 70, 69, 60, 53, 45]),
}
ANY = {row.code: st.floats(row.lowest, row.highest, width=32) for row in VITALS}
VALUES = {rule.what: KNOWN.get(rule.what, ANY[rule.what]) for rule in RULES if rule.fold and rule.what in ANY}


@st.composite
def stories(draw: st.DrawFn) -> list[JudgedUplink]:
    """An evening of one person: values that stay for a while, with some walking, each uplink a minute or more later."""
    records: list[JudgedUplink] = []
    at = 0.0
    for _ in range(draw(st.integers(1, 5))):
        # Some at a time, so that a person's vitals begin in any order.
        measured = draw(st.lists(st.sampled_from(sorted(VALUES)), min_size=1, unique=True))
        vitals = {name: draw(VALUES[name]) for name in measured}
        moving = draw(st.integers(0, 5)) == 0
        for _ in range(draw(st.integers(1, 14))):
            at += draw(st.sampled_from([1, 1, 1, 2, 5, 8]))
            flags = int(Flag.MOVING) if moving else 0
            records.append(uplink(len(records), at, vitals, flags=flags))
    return records


@st.composite
def late_stories(draw: st.DrawFn) -> tuple[list[JudgedUplink], list[JudgedUplink]]:
    """A story in order, and the same with some uplinks up to 20 min late."""
    records = draw(stories())
    delays = [draw(st.sampled_from([0, 0, 0, 0, 2, 5, 20])) for _ in records]
    order = sorted(range(len(records)), key=lambda n: (records[n].received_at + delays[n] * 60_000, n))
    return records, [records[n] for n in order]


@given(stories(), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=20))
def test_resends_change_nothing(story: list[JudgedUplink], resends: list[tuple[int, int]]) -> None:
    once, again = HomeState(), HomeState()
    with_resends = list(story)
    for place, which in resends:
        index = which % len(story)
        first = with_resends.index(story[index])
        with_resends.insert(max(first + 1, place), story[index])

    assert run(with_resends, again) == run(story, once)
    assert again.to_plain() == once.to_plain()


@given(stories(), st.integers(0, 70))
def test_a_state_that_was_saved_and_loaded_goes_on_as_if_nothing_had_happened(
    story: list[JudgedUplink], cut: int
) -> None:
    undisturbed, state = HomeState(), HomeState()
    expected = run(story, undisturbed)

    before = run(story[:cut], state)
    loaded = HomeState.from_plain(parse_json(write_json(state.to_plain())))
    assert before + run(story[cut:], loaded) == expected
    assert write_json(loaded.to_plain()) == write_json(undisturbed.to_plain())


@given(late_stories(), st.integers(0, 70))
def test_late_uplinks_and_saving_in_between_give_the_same_too(
    stories: tuple[list[JudgedUplink], list[JudgedUplink]], cut: int
) -> None:
    _, story = stories
    undisturbed, state = HomeState(), HomeState()
    expected = run(story, undisturbed)

    before = run(story[:cut], state)
    loaded = HomeState.from_plain(parse_json(write_json(state.to_plain())))
    assert before + run(story[cut:], loaded) == expected
    assert write_json(loaded.to_plain()) == write_json(undisturbed.to_plain())


@given(late_stories(), st.integers(0, 70), st.randoms(use_true_random=False))
def test_time_that_passes_without_a_reading_and_saving_in_between_give_the_same(
    stories: tuple[list[JudgedUplink], list[JudgedUplink]], cut: int, chance: Random
) -> None:
    """Markers say how far the log is: now behind what has come late, now far ahead of what is still to come."""
    _, story = stories
    waits = [chance.randint(-10, 200) for _ in story]

    def go(state: HomeState, part: Sequence[JudgedUplink], waits: Sequence[int]) -> list[Any]:
        found: list[Any] = []
        for record, wait in zip(part, waits, strict=False):
            found += run([record], state) + pass_time(state, HOME, record.received_at + wait * 60_000)
        return found

    undisturbed, state = HomeState(), HomeState()
    expected = go(undisturbed, story, waits)
    before = go(state, story[:cut], waits)
    loaded = HomeState.from_compared(parse_json(write_json(state.to_compare())), DEFAULT_BOOK)
    assert before + go(loaded, story[cut:], waits[cut:]) == expected
    assert write_json(loaded.to_compare()) == write_json(undisturbed.to_compare())


@settings(max_examples=300)
@given(late_stories())
def test_any_order_within_the_window_leads_to_the_same_view_of_the_person(
    stories: tuple[list[JudgedUplink], list[JudgedUplink]],
) -> None:
    in_order, late = HomeState(), HomeState()
    run(stories[0], in_order)
    reported = run(stories[1], late)

    assert _views(late) == _views(in_order)
    assert _standing(reported) == _standing(run(stories[0]))


def _views(state: HomeState) -> Any:
    """What the samples say, without the numbers that episodes were reported under, and when each reading came."""
    person = state.to_plain()["subjects"][str(PERSON)]
    return {
        "samples": {vital: columns[:6] for vital, columns in person["samples"].items()},
        "movement": person["movement"],
        "wearing": person["wearing"],
        "rules": {
            name: [rule["since"], _without_reception(rule["base"]), [one[1:3] for one in rule.get("reported", [])]]
            for name, rule in person["rules"].items()
        },
        "seen": state.to_plain()["seen"],
    }


def _without_reception(base: Any) -> Any:
    if not isinstance(base, list | tuple):
        return base
    is_sample = len(base) == len(Sample._fields) and base[3] == EPOCH
    return [_without_reception(one) for one in (base[:8] if is_sample else base)]


def _standing(effects: Sequence[Any]) -> set[str]:
    """The rules of the episodes that were reported and not ended; a pause is no end."""
    standing: set[tuple[str, int]] = set()
    for one in effects:
        if isinstance(one, Finding) and one.end_reason is not EndReason.NO_DATA:
            (standing.add if one.level else standing.discard)((one.rule, one.episode))
    return {rule for rule, _ in standing}


@given(late_stories())
def test_nothing_is_reported_twice_and_every_end_has_a_beginning(
    stories: tuple[list[JudgedUplink], list[JudgedUplink]],
) -> None:
    found = [one for one in run(stories[1]) if isinstance(one, Finding)]
    reported = [(one.rule, one.episode, one.level) for one in found]

    assert len({one.finding_id for one in found}) == len(found)
    begun = set()
    for rule, episode, level in reported:
        assert (rule, episode) in begun or level
        begun.add((rule, episode))


def test_a_late_reading_that_shows_an_episode_had_begun_reports_it() -> None:
    readings = series("glucose", [(0, 60), (5, 60), (36, 80), (20, 60), (52, 75)])

    assert levels(run(readings)) == [("glucose_low", 1, 1, 20), ("glucose_low", 1, 0, 52)]


def test_what_late_readings_show_to_have_been_worse_after_its_end_was_reported_has_an_end_too() -> None:
    low = [(n, 92.0) for n in range(4, 17)]
    lower = [(n, 88.0) for n in (33, 34, 35)]
    well = [(n, 97.0) for n in range(37, 43)]
    readings = series("spo2", [*low, *lower, *well, (36, 88.0)])

    assert levels(run(readings)) == [
        ("spo2", 1, 1, 9),
        ("spo2", 1, 0, 42),
        ("spo2", 2, 2, 36),
        ("spo2", 2, 0, 42),
    ]


def test_an_episode_that_late_readings_disprove_is_ended() -> None:
    readings = series("glucose", [(0, 60), (20, 60), (5, 80), (10, 80), (15, 80)])

    assert levels(run(readings)) == [("glucose_low", 1, 1, 20), ("glucose_low", 1, 0, 20)]


def test_a_reading_older_than_the_window_is_counted_and_looked_back_on() -> None:
    state, tally = HomeState(), Tally()
    for record in series("spo2", [(0, 97), (31, 97)]):
        step(state, record, tally)
    before = state.to_plain()["subjects"]["7"]

    late = step(state, uplink(9, 0.5, {"spo2": 80}), tally)
    whose = PERSON, HOME
    assert [(one.subject, one.rule, one.first_at, one.last_at) for one in late if isinstance(one, LookBack)] == [
        (whose, rule, minute(0.5), minute(0.5)) for rule in ("spo2", "news2")
    ]
    assert len(late) == 2
    assert tally.late == 1
    after = state.to_plain()["subjects"]["7"]
    # It counts for its day, which is not over, and shows that somebody was watched.
    assert after.pop("recent") != before.pop("recent")
    assert after.pop("coverage") != before.pop("coverage")
    # Each rule knows that it knows less from then on.
    assert {name: one.pop("passed_over") for name, one in after["rules"].items()} == dict.fromkeys(
        ("spo2", "news2"), minute(0.5)
    )
    assert after == before


def test_steps_that_arrive_late_take_back_the_rest() -> None:
    story = series("heart_rate", [(n, 125) for n in range(11)])

    assert levels(run([*story, uplink(50, 5, {"steps": 100})])) == [("heart_rate", 1, 1, 10), ("heart_rate", 1, 0, 10)]


def test_what_a_device_sends_again_under_another_number_is_counted_once() -> None:
    """It has lost its storage: another epoch, or other numbers, and the same readings."""
    once = series("glucose", [(0, 60), (5, 53), (10, 60)])
    for again in (
        [uplink(seq, at, {"glucose": value}, epoch=5) for seq, at, value in ((0, 5, 53), (1, 10, 60))],
        [uplink(70 + n, at, {"glucose": value}) for n, (at, value) in enumerate([(5, 53), (10, 60)])],
    ):
        state, tally = HomeState(), Tally()
        for record in [*once, *again]:
            assert step(state, record, tally) == []
        assert tally.repeated == 2
    # Another device measures for itself.
    other = [uplink(n, 5 * n, {"glucose": value}, device=12) for n, value in enumerate((60, 53, 60))]
    assert run([*once, *other]) == []
    beside = HomeState()
    run([*once, *other], beside)
    assert len(beside.subjects[PERSON].window.samples[GLUCOSE.number]) == 6


def test_two_people_of_a_home_have_their_own_episodes() -> None:
    hers = [uplink(n, n, {"spo2": 85}, person=7) for n in range(4)]
    his = [uplink(n, n, {"spo2": 85}, person=8, device=12) for n in range(4)]

    found = [effect for effect in run([*hers, *his]) if isinstance(effect, Finding)]
    assert [(one.person_no, one.episode, one.level) for one in found] == [(7, 1, 2), (8, 1, 2)]


def test_a_suspected_fall_has_a_minute_to_be_answered() -> None:
    (check,) = run([uplink(4, 3, events=["fall_suspected"], details={"method": "imu"})])

    assert isinstance(check, FallCheck)
    assert (check.subject, check.episode, check.due_at) == ((PERSON, HOME), 1, minute(4))
    assert (check.sample.seq, check.sample.item) == (4, 0)


def test_the_minute_of_a_fall_that_is_heard_of_late_begins_then() -> None:
    (late,) = run([uplink(4, 3, events=["fall_suspected"], received=40)])
    assert isinstance(late, FallCheck)
    assert (late.due_at, late.received_at) == (minute(41), minute(40))
    (ahead,) = run([uplink(4, 3, events=["fall_suspected"], received=2)])
    assert isinstance(ahead, FallCheck)
    assert ahead.due_at == minute(4)


def test_presses_within_ten_minutes_are_counted_and_a_repetition_is_none() -> None:
    presses = [uplink(n, 4 * n, events=["sos_pressed"]) for n in range(3)]
    again = uplink(0, 8, events=["sos_pressed"], epoch=EPOCH - 1, received=20)
    effects = run([*presses, again])
    found = [one for one in effects if isinstance(one, Finding)]

    assert [(one.episode, one.message, dict(one.facts)) for one in found] == [
        (1, "sos.pressed", {}),
        (1, "sos.again", {"presses": 2}),
        (1, "sos.again", {"presses": 3}),
    ]
    assert [one.said for one in effects if isinstance(one, SosCall)] == [one.said for one in found] == [1, 3, 5]


def test_a_saved_state_remembers_who_pressed() -> None:
    state = HomeState()
    run([uplink(n, 4 * n, events=["sos_pressed"]) for n in range(2)], state)
    loaded = HomeState.from_plain(parse_json(write_json(state.to_plain())))

    assert run([uplink(7, 4, events=["sos_pressed"], received=9)], loaded) == []
    (third, _) = run([uplink(8, 9, events=["sos_pressed"])], loaded)
    assert isinstance(third, Finding)
    assert third.facts == {"presses": 3}


def test_two_devices_that_suspect_the_same_fall_make_one_check() -> None:
    robot = uplink(0, 3.2, events=["fall_suspected"], device=12)

    assert len(run([uplink(0, 3, events=["fall_suspected"]), robot])) == 1
    assert len(run([robot, uplink(0, 3, events=["fall_suspected"])])) == 1


def test_a_fall_after_an_answered_one_is_checked_again() -> None:
    falls = [uplink(n, at, events=["fall_suspected"]) for n, at in enumerate([3, 3.5])]

    assert [check.episode for check in run(falls) if isinstance(check, FallCheck)] == [1, 2]


def test_an_emergency_of_somebody_of_another_home_is_the_home_s() -> None:
    press = uplink(0, 3, events=["sos_pressed"], flags=int(Flag.OTHER_HOME))
    finding, call = run([press])

    assert isinstance(finding, Finding)
    assert isinstance(call, SosCall)
    assert (finding.person_no, finding.home_no) == (0, HOME)


def test_numbers_go_on_from_the_highest_that_was_given_out() -> None:
    state = seeded({PERSON: {"spo2": 4, "sos": 2}})
    story = [uplink(n, n, {"spo2": 85}) for n in range(4)] + [uplink(9, 5, events=["sos_pressed"])]

    loaded = HomeState.from_plain(state.to_plain())
    assert [(rule, episode) for rule, episode, *_ in levels(run(story, loaded))] == [("spo2", 5), ("sos", 3)]


def test_an_uplink_of_an_unknown_device_changes_nothing() -> None:
    state = HomeState()

    assert run([uplink(0, 0, events=["sos_pressed"], device=0)], state) == []
    assert state.to_plain() == HomeState().to_plain()


@given(stories())
def test_a_replay_gives_the_state_that_stepping_gave(story: list[JudgedUplink]) -> None:
    state = HomeState()
    run(story, state)

    assert canonical(replay(story)) == canonical({str(HOME): state.to_compare()})


def test_a_total_of_steps_does_not_switch_off_the_rules_that_need_rest() -> None:
    """Nobody moves, the total stands still: a fast heart is reported all the same, and was not before."""
    still = [uplink(n, n, {"steps": 4000 if n < 15 else 4100, "heart_rate": 125}) for n in range(60)]
    growing = [uplink(n, n, {"steps": 10 * n + 1, "heart_rate": 125}) for n in range(60)]
    totals = [uplink(n - 100, n - 100, {"steps": 100 * n}) for n in range(1, 15)]

    assert ("heart_rate", 1) in {(rule, level) for rule, _, level, _ in levels(run([*totals, *still]))}
    for total in (260, 4000):
        bedridden = [uplink(n, n, {"steps": total, "heart_rate": 125}) for n in range(30)]
        assert ("heart_rate", 1) in {(rule, level) for rule, _, level, _ in levels(run(bedridden))}
    assert "heart_rate" not in {rule for rule, *_ in levels(run([*totals, *growing]))}


def test_what_is_said_of_firmware_is_said_of_the_home_and_names_the_fault() -> None:
    (finding,) = run([uplink(0, 1, {"spo2": 97}, flags=int(Flag.RETAINED))])
    assert isinstance(finding, Finding)
    assert (finding.person_no, finding.severity) == (0, Severity.TECHNICAL)
    assert "retain flag" in finding.doctor_text


def test_what_was_stamped_before_a_rebinding_moves_no_rule_and_an_emergency_of_then_is_the_homes() -> None:
    before = int(Flag.BEFORE_REBINDING)
    fast = [uplink(n, n, {"heart_rate": 150, "steps": 0}, flags=before) for n in range(30)]
    press = uplink(40, 5, events=["sos_pressed"], flags=before)
    walking = [uplink(50 + n, n, {"steps": 60}, flags=before) for n in range(3)]
    resting = [uplink(100 + n, n, {"heart_rate": 125}) for n in range(12)]

    assert run(fast) == []
    assert [one.person_no for one in run([press]) if isinstance(one, Finding)] == [0]
    assert ("heart_rate", 1, 1, 10.0) in levels(run([*walking, *resting]))
