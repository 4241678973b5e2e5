"""How much of what alerted was real, how fast it was taken on, and how often nobody did that. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

NOT_KNOWN: Final = "not known"
_SHARE: Final = "{percent} % ({part} of {whole})"
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86400


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """Counts of times that an alert began to wait: all of them, those taken on, and verdicts.

    ``median_s``: seconds from then until somebody took it on, of those taken on; None where nobody did.
    """

    openings: int
    acknowledged: int
    median_s: float | None
    real: int
    false: int
    unclear: int

    @property
    def precision(self) -> float | None:
        """Real among real and false, 0 to 1; what was said to be unclear counts for neither. None: not known."""
        return share_of(self.real, self.real + self.false)

    @property
    def share_handled(self) -> float | None:
        """Taken on among all, 0 to 1; None: not known, since nothing alerted."""
        return share_of(self.acknowledged, self.openings)

    @property
    def without_verdict(self) -> int:
        """Of how many nobody has said what they were."""
        return max(0, self.openings - self.real - self.false - self.unclear)


def of_row(row: Mapping[str, Any]) -> Outcomes:
    """The figures of a row of counts."""
    return Outcomes(
        openings=row["openings"],
        acknowledged=row["acknowledged"],
        median_s=row["median_s"],
        real=row["said_real"],
        false=row["said_false"],
        unclear=row["said_unclear"],
    )


def share_of(part: int, whole: int) -> float | None:
    """``part`` of ``whole``, 0 to 1; None of nothing."""
    return part / whole if whole else None


def share_words(part: int, whole: int) -> str:
    """A share with its counts, "75 % (3 of 4)". 0 % and 100 % are said of none and all, and of nothing else."""
    share = share_of(part, whole)
    if share is None:
        return NOT_KNOWN
    percent = round(100 * share)
    if 0 < part < whole:
        percent = min(max(percent, 1), 99)
    return _SHARE.format(percent=percent, part=part, whole=whole)


def span_words(seconds: float | None) -> str:
    """How long, in the two largest units that matter; of less than a minute in seconds."""
    if seconds is None:
        return NOT_KNOWN
    whole = round(seconds)
    if whole < _MINUTE_S:
        return f"{whole} s"
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S} min"
    if whole < _DAY_S:
        return f"{whole // _HOUR_S} h {whole % _HOUR_S // _MINUTE_S:02} min"
    return f"{whole // _DAY_S} d {whole % _DAY_S // _HOUR_S} h"
