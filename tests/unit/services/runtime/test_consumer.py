"""A member of a group finishes before its partitions go, and then keeps its hands off them."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from operator import itemgetter
from random import Random
from unittest.mock import patch

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from schemas.metrics import METRICS
from services.runtime.bus.memory import MemoryBus, MemorySubscription
from services.runtime.bus.port import Message, MissingOffsetError, OnAssigned, OnRevoked, Record, Subscription
from services.runtime.consumer import GroupMember
from services.runtime.errors import RetryLaterError
from services.runtime.metrics import Metrics

TOPIC, GROUP = "uplinks", "readers"
LOG: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class AwayBus(MemoryBus):
    """Cannot be joined so many times, and then gives nothing so many times."""

    def __init__(self, *, joins: int = 0, fetches: int = 0) -> None:
        super().__init__()
        self.joins, self.fetches = joins, fetches

    async def subscribe(
        self,
        topic: str,
        group: str,
        *,
        instance: str = "0",
        on_assigned: OnAssigned | None = None,
        on_revoked: OnRevoked | None = None,
    ) -> MemorySubscription:
        if self.joins:
            self.joins -= 1
            raise RetryLaterError
        return await super().subscribe(topic, group, instance=instance, on_assigned=on_assigned, on_revoked=on_revoked)

    def slice_of(self, topic: str, partition: int, position: int, most: int) -> list[Message]:
        if self.fetches:
            self.fetches -= 1
            raise RetryLaterError
        return super().slice_of(topic, partition, position, most)


async def filled(bus: MemoryBus, number: int) -> MemoryBus:
    await bus.prepare({TOPIC: 1}, {TOPIC: [GROUP]})
    await bus.append(TOPIC, [Record(b"%d" % one, b"%d" % one) for one in range(number)])
    return bus


def member(bus: MemoryBus, instance: str = "0", **options: object) -> GroupMember:
    return GroupMember(bus=bus, topic=TOPIC, group=GROUP, instance=instance, log=LOG, **options)  # type: ignore[arg-type]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


async def read_to_the_end(bus: MemoryBus, number: int, metrics: Metrics | None) -> list[bytes]:
    """What a member gets of a bus that holds so many records."""
    got, stop, reader = list[bytes](), asyncio.Event(), member(bus, metrics=metrics)

    async def step(subscription: Subscription, stop: asyncio.Event) -> None:
        messages, _ = await reader.fetch(subscription, most=2, wait_s=0.01)
        got.extend(message.value for message in messages)
        if len(got) >= number:
            stop.set()

    async with asyncio.timeout(5):
        await reader.run(step, stop)
    return got


async def test_a_bus_that_is_away_is_waited_for_and_nothing_is_missed() -> None:
    bus, metrics = await filled(AwayBus(joins=1, fetches=1), 3), Metrics(METRICS)
    with capture_logs() as said:
        assert await read_to_the_end(bus, 3, metrics) == [b"0", b"1", b"2"]
    assert [(one["event"], one["topic"]) for one in said] == [("bus away", TOPIC)] * 2
    assert metrics.waiting == []


async def test_a_process_is_not_ready_while_a_member_waits_for_the_bus() -> None:
    bus, metrics, stop = await filled(AwayBus(joins=10**6), 1), Metrics(METRICS), asyncio.Event()
    reader = member(bus, metrics=metrics)

    async def never(_subscription: Subscription, _stop: asyncio.Event) -> None:
        pytest.fail("there is no subscription")

    running = asyncio.create_task(reader.run(never, stop))
    await until(lambda: bool(metrics.waiting))
    stop.set()
    await running
    assert metrics.waiting == ["bus"]


async def test_a_group_without_offsets_ends_the_member() -> None:
    bus = MemoryBus()
    with pytest.raises(MissingOffsetError):
        await member(bus).run(_nothing, asyncio.Event())


async def _nothing(_subscription: Subscription, _stop: asyncio.Event) -> None:
    await asyncio.sleep(0)


async def test_what_a_step_raises_ends_the_member_and_nothing_is_finished() -> None:
    finished = list[int]()

    async def broken(_subscription: Subscription, _stop: asyncio.Event) -> None:
        raise KeyError

    async def finish(_subscription: Subscription, _stop: asyncio.Event) -> None:
        finished.append(1)

    with pytest.raises(KeyError):
        await member(await filled(MemoryBus(), 1), finish=finish).run(broken, asyncio.Event())
    assert finished == []


async def test_at_the_end_it_finishes_and_forgets_nothing() -> None:
    called, stop = list[str](), asyncio.Event()

    async def finish(_subscription: Subscription, given: asyncio.Event) -> None:
        called.append("finished" if given is stop else "another event")

    async def step(_subscription: Subscription, _stop: asyncio.Event) -> None:
        stop.set()

    one: GroupMember = member(await filled(MemoryBus(), 0), finish=finish, forget=lambda: called.append("forgot"))
    await one.run(step, stop)
    assert (called, one.assignment) == (["finished"], 0)


async def test_stopped_before_it_joined_it_has_nothing_to_finish() -> None:
    stop = asyncio.Event()
    stop.set()

    async def finish(_subscription: Subscription, _stop: asyncio.Event) -> None:
        pytest.fail("it has no subscription")

    await member(await filled(MemoryBus(), 0), finish=finish).run(_nothing, stop)


async def test_before_partitions_move_work_ends_then_the_rest_is_finished_then_forgotten() -> None:
    bus, order, stop = await filled(MemoryBus(), 0), list[str](), asyncio.Event()
    working = asyncio.Event()

    async def finish(_subscription: Subscription, _stop: asyncio.Event) -> None:
        order.append(f"finish {one.assignment}")

    async def step(_subscription: Subscription, _stop: asyncio.Event) -> None:
        async with one.at_work:
            working.set()
            await asyncio.sleep(0.02)
            order.append("work")
        stop.set()

    one: GroupMember = member(bus, finish=finish, forget=lambda: order.append(f"forget {one.assignment}"))
    running = asyncio.create_task(one.run(step, stop))
    await working.wait()
    await bus.subscribe(TOPIC, GROUP, instance="9")
    assert order == ["work", "finish 0", "forget 1"]
    await running


async def test_what_takes_too_long_to_finish_is_forgotten_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.runtime.bus.memory.REVOKE_S", 0.01)
    bus, forgot, stop = await filled(MemoryBus(), 0), list[int](), asyncio.Event()
    joined = asyncio.Event()

    async def finish(_subscription: Subscription, stop: asyncio.Event) -> None:
        await stop.wait()

    async def step(_subscription: Subscription, _stop: asyncio.Event) -> None:
        joined.set()
        await asyncio.sleep(0)

    one: GroupMember = member(bus, finish=finish, forget=lambda: forgot.append(one.assignment))
    running = asyncio.create_task(one.run(step, stop))
    await joined.wait()
    await bus.subscribe(TOPIC, GROUP, instance="9")
    assert forgot == [1]
    stop.set()
    await running


async def test_without_anything_to_finish_nobody_waits_for_work() -> None:
    bus, stop, working = await filled(MemoryBus(), 0), asyncio.Event(), asyncio.Event()
    one: GroupMember = member(bus)

    async def step(_subscription: Subscription, stop: asyncio.Event) -> None:
        async with one.at_work:
            working.set()
            await stop.wait()

    running = asyncio.create_task(one.run(step, stop))
    await working.wait()
    async with asyncio.timeout(1):
        await bus.subscribe(TOPIC, GROUP, instance="9")
    assert one.assignment == 1
    stop.set()
    await running


async def test_what_a_fetch_gives_that_went_on_through_a_move_belongs_to_the_new_assignment() -> None:
    """Its offset is behind it: were it dropped as old, nobody would read it again."""
    bus, stop = await filled(MemoryBus(partitions=2), 0), asyncio.Event()
    one, got, fetching = member(bus), list[tuple[int, int]](), asyncio.Event()

    async def step(subscription: Subscription, stop: asyncio.Event) -> None:
        fetching.set()
        messages, assignment = await one.fetch(subscription, most=9, wait_s=5)
        got.extend((assignment, message.offset) for message in messages)
        stop.set()

    running = asyncio.create_task(one.run(step, stop))
    await fetching.wait()
    await bus.subscribe(TOPIC, GROUP, instance="9")
    await bus.append(TOPIC, [Record(b"%d" % number, b"") for number in range(20)])
    await running
    assert {assignment for assignment, _ in got} == {1}


@dataclass(slots=True)
class Reader:
    """A member that works as store does: writes a batch, passes it on a little later, then commits.

    ``passed`` is what all of them have passed on, in order: who and under which assignment,
    partition, offset.
    """

    bus: MemoryBus
    instance: str
    name: str
    chance: Random
    passed: list[tuple[str, int, int]]
    written: set[tuple[int, int]]
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    gathered: dict[tuple[int, int], None] = field(default_factory=dict)
    member: GroupMember = field(init=False)
    running: asyncio.Task[None] = field(init=False)

    def start(self) -> None:
        self.member = GroupMember(
            bus=self.bus, topic=TOPIC, group=GROUP, instance=self.instance, log=LOG,
            finish=self.finish, forget=self.gathered.clear,
        )  # fmt: skip
        self.running = asyncio.create_task(self.member.run(self.step, self.stop))

    async def step(self, subscription: Subscription, stop: asyncio.Event) -> None:
        messages, assignment = await self.member.fetch(subscription, most=self.chance.randint(1, 4), wait_s=0)
        await self.wait()
        async with self.member.at_work:
            if assignment != self.member.assignment:
                return
            await self.wait()
            self.written.update((one.partition, one.offset) for one in messages)
            if assignment == self.member.assignment:
                self.gathered.update(dict.fromkeys((one.partition, one.offset) for one in messages))
            if self.chance.random() < 0.3:
                await self.finish(subscription, stop)

    async def finish(self, subscription: Subscription, _stop: asyncio.Event) -> None:
        """Passes on, then commits: a crash between the two repeats it."""
        assignment = self.member.assignment
        for partition, offset in list(self.gathered):
            await self.wait()
            if assignment != self.member.assignment:
                return
            self.passed.append((f"{self.name} {assignment}", partition, offset))
        ends = {partition: offset + 1 for partition, offset in self.gathered}
        self.gathered.clear()
        await subscription.commit(ends)

    async def wait(self) -> None:
        for _ in range(self.chance.randint(0, 3)):
            await asyncio.sleep(0)

    async def leave(self) -> None:
        """A signal, and a clean end; then the group hears of it."""
        self.stop.set()
        await self.running
        await self.bus.expire(TOPIC, GROUP, self.instance)

    async def die(self) -> None:
        """Ends wherever it is; the group notices later."""
        self.running.cancel()
        with suppress(asyncio.CancelledError):
            await self.running
        await self.bus.expire(TOPIC, GROUP, self.instance)


async def story(happens: Sequence[tuple[str, bool]], seed: int) -> tuple[MemoryBus, int, list[tuple[str, int, int]]]:
    """Records flow while instances come, leave (True) or die (False); then one reads the rest."""
    chance, bus = Random(seed), await filled(MemoryBus(partitions=3), 5)
    readers, passed, written = dict[str, Reader](), list[tuple[str, int, int]](), set[tuple[int, int]]()
    sent = 5
    for instance, in_order in [*happens, ("z", True)]:
        await bus.append(TOPIC, [Record(b"%d" % (sent + one), b"") for one in range(7)])
        sent += 7
        if instance in readers:
            reader = readers.pop(instance)
            await (reader.leave() if in_order else reader.die())
        else:
            readers[instance] = Reader(bus, instance, f"process {sent}", chance, passed, written)
            readers[instance].start()
        for _ in range(chance.randint(0, 30)):
            await asyncio.sleep(0)
    positions = bus.committed(TOPIC, GROUP)
    async with asyncio.timeout(10):
        while sum(positions.values()) < sent:
            await asyncio.sleep(0)
            assert not any(one.running.done() for one in readers.values())
    for reader in readers.values():
        await reader.leave()
    assert {(partition, offset) for _, partition, offset in passed} <= written
    return bus, sent, passed


Instances = st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@given(Instances, st.integers(0, 10**6))
def test_whoever_comes_goes_or_dies_every_record_is_passed_on_and_nobody_is_overtaken(
    happens: list[tuple[str, bool]], seed: int
) -> None:
    """Some hand over in time; of others, cut short, the next one repeats what was not committed."""
    with patch("services.runtime.bus.memory.REVOKE_S", 5 if seed % 2 else 0):
        bus, sent, passed = asyncio.run(story(happens, seed))

    assert len({(partition, offset) for _, partition, offset in passed}) == sent
    for partition, end in bus.committed(TOPIC, GROUP).items():
        turns = [(owner, offset) for owner, place, offset in passed if place == partition]
        assert {offset for _, offset in turns} == set(range(end))
        assert all(after <= before + 1 for (_, before), (_, after) in pairwise(turns))
        owners = [owner for owner, _ in groupby(turns, key=itemgetter(0))]
        assert len(owners) == len(set(owners))  # no word after the next owner's


@settings(max_examples=40, deadline=None)
@given(Instances, st.integers(0, 10**6))
def test_where_everybody_leaves_in_order_nothing_is_passed_on_twice(happens: list[tuple[str, bool]], seed: int) -> None:
    _, sent, passed = asyncio.run(story([(instance, True) for instance, _ in happens], seed))
    assert len(passed) == sent
