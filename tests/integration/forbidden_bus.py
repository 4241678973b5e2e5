"""Calls to Kafka by hand: what each would do, and which rights it takes."""

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from aiokafka.protocol.admin import (
    AlterConfigsRequest,
    AlterPartitionReassignmentsRequest,
    CreateAclsRequest,
    CreatePartitionsRequest,
    CreateTopicsRequest,
    DeleteAclsRequest,
    DeleteGroupsRequest,
    DeleteRecordsRequest,
    DeleteTopicsRequest,
    DescribeAclsRequest,
    DescribeConfigsRequest,
    DescribeGroupsRequest,
    ListPartitionReassignmentsRequest,
)
from aiokafka.protocol.commit import OffsetCommitRequest, OffsetFetchRequest
from aiokafka.protocol.coordination import FindCoordinatorRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.group import HeartbeatRequest, JoinGroupRequest, LeaveGroupRequest, SyncGroupRequest
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.protocol.offset import OffsetRequest
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.protocol.transaction import AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, InitProducerIdRequest
from aiokafka.protocol.types import Array, Schema
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from schemas.bus_access import BUS_RIGHTS, REPLAY_GROUP, RESTORE_GROUP, Kind
from schemas.topics import BUS_TOPICS

REFUSED: Final = {29, 30, 31, 53}
"""Kafka's numbers for: not on this topic, not in this group, not in this cluster, not by this transactional id."""
FOREIGN_TOPIC, FOREIGN_GROUP, NEW_TOPIC = "accounts.v1", "billing", "new.v1"
ALIKE: Final = "uplinks.judged.v10"
"""It only begins as one of ours does."""
TOPICS: Final = (*(topic.name for topic in BUS_TOPICS), FOREIGN_TOPIC, ALIKE, "__consumer_offsets")
GROUPS: Final = (*(group for topic in BUS_TOPICS for group in topic.groups), RESTORE_GROUP, REPLAY_GROUP, FOREIGN_GROUP)
_DESCRIBING: Final = {"read", "write", "describe"}
_MS: Final = 5_000
_TOPIC, _GROUP, _BROKER = 2, 3, 4


class Need(NamedTuple):
    """A right that a call takes; ``kind`` may also be the cluster or a transactional id, on which nobody has one."""

    operation: str
    kind: str
    name: str


class Call(NamedTuple):
    """A call, in words, and all that it needs."""

    what: str
    request: Any
    needs: tuple[Need, ...]


def is_allowed(user: str, need: Need) -> bool:
    """Whether the table gives it, by itself or with a greater right."""
    enough = _DESCRIBING if need.operation == "describe" else {need.operation}
    return any(
        (right.user, right.kind, right.name) == (user, need.kind, need.name) and right.operation in enough
        for right in BUS_RIGHTS
    )


def forbidden_to(user: str) -> list[Call]:
    """Every call that takes a right which ``user`` has not."""
    return [call for call in calls(user, TOPICS, GROUPS) if not all(is_allowed(user, need) for need in call.needs)]


def calls(user: str, topics: Iterable[str], groups: Iterable[str]) -> Iterator[Call]:
    """Everything that might be tried; what deletes comes last."""
    topics, groups = tuple(topics), tuple(groups)
    for topic in topics:
        yield from _on_topic(topic)
    for group in groups:
        yield from _in_group(group, topics[0])
    for topic in topics:
        for group in groups:
            offsets = [(topic, [(0, 0, "")])]
            needs = (Need("read", Kind.GROUP, group), Need("read", Kind.TOPIC, topic))
            yield Call(f"commit to {topic} in {group}", OffsetCommitRequest(group, -1, "", -1, offsets), needs)
    yield from _of_cluster(user, topics, groups)
    for topic in topics:
        delete = (Need("delete", Kind.TOPIC, topic),)
        yield Call(f"delete records of {topic}", DeleteRecordsRequest([(topic, [(0, 0)])], _MS), delete)
        yield Call(f"delete {topic}", DeleteTopicsRequest([topic], _MS), delete)
    for group in groups:
        yield Call(f"delete {group}", DeleteGroupsRequest([group]), (Need("delete", Kind.GROUP, group),))


def _on_topic(topic: str) -> Iterator[Call]:
    def call(what: str, operation: str, request: Any) -> Call:
        return Call(f"{what} {topic}", request, (Need(operation, Kind.TOPIC, topic),))

    yield call("write to", "write", ProduceRequest(None, -1, _MS, [(topic, [(0, _batch())])]))
    yield call("read", "read", FetchRequest(100, 1, 1000, 0, [(topic, [(0, 0, 1000)])]))
    yield call("ask the offsets of", "describe", OffsetRequest(-1, 0, [(topic, [(0, -1)])]))
    yield call("ask where partitions are of", "describe", MetadataRequest([topic]))
    yield call("see how long is kept", "describe_configs", DescribeConfigsRequest([(_TOPIC, topic, None)]))
    kept = AlterConfigsRequest([(_TOPIC, topic, [("retention.ms", "86400000")])])
    yield call("change how long is kept", "alter_configs", kept)
    yield call(
        "give more partitions to", "alter", CreatePartitionsRequest([(topic, (40, None))], _MS, validate_only=False)
    )


def _in_group(group: str, topic: str) -> Iterator[Call]:
    def call(what: str, operation: str, request: Any) -> Call:
        return Call(f"{what} {group}", request, (Need(operation, Kind.GROUP, group),))

    yield call("find the coordinator of", "describe", FindCoordinatorRequest(group, 0))
    yield call("describe", "describe", DescribeGroupsRequest([group]))
    yield call("join", "read", JoinGroupRequest(group, 10_000, 10_000, "", "x", "consumer", [("range", b"")]))
    yield call("sync with", "read", SyncGroupRequest(group, 1, "x", "x", []))
    yield call("beat in", "read", HeartbeatRequest(group, 1, "x"))
    yield call("leave", "read", LeaveGroupRequest(group, "x"))
    needs = (Need("describe", Kind.GROUP, group), Need("describe", Kind.TOPIC, topic))
    yield Call(f"see offsets of {group} in {topic}", OffsetFetchRequest(group, [(topic, [0])]), needs)


def _of_cluster(user: str, topics: tuple[str, ...], groups: tuple[str, ...]) -> Iterator[Call]:
    def call(what: str, operation: str, request: Any) -> Call:
        return Call(what, request, (Need(operation, "cluster", "kafka-cluster"),))

    yield Call(
        f"create {NEW_TOPIC}",
        CreateTopicsRequest([(NEW_TOPIC, 1, 1, [], [])], _MS, validate_only=False),
        (Need("create", Kind.TOPIC, NEW_TOPIC),),
    )
    for topic in topics:
        for operation in (2, 4, 7):  # everything, write, alter
            line = (_TOPIC, topic, 3, f"User:{user}", "*", operation, 3)
            yield call(f"give itself {operation} on {topic}", "alter", CreateAclsRequest(*line))
    for group in groups:
        line = (_GROUP, group, 3, f"User:{user}", "*", 2, 3)
        yield call(f"give itself everything on {group}", "alter", CreateAclsRequest(*line))
    whatever = (1, None, 1, None, None, 1, 1)
    yield call("see who may do what", "describe", DescribeAclsRequest(*whatever))
    yield call("forbid", "alter", CreateAclsRequest(_TOPIC, topics[0], 3, "User:*", "*", 2, 2))
    yield call("take back", "alter", DeleteAclsRequest(_TOPIC, topics[0], 3, "User:nobody", None, 1, 1))
    yield call("see how the node is set up", "describe_configs", DescribeConfigsRequest([(_BROKER, "1", None)]))
    yield call("set up the node", "alter_configs", AlterConfigsRequest([(_BROKER, "1", [])], validate_only=True))
    yield call("see what moves", "describe", ListPartitionReassignmentsRequest(_MS, [], {}))
    moved: list[Any] = [(topics[0], [(0, None, {})], {})]
    yield call("move partitions", "alter", AlterPartitionReassignmentsRequest(_MS, moved, {}))
    transaction = (Need("write", "transactional id", "mine"),)
    yield Call("begin a transaction", InitProducerIdRequest("mine", 10_000), transaction)
    yield Call("write in one", AddPartitionsToTxnRequest("mine", 1, 0, [(topics[0], [0])]), transaction)
    yield Call("commit in one", AddOffsetsToTxnRequest("mine", 1, 0, "store"), transaction)


def _batch() -> bytes:
    batch = DefaultRecordBatchBuilder(
        magic=2, compression_type=0, is_transactional=0, producer_id=-1, producer_epoch=-1, base_sequence=-1,
        batch_size=1000,
    )  # fmt: skip
    batch.append(0, timestamp=0, key=b"k", value=b"v", headers=[])
    return bytes(batch.build())


def codes(answer: Any) -> set[int]:
    """Every error in an answer, but for "none"."""
    return set(_codes(answer.SCHEMA, [answer.get_item(name) for name in answer.SCHEMA.names])) - {0}


def _codes(schema: Schema, values: Any) -> Iterator[int]:
    for name, kind, value in zip(schema.names, schema.fields, values, strict=True):
        if name == "error_code":
            yield value
        elif isinstance(kind, Array) and isinstance(kind.array_of, Schema):
            for one in value or ():
                yield from _codes(kind.array_of, one)
