"""Several of one service beside each other: what each instance is called, and what it knows about itself."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from deploy.platform.services import SERVICES
from schemas.topics import SHARDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One process. The first of a service bears the service's name, the others a number behind it."""

    service: str
    number: int
    environment: Mapping[str, str] = field(default_factory=dict)
    broker_users: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """As in ``store-1``."""
        return f"{self.service}-{self.number}" if self.number else self.service


def instances_of(counts: Mapping[str, int]) -> list[Instance]:
    """Of every service so many, one where ``counts`` says nothing; all first ones before all second ones."""
    most = max((*counts.values(), 1))
    return [
        Instance(
            service=service,
            number=number,
            environment=_environment(service, number, counts.get(service, 1)),
            broker_users=_broker_users(service, number),
        )
        for number in range(most)
        for service in SERVICES
        if number < counts.get(service, 1)
    ]


def _environment(service: str, number: int, count: int) -> dict[str, str]:
    """What differs between the instances of a service: its name in a group or at the broker, its shards."""
    prefix = f"HB_{service.upper()}_"
    match service:
        case "ingest":
            # Ranges that touch and cover all shards, whatever the count.
            first, end = SHARDS * number // count, SHARDS * (number + 1) // count
            return {
                f"{prefix}INSTANCE": str(number),
                f"{prefix}FIRST_SHARD": str(first),
                f"{prefix}LAST_SHARD": str(end - 1),
            }
        case "store" | "score":
            return {f"{prefix}INSTANCE": str(number)}
        case "medication":
            return {f"{prefix}CLIENT_ID": f"commands-{number}"}
        case _:
            return {}


def _broker_users(service: str, number: int) -> tuple[str, ...]:
    """As whom the process signs in at the broker: it gets the secrets of these alone."""
    match service:
        case "ingest":
            return f"ingest-{number}", f"ingest-{number}-acks"
        case "medication":
            return (f"commands-{number}",)
        case "watch":
            return (f"watch-{number}",)
        case _:
            return ()


PAIRED: Final = ("ingest", "store", "score", "medication", "alert", "api")
"""What may run twice; nothing else may."""


def two_of(services: Iterable[str] = PAIRED) -> dict[str, int]:
    """Two of each."""
    return dict.fromkeys(services, 2)
