"""Which monitored vitals of a person have not been watched for too long, and what was said of it. Pure.

Looked at when the person's first hour closes, each few hours from then on, when a gap may be too long, and while one
goes on: all by the log's time.
"""

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from schemas.alerts import EndReason
from schemas.vitals import VITAL_BY_CODE, VITAL_BY_NUMBER
from services.score.coverage import LONGEST_GAPS, MONITORED_MS, CoverageLedger, Surroundings, WatchedSpan, open_from
from services.score.episodes import Report
from services.score.rule import ENDED, MINUTE_MS, NEVER, Mark
from services.score.rules.watch_gap import (
    HEARD_WITHIN_MS,
    LONGEST_UNWATCHED,
    LOOKED_AT_MS,
    SENSOR_GAP_MS,
    WATCH_GAP,
    concern_of,
)
from services.score.sample import Sample
from services.score.window import Window

Heard = Mapping[int, tuple[int, int]]
"""By device number, whose items its last uplink had, and when that was received, in ms."""


class HeardOf(NamedTuple):
    """When the home was heard, as ``HomeState.heard``, and each of its devices."""

    home: list[list[int]]
    devices: Heard


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
    """``due_at``: when to look next, in ms; NEVER while nothing that is worn is monitored.

    The end of what was watched is kept by vital: the ledger forgets it sooner than a device may be heard again.
    """

    __slots__ = ("_last", "_open", "due_at")

    def __init__(self) -> None:
        self._open: dict[int, Gap] = {}
        self._last: dict[int, list[int]] = {}
        self.due_at = NEVER

    def look(self, known: Known, now: int) -> list[Report]:
        """What has to be said at ``now``."""
        found: list[Report] = []
        self.due_at = NEVER
        for vital, longest_ms in LONGEST_UNWATCHED.items():
            spans, is_worn = known.ledger.spans(vital, known.window, now)
            gap = self._open.get(vital)
            if gap is not None:
                found += self._follow(vital, gap, spans, now, is_monitored=is_worn)
            if spans:
                newest = max(spans, key=lambda one: (one.end, one.device_no))
                self._last[vital] = [newest.end, newest.device_no]
            if not is_worn:
                self._last.pop(vital, None)
                continue
            # What is monitored only from now on can't have a gap sooner.
            self.due_at = min(self.due_at, now + SENSOR_GAP_MS)
            if vital not in self._open and vital in self._last:
                found += self._look_for(vital, longest_ms, known, now)
        return found

    def _look_for(self, vital: int, longest_ms: int, known: Known, now: int) -> list[Report]:
        since, device_no = self._last[vital]
        too_long_at = since + longest_ms
        if now < too_long_at:
            # Whoever takes the device off makes it sooner, by the gap that its last reading would have spoken for.
            early = too_long_at - LONGEST_GAPS[vital].worn_ms
            self.due_at = min(self.due_at, early if now < early else too_long_at)
            return []
        if not self._is_heard(vital, known, now):
            self.due_at = min(self.due_at, now + LOOKED_AT_MS)
            return []
        self.due_at = min(self.due_at, now + MINUTE_MS)
        episode = known.numbers[WATCH_GAP.name] = known.numbers.get(WATCH_GAP.name, 0) + 1
        gap = self._open[vital] = Gap(episode, since, device_no)
        times = max(since, open_from(now)), too_long_at
        causes = known.ledger.count(vital, known.window, known.around, times)[1:]
        # Of one that lies too far back nothing is known any more but that nothing was heard.
        cause = causes.index(max(causes)) + 1 if any(causes) else len(causes)
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

    def _follow(
        self, vital: int, gap: Gap, spans: Sequence[WatchedSpan], now: int, *, is_monitored: bool
    ) -> list[Report]:
        first, again = _sample(vital, gap), min((one.begin for one in spans if one.end > gap.since), default=None)
        if again is None and is_monitored:
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
        last = [[VITAL_BY_NUMBER[vital].code, *known] for vital, known in sorted(self._last.items())]
        due = {} if self.due_at == NEVER else {"due_at": self.due_at}
        return due | {name: part for name, part in (("open", opened), ("last", last)) if part}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "WatchGaps":
        """What ``to_plain`` wrote."""
        found = cls()
        found.due_at = plain.get("due_at", NEVER)
        found._open = {VITAL_BY_CODE[code].number: Gap(*gap) for code, *gap in plain.get("open", ())}
        found._last = {VITAL_BY_CODE[code].number: known for code, *known in plain.get("last", ())}
        return found


def _sample(vital: int, gap: Gap) -> Sample:
    """No reading: the end of what was watched."""
    return Sample(gap.since, 0.0, gap.device_no, -1, -1, -1, vital)
