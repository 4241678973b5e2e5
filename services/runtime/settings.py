"""The settings that several services share, read from the environment once, in ``__main__``."""

import os
import time
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.database_access import role_of, signed_in_as
from services.runtime.clock import Clock, PlatformClock, SteppedClock, WallClock
from services.runtime.errors import SettingError
from services.runtime.secret_files import refuse_open_file
from services.runtime.tls import (
    TlsSettings,
    check_dsn,
    hosts_of,
    is_loopback,
    key_file_of,
    refuse_open_listener,
    refuse_plaintext,
    refuse_weak_secret,
)


class NoSecretError(SettingError):
    """A connection to the broker, or to the database, has no secret."""


class DatabaseSettings(BaseSettings):
    """Where the database is. ``dsn`` as libpq writes it; off this machine with TLS and a checked name alone.

    A service's commands take milliseconds. One that has no answer within ``command_timeout_s`` is
    taken for lost in the network, and is given up, since an alert may wait behind it.
    ``acquire_timeout_s`` bounds the wait for one of the ``pool_size`` connections.
    """

    model_config = SettingsConfigDict(env_prefix="HB_DB_", hide_input_in_errors=True)

    dsn: SecretStr
    pool_size: int = Field(default=5, ge=1, le=50)
    command_timeout_s: float = Field(default=10.0, gt=0)
    connect_timeout_s: float = Field(default=10.0, gt=0)
    acquire_timeout_s: float = Field(default=5.0, gt=0)
    tls: TlsSettings = Field(default_factory=TlsSettings)

    @model_validator(mode="after")
    def _safe_off_this_machine(self) -> Self:
        dsn = self.dsn.get_secret_value()
        check_dsn("HB_DB_DSN", dsn, os.environ, by_tls=self.tls.ca_file is not None)
        if (key := key_file_of(dsn, os.environ)) is not None and key.exists():
            refuse_open_file("HB_DB_DSN: sslkey", key)
        return self


def database_for_tools() -> DatabaseSettings:
    """The same for commands typed by a person, who may ask for much at once and can see how long it takes."""
    return DatabaseSettings(command_timeout_s=600)


class DatabaseLogins(BaseSettings):
    """The secret of each service at the database, by service (JSON): for who prepares it, and for all services at once.

    A service in a process of its own has a ``dsn`` that signs it in, and knows no secret but its own.
    """

    model_config = SettingsConfigDict(env_prefix="HB_DB_")

    passwords: dict[str, SecretStr] = Field(default_factory=dict)

    def of(self, service: str, database: DatabaseSettings) -> DatabaseSettings:
        """The same database as the role of a service; as it was where no secret is given. Raises NoSecretError."""
        if not self.passwords:
            return database
        if service not in self.passwords:
            raise NoSecretError(f"HB_DB_PASSWORDS names {', '.join(sorted(self.passwords))}, and not {service}")
        secret = self.passwords[service].get_secret_value()
        own = signed_in_as(database.dsn.get_secret_value(), role_of(service), secret)
        return database.model_copy(update={"dsn": SecretStr(own)})


class BusSettings(BaseSettings):
    """Which bus: Kafka, or the tables of the database (``partitions`` is 1 there).

    By TLS this process signs in to Kafka as ``user`` (SCRAM-SHA-512).
    """

    model_config = SettingsConfigDict(env_prefix="HB_BUS_", hide_input_in_errors=True)

    kind: Literal["kafka", "postgres"] = "kafka"
    kafka: str = "127.0.0.1:9092"
    partitions: int = Field(default=12, ge=1, le=1024)
    replication: int = Field(default=1, ge=1, le=5)
    user: str | None = None
    password: SecretStr | None = None
    tls: TlsSettings = Field(default_factory=TlsSettings)

    @model_validator(mode="after")
    def _safe_off_this_machine(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError("HB_BUS_USER and HB_BUS_PASSWORD belong together")
        if self.tls.ca_file is None and self.password is not None:
            raise ValueError("HB_BUS_PASSWORD is for TLS alone; set HB_TLS_CA_FILE")
        afar = [host for host in hosts_of(self.kafka) if self.kind == "kafka" and not is_loopback(host)]
        if afar and self.tls.ca_file is None:
            refuse_plaintext("HB_BUS_KAFKA", afar[0])
        if afar and self.password is None:
            raise ValueError(f"HB_BUS_USER and HB_BUS_PASSWORD: {afar[0]} is not this machine, so it must know us")
        if afar and self.password is not None:
            refuse_weak_secret("HB_BUS_PASSWORD", self.password.get_secret_value(), self.user or "")
        return self


class MqttSettings(BaseSettings):
    """Where the broker is, and the secret of each of this process's connections there, by user name (JSON).

    Without any the broker knows no users, as the embedded one. ``replays_retained``: the broker
    ignores the options of MQTT 5 (rumqttd). It gives retained messages to each new subscriber, and
    sets the retain flag of these alone. Other brokers replay nothing when asked not to, and pass on
    the flag that a live message was sent with. ``server_name``: of its certificate, where it is not ``host``.
    """

    model_config = SettingsConfigDict(env_prefix="HB_MQTT_", hide_input_in_errors=True)

    host: str = "127.0.0.1"
    port: int = 1883
    passwords: dict[str, SecretStr] = Field(default_factory=dict)
    replays_retained: bool = False
    server_name: str | None = None
    tls: TlsSettings = Field(default_factory=TlsSettings)

    @model_validator(mode="after")
    def _safe_off_this_machine(self) -> Self:
        if is_loopback(self.host):
            return self
        if self.tls.ca_file is None:
            refuse_plaintext("HB_MQTT_HOST", self.host)
        if not self.passwords:
            raise ValueError(f"HB_MQTT_PASSWORDS: {self.host} is not this machine, so it must know us")
        for user, password in self.passwords.items():
            refuse_weak_secret("HB_MQTT_PASSWORDS", password.get_secret_value(), user)
        return self

    def password_of(self, user: str) -> str | None:
        """The secret of a connection; None on a broker that knows no users. Raises NoSecretError."""
        if not self.passwords:
            return None
        if user not in self.passwords:
            raise NoSecretError(f"HB_MQTT_PASSWORDS names {', '.join(sorted(self.passwords))}, and not {user}")
        return self.passwords[user].get_secret_value()


class BrokerSettings(BaseSettings):
    """The broker as the one who gives devices their credentials sees it.

    ``directory`` holds mosquitto's access files, ``pid`` is mosquitto's own on this machine (0: whoever answers at its
    socket), ``devices_at`` the address (host:port) at which devices sign in. ``kind`` is ``followed`` for one beside
    which `hearthbeat device follow` runs, and ``unchecked`` for a broker that asks nobody who they are.
    """

    model_config = SettingsConfigDict(env_prefix="HB_BROKER_")

    kind: Literal["mosquitto", "followed", "unchecked"] = "mosquitto"
    directory: Path | None = None
    pid: int = Field(default=0, ge=0)
    devices_at: str = "127.0.0.1:1883"


class ClockSettings(BaseSettings):
    """Platform time. Left alone it is the machine's clock; only the demo and the tests set it.

    ``file``: time stands in this file, where the player of scenarios steps it.
    """

    model_config = SettingsConfigDict(env_prefix="HB_CLOCK_")

    origin_ms: int | None = None
    origin_monotonic: float | None = None
    rate: float = Field(default=1.0, gt=0)
    frozen_at_ms: int = 0
    file: Path | None = None

    def clock(self) -> Clock:
        """The clock that these settings describe."""
        if self.file is not None:
            return SteppedClock(self.file, self.rate)
        if self.origin_ms is None:
            return WallClock()
        start = time.monotonic() if self.origin_monotonic is None else self.origin_monotonic
        return PlatformClock(
            origin_ms=self.origin_ms, origin_monotonic=start, rate=self.rate, frozen_at_ms=self.frozen_at_ms
        )


class LogSettings(BaseSettings):
    """How a process speaks, and where it shows its metrics (port 0: nowhere), by TLS where it has a certificate."""

    model_config = SettingsConfigDict(env_prefix="HB_")

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    metrics_port: int = 0
    metrics_host: str = "127.0.0.1"
    tls: TlsSettings = Field(default_factory=TlsSettings)

    @model_validator(mode="after")
    def _safe_off_this_machine(self) -> Self:
        if self.metrics_port and self.tls.certificate_file is None:
            refuse_open_listener("HB_METRICS_HOST", self.metrics_host, "HB_TLS_CERTIFICATE_FILE")
        return self
