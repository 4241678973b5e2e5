"""What a chaos run is asked to do, and how it is laid out for that. Pure."""

import math
from dataclasses import dataclass
from typing import Final

from tests.proving.chaos.schedule import TARGETS

RATE: Final = 120.0
"""Platform seconds a real second."""
NEVER_S: Final = 100_000.0
QUIET_S: Final = 40.0
"""Without strikes at the end: silence is not judged for 15 platform minutes after an outage of ours."""
INCIDENTS_TIMES: Final = 2
"""Of each kind each platform hour."""

_STRIKE_S: Final = 5.0
"""What a strike takes on average, recovery included: the run is laid out for it."""
_HURRIED_STRIKE_S: Final = 3.0
_UPLINKS_PER_HOME_HOUR: Final = 110.0
_HOMES_PER_STRIKE: Final = 1.6
_FEWEST_HOMES: Final = 10
_STRIKES_OF_A_FULL_RUN: Final = 40
_INCIDENTS_OF_A_FULL_RUN: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to try. Without ``resends`` devices send once, have no faults, and the broker keeps what it has.

    ``quiet_s`` is for trials that look for one thing: with less of it silent devices are notified of too late.
    Without ``waits`` the next strike comes before whoever was struck works again: nobody's recovery is measured then.
    ``rate``: platform seconds a real second. What is over before it is heard is notified of no more, so on a machine
    with other work, where services take long to start again, an outage has to be short by the platform's clock.
    """

    kills: int
    uplinks: int
    seed: int
    resends: bool = True
    targets: tuple[str, ...] = TARGETS
    quiet_s: float = QUIET_S
    waits: bool = True
    rate: float = RATE

    @property
    def struck_targets(self) -> tuple[str, ...]:
        """A broker that loses its memory loses what nobody sends again: it is spared then."""
        return self.targets if self.resends else tuple(one for one in self.targets if one != "mosquitto")

    @property
    def resend_after_s(self) -> float:
        """Real seconds."""
        return 5.0 if self.resends else NEVER_S

    @property
    def runs_for_s(self) -> float:
        """Real seconds that homes stream."""
        return self.kills * (_STRIKE_S if self.waits else _HURRIED_STRIKE_S) + self.quiet_s

    @property
    def homes(self) -> int:
        """Enough for the uplinks in that time, and for an incident or more under every strike."""
        for_uplinks = self.uplinks / (_UPLINKS_PER_HOME_HOUR * self.runs_for_s * self.rate / 3600)
        return math.ceil(max(for_uplinks, self.kills * _HOMES_PER_STRIKE, _FEWEST_HOMES))

    @property
    def incidents(self) -> int:
        """So many at least must be alerted while it runs; a short run has as many as it has."""
        return _INCIDENTS_OF_A_FULL_RUN if self.kills >= _STRIKES_OF_A_FULL_RUN else 1
