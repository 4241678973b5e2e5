"""Several of one service: each has a name of its own, and every shard has one owner."""

from collections import Counter

import pytest

from deploy.local.settings import PLATFORM_USERS
from deploy.platform.instances import Instance, instances_of, two_of
from deploy.platform.services import SERVICES
from schemas.topics import SHARDS


def of(service: str, counts: dict[str, int]) -> list[Instance]:
    return [one for one in instances_of(counts) if one.service == service]


def test_one_of_each_bears_the_services_name() -> None:
    assert [one.name for one in instances_of({})] == list(SERVICES)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_every_shard_has_one_owner(count: int) -> None:
    owned = Counter(
        shard
        for one in of("ingest", {"ingest": count})
        for shard in range(
            int(one.environment["HB_INGEST_FIRST_SHARD"]), int(one.environment["HB_INGEST_LAST_SHARD"]) + 1
        )
    )
    assert owned == Counter(range(SHARDS))


def test_two_of_a_service_differ_in_what_must_differ() -> None:
    for service in ("ingest", "store", "score", "medication"):
        first, second = of(service, two_of())
        assert (first.name, second.name) == (service, f"{service}-1")
        assert first.environment != second.environment


def test_the_broker_knows_every_name_that_two_of_each_use() -> None:
    names = {one.environment["HB_MEDICATION_CLIENT_ID"] for one in of("medication", two_of())}
    numbers = {one.environment["HB_INGEST_INSTANCE"] for one in of("ingest", two_of())}
    names |= {f"ingest-{number}{end}" for number in numbers for end in ("", "-acks")}
    assert names <= set(PLATFORM_USERS)
