"""A small simulation that takes seconds: what it finds worse than it did is a regression."""

from typing import Final

from schemas.alerts import Severity
from tests.proving.scorecard.simulation import HIGH_FOUND, OTHERS_FOUND, played
from tests.proving.scorecard.verdict import Outcome, together

_HOMES, _DAYS, _EVERY_H, _SEED = 6, 2.0, 6, 18
MOST_FALSE: Final = 0.25
"""A home and day. A sensor that errs near a limit is wrong now and then."""


def small_simulation() -> Outcome:
    """Six homes for two days, in which more happens than in life."""
    return together([one.ours for one in played(_SEED, _HOMES, _DAYS, _EVERY_H)])


def regressions(outcome: Outcome) -> list[str]:
    """What ``outcome`` is worse in than it may be, in words; empty where in nothing."""
    high = [tally for tally in outcome.kinds.values() if tally.severity is Severity.HIGH]
    others = [tally for tally in outcome.kinds.values() if tally.severity is not Severity.HIGH]
    alerted = sorted(kind for kind, (_, alerted) in outcome.near.items() if alerted)
    said = []
    for name, tallies, least in (("HIGH incidents", high, HIGH_FOUND), ("others", others, OTHERS_FOUND)):
        there, found = sum(tally.there for tally in tallies), sum(tally.found for tally in tallies)
        if not there or found < least * there:
            said.append(f"of {there} {name} {found} were found, and at least {least:.0%} have to be")
    if alerted:
        said.append(f"near-misses alerted: {', '.join(alerted)}")
    if outcome.false_alerts > MOST_FALSE * outcome.days:
        said.append(f"{outcome.false_alerts} false alerts in {outcome.days:g} home-days")
    return said
