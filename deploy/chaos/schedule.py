"""Which process is struck, when and how: the same for the same seed. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, Literal

from deploy.local.settings import SERVERS
from deploy.platform.services import SERVICES

BACKEND: Final = "backend"
"""One of PostgreSQL's processes that serve a connection: its death makes all of PostgreSQL recover."""
TARGETS: Final = (*SERVICES, *SERVERS, BACKEND)
Way = Literal["kill", "freeze"]

_FREEZE_ONE_IN: Final = 4
_BUS_FROZEN_SHARE: Final = 0.5
_PAUSE_S: Final = (0.5, 3.0)
_DEAD_S: Final = (0.0, 1.0)
_FROZEN_S: Final = (1.0, 5.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """After ``pause_s`` real seconds ``target`` is gone for ``away_s``: dead by SIGKILL, or frozen by SIGSTOP.

    ``bus_frozen``: Apache Kafka stands still until the target is back, so that ingest holds messages meanwhile which
    the broker no longer knows.
    """

    target: str
    way: Way
    pause_s: float
    away_s: float
    bus_frozen: bool = False


def plan(strikes: int, *, seed: int, targets: Sequence[str] = TARGETS) -> list[Strike]:
    """So many strikes on ``targets``, each once before any is struck again."""
    chance = Random(seed)
    planned: list[Strike] = []
    waiting: list[str] = []
    while len(planned) < strikes:
        waiting = waiting or chance.sample(targets, k=len(targets))
        planned.append(_strike(waiting.pop(), chance))
    return planned


def last_blows() -> list[Strike]:
    """When the last uplink is out, whoever still has to write or tell is killed once more: no later uplink heals it."""
    return [Strike(target=target, way="kill", pause_s=0.3, away_s=0.0) for target in ("store", "ingest")]


def _strike(target: str, chance: Random) -> Strike:
    freezes = target != BACKEND and chance.randrange(_FREEZE_ONE_IN) == 0
    return Strike(
        target=target,
        way="freeze" if freezes else "kill",
        pause_s=chance.uniform(*_PAUSE_S),
        away_s=chance.uniform(*(_FROZEN_S if freezes else _DEAD_S)),
        bus_frozen=target == "mosquitto" and not freezes and chance.random() < _BUS_FROZEN_SHARE,
    )
