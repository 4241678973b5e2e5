"""Who may do what at Kafka: a user for each service that uses it, one that prepares it, one for an operator's tools."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final, NamedTuple

from schemas.topics import BUS_TOPICS, UPLINKS_JUDGED, UPLINKS_SETTLED

ADMIN: Final = "admin"
"""Brings Kafka's lists to what stands here, and does nothing else; Kafka itself has to know it as a super user."""
PREPARE: Final = "prepare"
"""Makes the topics, and gives each group its first offsets."""
TOOLS: Final = "tools"
"""An operator's commands: they take a restored database over, and compare score's state with a replay."""
WATCH: Final = "watch"
RESTORE_GROUP: Final = "restore"
REPLAY_GROUP: Final = "score-replay"
"""The groups in which those commands read."""


class Kind(StrEnum):
    """What a right is on."""

    TOPIC = "topic"
    GROUP = "group"


class Operation(StrEnum):
    """What a right allows. To read or to write includes to describe, which is to see offsets and where they are."""

    READ = "read"
    WRITE = "write"
    CREATE = "create"
    DESCRIBE = "describe"


class BusRight(NamedTuple):
    """One right, on the topic or the group of exactly this name."""

    user: str
    operation: Operation
    kind: Kind
    name: str


def _rights() -> Iterator[BusRight]:
    for topic in BUS_TOPICS:
        yield BusRight(topic.producer, Operation.WRITE, Kind.TOPIC, topic.name)
        for consumer, group in zip(topic.consumers, topic.groups, strict=True):
            yield BusRight(consumer, Operation.READ, Kind.TOPIC, topic.name)
            yield BusRight(consumer, Operation.READ, Kind.GROUP, group)
            # It compares where a group stands with where the log ends, and reads no record.
            yield BusRight(WATCH, Operation.DESCRIBE, Kind.GROUP, group)
            # Kafka lets nobody commit an offset who may not read both.
            yield BusRight(PREPARE, Operation.READ, Kind.GROUP, group)
        yield BusRight(WATCH, Operation.DESCRIBE, Kind.TOPIC, topic.name)
        yield BusRight(PREPARE, Operation.CREATE, Kind.TOPIC, topic.name)
        yield BusRight(PREPARE, Operation.READ, Kind.TOPIC, topic.name)
    for group in (*UPLINKS_JUDGED.groups, RESTORE_GROUP, REPLAY_GROUP):
        yield BusRight(TOOLS, Operation.READ, Kind.GROUP, group)
    yield BusRight(TOOLS, Operation.READ, Kind.TOPIC, UPLINKS_JUDGED.name)
    yield BusRight(TOOLS, Operation.READ, Kind.TOPIC, UPLINKS_SETTLED.name)
    yield BusRight(TOOLS, Operation.WRITE, Kind.TOPIC, UPLINKS_SETTLED.name)


BUS_RIGHTS: Final = tuple(sorted(_rights()))
BUS_USERS: Final = tuple(sorted({right.user for right in BUS_RIGHTS}))
"""Whom Kafka knows besides its nodes and the admin."""
