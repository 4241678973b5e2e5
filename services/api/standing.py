"""How it stands with what an alert is about: whether it goes on, pauses, or why it ended; in words. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from schemas.alerts import EndReason
from schemas.rule_names import MEASURED, RULE_NAME_BY_NAME


class Stands(StrEnum):
    """What is known of a condition now. Only ``RECOVERED`` says that it is better."""

    GOES_ON = "goes on"
    NOT_OVER = "not over"
    RESUMED = "resumed"
    PAUSED = "paused"
    RECOVERED = "recovered"
    TURNED = "turned"
    DISPROVED = "disproved"
    UNHEARD = "unheard"
    ENDED = "ended"


_SENTENCES: Final[Mapping[Stands, str]] = MappingProxyType(
    {
        Stands.GOES_ON: "Still so, as far as readings have come",
        Stands.NOT_OVER: "Nothing shows that it is over",
        Stands.RESUMED: "Not over: after a pause readings have come again, the last {at}",
        Stands.PAUSED: "Paused: nothing is known since {at}. That does not mean that it is better",
        Stands.RECOVERED: "Recovered {at}",
        Stands.TURNED: "Turned to the opposite {at}",
        Stands.DISPROVED: "Disproved by readings that came late, {at}",
        Stands.UNHEARD: "Nothing more was heard by {at}. That does not mean that it is better",
        Stands.ENDED: "Ended {at}",
    }
)
_BADGES: Final[Mapping[Stands, str]] = MappingProxyType(
    {
        Stands.PAUSED: "Paused: nothing known since {at}",
        Stands.RECOVERED: "Recovered {at}",
        Stands.TURNED: "Turned to the opposite {at}",
        Stands.DISPROVED: "Disproved {at}",
        Stands.UNHEARD: "Nothing more heard by {at}",
        Stands.ENDED: "Ended {at}",
    }
)
"""What does not stand here needs no words in a list: whatever is listed goes on."""
_BY_REASON: Final[Mapping[str, Stands]] = MappingProxyType(
    {
        EndReason.RECOVERED: Stands.RECOVERED,
        EndReason.TURNED: Stands.TURNED,
        EndReason.DISPROVED: Stands.DISPROVED,
    }
)


@dataclass(frozen=True, slots=True)
class Standing:
    """``at``: when it ended, when that became known of what was disproved, or since when nothing is known."""

    stands: Stands
    at: datetime | None = None

    def sentence(self, at: str) -> str:
        """The whole of it; ``at`` is its moment as people read it."""
        return _SENTENCES[self.stands].format(at=at)

    def badge(self, at: str) -> str:
        """A few words for a list; "" where it simply goes on."""
        return _BADGES.get(self.stands, "").format(at=at)


def of_alert(alert: Mapping[str, Any], last: Mapping[str, Any] | None) -> Standing:
    """How it stands with an alert; ``last`` is the row of ``standings``: the last that was said of what is open."""
    is_measured = alert["rule"] in MEASURED
    if last is None or last["level"]:
        if alert["ended_at"] is not None:
            return Standing(Stands.ENDED, alert["ended_at"])
        return Standing(Stands.GOES_ON if is_measured else Stands.NOT_OVER)
    found = of_end(alert["rule"], last)
    # What has come since says no more than that something is known again.
    if found.stands is Stands.PAUSED and last["heard_at"] is not None:
        return Standing(Stands.RESUMED, last["heard_at"])
    return found


def of_end(rule: str, finding: Mapping[str, Any]) -> Standing:
    """Why an episode ended or pauses, by the finding that says so."""
    reason = finding["end_reason"]
    if reason == EndReason.NO_DATA:
        if rule in MEASURED:
            return Standing(Stands.PAUSED, finding["known_until"] or finding["observed_at"])
        is_technical = rule in RULE_NAME_BY_NAME and RULE_NAME_BY_NAME[rule].technical
        return Standing(Stands.ENDED if is_technical else Stands.UNHEARD, finding["observed_at"])
    stands = _BY_REASON.get(reason, Stands.ENDED)
    return Standing(stands, finding["raised_at"] if stands is Stands.DISPROVED else finding["observed_at"])
