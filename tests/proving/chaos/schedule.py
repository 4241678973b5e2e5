"""Which process is struck, when and how: the same for the same seed. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final, Literal

from deploy.local.settings import SERVERS
from deploy.platform.services import SERVICES

BACKEND: Final = "backend"
"""One of PostgreSQL's processes that serve a connection: its death makes all of PostgreSQL recover."""
TARGETS: Final = (*SERVICES, *SERVERS, BACKEND)
Way = Literal["kill", "freeze"]

HANDS_OVER_TO: Final[Mapping[str, tuple[str, Way]]] = {
    "ingest": ("kafka", "kill"),
    "mosquitto": ("kafka", "freeze"),
    "store": ("postgresql", "freeze"),
}
"""Who has something in hand when the next in line is away, and how that one is made to be: every other kill of theirs
comes while it is. Otherwise they hold nothing but for milliseconds, and what they may not do with it is never seen."""

_FREEZE_ONE_IN: Final = 4
_PAUSE_S: Final = (0.5, 3.0)
_DEAD_S: Final = (0.0, 1.0)
_FROZEN_S: Final = (1.0, 5.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """After ``pause_s`` real seconds ``target`` is gone for ``away_s``: dead by SIGKILL, or frozen by SIGSTOP.

    ``laden``: it is killed while the server of ``HANDS_OVER_TO`` is away.
    """

    target: str
    way: Way
    pause_s: float
    away_s: float
    laden: bool = False

    @property
    def recovers(self) -> str:
        """Whose recovery it shows: a server that was dead takes longer to come back than who waits for it."""
        server, way = HANDS_OVER_TO[self.target] if self.laden else ("", "freeze")
        return server if way == "kill" else self.target

    @property
    def away(self) -> frozenset[str]:
        """Whatever did not work meanwhile."""
        return frozenset({self.target, HANDS_OVER_TO[self.target][0]} if self.laden else {self.target})


def plan(strikes: int, *, seed: int, targets: Sequence[str] = TARGETS) -> list[Strike]:
    """So many strikes on ``targets``, each once before any is struck again."""
    chance = Random(seed)
    planned: list[Strike] = []
    waiting: list[str] = []
    laden = dict.fromkeys(HANDS_OVER_TO, False)
    while len(planned) < strikes:
        waiting = waiting or chance.sample(targets, k=len(targets))
        one = _strike(waiting.pop(), chance)
        if one.way == "kill" and one.target in laden:
            laden[one.target] = not laden[one.target]
            one = replace(one, laden=laden[one.target])
        planned.append(one)
    return planned


def last_blows() -> list[Strike]:
    """After the last uplink, who still has to write or notify is killed once more: no later uplink heals it."""
    return [Strike(target=target, way="kill", pause_s=0.3, away_s=0.0) for target in ("store", "ingest")]


def _strike(target: str, chance: Random) -> Strike:
    freezes = target != BACKEND and chance.randrange(_FREEZE_ONE_IN) == 0
    return Strike(
        target=target,
        way="freeze" if freezes else "kill",
        pause_s=chance.uniform(*_PAUSE_S),
        away_s=chance.uniform(*(_FROZEN_S if freezes else _DEAD_S)),
    )
