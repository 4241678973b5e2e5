"""What alert needs to know, from the environment."""

from pydantic import Field, IPvAnyNetwork, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.runtime.settings import ClockSettings, DatabaseSettings, LogSettings


class AlertSettings(BaseSettings):
    """Channels left unset are off: no ``smtp_host``, no e-mail; no ``webhook_secret``, no webhooks.

    ``base_url`` is the console's. ``webhook_allowed_networks`` opens addresses that are not public to webhooks,
    and loopback among them to plain http.
    """

    model_config = SettingsConfigDict(env_prefix="HB_ALERT_")

    smtp_host: str | None = None
    smtp_port: int = Field(default=25, ge=1, le=65_535)
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    sender: str = Field(default="hearthbeat@localhost", pattern=r"^[^@\s]+@[^@\s]+$")
    base_url: str = "http://127.0.0.1:8080"
    webhook_secret: SecretStr | None = Field(default=None, min_length=16)
    webhook_allowed_networks: tuple[IPvAnyNetwork, ...] = ()
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    clock: ClockSettings = Field(default_factory=ClockSettings)
    log: LogSettings = Field(default_factory=LogSettings)
