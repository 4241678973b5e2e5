"""What score needs to know, from the environment."""

from pathlib import Path
from typing import Final

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.runtime.settings import BusSettings, ClockSettings, DatabaseSettings, LogSettings

SHIPPED: Final = Path(__file__).parents[2] / "artefacts"
"""Of the checkout."""


class ScoreSettings(BaseSettings):
    """One member of the group. ``resend_after_s`` is what devices are configured with, in real seconds.

    ``artefacts``: the folder of what was learned; a rule whose artefact is not there says nothing.
    """

    model_config = SettingsConfigDict(env_prefix="HB_SCORE_")

    instance: str = Field(default="0", pattern=r"^[0-9]{1,3}$")
    most: int = Field(default=1_000, ge=1, le=10_000)
    checkpoint_every_s: float = Field(default=8.0, gt=0)
    resend_after_s: float = Field(default=60.0, gt=0)
    artefacts: Path = SHIPPED
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    bus: BusSettings = Field(default_factory=BusSettings)
    clock: ClockSettings = Field(default_factory=ClockSettings)
    log: LogSettings = Field(default_factory=LogSettings)
