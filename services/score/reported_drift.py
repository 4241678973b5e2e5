"""What was said of a person's drift from what is usual for them, and what is to be said of further days. Pure.

The rule ``baseline``, day by day as ``models/drift`` judges them; it reads no samples, so it has no fold.
"""

from collections.abc import Iterable, MutableMapping, Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from schemas.alerts import EndReason, Fact
from schemas.vitals import HEART_RATE, RESPIRATORY_RATE, SKIN_TEMPERATURE, STEPS, WEIGHT
from services.score.episodes import Report
from services.score.models import drift as channels
from services.score.models import hysteresis
from services.score.models.drift import DRIFT_MODEL, DriftDay
from services.score.models.usual import Deviation
from services.score.rule import ENDED, HOUR_MS, Mark
from services.score.sample import Sample

LONGEST_GAP_DAYS: Final = 3
"""Without a figure for so many days, nothing is known of a drift any more."""
_DAY_MS: Final = 24 * HOUR_MS
_VITAL_OF: Final = {
    channels.RESTING_PULSE: HEART_RATE,
    channels.SLEEPING_PULSE: HEART_RATE,
    channels.STEPS: STEPS,
    channels.RESPIRATORY_RATE: RESPIRATORY_RATE,
    channels.SKIN_TEMPERATURE: SKIN_TEMPERATURE,
    channels.WEIGHT: WEIGHT,
}
_DECIMALS: Final = {channels.SKIN_TEMPERATURE: 1, channels.WEIGHT: 1}
_RECOVERED_SAID: Final = 3
"""Each is said once an episode, under the number of its level; then its end, and pauses after that."""


@dataclass(slots=True)
class ReportedDrift:
    """``episode``: the open one's number, 0 for none. Days count from 1970: when it ``began``, the last ``known`` one.

    ``below``: days in a row without a drift, where a gap has made it begin anew. ``pauses``: how many were said.
    """

    episode: int = 0
    began: int = 0
    known: int = 0
    level: int = 0
    below: int = 0
    pauses: int = 0
    is_paused: bool = False

    @property
    def pauses_after(self) -> int | None:
        """When this day closes without a figure, the episode pauses; None while it can't."""
        return self.known + LONGEST_GAP_DAYS if self.episode and not self.is_paused else None

    def report(
        self, days: Iterable[DriftDay], numbers: MutableMapping[str, int], rule: str, *, closed: int
    ) -> list[Report]:
        """What has to be said of further days; all are closed up to ``closed``. ``numbers``: of episodes, by rule."""
        found: list[Report] = []
        for one in days:
            if one.combined is None:
                continue
            if not self.episode and one.level:
                number = numbers[rule] = numbers.get(rule, 0) + 1
                self.episode, self.began, self.level = number, one.day, 0
            if self.episode:
                self.known, self.is_paused = one.day, False
                found += self._follow(one)
        if self.pauses_after is not None and closed >= self.pauses_after:
            self.is_paused, self.pauses = True, self.pauses + 1
            last = _sample(self.known + 1)
            pauses_at = last.at + LONGEST_GAP_DAYS * _DAY_MS
            mark = Mark(ENDED, last, last, EndReason.NO_DATA, pauses_at=pauses_at, facts={"since": _date(self.began)})
            found.append(Report(self.episode, mark, _RECOVERED_SAID + self.pauses))
        return found

    def _follow(self, one: DriftDay) -> list[Report]:
        first, last = _sample(self.began), _sample(one.day + 1)
        since: dict[str, Fact] = {"since": _date(self.began)}
        if one.level > self.level:
            self.level, self.below = one.level, 0
            reasons = one.reasons()
            also = tuple(_sample_of(one.day, reason) for reason in reasons)
            facts = since | {"channels": " ".join(map(_words, reasons))}
            return [Report(self.episode, Mark(one.level, first, last, also=also, facts=facts), one.level)]
        goes_on, self.below = hysteresis.follow(
            one.level, is_on=True, run=self.below, on=1, off=1, off_for=DRIFT_MODEL.over_days
        )
        if goes_on and not one.has_recovered:
            return []
        mark = Mark(ENDED, first, last, EndReason.RECOVERED, facts=since)
        report = Report(self.episode, mark, _RECOVERED_SAID)
        self.episode, self.began, self.known, self.level, self.below, self.pauses = 0, 0, 0, 0, 0, 0
        return [report]

    def to_plain(self) -> list[Any]:
        """As plain values; empty while no episode is open."""
        return list(astuple(self)) if self.episode else []

    @classmethod
    def from_plain(cls, plain: Sequence[Any]) -> "ReportedDrift":
        """What ``to_plain`` wrote."""
        return cls(*plain)


def _sample(day: int) -> Sample:
    """No reading: the beginning of a day."""
    return Sample(day * _DAY_MS, 0.0, 0, -1, -1, -1)


def _sample_of(day: int, reason: Deviation) -> Sample:
    """No reading either: the day's figure of a channel, in its vital's unit."""
    return _sample(day)._replace(value=round(reason.value, 2), vital=_VITAL_OF[reason.channel.code].number)


def _words(reason: Deviation) -> str:
    """A channel, and how far it lies from what is usual: above or below, as its words say."""
    code = reason.channel.code
    return f"{code}:{abs(reason.above):.{_DECIMALS.get(code, 0)}f}"


def _date(day: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)).date().isoformat()
