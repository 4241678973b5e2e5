"""The outbox never forgets an unsettled uplink, whatever happens to acks, connections and the process."""

import itertools
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from device_sim.outbox import RESEND_AT_ONCE, UNDER_WAY, Limits, Outbox
from device_sim.outbox_store import MemoryStore, SqliteStore
from schemas.messages import MAX_GAPS, Ack

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


def ack(outbox: Outbox, upto: int, gaps: tuple[tuple[int, int], ...] = (), generation: int = 0) -> Ack:
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


def test_an_ack_of_another_epoch_or_beyond_what_was_made_changes_nothing_it_should_not() -> None:
    outbox = filled(made(), 3)
    numbers(outbox, 1000)
    stranger = Ack(generation=9, epoch=outbox.position.epoch + 1, upto=2)
    assert outbox.acknowledge(stranger, 1001) == []
    assert [held.seq for held in outbox.acknowledge(ack(outbox, 99), 1001)] == [0, 1, 2]
    assert outbox.append(b"x", 1002).seq == 3
    assert numbers(outbox, 1002) == [3]


def test_at_most_4096_uplinks_are_under_way() -> None:
    outbox = filled(made(), UNDER_WAY + 10)
    assert numbers(outbox, 1000)[-1] == UNDER_WAY - 1
    assert numbers(outbox, 1001) == []
    outbox.acknowledge(ack(outbox, 4), 1001)
    assert UNDER_WAY + 4 in numbers(outbox, 1001)


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


class Platform:
    """What has arrived, as the cursor of a device has it."""

    def __init__(self) -> None:
        self.settled: set[int] = set()
        self.generation = 0

    def ack(self, epoch: int) -> Ack:
        upto = -1
        while upto + 1 in self.settled:
            upto += 1
        gaps, expected = [], upto + 1
        for seq in sorted(number for number in self.settled if number > upto):
            if seq > expected:
                gaps.append((expected, seq - 1))
            expected = seq + 1
        return Ack(generation=self.generation, epoch=epoch, upto=upto, gaps=tuple(gaps[:MAX_GAPS]))


class OutboxStory(RuleBasedStateMachine):
    """A device, a network that loses what it likes, a platform that may be restored, and power cuts."""

    @initialize()
    def begin(self) -> None:
        self._directory = tempfile.TemporaryDirectory()
        self.path = Path(self._directory.name) / "outbox.sqlite"
        self.store = SqliteStore(self.path)
        self.platform, self.network, self.published = Platform(), list[int](), set[int]()
        self.now, self.online = 1000.0, False
        self.outbox = self._open()
        self.connect(session=False)

    def _open(self) -> Outbox:
        position = self.store.positions().get(DEVICE)
        return Outbox(DEVICE, self.store, Limits(resend_after_s=AFTER_S), Random(4), position)

    @rule(count=st.integers(1, 90))
    def measure(self, count: int) -> None:
        for _ in range(count):
            self.outbox.append(b"x", self.now)

    @rule(seconds=st.sampled_from((0.1, 1.0, 70.0, 700.0)))
    def transmit(self, seconds: float) -> None:
        self.now += seconds
        self.store.commit()
        if self.online:
            sent = [held.seq for held in self.outbox.take(self.now)]
            assert all(seq <= self.outbox.position.upto + UNDER_WAY for seq in sent)
            self.network += sent
            self.published |= set(sent)

    @rule(lose=st.randoms(use_true_random=False), share=st.sampled_from((0.0, 0.3, 1.0)))
    def arrive(self, lose: Random, share: float) -> None:
        arrived = [seq for seq in self.network if lose.random() >= share]
        lose.shuffle(arrived)
        self.platform.settled |= set(arrived)
        self.network.clear()

    @rule()
    def hear_ack(self) -> None:
        self.outbox.acknowledge(self.platform.ack(self.outbox.position.epoch), self.now)

    @rule(session=st.booleans())
    def connect(self, *, session: bool) -> None:
        self.online = True
        self.outbox.connected(session_present=session, undelivered=list(self.network) if session else ())
        self.network.clear()

    @rule()
    def disconnect(self) -> None:
        self.online = False

    @rule(committed=st.booleans())
    def lose_power(self, *, committed: bool) -> None:
        if committed:
            self.store.commit()
        self.store._db.close()  # noqa: SLF001 - power fails without asking
        self.store = SqliteStore(self.path)
        self.online = False
        self.network.clear()
        self.outbox = self._open()

    @rule(left=st.floats(0, 1))
    @precondition(lambda self: self.platform.settled)
    def restore_platform(self, left: float) -> None:
        self.platform.generation += 1
        newest = max(self.platform.settled)
        self.platform.settled = {seq for seq in self.platform.settled if seq <= left * newest}

    @invariant()
    def nothing_unsettled_is_forgotten(self) -> None:
        with closing(sqlite3.connect(self.path)) as another:
            kept = {seq for (seq,) in another.execute("select seq from uplinks")}
        assert self.published - self.platform.settled <= kept

    @invariant()
    def numbers_have_no_gaps(self) -> None:
        here = self.outbox.position
        assert [held.seq for held in self.outbox.held] == list(range(here.upto + 1, here.next_seq))

    def teardown(self) -> None:
        """Once all works again, everything is settled before long."""
        if not hasattr(self, "outbox"):
            return
        self.connect(session=False)
        for _ in range(200):
            self.hear_ack()
            if not self.outbox.unsettled:
                break
            self.transmit(700.0)
            self.platform.settled |= set(self.network)
            self.network.clear()
        assert self.outbox.unsettled == 0
        assert self.published <= self.platform.settled
        self.store.close()
        self._directory.cleanup()


TestOutboxStory = OutboxStory.TestCase
TestOutboxStory.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
