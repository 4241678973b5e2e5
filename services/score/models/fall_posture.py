"""Whether an impact looks like a fall, by what a device measured around it: a rule, and boosted trees. Pure.

A second opinion: it may add to what is said of a suspected fall, and never silences one. The scorecard alone asks for
it: the recordings that the trees were fitted on may not be passed on, so none ship.
"""

from dataclasses import dataclass
from math import exp
from typing import Final, NamedTuple

from services.score.models.boosted_trees import BoostedTrees


class Impact(NamedTuple):
    """What a worn device measures of an impact, and of the wearer 1.5 to 5.5 s after it.

    ``peak_g``: the greatest length of the acceleration, in g, from 0. ``tilt_deg``: how far the trunk then is from
    upright, 0 (standing) to 180. ``spread_g``: the standard deviation of the acceleration's length then, in g, from 0.
    """

    peak_g: float
    tilt_deg: float
    spread_g: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PostureRule:
    """An impact of ``least_peak_g`` or more, in g, then stillness, then lying; None: that part is not asked for.

    Impact and then posture did best of simple rules in Kangas et al. 2008 (Gait & Posture 28:285-291); the limits for
    spread (below, in g) and tilt (above, in degrees) are ours.
    """

    least_peak_g: float
    spread_below_g: float | None = None
    tilt_above_deg: float | None = None

    def is_fall(self, impact: Impact) -> bool:
        """Whether all that is asked for holds; a measurement that is NaN holds nothing."""
        return (
            impact.peak_g >= self.least_peak_g
            and (self.spread_below_g is None or impact.spread_g < self.spread_below_g)
            and (self.tilt_above_deg is None or impact.tilt_deg > self.tilt_above_deg)
        )


LYING_STILL: Final = PostureRule(least_peak_g=2.5, spread_below_g=0.06, tilt_above_deg=50)
"""What a device may suspect a fall by. The simulated falls and daily activities of SisFall (Sucerquia et al. 2017,
Sensors 17:198) are what its figures rest on."""
LYING_STILL_SOFT: Final = PostureRule(least_peak_g=2.0, spread_below_g=0.06, tilt_above_deg=50)
"""Softer impacts as well: older people fall more softly than the young ones who were recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FallTrees:
    """Trees over the fields of ``Impact``, in their order, whose sum is the log odds of a fall.

    A fall from ``cutoff`` on, a chance of 0 to 1.
    """

    trees: BoostedTrees
    cutoff: float

    def chance_of(self, impact: Impact) -> float:
        """How likely the impact was a fall among impacts such as those it was fitted on, 0 to 1."""
        return 1 / (1 + exp(-self.trees.score_one(impact)))

    def is_fall(self, impact: Impact) -> bool:
        """Whether the chance is ``cutoff`` or more."""
        return self.chance_of(impact) >= self.cutoff
