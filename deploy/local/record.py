"""`stack.json`: what a stack is and where it runs, readable by its owner alone since it holds the passwords."""

import json
import secrets
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from deploy.local.encryption import ca_file
from deploy.local.ports import free_port
from deploy.local.proc import ProcessRef
from deploy.local.settings import LOOPBACK, StackSettings
from schemas.broker_access import new_secret
from schemas.database_access import DATABASE_SERVICES


@dataclass(frozen=True, slots=True, kw_only=True)
class StackRecord:
    """Everything another process needs in order to use, or to end, a stack."""

    name: str
    mqtt_host: str
    mqtt_port: int
    mqtt_platform_port: int
    kafka_bootstrap: str
    kafka_port: int
    kafka_controller_port: int
    postgres_port: int
    dsn: str
    platform_secrets: dict[str, str]
    database_password: str
    database_secrets: dict[str, str]
    processes: dict[str, ProcessRef]
    tls: bool = False
    kafka_secrets: dict[str, str] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Replace the file in one step."""
        fresh = path.with_name(f"{path.name}.new")
        # Before anything is written: it is never readable by others, not even for a moment.
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(asdict(self), indent=2) + "\n")
        fresh.replace(path)

    def with_processes(self, processes: dict[str, ProcessRef]) -> "StackRecord":
        """The same stack with these processes."""
        return replace(self, processes=processes)


def record_path(settings: StackSettings) -> Path:
    """Where the record of this stack lies."""
    return settings.run_directory / "stack.json"


def read_record(path: Path) -> StackRecord | None:
    """The record, or None when this stack was never started."""
    if not path.exists():
        return None
    fields = json.loads(path.read_text())
    processes = {name: ProcessRef(**reference) for name, reference in fields.pop("processes").items()}
    if fields.pop("platform_password", None):  # of before each connection had a secret of its own
        fields |= {"platform_secrets": {}, "mqtt_platform_port": free_port()}
    fields.setdefault("database_secrets", {})  # of before each service had a role of its own
    return StackRecord(**fields, processes=processes)


def make_record(settings: StackSettings, before: StackRecord | None) -> StackRecord:
    """Settings first, then what this stack had before, then free ports and random passwords."""
    mqtt_port = settings.mqtt_port or (before.mqtt_port if before else free_port())
    kafka_port = settings.kafka_port or (before.kafka_port if before else free_port())
    controller_port = settings.kafka_controller_port or (before.kafka_controller_port if before else free_port())
    postgres_port = settings.postgres_port or (before.postgres_port if before else free_port())
    database_password = before.database_password if before else secrets.token_urlsafe(24)
    known = before.platform_secrets if before else {}
    users = (*settings.platform_users, *settings.guests)
    signed_in = before.database_secrets if before else {}
    tls = settings.tls or (before is not None and before.tls)
    before_kafka = before.kafka_secrets if before else {}
    verified = f"?sslmode=verify-full&sslrootcert={ca_file(settings)}" if tls else ""
    return StackRecord(
        name=settings.name,
        mqtt_host=LOOPBACK,
        mqtt_port=mqtt_port,
        mqtt_platform_port=before.mqtt_platform_port if before else free_port(),
        kafka_bootstrap=f"{LOOPBACK}:{kafka_port}",
        kafka_port=kafka_port,
        kafka_controller_port=controller_port,
        postgres_port=postgres_port,
        dsn=f"postgresql://postgres:{database_password}@{LOOPBACK}:{postgres_port}/{settings.database}{verified}",
        platform_secrets={name: known.get(name) or new_secret() for name in users},
        database_password=database_password,
        database_secrets={service: signed_in.get(service) or new_secret() for service in DATABASE_SERVICES},
        processes=before.processes if before else {},
        tls=tls,
        kafka_secrets={name: before_kafka.get(name) or new_secret() for name in settings.kafka_users} if tls else {},
    )
