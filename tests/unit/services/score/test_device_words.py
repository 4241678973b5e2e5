"""What devices say of themselves: an episode begins, and ends, and nothing is said twice; whatever restarts between."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.alerts import EndReason, Finding
from schemas.codec import parse_json, write_json
from schemas.devices.pill_dispenser import PILL_DISPENSER
from schemas.reasons import Flag
from schemas.records import DeviceWord, JudgedUplink
from services.score.consumer import people_of
from services.score.home_state import HomeState
from services.score.partition import Partition
from tests.unit.services.score.story import HOME, PERSON, run, uplink, word

OTHER = 8
AHEAD = int(Flag.CORRECTED_CLOCK)
SAID = st.one_of(
    st.tuples(st.just("status"), st.none() | st.integers(0, 100)),
    st.tuples(st.sampled_from(["low_battery", "charging", "failed", "done", "expired"]), st.none()),
)


def story(said: Sequence[tuple[str, int | None]]) -> list[JudgedUplink | DeviceWord]:
    """One word of a band each ten minutes."""
    records: list[JudgedUplink | DeviceWord] = []
    for number, (what, percent) in enumerate(said):
        at = 10 * number
        if what == "status":
            records.append(word(at, percent))
        elif what in {"low_battery", "charging"}:
            records.append(uplink(number, at, events=[what]))
        else:
            details = {"command_id": "c", "result": what}
            records.append(uplink(number, at, events=["command_result"], details=details))
    return records


def findings(records: Sequence[JudgedUplink | DeviceWord], state: HomeState) -> list[Finding]:
    return [one for one in run(records, state) if isinstance(one, Finding)]


@given(st.lists(SAID, max_size=40))
def test_every_end_follows_a_beginning_and_no_number_is_given_out_twice(said: list[tuple[str, int | None]]) -> None:
    found = findings(story(said), HomeState())

    for rule in ("low_battery", "command_failed"):
        of_rule = [one for one in found if one.rule == rule]
        assert [one.level for one in of_rule] == [1 - place % 2 for place in range(len(of_rule))]
        assert [one.episode for one in of_rule] == [1 + place // 2 for place in range(len(of_rule))]
    assert len({one.finding_id for one in found}) == len(found)


@given(st.lists(SAID, max_size=30), st.integers(0, 30))
def test_a_restart_in_between_changes_nothing(said: list[tuple[str, int | None]], place: int) -> None:
    records, whole, first = story(said), HomeState(), HomeState()
    found = findings(records, whole)

    before = findings(records[:place], first)
    second = HomeState.from_plain(parse_json(write_json(first.to_plain())))
    after = findings(records[place:], second)

    assert [*before, *after] == found
    assert write_json(second.to_plain()) == write_json(whole.to_plain())


@given(st.lists(st.integers(0, 100), min_size=1, max_size=30))
def test_a_battery_is_low_where_it_falls_to_the_limit_and_charged_above_the_other(percents: list[int]) -> None:
    found = findings([word(10 * number, percent) for number, percent in enumerate(percents)], HomeState())

    is_low, expected = False, []
    for before, now in pairwise([101, *percents]):
        if is_low and now > 25:
            expected.append((0, now))
        elif not is_low and now <= 15 and now < before:
            expected.append((1, now))
        else:
            continue
        is_low = not is_low
    assert [(one.level, one.facts["percent"]) for one in found] == expected
    assert {one.end_reason for one in found if not one.level} <= {EndReason.RECOVERED}


def test_a_word_of_a_home_that_nobody_has_heard_of_begins_its_state_and_is_saved() -> None:
    partition = Partition()
    (found,) = partition.hear(word(0, 9))
    assert isinstance(found, Finding)
    assert (found.person_no, found.home_no, found.rule) == (PERSON, HOME, "low_battery")
    assert partition.dirty == {HOME}


def test_what_is_nobodys_alone_is_said_of_the_home() -> None:
    (found,) = findings([word(0, 9, person=0)], HomeState())
    assert (found.person_no, found.doctor_text) == (
        0,
        "The battery of a device is at 9 %; when it is empty, nothing is measured.",
    )


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        (uplink(0, 0, events=["low_battery"]), word(50, 80, person=OTHER)),
        (word(0, 9), uplink(1, 50, events=["charging"], person=OTHER)),
        (
            uplink(0, 0, events=["command_result"], details={"command_id": "a", "result": "failed"}),
            uplink(1, 50, events=["command_result"], details={"command_id": "b", "result": "done"}, person=OTHER),
        ),
        (uplink(0, 0, {"spo2": 97}, flags=AHEAD), uplink(1, 1500, {"spo2": 97}, person=OTHER)),
    ],
    ids=["battery by status", "battery by event", "command", "clock"],
)
def test_the_end_is_about_whom_the_beginning_was_about_whoever_has_the_device_by_then(
    begins: JudgedUplink | DeviceWord, ends: JudgedUplink | DeviceWord
) -> None:
    first, last = findings([begins, ends], HomeState())
    assert (first.level, first.person_no, first.episode) == (1, PERSON, 1)
    assert (last.level, last.person_no, last.episode) == (0, PERSON, 1)
    assert last.rule == first.rule


def test_only_a_person_may_bring_something_from_another_home() -> None:
    """Person 0 of one home is not person 0 of another: its numbers are no concern of this one."""
    assert people_of(word(0, 9)) == {PERSON}
    assert people_of(word(0, 9, person=0)) == set()
    assert people_of(uplink(0, 0, {"spo2": 97}, events=["charging"])) == {PERSON}


def test_a_dispenser_that_fails_says_that_a_reminder_of_a_dose_may_not_have_come() -> None:
    """So that somebody reminds them; the dose itself is judged as before."""
    kinds = {0: "command_failed.failed", PILL_DISPENSER.number: "command_failed.reminder"}
    for number, expected in kinds.items():
        said = [
            uplink(
                place, 10 * place, events=["command_result"], device_type=number,
                details={"command_id": "c", "result": result},
            )
            for place, result in enumerate(("expired", "failed", "failed", "done"))
        ]  # fmt: skip
        began, ended = findings(said, HomeState())

        assert (began.message, ended.message) == (expected, "command_failed.ended")
        assert ("a reminder of a dose" in began.doctor_text) is (number == PILL_DISPENSER.number)
        assert (began.end_reason, ended.end_reason) == (None, EndReason.RECOVERED)
