"""What watch needs to know, from the environment."""

from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, FilePath, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.runtime.settings import BusSettings, ClockSettings, DatabaseSettings, LogSettings, MqttSettings
from services.runtime.tls import refuse_plaintext


def _database() -> DatabaseSettings:
    return DatabaseSettings(pool_size=3, command_timeout_s=5)


class WatchSettings(BaseSettings):
    """``services`` are the metrics pages to look at, by name. Ways to notify operators that are left unset are off.

    ``health`` are pages that answer 200 while a service does its work: ``/healthz`` of each console. The ways
    are watch's own, so that a mail server that fails alert need not fail watch. ``heartbeat_url`` is asked for every
    ``heartbeat_every_s``: a dead man's switch somewhere else, which notifies operators when it hears nothing.
    ``broker_counter`` is the broker's topic that counts what it threw away; empty where it has none. ``disks`` and
    ``backups`` are directories by name: of the first the metrics show how much is free, of the second how old the
    newest file is.
    """

    model_config = SettingsConfigDict(env_prefix="HB_WATCH_", hide_input_in_errors=True)

    every_s: float = Field(default=5.0, gt=0)
    services: dict[str, str] = Field(default_factory=dict)
    health: dict[str, str] = Field(default_factory=dict)
    broker_counter: str = "$SYS/broker/publish/messages/dropped"
    disks: dict[str, Path] = Field(default_factory=dict)
    backups: dict[str, Path] = Field(default_factory=dict)
    operators: tuple[str, ...] = ()
    smtp_host: str | None = None
    smtp_port: int = Field(default=25, ge=1, le=65_535)
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_ca_file: FilePath | None = None
    sender: str = Field(default="hearthbeat-watch@localhost", pattern=r"^[^@\s]+@[^@\s]+$")
    webhook_url: str | None = None
    webhook_secret: SecretStr | None = Field(default=None, min_length=16)
    heartbeat_url: str | None = None
    heartbeat_every_s: float = Field(default=30.0, gt=0)
    database: DatabaseSettings = Field(default_factory=_database)
    bus: BusSettings = Field(default_factory=BusSettings)
    mqtt: MqttSettings = Field(default_factory=MqttSettings)
    clock: ClockSettings = Field(default_factory=ClockSettings)
    log: LogSettings = Field(default_factory=LogSettings)

    @model_validator(mode="after")
    def _safe_off_this_machine(self) -> Self:
        asked = {"HB_WATCH_WEBHOOK_URL": self.webhook_url, "HB_WATCH_HEARTBEAT_URL": self.heartbeat_url}
        pages = {"HB_WATCH_SERVICES": self.services, "HB_WATCH_HEALTH": self.health}
        addresses = [(name, url) for name, url in asked.items() if url]
        addresses += [(name, url) for name, urls in pages.items() for url in urls.values()]
        for name, url in addresses:
            parts = urlsplit(url)
            if parts.scheme != "https":
                refuse_plaintext(name, parts.hostname or "", "an address that begins with https")
        return self
