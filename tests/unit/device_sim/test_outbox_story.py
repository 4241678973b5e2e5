"""Stories of an outbox: losses, restarts, power cuts and a restored platform in any order lose no uplink."""

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_sim.outbox import Limits, Outbox
from device_sim.outbox_store import SqliteStore
from schemas.messages import MAX_GAPS, MAX_UNDER_WAY, Ack

DEVICE = "band-000-1"
STEPS = st.sampled_from(
    (
        *("live",) * 6,
        "hear_ack",
        "wait",
        "lose_session",
        "reconnect",
        "lose_power",
        "lose_power_before_commit",
        "restore_platform",
    )
)


class Platform:
    """What has arrived, as the cursor of a device has it."""

    def __init__(self) -> None:
        self.settled: set[int] = set()
        self.generation = 1

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


class Story:
    """A device, a network that loses what it likes, a platform that may be restored, and power cuts."""

    def __init__(self, path: Path, draw: Random) -> None:
        self.path, self.draw = path, draw
        self.store = SqliteStore(path)
        self.platform, self.network, self.published = Platform(), list[int](), set[int]()
        self.now = 1000.0
        self.met_restores = self.met_gaps = 0
        self.outbox = self.open()
        self.lose_session()

    def open(self) -> Outbox:
        return Outbox(DEVICE, self.store, Limits(), Random(4), self.store.positions().get(DEVICE))

    def live(self) -> None:
        for _ in range(self.draw.randrange(40)):
            self.outbox.append(b"x", self.now)
        self.transmit()
        self.arrive(share_lost=self.draw.choice((0.0, 0.3, 1.0)))
        if self.draw.random() < 0.7:
            self.hear_ack()

    def transmit(self) -> None:
        self.now += 1
        self.store.commit()
        sent = [held.seq for held in self.outbox.take(self.now)]
        assert all(seq <= self.outbox.position.upto + MAX_UNDER_WAY for seq in sent)
        assert len(set(sent)) == len(sent)
        self.network += sent
        self.published |= set(sent)

    def arrive(self, share_lost: float) -> None:
        self.platform.settled |= {seq for seq in self.network if self.draw.random() >= share_lost}
        self.network.clear()

    def hear_ack(self) -> None:
        ack, here = self.platform.ack(self.outbox.position.epoch), self.outbox.position
        self.met_restores += ack.generation > here.generation and ack.upto < here.upto
        self.met_gaps += bool(ack.gaps)
        self.outbox.acknowledge(ack, self.now)

    def wait(self) -> None:
        self.now += self.draw.choice((70, 700))
        self.transmit()

    def lose_session(self) -> None:
        self.outbox.connected(session_present=False)
        self.network.clear()

    def reconnect(self) -> None:
        self.transmit()
        self.outbox.connected(session_present=True, undelivered=list(self.network))
        self.network.clear()

    def lose_power(self) -> None:
        self.store.commit()
        self.lose_power_before_commit()

    def lose_power_before_commit(self) -> None:
        self.outbox.append(b"never published", self.now)
        self.store._db.close()  # noqa: SLF001 - power fails without asking
        self.store = SqliteStore(self.path)
        self.outbox = self.open()
        self.lose_session()

    def restore_platform(self) -> None:
        newest = self.draw.random() * max(self.platform.settled, default=0)
        self.platform.generation += 1
        self.platform.settled = {seq for seq in self.platform.settled if seq <= newest}

    def check(self) -> None:
        here = self.outbox.position
        with closing(sqlite3.connect(self.path)) as another:
            kept = {seq for (seq,) in another.execute("select seq from uplinks")}
        assert self.published - self.platform.settled <= kept
        assert [held.seq for held in self.outbox.held] == list(range(here.upto + 1, here.next_seq))
        if here.generation == self.platform.generation:
            assert {held.seq for held in self.outbox.held if held.settled} <= self.platform.settled

    def end(self) -> None:
        """Once all works again, everything is settled before long."""
        self.lose_session()
        for _ in range(200):
            self.hear_ack()
            if not self.outbox.unsettled:
                break
            self.transmit()
            self.arrive(share_lost=0)
        assert self.outbox.unsettled == 0
        assert self.published <= self.platform.settled


def play(steps: list[str], seed: int) -> Story:
    """One story, checked after each step."""
    with tempfile.TemporaryDirectory() as directory:
        story = Story(Path(directory) / "outbox.sqlite", Random(seed))
        for step in steps:
            getattr(story, step)()
            story.check()
        story.end()
        story.store.close()
    return story


@given(steps=st.lists(STEPS, min_size=5, max_size=40), seed=st.integers(0, 2**32))
@settings(max_examples=100)
def test_no_story_loses_an_uplink(steps: list[str], seed: int) -> None:
    play(steps, seed)


@pytest.mark.parametrize("what", ["met_restores", "met_gaps"])
def test_such_stories_do_meet_what_they_are_about(what: str) -> None:
    steps = ["live", "live", "live", "restore_platform", "hear_ack", "live", "live"]
    assert sum(getattr(play(steps, seed), what) for seed in range(30)) > 5
