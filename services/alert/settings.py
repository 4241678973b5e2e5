"""What alert needs to know, from the environment."""

from pydantic import Field, InstanceOf
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.alert.channels import configured_channels
from services.alert.channels.port import ConfiguredChannel
from services.alert.core import SHORTEST_REPEAT_S
from services.runtime.settings import ClockSettings, DatabaseSettings, LogSettings


class AlertSettings(BaseSettings):
    """``base_url`` is the console's. ``channels`` are those that their own settings switch on, each in its own file.

    ``shortest_repeat_s`` is real time: however fast the platform's clock runs, nobody is notified again sooner.
    """

    model_config = SettingsConfigDict(env_prefix="HB_ALERT_")

    base_url: str = "http://127.0.0.1:8080"
    shortest_repeat_s: float = Field(default=SHORTEST_REPEAT_S, gt=0)
    channels: tuple[InstanceOf[ConfiguredChannel], ...] = Field(default_factory=configured_channels)
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    clock: ClockSettings = Field(default_factory=ClockSettings)
    log: LogSettings = Field(default_factory=LogSettings)
