"""What can be set about a stack, and where its files lie."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from schemas.broker_access import Grant
from schemas.bus_access import ADMIN, BUS_USERS

SERVERS = ("mosquitto", "kafka", "postgresql")

#: One name per connection: the broker takes the user name as client id, so two connections of one name end each other.
PLATFORM_USERS = (
    "ingest-0", "ingest-0-acks", "ingest-1", "ingest-1-acks", "commands-0", "commands-1", "watch-0", "trace-0",
    "sessions-0",
)  # fmt: skip

#: Who signs in at an encrypted Kafka: the node itself, who says what others may do there, and they.
KAFKA_USERS = ("kafka", ADMIN, *BUS_USERS)

LOOPBACK = "127.0.0.1"
CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSettings:
    """One stack. A port of 0 means a free one; it is kept for as long as the run directory is."""

    name: str = "dev"
    local: Path = CHECKOUT / ".local"
    #: Whether every listener speaks TLS alone, with certificates of a CA that the stack makes; kept once it was so.
    tls: bool = False
    #: Which of them run.
    servers: tuple[str, ...] = SERVERS
    #: Where devices connect; the platform has a port of its own.
    mqtt_port: int = 0
    kafka_port: int = 0
    kafka_controller_port: int = 0
    postgres_port: int = 0
    platform_users: tuple[str, ...] = PLATFORM_USERS
    #: Made when Kafka's directory is formatted; only of an encrypted stack.
    kafka_users: tuple[str, ...] = KAFKA_USERS
    #: Who else may sign in at the broker, with what rights: what measures or proves, on a stack of its own.
    guests: Mapping[str, tuple[Grant, ...]] = field(default_factory=dict)
    mqtt_device_connections: int = 25_000
    mqtt_persistence: bool = False
    #: How much the broker keeps for a reader that is away; what comes after that it drops without a word.
    mqtt_max_queued: int = 1_000_000
    #: A second listener of Kafka, and the port to which it sends its clients: something stands in between.
    kafka_detour: tuple[int, int] | None = None
    #: Unacknowledged messages on their way to a client that names no number of its own; 0: no limit.
    mqtt_inflight: int = 1000
    kafka_heap_mb: int = 512
    #: Whether an encrypted Kafka also logs what it allows, line by line; what it refuses it always does.
    kafka_logs_allowed: bool = False
    #: Per partition; with Kafka's segments of 32 MiB this is the cap on its disk use.
    kafka_retention_bytes: int = 128 * 1024 * 1024
    database: str = "hearthbeat"
    #: Added to postgresql.conf, so they win over what is there.
    postgres_options: Mapping[str, str] = field(default_factory=dict)

    @property
    def run_directory(self) -> Path:
        """Data, logs, configuration and `stack.json` of this stack."""
        return self.local / "run" / self.name

    def server_directory(self, server: str) -> Path:
        """What one server may write to."""
        return self.run_directory / server
