"""What watch needs to know, from the environment."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.runtime.settings import BusSettings, ClockSettings, DatabaseSettings, LogSettings, MqttSettings


def _database() -> DatabaseSettings:
    return DatabaseSettings(pool_size=3, command_timeout_s=5)


class WatchSettings(BaseSettings):
    """``services`` are the metrics pages to look at, by name. Ways to notify operators that are left unset are off.

    ``health`` are pages that answer 200 while a service does its work: ``/healthz`` of each console. The ways
    are watch's own, so that a mail server that fails alert need not fail watch. ``heartbeat_url`` is asked for every
    ``heartbeat_every_s``: a dead man's switch somewhere else, which notifies operators when it hears nothing.
    ``broker_counter`` is the broker's topic that counts what it threw away; empty where it has none.
    """

    model_config = SettingsConfigDict(env_prefix="HB_WATCH_")

    every_s: float = Field(default=5.0, gt=0)
    services: dict[str, str] = Field(default_factory=dict)
    health: dict[str, str] = Field(default_factory=dict)
    broker_counter: str = "$SYS/broker/publish/messages/dropped"
    operators: tuple[str, ...] = ()
    smtp_host: str | None = None
    smtp_port: int = Field(default=25, ge=1, le=65_535)
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
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
