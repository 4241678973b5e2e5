"""What a bench is asked to try: which phases, how fast, how long."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Phase(StrEnum):
    """A part of the bench that can be run by itself."""

    MODELS = "models"
    LATENCY = "latency"
    SUSTAINED = "sustained"
    OUTAGE = "outage"
    PEER = "peer"
    GROWTH = "growth"
    STATE = "state"
    TRIAL = "trial"
    ENCRYPTION = "encryption"


BY_NAME_ONLY: Final = (Phase.TRIAL, Phase.ENCRYPTION)
"""Not of a whole bench: they compare the platform with itself, with more models than are shipped or on two stacks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Uplinks over all devices together; times in real seconds."""

    phases: tuple[Phase, ...] = tuple(phase for phase in Phase if phase not in BY_NAME_ONLY)
    devices: int = 1_000
    light_per_s: int = 1_000
    latency_s: int = 60
    sustained_per_s: int = 10_000
    sustained_s: int = 300
    outage_s: int = 60
    peer_uplinks: int = 300_000
    growth_devices: tuple[int, ...] = (1_000, 5_000, 20_000)
    growth_per_s: int = 4_000
    growth_s: int = 15
    state_people: int = 10_000
    models_people: int = 10_000
    models_s: int = 60
    trial_s: int = 20
    trial_turns: int = 3
    encryption_s: int = 20
    encryption_turns: int = 3
    storm_devices: int = 10_000
