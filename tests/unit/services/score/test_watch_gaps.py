"""Gaps in what was watched are found by the log's time, whatever the restarts; what late readings show ends them."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.alerts import EndReason, Finding, Severity
from schemas.codec import parse_json, write_json
from schemas.reasons import Flag
from schemas.records import JudgedUplink, WatermarkMarker
from services.score.followups import Effect, Tally
from services.score.home_state import HomeState
from services.score.limit_book import DEFAULT_BOOK
from services.score.partition import Partition
from services.score.rules.watch_gap import LONGEST_UNWATCHED, WATCH_GAP
from tests.unit.services.score.device_cases import off, story, worn
from tests.unit.services.score.story import HOME, PERSON, minute, run, uplink

RESTING, POOR = int(Flag.RESTING), int(Flag.POOR_QUALITY)


def gaps(effects: Sequence[Effect]) -> list[Finding]:
    return [one for one in effects if isinstance(one, Finding) and one.rule == WATCH_GAP.name]


def test_each_vital_has_a_gap_of_its_own_and_its_cause_is_said() -> None:
    band = {"heart_rate": 70.0, "spo2": 96.0}
    records = [uplink(n, n * 20, band, flags=RESTING) for n in range(6)]
    records += [uplink(n, n * 20, {"heart_rate": 70.0}, flags=RESTING) for n in range(6, 60)]
    records += [uplink(900 + n, n * 20 + 1, {"spo2": 96.0}, flags=POOR) for n in range(6, 60)]
    (one,) = gaps(run(story(records)))

    assert (one.severity, one.message, dict(one.facts)) == (
        Severity.TECHNICAL, "watch_gap.poor", {"vital": "spo2", "hours": 12},
    )  # fmt: skip
    assert one.concern == "watch_gap.spo2"
    assert "quality" in one.doctor_text


def test_a_gap_is_found_in_a_quiet_home_by_the_markers_of_the_log() -> None:
    partition = Partition()
    for record in story(worn(0, 11.8), off(110)):
        partition.take(record, Tally())
    found: list[Effect] = []
    for at in range(826, 900):
        found += partition.mark(WatermarkMarker(instance="0", received_at=minute(at)))

    assert [one.observed_at for one in gaps(found)] == [minute(110 + 720)]


def test_a_device_that_is_worn_by_somebody_else_now_says_nothing_of_who_had_it_before() -> None:
    records = story(worn(0, 0), [uplink(3000 + n, n, {"heart_rate": 80}, person=8) for n in range(130, 1200, 20)])

    assert gaps(run(records)) == []


def test_a_gap_that_goes_on_is_said_once() -> None:
    (one,) = gaps(run(story(worn(0, 60), off(110))))

    assert one.level == 1


def test_the_end_says_how_long_nobody_watched() -> None:
    found = gaps(run(story(worn(0, 20, every=10), off(110), worn(1310, 0))))

    assert [(one.level, one.end_reason) for one in found] == [(1, None), (0, EndReason.RECOVERED)]
    assert found[1].doctor_text == "Heart rate is watched again, after 20 h."


def test_a_second_gap_is_an_episode_of_its_own() -> None:
    records = story(worn(0, 13), off(110), worn(910, 13), off(1020), worn(1810, 0))

    assert [(one.episode, one.level) for one in gaps(run(records))] == [(1, 1), (1, 0), (2, 1), (2, 0)]


def test_only_what_worn_devices_measure_has_a_longest_gap() -> None:
    with_spot_alone = [uplink(0, 0, {"body_temperature": 36.5, "weight": 70}), uplink(1, 9000, {"steps": 0})]

    assert gaps(run(with_spot_alone)) == []
    assert set(LONGEST_UNWATCHED) == {1, 2, 3, 7}


PART = st.tuples(
    st.sampled_from(["worn", "not_worn", "charging", "poor", "silent", "other"]), st.integers(1, 30), st.booleans()
)


def played(parts: Sequence[tuple[str, int, bool]]) -> list[JudgedUplink | WatermarkMarker]:
    """Parts of so many half hours each, readings each half hour, some of them received two hours late."""
    log: list[JudgedUplink | WatermarkMarker] = []
    half = seq = 0
    for kind, halves, is_late in parts:
        if kind in {"not_worn", "charging"}:
            log.append(uplink(10**6 + half, 30 * half, events=[kind]))
        for at in range(half, half + halves):
            seq += 1
            received = 30 * (half + halves) + 120 if is_late else 30 * at
            flags = {"worn": RESTING, "poor": POOR}.get(kind, 0)
            vitals = {"skin_temperature": 33.0} if kind == "other" else {"heart_rate": 70.0}
            if kind != "silent":
                log.append(uplink(seq, 30 * at, vitals, flags=flags, received=received))
        half += halves
    log += [WatermarkMarker(instance="0", received_at=minute(at)) for at in range(0, 30 * half + 600, 30)]
    return sorted(log, key=lambda one: one.received_at)


@given(st.lists(PART, min_size=1, max_size=6), st.integers(3, 60))
def test_restarts_change_nothing_that_is_said(parts: list[tuple[str, int, bool]], every: int) -> None:
    partition, restarted = Partition(), Partition()
    found: list[Effect] = []
    after: list[Effect] = []
    for number, one in enumerate(played(parts)):
        for which, said in ((partition, found), (restarted, after)):
            said.extend(which.mark(one) if isinstance(one, WatermarkMarker) else which.take(one, Tally()))
        if number % every == 0 and HOME in restarted.homes:
            plain = parse_json(write_json(restarted.homes[HOME].to_compare()))
            homes = {HOME: HomeState.from_compared(plain, DEFAULT_BOOK)}
            restarted = Partition(homes=homes, time=restarted.time)

    assert gaps(after) == gaps(found)
    if HOME in partition.homes:
        assert restarted.homes[HOME].to_compare() == partition.homes[HOME].to_compare()


@given(st.lists(PART, min_size=1, max_size=8))
def test_beginnings_and_ends_take_turns_and_none_lies_before_its_beginning(parts: list[tuple[str, int, bool]]) -> None:
    partition = Partition()
    found: list[Effect] = []
    for one in played(parts):
        found += partition.mark(one) if isinstance(one, WatermarkMarker) else partition.take(one, Tally())
    said = gaps(found)

    assert [one.level for one in said] == [1, 0] * (len(said) // 2) + [1] * (len(said) % 2)
    assert len({one.finding_id for one in said}) == len(said)
    for begin, end in zip(said[::2], said[1::2], strict=False):
        assert end.evidence[0].observed_at == begin.evidence[0].observed_at <= end.observed_at
        if end.end_reason is EndReason.RECOVERED:
            assert end.observed_at >= begin.observed_at


@pytest.mark.parametrize("person", [0])
def test_the_home_itself_has_no_gaps(person: int) -> None:
    state = HomeState()
    run([uplink(n, n * 20, {"heart_rate": 70.0}, person=person) for n in range(100)], state)

    assert PERSON not in state.subjects
    assert state.subject(person).gaps.to_plain() == {}
