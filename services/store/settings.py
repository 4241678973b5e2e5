"""What store needs to know, from the environment."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.runtime.settings import BusSettings, ClockSettings, DatabaseSettings, LogSettings


def _database() -> DatabaseSettings:
    return DatabaseSettings(pool_size=4)


class StoreSettings(BaseSettings):
    """One member of the group. ``most`` records make the largest batch, ``gather_s`` the pause between two."""

    model_config = SettingsConfigDict(env_prefix="HB_STORE_")

    instance: str = "0"
    most: int = Field(default=4_000, ge=1)
    gather_s: float = Field(default=0.02, ge=0)
    database: DatabaseSettings = Field(default_factory=_database)
    bus: BusSettings = Field(default_factory=BusSettings)
    clock: ClockSettings = Field(default_factory=ClockSettings)
    log: LogSettings = Field(default_factory=LogSettings)
