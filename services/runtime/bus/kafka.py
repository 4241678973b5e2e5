"""The bus on Apache Kafka: explicit batches out, fixed groups with static members in."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import chain
from typing import Any, Final
from zlib import crc32

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    CommitFailedError,
    GroupAuthorizationFailedError,
    IllegalStateError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    for_code,
)

from services.runtime.bus import kafka_groups
from services.runtime.bus.kafka_access import client_arguments
from services.runtime.bus.kafka_connection import use_mended_connections
from services.runtime.bus.kafka_records import use_messages
from services.runtime.bus.port import (
    REVOKE_S,
    Message,
    MissingOffsetError,
    NotAllowedError,
    OnAssigned,
    OnRevoked,
    Place,
    Record,
)
from services.runtime.errors import HearthBeatError, RetryLaterError
from services.runtime.settings import BusSettings

_APPEND_TIMEOUT_S: Final = 30.0
_ASK_TIMEOUT_S: Final = 10.0
COMMIT_S: Final = 5.0
"""A commit takes milliseconds; aiokafka itself tries for as long as Kafka is away, and for ever where it is stuck."""
_BATCH_BYTES: Final = 512 * 1024
_FETCH_BYTES: Final = 128 * 1024
"""Of one partition in an answer. Kafka gives a batch that is larger whole, of one partition at a time."""
_ANSWER_BYTES: Final = 4 * _FETCH_BYTES
"""Of a queue, this lies in a consumer's memory, and twice while it comes, however many partitions it has. Who asks
shuffles them, so that none is always the last."""
_FETCH_WAIT_MS: Final = 500
"""The broker answers a fetch as soon as there is a record, or after so long: consumers set the
pace."""
SESSION_S: Final = 10.0
"""A member that is away for longer loses its partitions to the others. Longer than a restart takes, or a broker's, so
neither moves anything; as short as that allows, since until then the homes of a lost machine wait."""
_HEARTBEAT_S: Final = 1.0
"""At most so late a member hears that partitions move; until all have heard, all stand still."""
_REBALANCE_S: Final = 15.0
"""A member that has not joined again by then is left out; finishing a batch takes REVOKE_S at most."""


STUCK_S: Final = 60.0
"""Real seconds without a record, though there are some, or without a commit, after which a consumer is stuck."""


class StuckError(HearthBeatError):
    """A consumer has records before it and gets none, or cannot commit though Kafka answers; a new process helps."""


class KafkaBus:
    """Appends with ``acks=all``. After a failed append the producer is rebuilt before the next one."""

    def __init__(self, settings: BusSettings) -> None:
        self._settings, self._access = settings, client_arguments(settings)
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()
        self._consumers: list[AIOKafkaConsumer] = []

    @property
    def partitions(self) -> int:
        return self._settings.partitions

    async def append(self, topic: str, records: Sequence[Record]) -> None:
        try:
            async with asyncio.timeout(_APPEND_TIMEOUT_S):
                await self._append(topic, records)
        except (KafkaError, TimeoutError, OSError) as error:
            await self._drop_producer()
            raise RetryLaterError(f"topic {topic}") from error

    async def _append(self, topic: str, records: Sequence[Record]) -> None:
        producer = self._producer or await self._start_producer()
        by_partition: dict[int, list[Record]] = defaultdict(list)
        for record in records:
            # By hand, and as ``schemas.topics.partition_of``: all of a home has to be in one
            # partition.
            by_partition[crc32(record.key) % self._settings.partitions].append(record)
        sent = []
        for partition, rows in by_partition.items():
            batch = producer.create_batch()
            for row in rows:
                # None: the batch is full, and this record begins the next one.
                if batch.append(key=row.key, value=row.value, timestamp=None) is None:
                    sent.append(await producer.send_batch(batch, topic, partition=partition))
                    batch = producer.create_batch()
                    batch.append(key=row.key, value=row.value, timestamp=None)
            sent.append(await producer.send_batch(batch, topic, partition=partition))
        await asyncio.gather(*sent)

    async def _start_producer(self) -> AIOKafkaProducer:
        async with self._starting:
            return self._producer or await self._new_producer()

    async def _new_producer(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            **self._access,
            acks="all",
            enable_idempotence=False,
            max_batch_size=_BATCH_BYTES,
            max_request_size=2 * _BATCH_BYTES,
            request_timeout_ms=10_000,
            retry_backoff_ms=100,
        )
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        self._producer = producer
        return producer

    async def _drop_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(KafkaError, TimeoutError, OSError):
                async with asyncio.timeout(1):
                    await producer.stop()

    async def subscribe(
        self,
        topic: str,
        group: str,
        *,
        instance: str = "0",
        on_assigned: OnAssigned | None = None,
        on_revoked: OnRevoked | None = None,
    ) -> "KafkaSubscription":
        """Joins ``group`` as its static member ``instance``. Offset reset is ``none``."""
        consumer = AIOKafkaConsumer(
            **self._access,
            group_id=group,
            group_instance_id=f"{group}-{instance}",
            enable_auto_commit=False,
            # A missing offset has to be seen: any other value would skip or repeat records in
            # silence.
            auto_offset_reset="none",
            session_timeout_ms=round(SESSION_S * 1000),
            heartbeat_interval_ms=round(_HEARTBEAT_S * 1000),
            rebalance_timeout_ms=round(_REBALANCE_S * 1000),
            max_poll_interval_ms=600_000,
            fetch_max_wait_ms=_FETCH_WAIT_MS,
            retry_backoff_ms=100,
            max_partition_fetch_bytes=_FETCH_BYTES,
            fetch_max_bytes=_ANSWER_BYTES,
        )
        listener = _Listener(consumer, on_assigned, on_revoked)
        consumer.subscribe([topic], listener=listener)
        self._consumers.append(consumer)  # so that ``close`` ends one whose start was cancelled, too
        try:
            await consumer.start()
        except (KafkaError, OSError) as error:
            self._consumers.remove(consumer)
            await consumer.stop()
            raise RetryLaterError(f"topic {topic}") from error
        return KafkaSubscription(consumer, topic, listener, lambda: self.positions(topic, group))

    async def positions(self, topic: str, group: str) -> Mapping[int, Place]:
        return await kafka_groups.positions(self._access, topic, group, self._settings.partitions)

    async def prepare(self, topics: Mapping[str, int], groups: Mapping[str, Sequence[str]]) -> None:
        try:
            await self._make_topics(topics)
            for topic, names in groups.items():
                for group in names:
                    await self._first_offsets(topic, group)
        except (TopicAuthorizationFailedError, GroupAuthorizationFailedError) as error:
            raise NotAllowedError(f"refused: {error}") from error

    async def _make_topics(self, topics: Mapping[str, int]) -> None:
        admin = AIOKafkaAdminClient(**self._access)
        await admin.start()
        try:
            held = await admin.list_topics()
            wanted = [self._new_topic(name, hours) for name, hours in topics.items() if name not in held]
            for name, code, *_ in (await admin.create_topics(wanted)).topic_errors:
                if code not in {0, TopicAlreadyExistsError.errno}:
                    raise for_code(code)(name)
        finally:
            await admin.close()

    def _new_topic(self, name: str, retention_h: int) -> NewTopic:
        return NewTopic(
            name=name,
            num_partitions=self._settings.partitions,
            replication_factor=self._settings.replication,
            topic_configs={"retention.ms": str(retention_h * 3_600_000), "max.message.bytes": str(4 * _BATCH_BYTES)},
        )

    async def _first_offsets(self, topic: str, group: str) -> None:
        consumer = AIOKafkaConsumer(**self._access, group_id=group, enable_auto_commit=False, auto_offset_reset="none")
        places = [TopicPartition(topic, number) for number in range(self._settings.partitions)]
        consumer.assign(places)
        await consumer.start()
        try:
            missing = [place for place in places if await consumer.committed(place) is None]
            first = await consumer.beginning_offsets(missing) if missing else {}
            if first:
                await consumer.commit(first)
        except CommitFailedError:
            # A member that refused to start without offsets is still listed.
            await self.move(topic, group, {place.partition: offset for place, offset in first.items()})
        finally:
            await consumer.stop()

    async def held(self, topic: str) -> Mapping[int, tuple[int, int]]:
        return await kafka_groups.held(self._access, topic, self._settings.partitions)

    async def move(self, topic: str, group: str, positions: Mapping[int, int]) -> None:
        await kafka_groups.move(self._access, topic, group, positions)

    async def close(self) -> None:
        """Leaves every group and stops the producer."""
        for consumer in self._consumers:
            with suppress(KafkaError, TimeoutError, OSError):
                async with asyncio.timeout(5):
                    await consumer.stop()
        await self._drop_producer()


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    """aiokafka calls it from a task of its own, even during a batch, and only logs what it raises.

    So an error is kept in ``failure``, and raised by the next fetch.
    """

    def __init__(
        self, consumer: AIOKafkaConsumer, on_assigned: OnAssigned | None, on_revoked: OnRevoked | None
    ) -> None:
        self.failure: Exception | None = None
        self._consumer, self._on_assigned, self._on_revoked = consumer, on_assigned, on_revoked

    async def on_partitions_revoked(self, revoked: Any) -> None:
        if self._on_revoked is None or not revoked:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(REVOKE_S):
                await self._on_revoked()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        if self._on_assigned is None:
            return
        try:
            starts = await self._on_assigned(frozenset(place.partition for place in assigned))
        except Exception as error:
            self.failure = error
            raise
        for place in assigned:
            if place.partition in starts:
                self._consumer.seek(place, starts[place.partition])


class KafkaSubscription:
    """One member of a group on ``topic``."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        topic: str,
        listener: _Listener,
        ask_otherwise: Callable[[], Awaitable[object]],
    ) -> None:
        """``ask_otherwise`` asks Kafka about the group by another client; it raises RetryLaterError."""
        self._consumer, self.topic, self._listener = consumer, topic, listener
        self._ask_otherwise = ask_otherwise
        self._late_since_s: float | None = None
        self._looked_s = time.monotonic()
        self._stood_at: Mapping[TopicPartition, int] = {}

    async def fetch(self, *, most: int, wait_s: float) -> Sequence[Message]:
        try:
            self._consumer.resume(*self._consumer.assignment())
            found = await self._consumer.getmany(timeout_ms=round(wait_s * 1000), max_records=most)
            if found:
                # Read ahead now, the next batch would be what came within a moment, and all the rest a batch later.
                self._consumer.pause(*self._consumer.assignment())
                self._looked_s, self._stood_at = time.monotonic(), {}
            elif time.monotonic() - self._looked_s > STUCK_S / 2:
                await self._look_whether_stuck()
        except (NoOffsetForPartitionError, OffsetOutOfRangeError) as error:
            # Which of the two, and where: a log's last lines are often all that is left of it.
            raise MissingOffsetError(f"topic {self.topic}: {error!r}") from error
        except (KafkaError, OSError) as error:
            raise RetryLaterError(f"topic {self.topic}") from error
        if self._listener.failure is not None:
            raise self._listener.failure
        return list(chain.from_iterable(found.values()))

    async def _look_whether_stuck(self) -> None:
        """Raises StuckError where records lay before us at the last look, still do, and nothing came meanwhile."""
        self._looked_s = time.monotonic()
        places = self._consumer.assignment()
        async with asyncio.timeout(_ASK_TIMEOUT_S):
            ends = await self._consumer.end_offsets(places) if places else {}
            positions = {place: await self._consumer.position(place) for place in places}
        behind = {place: position for place, position in positions.items() if position < ends[place]}
        if any(self._stood_at.get(place) == position for place, position in behind.items()):
            raise StuckError(f"topic {self.topic}")
        self._stood_at = behind

    async def commit(self, positions: Mapping[int, int]) -> None:
        owned = {place.partition for place in self._consumer.assignment()}
        offsets = {
            TopicPartition(self.topic, partition): offset
            for partition, offset in positions.items()
            if partition in owned
        }
        # Both say that partitions have moved; the new owner commits for them. They are KafkaErrors
        # too, so they are let through below, before the rest becomes RetryLaterError.
        with suppress(CommitFailedError, IllegalStateError):
            try:
                if offsets:
                    await self._commit_in_time(offsets)
            except (KafkaError, OSError) as error:
                if isinstance(error, CommitFailedError | IllegalStateError):
                    raise
                raise RetryLaterError(f"topic {self.topic}") from error

    async def _commit_in_time(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Raises TimeoutError; StuckError once that has gone on for STUCK_S though Kafka answers others.

        A request that a network swallowed is given up by aiokafka itself, after 40 s, and the next one gets through.
        """
        try:
            async with asyncio.timeout(COMMIT_S):
                await self._consumer.commit(offsets)
        except (CommitFailedError, IllegalStateError):
            self._late_since_s = None  # an answer, though not the one wanted
            raise
        except TimeoutError:
            # Raises RetryLaterError where Kafka is away: a late commit is then no sign of being
            # stuck.
            await self._ask_otherwise()
            now_s = time.monotonic()
            # Since the first of a row of late commits.
            self._late_since_s = self._late_since_s or now_s
            if now_s - self._late_since_s > STUCK_S:
                raise StuckError(f"topic {self.topic}") from None
            raise
        self._late_since_s = None

    async def rewind(self, positions: Mapping[int, int]) -> None:
        for partition, offset in positions.items():
            place = TopicPartition(self.topic, partition)
            if place in self._consumer.assignment():
                self._consumer.seek(place, offset)

    async def hold(self, seconds: float) -> None:
        places = self._consumer.assignment()
        self._consumer.pause(*places)
        try:
            await asyncio.sleep(seconds)
        finally:
            # Time that was held is not time without progress.
            self._looked_s, self._stood_at = time.monotonic(), {}
            self._consumer.resume(*(self._consumer.assignment() & places))


@asynccontextmanager
async def open_kafka_bus(settings: BusSettings) -> AsyncIterator[KafkaBus]:
    """A bus on the Kafka cluster of ``settings``."""
    use_mended_connections()
    use_messages()
    bus = KafkaBus(settings)
    try:
        yield bus
    finally:
        await bus.close()
