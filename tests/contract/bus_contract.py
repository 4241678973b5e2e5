"""What every bus promises: one class of tests, run on memory, on PostgreSQL tables and on Kafka."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from uuid import uuid4

import pytest

from services.runtime.bus.port import Bus, Message, MissingOffsetError, Record, Subscription

OpenBus = Callable[[], AbstractAsyncContextManager[Bus]]
"""Each call is another process on the same log."""

GROUPS = ("first", "second")
PATIENCE_S = 30.0
QUIET_S = 0.6


def records(count: int, *, keys: int = 5, start: int = 0) -> list[Record]:
    """Records numbered per key, so that their order can be seen."""
    return [Record(b"key-%d" % (one % keys), b"%d:%d" % (one % keys, one)) for one in range(start, start + count)]


def number_of(message: Message) -> int:
    return int(message.value.split(b":")[1])


async def take(subscription: Subscription, count: int, *, most: int = 100) -> list[Message]:
    """Exactly ``count`` records; fails when they don't come."""
    taken: list[Message] = []
    async with asyncio.timeout(PATIENCE_S):
        while len(taken) < count:
            taken += await subscription.fetch(most=min(most, count - len(taken)), wait_s=0.2)
    return taken


async def nothing_more(subscription: Subscription) -> bool:
    """Whether the log has ended, as far as can be seen in a moment."""
    return not await subscription.fetch(most=10, wait_s=QUIET_S)


def positions_after(messages: Sequence[Message]) -> dict[int, int]:
    """What to commit once ``messages`` have been dealt with."""
    return {message.partition: message.offset + 1 for message in messages}


class BusContract:
    """Subclasses give the fixture ``open_bus``."""

    @pytest.fixture
    def topic(self) -> str:
        """A topic of this test alone."""
        return f"test.{uuid4().hex[:12]}.v1"

    @pytest.fixture
    def group(self) -> str:
        """A group of this test alone."""
        return f"first-{uuid4().hex[:12]}"

    @pytest.fixture
    async def bus(self, open_bus: OpenBus, topic: str, group: str) -> AsyncIterator[Bus]:
        """A bus whose topic and group are prepared."""
        async with open_bus() as bus:
            await bus.prepare({topic: 1}, {topic: (group, f"{group}-other")})
            yield bus

    async def test_records_of_one_key_keep_their_order(self, bus: Bus, topic: str, group: str) -> None:
        for start in range(0, 120, 30):
            await bus.append(topic, records(30, start=start))
        taken = await take(await bus.subscribe(topic, group), 120)
        by_key = defaultdict(list)
        for message in taken:
            by_key[message.value.split(b":")[0]].append(number_of(message))
        assert len(by_key) == 5
        assert all(numbers == sorted(numbers) for numbers in by_key.values())
        assert sorted(number for numbers in by_key.values() for number in numbers) == list(range(120))

    async def test_what_is_appended_at_once_may_be_larger_than_a_fetch(self, bus: Bus, topic: str, group: str) -> None:
        """Of one home, so of one partition: 600 kB in three batches of Kafka, and one record that fills one."""
        sent = [Record(b"home", b"%d:" % one + bytes(3_000)) for one in range(200)]
        sent.append(Record(b"home", bytes(400_000)))
        await bus.append(topic, sent)

        taken = await take(await bus.subscribe(topic, group), len(sent))
        assert [message.value for message in taken] == [one.value for one in sent]

    async def test_an_outsider_sees_how_far_a_group_is_from_the_end(self, bus: Bus, topic: str, group: str) -> None:
        await bus.append(topic, records(30))
        before = await bus.positions(topic, group)
        assert set(before) == set(range(bus.partitions))
        assert sum(place.end - place.position for place in before.values()) == 30

        subscription = await bus.subscribe(topic, group)
        taken = await take(subscription, 20)
        await subscription.commit(positions_after(taken))
        after = await bus.positions(topic, group)
        assert sum(place.end - place.position for place in after.values()) == 10
        assert await bus.positions(topic, f"nobody-{group}") == {}

    async def test_a_key_has_one_partition_and_a_partition_rising_offsets(
        self, bus: Bus, topic: str, group: str
    ) -> None:
        await bus.append(topic, records(60, keys=20))
        taken = await take(await bus.subscribe(topic, group), 60)
        places = {(message.value.split(b":")[0], message.partition) for message in taken}
        assert len(places) == 20
        assert all(0 <= partition < bus.partitions for _, partition in places)
        for partition in range(bus.partitions):
            offsets = [message.offset for message in taken if message.partition == partition]
            assert offsets == list(range(len(offsets)))

    async def test_groups_read_independently(self, bus: Bus, topic: str, group: str) -> None:
        await bus.append(topic, records(20))
        first = await bus.subscribe(topic, group)
        second = await bus.subscribe(topic, f"{group}-other")
        taken = await take(first, 20)
        await first.commit(positions_after(taken))
        assert sorted(map(number_of, await take(second, 20))) == list(range(20))

    async def test_a_group_goes_on_after_its_last_commit(
        self, bus: Bus, open_bus: OpenBus, topic: str, group: str
    ) -> None:
        await bus.append(topic, records(30, keys=1))
        async with open_bus() as earlier:
            subscription = await earlier.subscribe(topic, group)
            await subscription.commit(positions_after(await take(subscription, 10)))
            await take(subscription, 5)
        async with open_bus() as later:
            taken = await take(await later.subscribe(topic, group), 20)
        assert list(map(number_of, taken)) == list(range(10, 30))

    async def test_what_was_not_committed_is_read_again(
        self, bus: Bus, open_bus: OpenBus, topic: str, group: str
    ) -> None:
        await bus.append(topic, records(10, keys=1))
        for _ in range(2):
            async with open_bus() as process:
                taken = await take(await process.subscribe(topic, group), 10)
            assert list(map(number_of, taken)) == list(range(10))

    async def test_fetch_waits_for_the_first_record(self, bus: Bus, topic: str, group: str) -> None:
        subscription = await bus.subscribe(topic, group)
        assert await nothing_more(subscription)
        waiting = asyncio.create_task(subscription.fetch(most=10, wait_s=PATIENCE_S))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        await bus.append(topic, records(1))
        async with asyncio.timeout(5):
            assert list(map(number_of, await waiting)) == [0]

    async def test_two_groups_wait_at_once(self, bus: Bus, topic: str, group: str) -> None:
        waiting = [asyncio.create_task(take(await bus.subscribe(topic, name), 1)) for name in (group, f"{group}-other")]
        await asyncio.sleep(0.2)
        await bus.append(topic, records(1))
        async with asyncio.timeout(PATIENCE_S):
            assert [number_of(message) for task in waiting for message in await task] == [0, 0]

    async def test_fetch_gives_no_more_than_asked_for(self, bus: Bus, topic: str, group: str) -> None:
        await bus.append(topic, records(50, keys=1))
        subscription = await bus.subscribe(topic, group)
        taken: list[Message] = []
        async with asyncio.timeout(PATIENCE_S):
            while len(taken) < 50:
                found = await subscription.fetch(most=7, wait_s=0.2)
                assert len(found) <= 7
                taken += found
        assert list(map(number_of, taken)) == list(range(50))

    async def test_the_consumer_may_choose_where_to_start(self, bus: Bus, topic: str, group: str) -> None:
        await bus.append(topic, records(20, keys=1))
        called: list[frozenset[int]] = []
        (place,) = {message.partition for message in await take(await bus.subscribe(topic, f"{group}-other"), 20)}

        async def from_the_tenth(partitions: frozenset[int]) -> Mapping[int, int]:
            called.append(partitions)
            return {place: 10}

        taken = await take(await bus.subscribe(topic, group, on_assigned=from_the_tenth), 10)
        assert list(map(number_of, taken)) == list(range(10, 20))
        assert frozenset().union(*called) == frozenset(range(bus.partitions))

    async def test_partitions_that_the_consumer_leaves_out_start_at_the_groups_offset(
        self, bus: Bus, open_bus: OpenBus, topic: str, group: str
    ) -> None:
        await bus.append(topic, records(20, keys=1))
        async with open_bus() as earlier:
            subscription = await earlier.subscribe(topic, group)
            await subscription.commit(positions_after(await take(subscription, 15)))

        async def anywhere(_partitions: frozenset[int]) -> Mapping[int, int]:
            return {}

        taken = await take(await bus.subscribe(topic, group, on_assigned=anywhere), 5)
        assert list(map(number_of, taken)) == list(range(15, 20))

    async def test_a_group_without_an_offset_is_an_error_and_never_a_guess(self, bus: Bus, topic: str) -> None:
        await bus.append(topic, records(5))
        with pytest.raises(MissingOffsetError):
            await take(await bus.subscribe(topic, f"unprepared-{uuid4().hex[:12]}"), 5)

    async def test_what_is_appended_twice_is_there_twice(self, bus: Bus, topic: str, group: str) -> None:
        """After RetryLaterError everything is appended again: the log may repeat, its readers drop duplicates."""
        await bus.append(topic, records(10, keys=1))
        await bus.append(topic, records(10, keys=1))
        taken = await take(await bus.subscribe(topic, group), 20)
        assert sorted(map(number_of, taken)) == sorted([*range(10), *range(10)])

    async def test_appending_nothing_changes_nothing(self, bus: Bus, topic: str, group: str) -> None:
        await bus.append(topic, [])
        assert await nothing_more(await bus.subscribe(topic, group))

    async def test_preparing_again_keeps_log_and_offsets(
        self, bus: Bus, open_bus: OpenBus, topic: str, group: str
    ) -> None:
        await bus.append(topic, records(10, keys=1))
        async with open_bus() as earlier:
            subscription = await earlier.subscribe(topic, group)
            await subscription.commit(positions_after(await take(subscription, 4)))
        await bus.prepare({topic: 1}, {topic: (group,)})
        taken = await take(await bus.subscribe(topic, group), 6)
        assert list(map(number_of, taken)) == list(range(4, 10))

    async def test_appends_at_once_lose_nothing(self, bus: Bus, topic: str, group: str) -> None:
        await asyncio.gather(*(bus.append(topic, records(10, keys=3, start=start)) for start in range(0, 200, 10)))
        taken = await take(await bus.subscribe(topic, group), 200)
        assert sorted(map(number_of, taken)) == list(range(200))
        assert await nothing_more(await bus.subscribe(topic, f"{group}-other", on_assigned=_at_the_end(taken)))

    async def test_records_as_large_as_an_uplink_can_make_them_pass(self, bus: Bus, topic: str, group: str) -> None:
        large = [Record(b"one key", b"x:%d:" % number + b"x" * 120_000) for number in range(30)]
        await bus.append(topic, large)
        taken = await take(await bus.subscribe(topic, group), 30)
        assert [message.value for message in taken] == [record.value for record in large]

    async def test_holding_takes_nothing_and_loses_nothing(self, bus: Bus, topic: str, group: str) -> None:
        subscription = await bus.subscribe(topic, group)
        await bus.append(topic, records(5, keys=1))
        taken = await take(subscription, 2)
        await subscription.hold(0.3)
        taken += await take(subscription, 3)
        assert list(map(number_of, taken)) == list(range(5))

    async def test_a_consumer_may_go_back(self, bus: Bus, topic: str, group: str) -> None:
        await bus.append(topic, records(10, keys=1))
        subscription = await bus.subscribe(topic, group)
        (place,) = {message.partition for message in await take(subscription, 7)}
        await subscription.rewind({place: 4, bus.partitions + 7: 1})
        assert list(map(number_of, await take(subscription, 6))) == [4, 5, 6, 7, 8, 9]
        assert await nothing_more(subscription)

    async def test_committing_a_partition_of_somebody_else_is_passed_over(
        self, bus: Bus, topic: str, group: str
    ) -> None:
        await bus.append(topic, records(3, keys=1))
        subscription = await bus.subscribe(topic, group)
        taken = await take(subscription, 3)
        await subscription.commit({bus.partitions + 7: 1} | positions_after(taken))
        assert await nothing_more(subscription)

    async def test_the_log_says_what_it_holds(self, bus: Bus, topic: str) -> None:
        assert set(await bus.held(topic)) == set(range(bus.partitions))
        assert set((await bus.held(topic)).values()) == {(0, 0)}
        await bus.append(topic, records(40, keys=20))
        held = await bus.held(topic)
        assert {first for first, _ in held.values()} == {0}
        assert sum(end for _, end in held.values()) == 40

    async def test_a_group_that_was_moved_back_reads_again_from_there(
        self, bus: Bus, open_bus: OpenBus, topic: str, group: str
    ) -> None:
        await bus.append(topic, records(20, keys=1))
        async with open_bus() as earlier:
            subscription = await earlier.subscribe(topic, group)
            taken = await take(subscription, 20)
            await subscription.commit(positions_after(taken))
        await bus.move(topic, group, {taken[0].partition: 12})
        again = await take(await bus.subscribe(topic, group), 8)
        assert list(map(number_of, again)) == list(range(12, 20))

    async def test_a_group_that_was_moved_ahead_leaves_out_what_lies_between(
        self, bus: Bus, topic: str, group: str
    ) -> None:
        await bus.append(topic, records(20, keys=1))
        ends = {partition: end for partition, (_, end) in (await bus.held(topic)).items()}
        await bus.move(topic, group, {partition: max(0, end - 3) for partition, end in ends.items()})
        assert list(map(number_of, await take(await bus.subscribe(topic, group), 3))) == [17, 18, 19]


class SharedBusContract(BusContract):
    """What a bus with several partitions promises to the members of a group."""

    async def test_the_members_of_a_group_share_the_partitions(
        self, bus: Bus, open_bus: OpenBus, topic: str, group: str
    ) -> None:
        async with open_bus() as one, open_bus() as two:
            members = [await one.subscribe(topic, group, instance="a"), await two.subscribe(topic, group, instance="b")]
            by_member: list[set[int]] = [set(), set()]
            async with asyncio.timeout(PATIENCE_S):
                while not all(by_member):
                    await bus.append(topic, records(20, keys=20))
                    for member, partitions in zip(members, by_member, strict=True):
                        partitions |= {message.partition for message in await member.fetch(most=100, wait_s=0.2)}
            for member in members:
                while await member.fetch(most=500, wait_s=0.2):
                    pass
            await bus.append(topic, records(60, keys=20))
            found = [await take_all(member) for member in members]
        assert sorted(map(number_of, found[0] + found[1])) == list(range(60))

    async def test_a_member_may_finish_before_its_partitions_go(
        self, bus: Bus, open_bus: OpenBus, topic: str, group: str
    ) -> None:
        """What it commits when it is called is where whoever comes next begins: nothing is read twice."""
        await bus.append(topic, records(60, keys=20))
        called = 0
        async with open_bus() as one, open_bus() as two:

            async def finish() -> None:
                nonlocal called
                called += 1
                await asyncio.sleep(0.2)
                await first.commit(positions_after(taken))

            first = await one.subscribe(topic, group, instance="a", on_revoked=finish)
            taken = await take(first, 60)
            second = await two.subscribe(topic, group, instance="b")
            found = await take_all(second) + await take_all(first)
        assert (called, found) == (1, [])

    async def test_a_member_that_comes_back_moves_nothing(
        self, bus: Bus, open_bus: OpenBus, topic: str, group: str
    ) -> None:
        called: list[str] = []

        async def of_the_other() -> None:
            called.append("moved")

        async with open_bus() as one:
            staying = await one.subscribe(topic, group, instance="a", on_revoked=of_the_other)
            async with open_bus() as two:
                both = (staying, await two.subscribe(topic, group, instance="b"))
                await asyncio.gather(*map(take_all, both))
            moved = len(called)
            async with open_bus() as three:
                both = (staying, await three.subscribe(topic, group, instance="b"))
                await bus.append(topic, records(60, keys=20))
                found = await asyncio.gather(*map(take_all, both))
        assert all(found)
        assert len(called) == moved

    async def test_what_fails_when_partitions_are_assigned_ends_the_consumer(
        self, bus: Bus, open_bus: OpenBus, topic: str, group: str
    ) -> None:
        async def fail(_partitions: frozenset[int]) -> Mapping[int, int]:
            raise ZeroDivisionError

        await bus.append(topic, records(1))
        async with open_bus() as one:
            with pytest.raises(ZeroDivisionError):
                await take(await one.subscribe(topic, group, on_assigned=fail), 1)


async def take_all(subscription: Subscription) -> list[Message]:
    """What comes until nothing has come for two seconds."""
    taken: list[Message] = []
    while found := await subscription.fetch(most=500, wait_s=2):
        taken += found
    return taken


def _at_the_end(messages: Sequence[Message]) -> Callable[[frozenset[int]], "asyncio.Future[Mapping[int, int]]"]:
    ends: dict[int, int] = {}
    for message in messages:
        ends[message.partition] = max(ends.get(message.partition, 0), message.offset + 1)

    def answer(_partitions: frozenset[int]) -> "asyncio.Future[Mapping[int, int]]":
        future: asyncio.Future[Mapping[int, int]] = asyncio.get_running_loop().create_future()
        future.set_result(ends)
        return future

    return answer
