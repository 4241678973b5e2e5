"""What is settled, whatever its ranges look like: a cursor that puts ranges away says the same as one that does not."""

from collections.abc import AsyncIterator, Sequence
from random import Random

import pytest
from pydantic import SecretStr

from schemas.events import EVENT_TYPE_BY_KIND, EventKind
from schemas.messages import EPOCH_LIVES_MS, MAX_LIVE_EPOCHS, MAX_RANGES, WHOLE_UPLINK, Ack
from schemas.metrics import METRICS
from schemas.reasons import UNSETTLED, RejectionReason
from schemas.records import READING, JudgedEvent, Rejection, SealedUplink
from services.runtime.clock import FakeClock
from services.runtime.database import Pool, open_pool
from services.runtime.metrics import Metrics
from services.runtime.settings import DatabaseSettings
from services.store import core
from services.store.core import Batch, Ranges, add, gaps_of, upto_of
from services.store.writer import BatchWriter
from tests.integration.care_world import START_MS, World, settle_in

SOS = JudgedEvent(0, 0, EVENT_TYPE_BY_KIND[EventKind.SOS_PRESSED].number, START_MS, 0, {})


class Books:
    """Writes uplinks of one device, as store does, and keeps what must be settled by hand."""

    def __init__(self, pool: Pool, world: World) -> None:
        self.clock = FakeClock(at_ms=START_MS)
        self.pool, self.world = pool, world
        self.settled: set[int] = set()
        self.floor = 0
        self._writer = BatchWriter(pool, self.clock, Metrics(METRICS))
        self._offset = 0

    def uplink(
        self, seq: int, *, epoch: int = 1, oldest: int = 0, sos: bool = False, refused: bool = False
    ) -> SealedUplink:
        reading = READING.pack(0, self.world.person_no, 1, 70.0, START_MS + seq, 0)
        refusal = Rejection(WHOLE_UPLINK, RejectionReason.UNREADABLE, "", b"kept")
        return SealedUplink(
            self.world.device_no, self.world.device, self.world.home_no, 0, epoch, seq, oldest, START_MS,
            self.clock.now_ms(), b"" if sos or refused else reading, (SOS,) if sos else (),
            (refusal,) if refused else (),
        )  # fmt: skip

    async def write(self, *uplinks: SealedUplink) -> tuple[Batch, dict[int, Ack]]:
        """A batch, and by epoch the ack that the device gets."""
        records = [(0, self._offset + place, one) for place, one in enumerate(uplinks)]
        await self.pool.execute(
            "insert into store_positions values (0, $1) on conflict (partition_no) do update set position = $1",
            self._offset,
        )
        self._offset += len(records)
        batch, generation = await self._writer.write(records)
        acked = (*batch.touched, *batch.turned_away.values())
        return batch, {one.epoch: one.settled_record(generation).ack for one in acked}

    async def stored(self, epoch: int = 1) -> list[int]:
        rows = await self.pool.fetch(
            "select seq from readings where device_no = $1 and epoch = $2"
            " union all select seq from device_events where device_no = $1 and epoch = $2 order by 1",
            self.world.device_no,
            epoch,
        )
        return [row["seq"] for row in rows]

    async def rejected(self) -> list[tuple[int, int, str]]:
        rows = await self.pool.fetch(
            "select epoch, seq, reason from rejected where device_no = $1 order by 1, 2", self.world.device_no
        )
        return [tuple(row) for row in rows]


@pytest.fixture
async def books(dsn: str) -> AsyncIterator[Books]:
    async with open_pool(DatabaseSettings(dsn=SecretStr(dsn), pool_size=1), application="test") as pool:
        yield Books(pool, await settle_in(pool))


def ranges_of(numbers: Sequence[int]) -> Ranges:
    ranges: Ranges = []
    for number in numbers:
        add(ranges, number)
    return ranges


@pytest.mark.parametrize("seed", range(24))
async def test_putting_ranges_away_changes_nothing_that_is_said_or_kept(
    books: Books, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Against a plain set of numbers: gaps, resends in any order, evictions; two to four ranges at hand."""
    random = Random(seed)
    monkeypatch.setattr(core, "AT_HAND", 4)
    monkeypatch.setattr(core, "KEPT_AT_HAND", 2)
    at, floor = 0, 0
    settled: set[int] = set()
    for _ in range(60):
        seqs = []
        for _ in range(random.randint(1, 6)):
            at += random.choice((1, 1, 2, 2, 3))
            older = random.random() < 0.4
            seqs.append(random.randint(0, at) if older else at)
        if random.random() < 0.1:
            floor = max(floor, random.randint(0, at))
        batch, acks = await books.write(*(books.uplink(seq, oldest=min(floor, seq)) for seq in seqs))
        floor_before = books.floor
        seen_floor = max([min(floor, seq) for seq in seqs], default=0)
        books.floor = max(books.floor, seen_floor)
        assert {one.seq for one in batch.new} == set(seqs) - settled
        assert batch.duplicates == len(seqs) - len(set(seqs) - settled)
        settled |= set(seqs)
        known = ranges_of(sorted(settled))
        assert acks[1].upto == upto_of(known, books.floor)
        gaps = gaps_of(known, acks[1].upto)
        assert acks[1].gaps == gaps[: len(acks[1].gaps)]
        if books.floor == floor_before:
            assert len(acks[1].gaps) >= min(len(gaps), 25), "of many gaps the first are in the ack"
    row = await books.pool.fetchrow(
        "select settled from device_settled where device_no = $1 and epoch = 1", books.world.device_no
    )
    assert row is not None
    assert [(part.lower, part.upper) for part in row["settled"]] == ranges_of(sorted(settled))
    away = await books.pool.fetchrow(
        "select put_away, (select count(*) from settled_ranges r where r.device_no = c.device_no) as rows"
        " from device_cursor c where device_no = $1",
        books.world.device_no,
    )
    assert away is not None
    assert away["put_away"] == away["rows"] > 0
    assert await books.stored() == sorted(settled)


async def test_every_second_number_is_settled_up_to_the_cap_and_an_emergency_beyond_it(
    books: Books,
) -> None:
    evens = range(0, 2 * MAX_RANGES, 2)
    for first in range(0, len(evens), 512):
        batch, acks = await books.write(*(books.uplink(seq) for seq in evens[first : first + 512]))
        assert not batch.unsettled
    beyond = 2 * MAX_RANGES + 10
    batch, acks = await books.write(books.uplink(beyond), books.uplink(beyond + 100, sos=True))
    assert [(one.seq, why.reason) for one, why in batch.unsettled] == [(beyond, RejectionReason.TOO_MANY_GAPS)]
    assert [one.seq for one in batch.new] == [beyond + 100]
    assert acks[1].rejected[-1].reason == RejectionReason.TOO_MANY_GAPS
    assert (acks[1].upto, acks[1].gaps[:2], len(acks[1].gaps)) == (0, ((1, 1), (3, 3)), 32)

    filling, acks = await books.write(books.uplink(1), books.uplink(3))
    assert ([one.seq for one in filling.new], acks[1].upto) == ([1, 3], 4)
    again, acks = await books.write(books.uplink(beyond))
    assert ([one.seq for one in again.new], again.unsettled) == ([beyond], [])
    assert await books.rejected() == []
    duplicates, _ = await books.write(*(books.uplink(seq) for seq in (0, 1, 4, 4096, beyond, beyond + 100)))
    assert (duplicates.duplicates, duplicates.new) == (6, [])


async def test_a_device_may_begin_sixteen_epochs_a_day_and_one_more_in_an_emergency(books: Books) -> None:
    epochs = range(100, 100 + MAX_LIVE_EPOCHS)
    for epoch in epochs:
        batch, acks = await books.write(books.uplink(0, epoch=epoch))
        assert (len(batch.new), acks[epoch].upto) == (1, 0)

    batch, acks = await books.write(books.uplink(0, epoch=500), books.uplink(1, epoch=501), books.uplink(1, epoch=100))
    assert [(one.epoch, why.reason) for one, why in batch.unsettled] == [
        (500, RejectionReason.TOO_MANY_EPOCHS),
        (501, RejectionReason.TOO_MANY_EPOCHS),
    ]
    assert [(one.epoch, one.seq) for one in batch.new] == [(100, 1)]
    assert (acks[501].upto, [one.reason for one in acks[501].rejected]) == (-1, [RejectionReason.TOO_MANY_EPOCHS])
    assert (500 in acks, await books.stored(500)) == (False, [])
    assert await books.rejected() == [(500, 0, "too_many_epochs"), (501, 1, "too_many_epochs")]

    batch, acks = await books.write(books.uplink(7, epoch=777, sos=True))
    assert ([one.seq for one in batch.new], await books.stored(777)) == ([7], [7])

    books.clock.advance(seconds=EPOCH_LIVES_MS / 1000 + 1)
    batch, _ = await books.write(books.uplink(0, epoch=500))
    assert ([one.epoch for one in batch.new], await books.stored(500)) == ([500], [0])
    assert await books.rejected() == [(501, 1, "too_many_epochs")]


async def test_an_emergency_passes_the_jump_rule_too(books: Books) -> None:
    batch, acks = await books.write(books.uplink(0), books.uplink(70_000), books.uplink(90_000, sos=True))
    assert [(one.seq, why.reason) for one, why in batch.unsettled] == [(70_000, RejectionReason.SEQ_JUMP)]
    assert [one.seq for one in batch.new] == [0, 90_000]
    assert (acks[1].upto, acks[1].gaps) == (0, ((1, 89_999),))


async def test_a_refusal_for_a_time_gives_way_to_how_the_uplink_ends(books: Books) -> None:
    """It stood in the way of the later row of the same uplink, whose bytes were lost."""
    await books.write(books.uplink(0), books.uplink(70_000))
    assert await books.rejected() == [(1, 70_000, "seq_jump")]
    await books.write(books.uplink(0, oldest=0), books.uplink(70_000, oldest=69_999, refused=True))
    assert await books.rejected() == [(1, 70_000, "unreadable")]
    raw = await books.pool.fetchval("select raw from rejected where device_no = $1", books.world.device_no)
    assert raw == b"kept"
    await books.write(books.uplink(70_000))
    assert await books.rejected() == [(1, 70_000, "unreadable")]
    assert set(UNSETTLED) == {RejectionReason.SEQ_JUMP, RejectionReason.TOO_MANY_GAPS, RejectionReason.TOO_MANY_EPOCHS}


async def test_a_device_that_has_to_evict_is_never_deaf_for_it(books: Books) -> None:
    """Each eviction leaves a gap that nobody can fill: those gaps count for nothing, however many there are."""
    seq = 0
    for _ in range(20):
        uplinks = [books.uplink(seq + 2 * n, oldest=seq + 2 * n) for n in range(512)]
        batch, acks = await books.write(*uplinks)
        assert not batch.unsettled
        seq += 1024
        assert acks[1].upto == seq - 2
    row = await books.pool.fetchrow("select put_away from device_cursor where device_no = $1", books.world.device_no)
    assert row is not None
    assert row["put_away"] > MAX_RANGES
    late, _ = await books.write(books.uplink(1, oldest=seq - 2), books.uplink(2, oldest=seq - 2))
    assert ([one.seq for one in late.new], late.duplicates) == ([1], 1)


async def test_gaps_that_can_be_filled_count_again_once_they_are_given_up(books: Books) -> None:
    for first in range(0, 2 * MAX_RANGES, 1024):
        await books.write(*(books.uplink(seq) for seq in range(first, first + 1024, 2)))
    more = 2 * MAX_RANGES + 4
    refused, _ = await books.write(books.uplink(more))
    assert [why.reason for _, why in refused.unsettled] == [RejectionReason.TOO_MANY_GAPS]
    once, _ = await books.write(books.uplink(more, oldest=more))  # the floor is known from the next batch on
    again, acks = await books.write(books.uplink(more, oldest=more))
    assert ([one.seq for one in (*once.new, *again.new)], acks[1].upto) == ([more], more)
