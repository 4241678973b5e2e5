"""What ingest needs to know, from the environment."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.messages import MAX_UNDER_WAY
from schemas.topics import SHARDS
from services.runtime.mqtt import WINDOW
from services.runtime.pacing import Gather
from services.runtime.settings import BusSettings, ClockSettings, DatabaseSettings, LogSettings, MqttSettings


def _database() -> DatabaseSettings:
    return DatabaseSettings(pool_size=4)


class IngestSettings(BaseSettings):
    """One instance. It owns the shards from ``first_shard`` to ``last_shard``, both included.

    Between two bursts it pauses, under load up to ``most_gather_s``, for bursts to grow. A device may send
    ``uplinks_per_s`` for ever (on a faster platform clock as many times more), and ``uplinks_at_once`` after a rest:
    as many as its outbox may have under way.
    """

    model_config = SettingsConfigDict(env_prefix="HB_INGEST_")

    instance: str = Field(default="0", pattern=r"^[0-9]{1,3}$")
    first_shard: int = Field(default=0, ge=0, lt=SHARDS)
    last_shard: int = Field(default=SHARDS - 1, ge=0, lt=SHARDS)
    most_gather_s: float = Field(default=0.04, ge=0)
    uplinks_per_s: float = Field(default=20.0, gt=0)
    uplinks_at_once: int = Field(default=MAX_UNDER_WAY, ge=1)
    ack_every_s: float = Field(default=0.25, gt=0)
    database: DatabaseSettings = Field(default_factory=_database)
    bus: BusSettings = Field(default_factory=BusSettings)
    mqtt: MqttSettings = Field(default_factory=MqttSettings)
    clock: ClockSettings = Field(default_factory=ClockSettings)
    log: LogSettings = Field(default_factory=LogSettings)

    @property
    def client_id(self) -> str:
        """The connection that takes uplinks; the one for acks adds ``-acks``."""
        return f"ingest-{self.instance}"

    @property
    def gather(self) -> Gather:
        """The pause between two bursts."""
        return Gather(most_s=self.most_gather_s, full=WINDOW)
