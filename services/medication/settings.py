"""What medication needs to know, from the environment."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.runtime.settings import ClockSettings, DatabaseSettings, LogSettings, MqttSettings


class MedicationSettings(BaseSettings):
    """``client_id`` is the broker user that publishes commands; each process needs one of its own.

    ``resend_after_s`` is what devices are configured with, in real seconds.
    """

    model_config = SettingsConfigDict(env_prefix="HB_MEDICATION_")

    client_id: str = "commands-0"
    resend_after_s: float = Field(default=60.0, gt=0)
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    mqtt: MqttSettings = Field(default_factory=MqttSettings)
    clock: ClockSettings = Field(default_factory=ClockSettings)
    log: LogSettings = Field(default_factory=LogSettings)
