"""Which monitored vitals of a person have not been watched for too long, and what was said of it. Pure.

Looked at when an hour of the person closes, when a gap may be too long, and while one goes on: all by the log's time.
"""

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from schemas.alerts import EndReason
from schemas.coverage import Coverage
from schemas.vitals import VITAL_BY_CODE, VITAL_BY_NUMBER
from services.score.coverage import LONGEST_GAPS, MONITORED_MS, CoverageLedger, Surroundings, WatchedSpan
from services.score.episodes import Report
from services.score.rule import ENDED, MINUTE_MS, NEVER, Mark
from services.score.rules.watch_gap import (
    HEARD_WITHIN_MS,
    LONGEST_UNWATCHED,
    LOOKED_AT_MS,
    WATCH_GAP,
    concern_of,
)
from services.score.sample import Sample
from services.score.window import Window

_KINDS: Final = tuple(Coverage)
Heard = Mapping[int, tuple[int, int]]
"""By device number, whose items its last uplink had, and when that was received, in ms."""


@dataclass(slots=True)
class Gap:
    """One that was said: its episode, since when nobody watched (ms), by which device last."""

    episode: int
    since: int
    device_no: int


class Known(NamedTuple):
    """What a look needs of the person: what was watched, numbers of episodes, and what was heard of whom."""

    person_no: int
    ledger: CoverageLedger
    window: Window
    around: Surroundings
    heard: Heard
    numbers: MutableMapping[str, int]


class WatchGaps:
    """``due_at``: when to look next, in ms; NEVER while nothing that is worn is monitored."""

    __slots__ = ("_open", "due_at")

    def __init__(self) -> None:
        self._open: dict[int, Gap] = {}
        self.due_at = NEVER

    def look(self, known: Known, now: int) -> list[Report]:
        """What has to be said at ``now``."""
        found: list[Report] = []
        self.due_at = NEVER
        for vital, longest_ms in LONGEST_UNWATCHED.items():
            spans, is_worn = known.ledger.spans(vital, known.window, now)
            gap = self._open.get(vital)
            if gap is not None:
                found += self._follow(vital, gap, spans, now)
            if is_worn and vital not in self._open:
                found += self._look_for(vital, longest_ms, spans, known, now)
        return found

    def _look_for(
        self, vital: int, longest_ms: int, spans: Sequence[WatchedSpan], known: Known, now: int
    ) -> list[Report]:
        last = max(spans, key=lambda one: one.end)
        too_long_at = last.end + longest_ms
        if now < too_long_at:
            self.due_at = min(self.due_at, too_long_at)
            return []
        if not self._is_heard(vital, known, now):
            self.due_at = min(self.due_at, now + LOOKED_AT_MS)
            return []
        self.due_at = min(self.due_at, now + MINUTE_MS)
        episode = known.numbers[WATCH_GAP.name] = known.numbers.get(WATCH_GAP.name, 0) + 1
        gap = self._open[vital] = Gap(episode, last.end, last.device_no)
        causes = known.ledger.count(vital, known.window, known.around, (last.end, too_long_at))
        cause = max(range(1, len(_KINDS)), key=lambda place: causes[place])
        first = _sample(vital, gap)
        mark = Mark(1, first, first._replace(at=too_long_at, value=float(cause)), about=concern_of(vital))
        return [Report(episode, mark, 1)]

    @staticmethod
    def _is_heard(vital: int, known: Known, now: int) -> bool:
        """Whether a worn device that measures the vital was heard lately, with something of the person."""
        return any(
            whose == known.person_no and now - at < HEARD_WITHIN_MS
            for device_no in known.ledger.worn_devices(vital, known.window)
            for whose, at in [known.heard.get(device_no, (0, 0))]
        )

    def _follow(self, vital: int, gap: Gap, spans: Sequence[WatchedSpan], now: int) -> list[Report]:
        first, again = _sample(vital, gap), min((one.begin for one in spans if one.end > gap.since), default=None)
        if again is None and spans:
            self.due_at = min(self.due_at, now + MINUTE_MS)
            return []
        del self._open[vital]
        if again is None:
            # The last reading spoke for at most so long.
            at, reason = gap.since + MONITORED_MS - LONGEST_GAPS[vital].worn_ms, EndReason.NO_DATA
        elif again < gap.since + LONGEST_UNWATCHED[vital]:
            # What came late shows that somebody was watched meanwhile.
            at, reason = max(gap.since, again), EndReason.DISPROVED
        else:
            at, reason = again, EndReason.RECOVERED
        return [Report(gap.episode, Mark(ENDED, first, first._replace(at=at), reason, about=concern_of(vital)), 2)]

    def to_plain(self) -> dict[str, Any]:
        """As plain values; empty while there is nothing to look at."""
        opened = [
            [VITAL_BY_NUMBER[vital].code, gap.episode, gap.since, gap.device_no]
            for vital, gap in sorted(self._open.items())
        ]
        due = {} if self.due_at == NEVER else {"due_at": self.due_at}
        return due | ({"open": opened} if opened else {})

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "WatchGaps":
        """What ``to_plain`` wrote."""
        found = cls()
        found.due_at = plain.get("due_at", NEVER)
        found._open = {VITAL_BY_CODE[code].number: Gap(*gap) for code, *gap in plain.get("open", ())}
        return found


def _sample(vital: int, gap: Gap) -> Sample:
    """No reading: the end of what was watched."""
    return Sample(gap.since, 0.0, gap.device_no, -1, -1, -1, vital)
