"""Devices' credentials: kept as verifiers in the database, written from there to the broker, shown once."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from asyncpg import Record

from schemas.broker_access import BrokerUser, device_user, new_secret, verifier_of
from services.cli.session import RefusedError, Session, settings_of
from services.runtime.broker_files import BrokerFiles, Tick, no_tick
from services.runtime.database import Connection, Queries, load_queries
from services.runtime.settings import BrokerSettings, MqttSettings
from services.runtime.wakeups import WakeUp, wake

SQL: Final[Queries] = load_queries("services.cli")
FOLLOW: Final[Queries] = load_queries("services.cli", "follow.sql")


class Broker(Protocol):
    """Where devices sign in."""

    checks: bool
    devices_at: str

    def check(self) -> None:
        """Raises BrokerFilesError where ``apply`` could not work."""

    def apply(self, devices: Sequence[BrokerUser], changed: Collection[str] = (), tick: Tick = no_tick) -> None:
        """Lets in exactly these devices. Raises BrokerFilesError."""


class Mosquitto:
    """A broker that knows who is who."""

    checks = True

    def __init__(self, files: BrokerFiles, devices_at: str) -> None:
        self._files, self.devices_at = files, devices_at

    def check(self) -> None:
        self._files.check()

    def apply(self, devices: Sequence[BrokerUser], changed: Collection[str] = (), tick: Tick = no_tick) -> None:
        self._files.apply(devices, changed, tick)


class Followed:
    """A broker beside which `hearthbeat device follow` runs: it writes the files, some seconds later."""

    checks = True

    def __init__(self, devices_at: str) -> None:
        self.devices_at = devices_at

    def check(self) -> None:
        """What the follower needs is not here."""

    def apply(self, devices: Sequence[BrokerUser], changed: Collection[str] = (), tick: Tick = no_tick) -> None:
        """The follower reads the database."""


class Unchecked:
    """A broker that asks nobody who they are, as the demo's."""

    checks = False

    def __init__(self, devices_at: str) -> None:
        self.devices_at = devices_at

    def check(self) -> None:
        """It has nothing that could be missing."""

    def apply(self, devices: Sequence[BrokerUser], changed: Collection[str] = (), tick: Tick = no_tick) -> None:
        """It has nothing to read."""


def open_broker() -> Broker:
    """The broker that the environment names. Raises SettingError, BrokerFilesError."""
    settings = settings_of(BrokerSettings)
    if settings.kind == "unchecked":
        return Unchecked(settings.devices_at)
    if settings.kind == "followed":
        return Followed(settings.devices_at)
    broker = Mosquitto(BrokerFiles(settings, settings_of(MqttSettings)), settings.devices_at)
    broker.check()
    return broker


async def give_credentials(connection: Connection, names: Sequence[str], now: datetime) -> dict[str, str]:
    """A new secret for each of the devices; the ones they had are good no longer, once the broker has heard of it."""
    secrets = {name: new_secret() for name in names}
    verifiers = [verifier_of(secret) for secret in secrets.values()]
    await connection.execute(SQL["give_credentials"], list(secrets), verifiers, now)
    return secrets


async def update_broker(
    connection: Connection, broker: Broker, now: datetime, changed: Collection[str] = (), tick: Tick = no_tick
) -> None:
    """Has the broker let in whom the database says, as this transaction leaves it. Raises BrokerFilesError.

    Last in its transaction: what the broker refuses is then rolled back, and the lock of the registration keeps two
    commands from undoing each other's files.
    """
    await asyncio.to_thread(broker.apply, await admitted(connection, now), changed, tick)


async def admitted(connection: Connection, now: datetime) -> list[BrokerUser]:
    """Whom the broker is to let in at ``now``, platform time."""
    rows = await connection.fetch(FOLLOW["admitted"], now)
    return [device_user(row["device"], row["shard"], row["verifier"]) for row in rows]


async def wake_follower(session: Session) -> None:
    """Has a follower look at once; without it, it looks within seconds."""
    await wake(session.pool, WakeUp.DEVICES)


async def write_down(
    session: Session, connection: Connection, command: str, subject: str, details: Mapping[str, Any]
) -> None:
    """Notes who changed what."""
    await connection.execute(
        SQL["write_down"], session.now, datetime.now(UTC), session.by, command, subject, dict(details)
    )


async def known_device(connection: Connection, device: str) -> Record:
    """The row of a device that is registered. Raises RefusedError."""
    row = await connection.fetchrow(SQL["device"], device)
    if row is None:
        raise RefusedError(f"There is no device {device}.")
    if row["removed_at"] is not None:
        raise RefusedError(f"{device} was removed.")
    return row
