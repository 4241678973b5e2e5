"""The outbox never forgets an unsettled uplink, whatever happens to acks, connections and the process."""

import itertools
from pathlib import Path
from random import Random

from device_sim.outbox import RESEND_AT_ONCE, Limits, Outbox
from device_sim.outbox_store import MemoryStore, SqliteStore
from schemas.messages import MAX_UNDER_WAY, Ack

DEVICE = "band-000-1"
AFTER_S = 60.0


def made(*, resend_after_s: float = AFTER_S, capacity: int = 100_000, keep_settled_s: float = 86_400) -> Outbox:
    limits = Limits(resend_after_s=resend_after_s, capacity=capacity, keep_settled_s=keep_settled_s)
    outbox = Outbox(DEVICE, MemoryStore(), limits, Random(1))
    outbox.connected(session_present=False)
    return outbox


def filled(outbox: Outbox, count: int, now: float = 1000.0) -> Outbox:
    for _ in range(count):
        outbox.append(b"x", now)
    return outbox


def numbers(outbox: Outbox, now: float) -> list[int]:
    return [held.seq for held in outbox.take(now)]


def ack(outbox: Outbox, upto: int, gaps: tuple[tuple[int, int], ...] = (), generation: int = 1) -> Ack:
    return Ack(generation=generation, epoch=outbox.position.epoch, upto=upto, gaps=gaps)


def test_new_uplinks_are_sent_once_and_in_order() -> None:
    outbox = filled(made(), 3)
    assert numbers(outbox, 1000) == [0, 1, 2]
    assert numbers(outbox, 1001) == []


def test_without_progress_the_oldest_64_are_sent_again_and_then_nothing_for_twice_as_long() -> None:
    outbox = filled(made(), 100)
    numbers(outbox, 1000)
    assert numbers(outbox, 1000 + AFTER_S) == list(range(RESEND_AT_ONCE))
    assert numbers(outbox, 1000 + 2 * AFTER_S - 1) == []
    assert numbers(outbox, 1000 + 3 * AFTER_S)[:1] == [0]


def test_the_pause_between_resends_doubles_up_to_ten_times_the_first() -> None:
    outbox = filled(made(), 1)
    at, moments = 1000.0, []
    for _ in range(20_000):
        at += 1
        if outbox.take(at):
            moments.append(at)
    pauses = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert 1 <= pauses[1] / pauses[0] <= 3
    assert max(pauses) <= 10 * AFTER_S * 1.2 + 2
    assert pauses[-1] >= 10 * AFTER_S


def test_the_rest_is_sent_again_only_after_progress() -> None:
    outbox = filled(made(), 200)
    numbers(outbox, 1000)
    assert numbers(outbox, 1060) == list(range(64))
    assert numbers(outbox, 1061) == []
    outbox.acknowledge(ack(outbox, 9), 1062)
    assert numbers(outbox, 1062) == list(range(64, 128))


def test_what_an_ack_shows_to_be_settled_is_not_sent_again_but_kept() -> None:
    outbox = filled(made(), 10)
    numbers(outbox, 1000)
    outbox.acknowledge(ack(outbox, 1, ((2, 3), (6, 6))), 1001)
    assert numbers(outbox, 1001 + AFTER_S) == [2, 3, 6, 8, 9]
    assert outbox.unsettled == 8


def test_a_lower_upto_is_obeyed_only_with_a_higher_generation(tmp_path: Path) -> None:
    outbox = Outbox(DEVICE, SqliteStore(tmp_path / "outbox.sqlite"), Limits(), Random(1))
    outbox.connected(session_present=False)
    filled(outbox, 10)
    numbers(outbox, 1000)
    outbox.acknowledge(ack(outbox, 9), 1001)
    outbox.acknowledge(ack(outbox, 4), 1002)
    assert numbers(outbox, 1002 + AFTER_S) == []
    outbox.acknowledge(ack(outbox, 4, generation=7), 1100)
    assert numbers(outbox, 1100) == [5, 6, 7, 8, 9]
    outbox.acknowledge(ack(outbox, 9), 1101)
    assert outbox.unsettled == 5


def test_a_restored_platform_makes_nothing_settled_above_upto_either() -> None:
    outbox = filled(made(), 5)
    numbers(outbox, 1000)
    outbox.acknowledge(ack(outbox, -1, ((0, 1),)), 1001)
    outbox.acknowledge(ack(outbox, -1, generation=2), 1002)
    assert numbers(outbox, 1002) == [0, 1, 2, 3, 4]


def test_a_restore_is_obeyed_after_a_power_cut_too(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "outbox.sqlite")
    outbox = Outbox(DEVICE, store, Limits(), Random(1))
    outbox.connected(session_present=False)
    filled(outbox, 4)
    numbers(outbox, 1000)
    outbox.acknowledge(ack(outbox, 3), 1001)
    outbox.acknowledge(ack(outbox, 0, generation=2), 1002)
    store.commit()
    again = Outbox(DEVICE, store, Limits(), Random(1), store.positions()[DEVICE])
    assert [held.seq for held in again.held] == [1, 2, 3]


def test_the_first_ack_is_no_restore_whatever_its_generation() -> None:
    outbox = filled(made(), 5)
    numbers(outbox, 1000)
    outbox.acknowledge(ack(outbox, 1, generation=3), 1001)
    assert numbers(outbox, 1001) == []
    assert numbers(outbox, 1001 + AFTER_S) == [2, 3, 4]


def test_an_ack_of_another_epoch_or_beyond_what_was_made_changes_nothing_it_should_not() -> None:
    outbox = filled(made(), 3)
    numbers(outbox, 1000)
    unregistered = Ack(generation=9, epoch=outbox.position.epoch + 1, upto=2)
    assert outbox.acknowledge(unregistered, 1001) == []
    assert [held.seq for held in outbox.acknowledge(ack(outbox, 99), 1001)] == [0, 1, 2]
    assert outbox.append(b"x", 1002).seq == 3
    assert numbers(outbox, 1002) == [3]


def test_at_most_4096_uplinks_are_under_way() -> None:
    outbox = filled(made(), MAX_UNDER_WAY + 10)
    assert numbers(outbox, 1000)[-1] == MAX_UNDER_WAY - 1
    assert numbers(outbox, 1001) == []
    outbox.acknowledge(ack(outbox, 4), 1001)
    assert MAX_UNDER_WAY + 4 in numbers(outbox, 1001)


def test_after_a_lost_session_everything_unsettled_is_sent_again() -> None:
    outbox = filled(made(), 5)
    numbers(outbox, 1000)
    outbox.connected(session_present=False)
    assert numbers(outbox, 1001) == [0, 1, 2, 3, 4]


def test_with_a_session_only_what_the_broker_never_took_is_sent_again() -> None:
    outbox = filled(made(), 5)
    numbers(outbox, 1000)
    outbox.connected(session_present=True, undelivered=[3])
    assert numbers(outbox, 1001) == [3]


def test_a_full_outbox_drops_the_oldest_and_counts_only_what_was_not_settled() -> None:
    outbox = filled(made(capacity=10), 10)
    numbers(outbox, 1000)
    outbox.acknowledge(ack(outbox, 2), 1001)
    filled(outbox, 5, 1002)
    assert (outbox.oldest, outbox.position.evicted) == (5, 2)
    assert numbers(outbox, 1002) == [10, 11, 12, 13, 14]


def test_settled_uplinks_are_kept_for_a_day() -> None:
    outbox = filled(made(), 1)
    outbox.acknowledge(ack(outbox, 0), 1001)
    filled(outbox, 1, 1002)
    assert outbox.oldest == 0
    outbox.acknowledge(ack(outbox, 1), 1001 + 86_401)
    assert outbox.oldest == 1


def test_lost_storage_begins_a_new_epoch_at_zero() -> None:
    outbox = filled(made(), 3)
    before = outbox.position.epoch
    outbox.lose_storage()
    assert outbox.position.epoch != before
    assert outbox.append(b"x", 1000).seq == 0
