"""Kafka's access lists: read from its nodes, and brought to what we want of them."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest, DescribeAclsRequest

from schemas.bus_access import BusRight, Kind, Operation
from services.runtime.errors import HearthBeatError, RetryLaterError

_IN_FORCE_WITHIN_S: Final = 30.0
_AGAIN_S: Final = 0.1
#: Kafka's numbers, from its protocol guide.
_ANY: Final = 1
_LITERAL: Final = 3
_ALLOW: Final = 3
_KINDS: Final = {Kind.TOPIC: 2, Kind.GROUP: 3}
_OPERATIONS: Final = {Operation.READ: 3, Operation.WRITE: 4, Operation.CREATE: 5, Operation.DESCRIBE: 8}
EVERYBODY: Final = "User:*"


class AccessListsError(HearthBeatError):
    """Kafka neither shows nor changes its access lists for us."""


class Acl(NamedTuple):
    """A line of Kafka's lists, in the order and with the numbers of its protocol."""

    kind: int
    name: str
    pattern: int
    principal: str
    host: str
    operation: int
    permission: int


class Changed(NamedTuple):
    """How many lines were added and taken back; ``others``: how many are there of whom we know nothing."""

    added: int
    taken_back: int
    others: int


def acl_of(right: BusRight) -> Acl:
    """The line that gives a right, from wherever its user comes."""
    kind, operation = _KINDS[right.kind], _OPERATIONS[right.operation]
    return Acl(kind, right.name, _LITERAL, f"User:{right.user}", "*", operation, _ALLOW)


async def bring_to(access: Mapping[str, Any], rights: Collection[BusRight], users: Collection[str]) -> Changed:
    """Gives ``users`` these rights and no other, and returns once every node goes by that. Twice is as good as once.

    What is missing comes first: who is at work has at each moment what it had, or what it is to have. A line for
    everybody is one of ours where it is about something of ours. ``access``: what ``client_arguments`` gives.
    Raises AccessListsError, RetryLaterError.
    """
    wanted, ours = {acl_of(right) for right in rights}, {f"User:{user}" for user in users}
    client = AIOKafkaClient(**access)
    try:
        async with asyncio.timeout(_IN_FORCE_WITHIN_S):
            await client.bootstrap()
            node = client.get_random_node()
            held = await _held(client, node)
            missing, surplus = wanted - held, _about(held, ours, wanted) - wanted
            for acl in sorted(missing):
                (done,) = (await client.send(node, CreateAclsRequest(*acl))).creation_responses
                _check(*done)
            for acl in sorted(surplus):
                (done,) = (await client.send(node, DeleteAclsRequest(*acl))).filter_responses
                _check(*done[:2])
            for broker in client.cluster.brokers():
                while _about(held := await _held(client, broker.nodeId), ours, wanted) != wanted:  # noqa: ASYNC110 - what another process does
                    await asyncio.sleep(_AGAIN_S)
    except (KafkaError, OSError, TimeoutError) as error:
        raise RetryLaterError(f"access lists: {type(error).__name__}") from error
    finally:
        await client.close()
    return Changed(len(missing), len(surplus), len(held - wanted))


async def _held(client: AIOKafkaClient, node: int) -> set[Acl]:
    answer = await client.send(node, DescribeAclsRequest(_ANY, None, _ANY, None, None, _ANY, _ANY))
    _check(answer.error_code, answer.error_message)
    return {Acl(kind, name, pattern, *line) for kind, name, pattern, lines in answer.resources for line in lines}


def _about(held: set[Acl], ours: set[str], wanted: set[Acl]) -> set[Acl]:
    """Those that say what our users may do."""
    names = {(acl.kind, acl.name) for acl in wanted}
    return {
        acl for acl in held if acl.principal in ours or (acl.principal == EVERYBODY and (acl.kind, acl.name) in names)
    }


def _check(code: int, said: str | None) -> None:
    if code:
        raise AccessListsError(f"{for_code(code).__name__}: {said or 'no reason given'}")
