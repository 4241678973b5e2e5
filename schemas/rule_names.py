"""The names of rules as findings, alerts and scenario files carry them: one row each, in the order of semantics.

Not every one of them is raised yet; whoever writes what should be said may name it all the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleName:
    """``technical``: about devices and the platform, never among what is said of somebody's health.

    ``measured``: it rests on measurements, so that without them its episodes pause, and end only when some show it.
    ``listed``: its alerts stand on the list, and notify nobody.
    ``calls``: somebody may be waiting for help, so that whatever more is said of it is news.
    ``expects``: it says what is likely or unusual, not that a limit was passed; how often that comes true is measured.
    ``rests_on``: other rules over the same measurements; while one of them says as much, nobody is notified of it.
    """

    name: str
    technical: bool = False
    measured: bool = False
    listed: bool = False
    calls: bool = False
    expects: bool = False
    rests_on: tuple[str, ...] = ()


RULE_NAMES: Final[tuple[RuleName, ...]] = (
    RuleName(name="heart_rate", measured=True),
    RuleName(name="spo2", measured=True),
    RuleName(name="respiratory_rate", measured=True),
    RuleName(name="temperature", measured=True),
    RuleName(name="blood_pressure", measured=True),
    RuleName(name="glucose_low", measured=True),
    RuleName(name="glucose_forecast", measured=True, listed=True, expects=True),
    RuleName(name="glucose_high", measured=True, listed=True),
    RuleName(name="weight", measured=True, listed=True),
    RuleName(
        name="news2",
        measured=True,
        rests_on=("heart_rate", "spo2", "respiratory_rate", "temperature", "blood_pressure"),
    ),
    RuleName(name="baseline", measured=True, listed=True, expects=True),
    RuleName(name="anomaly", measured=True, listed=True, expects=True),
    RuleName(name="fall", calls=True),
    RuleName(name="sos", calls=True),
    RuleName(name="silent_device", technical=True),
    RuleName(name="low_battery", technical=True),
    RuleName(name="watch_gap", technical=True),
    RuleName(name="clock", technical=True),
    RuleName(name="firmware", technical=True),
    RuleName(name="command_failed", technical=True),
    RuleName(name="missed_dose"),
    RuleName(name="double_dose"),
    RuleName(name="adherence"),
)
CALLS: Final = frozenset(row.name for row in RULE_NAMES if row.calls)
LISTED: Final = frozenset(row.name for row in RULE_NAMES if row.listed)
EXPECTS: Final = frozenset(row.name for row in RULE_NAMES if row.expects)
RESTS_ON: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({row.name: row.rests_on for row in RULE_NAMES})
MEASURED: Final = frozenset(row.name for row in RULE_NAMES if row.measured)
RULE_NAME_BY_NAME: Final[Mapping[str, RuleName]] = MappingProxyType({row.name: row for row in RULE_NAMES})
