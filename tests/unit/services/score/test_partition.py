"""Time moves by what is in the log: by markers of every instance, and by records; a replay closes the same."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import parse_json, write_json
from schemas.records import JudgedUplink, UplinkRecord, WatermarkMarker
from schemas.vitals import HEART_RATE
from services.score.followups import Tally
from services.score.home_state import HomeState
from services.score.log_time import FORGOTTEN_AFTER_MS, LogTime
from services.score.partition import Partition
from services.score.replay import Replay, as_of, canonical, parsed, whatever_the_time
from services.score.rule_book import RULE_BOOK, RuleBook
from services.score.rule_timeline import RuleTimeline, always
from tests.unit.services.score.story import HOME, PERSON, minute, uplink

PULSE = HEART_RATE.number


def marker(number: float, instance: str = "a") -> WatermarkMarker:
    """All that this instance received before that minute has passed."""
    return WatermarkMarker(instance=instance, received_at=minute(number))


def play(partition: Partition, *log: UplinkRecord) -> Partition:
    """The partition after these records."""
    for record in log:
        if isinstance(record, WatermarkMarker):
            partition.mark(record)
        elif isinstance(record, JudgedUplink):
            partition.take(record, Tally())
    return partition


def values_counted(partition: Partition) -> int:
    """The values of the person's pulse that are with their days."""
    days = partition.homes[HOME].subject(PERSON).recent.days.to_plain()
    return sum(sum(counts[1::2]) for _, code, counts, _ in days["open"] if code == HEART_RATE.code)


def test_time_is_the_lowest_of_the_instances_newest_markers_and_never_goes_back() -> None:
    time = LogTime()
    assert [time.mark(*one) for one in (("a", 50), ("b", 40), ("a", 60), ("b", 70), ("c", 1), ("c", 80))] == [
        50, 50, 50, 60, 60, 60,
    ]  # fmt: skip


def test_an_instance_that_is_no_more_holds_time_up_for_an_hour_only() -> None:
    time = LogTime()
    time.mark("gone", 1_000)
    assert time.mark("a", 1_000 + FORGOTTEN_AFTER_MS) == 1_000
    assert time.mark("a", 1_001 + FORGOTTEN_AFTER_MS) == 1_001 + FORGOTTEN_AFTER_MS


def test_time_goes_on_from_what_was_written() -> None:
    time = LogTime()
    time.mark("a", 50)
    time.mark("b", 40)
    read = LogTime.from_plain(parse_json(write_json(time.to_plain())))
    assert (read.mark("b", 45), read.mark("a", 90), read.mark("b", 60)) == (50, 50, 60)


def test_the_hour_of_a_quiet_home_closes_by_markers_alone() -> None:
    partition = play(Partition(), uplink(0, 0, {"heart_rate": 70}), marker(1, "a"), marker(1, "b"))
    assert values_counted(partition) == 0
    partition.dirty = set()
    # One instance alone does not move it.
    assert values_counted(play(partition, marker(61, "a"))) == 0
    assert values_counted(play(partition, marker(61, "b"))) == 1
    assert partition.dirty == {HOME}
    # And the day, when the next one is over.
    play(partition, *(marker(60 * number, instance) for number in range(2, 73) for instance in "ab"))
    (closed,) = partition.homes[HOME].subject(PERSON).recent.days.closed(PULSE)
    assert (closed.values, closed.median) == (1, 70)


def test_a_record_moves_the_time_of_its_own_home() -> None:
    partition = play(Partition(), uplink(0, 0, {"heart_rate": 70}), uplink(1, 61, {"heart_rate": 80}))
    assert values_counted(partition) == 1


@st.composite
def logs(draw: st.DrawFn) -> list[UplinkRecord]:
    """Uplinks and markers of two instances over some days; now and then a marker comes late."""
    log: list[UplinkRecord] = []
    now = 0.0
    for seq in range(draw(st.integers(1, 30))):
        now += draw(st.sampled_from([1, 7, 61, 500, 1441]))
        values = {"heart_rate": draw(st.integers(60, 140)), "body_temperature": draw(st.integers(36, 39))}
        log.append(uplink(seq, now - draw(st.sampled_from([0, 0, 3, 1000])), values, received=now))
        log += [marker(now - draw(st.sampled_from([0, 0, 2])), one) for one in draw(st.sampled_from(["", "a", "ab"]))]
    return log


@given(logs(), st.integers(0, 90))
def test_a_restart_at_any_record_changes_nothing(log: list[UplinkRecord], cut: int) -> None:
    whole, first = play(Partition(), *log), play(Partition(), *log[:cut])
    states = {str(home_no): home.to_compare() for home_no, home in first.homes.items()}
    states = parse_json(write_json(states))
    homes = {int(home_no): HomeState.from_compared(plain, first.limits) for home_no, plain in states.items()}
    time = LogTime.from_plain(parse_json(write_json(first.time.to_plain())))
    second = play(Partition(homes=homes, time=time), *log[cut:])
    assert compared(second) == compared(whole)


@given(logs())
def test_a_replay_closes_what_was_closed(log: list[UplinkRecord]) -> None:
    done = Replay()
    for record in log:
        done.take(record)
    assert canonical(done.states()) == compared(play(Partition(), *log))


@given(logs())
def test_what_is_exported_can_be_read(log: list[UplinkRecord]) -> None:
    partition = play(Partition(), *log)
    text = as_of({0: 7, 11: 3}, {str(home_no): home.to_compare() for home_no, home in partition.homes.items()})
    assert as_of(*parsed(text)) == text
    assert parsed(text)[0] == {0: 7, 11: 3}
    assert parsed("") == ({}, {})


def test_whatever_the_time_an_hour_s_values_are_the_same_and_others_are_not() -> None:
    partition = play(Partition(), uplink(0, 0, {"heart_rate": 70}), uplink(1, 5, {"heart_rate": 71}))
    before = as_of({0: 2}, parsed(compared(partition))[1])
    after = as_of({0: 3}, parsed(compared(play(partition, marker(61))))[1])
    assert after != before
    assert whatever_the_time(after) == whatever_the_time(before)
    more = as_of({0: 4}, parsed(compared(play(partition, uplink(2, 62, {"heart_rate": 72}))))[1])
    assert whatever_the_time(more) != whatever_the_time(before)


def compared(partition: Partition) -> str:
    """All homes as one text."""
    return canonical({str(home_no): home.to_compare() for home_no, home in partition.homes.items()})


def test_a_version_of_rules_that_became_known_too_late_begins_with_the_next_record() -> None:
    other = RuleBook(RULE_BOOK.rules)
    partition = play(Partition(timeline=always(RULE_BOOK)), uplink(0, 0, {"heart_rate": 70}), marker(5))
    partition.follow(RuleTimeline([(0, RULE_BOOK), (minute(3), other)]))
    assert minute(6) >= partition.rules_until
    partition.turn(minute(6))
    assert (partition.rules is other, partition.rules_until > minute(10_000)) == (True, True)


def test_a_version_of_rules_that_is_known_in_time_waits_for_its_moment() -> None:
    other = RuleBook(RULE_BOOK.rules)
    partition = play(Partition(timeline=always(RULE_BOOK)), uplink(0, 0, {"heart_rate": 70}), marker(5))
    partition.follow(RuleTimeline([(0, RULE_BOOK), (minute(7), other)]))
    assert partition.rules_until == minute(7)
