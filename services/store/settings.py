"""What store needs to know, from the environment."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.messages import MAX_LIVE_EPOCHS
from services.runtime.pacing import Gather
from services.runtime.settings import BusSettings, ClockSettings, DatabaseSettings, LogSettings


def _database() -> DatabaseSettings:
    return DatabaseSettings(pool_size=4)


class StoreSettings(BaseSettings):
    """One member of the group. ``most`` records make the largest batch; the pause between two is longer under load.

    A device may use ``live_epochs`` within a day. Acks go out and offsets are committed every ``publish_every_s``. What
    is rejected is kept for ``kept_days``; what is unattributed, for ever.
    """

    model_config = SettingsConfigDict(env_prefix="HB_STORE_")

    instance: str = "0"
    publish_every_s: float = Field(default=0.5, ge=0)
    most: int = Field(default=4_000, ge=1)
    most_gather_s: float = Field(default=0.015, ge=0)
    kept_days: int = Field(default=90, ge=1)
    live_epochs: int = Field(default=MAX_LIVE_EPOCHS, ge=16)
    chores_every_s: float = Field(default=60.0, gt=0)
    database: DatabaseSettings = Field(default_factory=_database)
    bus: BusSettings = Field(default_factory=BusSettings)
    clock: ClockSettings = Field(default_factory=ClockSettings)
    log: LogSettings = Field(default_factory=LogSettings)

    @property
    def gather(self) -> Gather:
        """The pause between two bursts."""
        return Gather(most_s=self.most_gather_s, full=self.most, per_record_s=0.00005, least_s=0.013)
