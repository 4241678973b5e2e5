"""Which minutes of a person's vitals were watched, and why the others were not. Pure.

What is kept are spans of usable readings; minutes are made of them when they are written. So a reading costs nothing
here, and it does not matter in which order readings came.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from schemas.coverage import MINUTES, Coverage
from schemas.vitals import (
    BODY_TEMPERATURE,
    GLUCOSE,
    HEART_RATE,
    RESPIRATORY_RATE,
    SPO2,
    SYSTOLIC,
    VITAL_BY_CODE,
    VITAL_BY_NUMBER,
    WEIGHT,
)
from services.score.circumstances import COVERS_MS
from services.score.rule import HOUR_MS, MINUTE_MS, NEVER
from services.score.sample import SPEAKS_FOR_NOTHING, SPOT_TYPES, Sample
from services.score.window import Window

OPEN_HOURS: Final = 26
"""Hours of which minutes can still change, the present one included."""
MONITORED_MS: Final = 7 * 24 * HOUR_MS
"""A vital is monitored for so long after its last usable reading."""
HEARD_MS: Final = HOUR_MS
"""A home of which no device was heard for so long is silent (for a vital with a shorter gap, for as long as that)."""
SHORTEST_GAP_MS: Final = 30 * MINUTE_MS
"""No gap below is shorter, so what was heard so often is one span."""


class Gaps(NamedTuple):
    """How long a reading speaks for its vital, in ms: of a device that is worn, and of one that is used when asked.

    0: what such a device measures moves no rule of the vital, and so watches nothing.
    """

    worn_ms: int
    asked_ms: int


LONGEST_GAPS: Final[Mapping[int, Gaps]] = MappingProxyType(
    {
        HEART_RATE.number: Gaps(HOUR_MS, 0),
        SPO2.number: Gaps(HOUR_MS, HOUR_MS),
        RESPIRATORY_RATE.number: Gaps(HOUR_MS, 0),
        GLUCOSE.number: Gaps(30 * MINUTE_MS, 4 * HOUR_MS),
        BODY_TEMPERATURE.number: Gaps(24 * HOUR_MS, 24 * HOUR_MS),
        SYSTOLIC.number: Gaps(24 * HOUR_MS, 24 * HOUR_MS),
        WEIGHT.number: Gaps(96 * HOUR_MS, 96 * HOUR_MS),
    }
)
"""By vital number: the longest gaps of its rules."""
Spans = list[list[int]]
"""``[first, last]`` in order and apart, in ms."""


class HourRow(NamedTuple):
    """An hour of a vital from ``hour`` on, in ms; ``bits`` in the order of ``Coverage``."""

    vital: int
    hour: int
    bits: tuple[int, ...]


class WatchedSpan(NamedTuple):
    """From ``begin`` to before ``end``, in ms, a device watched; the end may lie ahead, if nothing takes it off."""

    begin: int
    end: int
    device_no: int


@dataclass(slots=True)
class Known:
    """Usable readings of one device that lie within the longest gap of one another, the last one of ``since`` on.

    Since then no week has passed without one.
    """

    is_asked: bool
    since: int
    runs: Spans

    def joined(self, later: "Known", gap: int) -> "Known":
        """With what came later, as far as that is the same time of being monitored."""
        if later.runs[0][0] - self.runs[-1][1] >= MONITORED_MS:
            return later
        runs = [list(one) for one in self.runs]
        for first, last in later.runs:
            _join(runs, first, last, gap)
        return Known(self.is_asked, min(self.since, later.since), runs)


@dataclass(slots=True)
class Written:
    """Up to when minutes were written, and the newest reading of each vital then. In ms; not part of what is saved."""

    until: int = 0
    newest: dict[int, int] = field(default_factory=dict)


class Surroundings(NamedTuple):
    """When anything of the home was heard, and ``resting_only``: vitals for which no limit holds in movement."""

    heard: Spans
    resting_only: Collection[int] = ()


class CoverageLedger:
    """Of one person. ``changed_from``: from when on minutes that were written may be others now, in ms."""

    __slots__ = ("_devices", "_moved", "_poor", "_written", "changed_from")

    def __init__(self) -> None:
        self._devices: dict[tuple[int, int], Known] = {}
        self._poor: dict[int, Spans] = {}
        self._moved: Spans = []
        self._written = Written()
        self.changed_from = NEVER

    def absorb(self, samples: Sequence[Sample], window: Window) -> None:
        """Keeps what leaves the window: samples of one vital, in order."""
        if not samples or samples[0].vital not in LONGEST_GAPS:
            return
        if window.off:
            samples = [one for one in samples if window.is_usable(one)]
        for (vital, device_no), known in _runs_of(samples).items():
            kept = self._devices.get((vital, device_no))
            self._devices[vital, device_no] = (
                kept.joined(known, _gap_of(vital, is_asked=known.is_asked)) if kept else known
            )

    def add_late(self, sample: Sample, window: Window, newest: int) -> None:
        """A reading that no rule looks back to any more still shows that somebody was watched. ``newest``: as below."""
        if sample.vital not in LONGEST_GAPS or sample.flags & SPEAKS_FOR_NOTHING or sample.at < open_from(newest):
            return
        self.absorb([sample], window)
        self.touch(sample.at)

    def see_poor(self, vital: int, at: int, flags: int, newest: int) -> None:
        """A reading came that its device calls poor."""
        if vital in LONGEST_GAPS and not flags & SPEAKS_FOR_NOTHING and at >= open_from(newest):
            _join(self._poor.setdefault(vital, []), at, at, max(LONGEST_GAPS[vital]))
            self.touch(at)

    def see_moved(self, spans: Iterable[Sequence[int]]) -> None:
        """Keeps movements that no rule looks back to any more."""
        for first, last in spans:
            _join(self._moved, first, last, COVERS_MS)

    def touch(self, at: int) -> None:
        """Something of ``at`` became known behind what came before it."""
        self.changed_from = min(self.changed_from, at)

    def is_due(self, window: Window, now: int) -> bool:
        """Whether minutes have passed, or changed, since they were written."""
        end = now // MINUTE_MS
        return any(self._changed_since(vital, window) // MINUTE_MS < end for vital in self._monitored(window))

    def _monitored(self, window: Window) -> set[int]:
        return LONGEST_GAPS.keys() & ({vital for vital, _ in self._devices} | window.samples.keys())

    def rows(self, window: Window, about: Surroundings, now: int) -> list[HourRow]:
        """The hours that have changed since they were written, up to the last whole minute before ``now``, in ms."""
        found: list[HourRow] = []
        for vital in sorted(self._monitored(window)):
            since = max(self._changed_since(vital, window), open_from(now))
            base, end = since // HOUR_MS * MINUTES, now // MINUTE_MS
            if since // MINUTE_MS < end:
                found += _hours(vital, base, self._minutes(vital, window, about, _Range(base, end), now))
        return found

    def written(self, window: Window, now: int) -> None:
        """What ``rows`` gave of ``now`` stands in the table."""
        newest = {vital: samples[-1].at for vital, samples in window.samples.items() if samples}
        self._written = Written(now // MINUTE_MS * MINUTE_MS, newest)
        self.changed_from = NEVER

    def _changed_since(self, vital: int, window: Window) -> int:
        since = min(self._written.until, self.changed_from)
        samples = window.samples.get(vital)
        if samples and samples[-1].at != (known := self._written.newest.get(vital, 0)):
            return min(since, known)
        return since

    def _minutes(self, vital: int, window: Window, about: Surroundings, within: "_Range", now: int) -> list[int]:
        """The bits of a vital within a range, in the order of ``Coverage``."""
        devices = self._seen(vital, window, now)
        if not devices:
            return [0] * len(Coverage)
        decided = within.mask([(min(one.since for one in devices.values()), NEVER)])
        watched = charging = not_worn = 0
        for device_no, known in devices.items():
            gap = _gap_of(vital, is_asked=known.is_asked)
            seen = within.mask((first, last + gap) for first, last in known.runs)
            said = None if known.is_asked else window.wearing.get(device_no)
            if said is not None:
                off = list(said.off_spans())
                off_body = within.mask((first, last) for first, last, _ in off)
                on_charger = within.mask((first, last) for first, last, is_charging in off if is_charging)
                # Before its first reading of the vital a device was no cause of anything.
                since = within.mask([(known.since, NEVER)])
                charging, not_worn, seen = charging | on_charger & since, not_worn | off_body & since, seen & ~off_body
            watched |= seen
        moving = 0
        if vital in about.resting_only:
            moved = (*self._moved, *window.movement.spans)
            moving = within.mask((first, last + COVERS_MS) for first, last in moved)
        longest = max(LONGEST_GAPS[vital])
        heard_for = min(HEARD_MS, LONGEST_GAPS[vital].worn_ms)
        heard = within.mask((first, last + heard_for) for first, last in about.heard)
        poor = within.mask((first, last + longest) for first, last in self._poor.get(vital, ()))
        bits, left = [watched & ~moving], decided & ~(watched & ~moving)
        for cause in (charging, not_worn, moving, poor, ~heard):
            bits.append(cause & left)
            left &= ~cause
        return [one & decided for one in (*bits, left)]

    def spans(self, vital: int, window: Window, now: int) -> tuple[list[WatchedSpan], bool]:
        """When each device watched a vital in the open hours, and whether one that is worn is monitored."""
        devices = self._seen(vital, window, now)
        found: list[WatchedSpan] = []
        for device_no, known in devices.items():
            gap = _gap_of(vital, is_asked=known.is_asked)
            said = None if known.is_asked else window.wearing.get(device_no)
            off = [(first, last) for first, last, _ in said.off_spans()] if said else []
            for first, last in known.runs:
                # Of what lies before, more or less may be kept.
                seen = _without(max(first, open_from(now)), last + gap, off)
                found += [WatchedSpan(*one, device_no) for one in seen]
        return found, any(not known.is_asked for known in devices.values())

    def worn_devices(self, vital: int, window: Window) -> set[int]:
        """The numbers of the worn devices that have measured a vital."""
        seen = {device_no for (one, device_no), known in self._devices.items() if one == vital and not known.is_asked}
        return seen | {one.device_no for one in window.samples.get(vital, ()) if not one.is_spot}

    def count(self, vital: int, window: Window, around: Surroundings, times: tuple[int, int]) -> list[int]:
        """How many minutes between two times were what, in the order of ``Coverage``."""
        base, end = (one // MINUTE_MS for one in times)
        return [bits.bit_count() for bits in self._minutes(vital, window, around, _Range(base, end), times[1])]

    def _seen(self, vital: int, window: Window, now: int) -> dict[int, Known]:
        """Who measures a vital, by device number; nobody where it is not monitored."""
        found = {device_no: known for (one, device_no), known in self._devices.items() if one == vital}
        samples = window.samples.get(vital, [])
        if window.off:
            samples = [one for one in samples if window.is_usable(one)]
        for (_, device_no), known in _runs_of(samples).items():
            kept = found.get(device_no)
            found[device_no] = kept.joined(known, _gap_of(vital, is_asked=known.is_asked)) if kept else known
        return {device_no: known for device_no, known in found.items() if known.runs[-1][1] + MONITORED_MS > now}

    def forget(self, newest: int) -> None:
        """Drops what changes no minute any more; ``newest`` is when the home was heard last, in ms."""
        begins = open_from(newest)
        for (vital, device_no), known in list(self._devices.items()):
            # A week more, in which something may still come late that is of the same time.
            if known.runs[-1][1] + 2 * MONITORED_MS <= newest:
                del self._devices[vital, device_no]
                continue
            # The last run says how long the vital has been monitored.
            ended = [one for one in known.runs[:-1] if one[1] + _gap_of(vital, is_asked=known.is_asked) > begins]
            known.runs = _clipped([*ended, known.runs[-1]], begins)
        for vital, spans in list(self._poor.items()):
            self._poor[vital] = _clipped([one for one in spans if one[1] + max(LONGEST_GAPS[vital]) > begins], begins)
            if not self._poor[vital]:
                del self._poor[vital]
        self._moved = _clipped([one for one in self._moved if one[1] + COVERS_MS > begins], begins)

    def to_plain(self) -> dict[str, Any]:
        """As plain values; empty where nothing is known."""
        parts = {
            "seen": [
                [VITAL_BY_NUMBER[vital].code, device_no, int(known.is_asked), known.since, known.runs]
                for (vital, device_no), known in sorted(self._devices.items(), key=lambda one: one[0])
            ],
            "poor": [[VITAL_BY_NUMBER[vital].code, spans] for vital, spans in sorted(self._poor.items())],
            "moved": self._moved,
        }
        return {name: part for name, part in parts.items() if part}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any], window: Window, newest: int) -> "CoverageLedger":
        """What ``to_plain`` wrote. The table holds what was known when the home was last heard, at ``newest``."""
        found = cls()
        found._devices = {
            (VITAL_BY_CODE[code].number, device_no): Known(bool(is_asked), since, [list(one) for one in runs])
            for code, device_no, is_asked, since, runs in plain.get("seen", ())
        }
        found._poor = {
            VITAL_BY_CODE[code].number: [list(one) for one in spans] for code, spans in plain.get("poor", ())
        }
        found._moved = [list(one) for one in plain.get("moved", ())]
        found.written(window, newest)
        return found


class _Range(NamedTuple):
    """Minutes from ``base`` to ``end``. A minute is what holds at its very end, so what begins within it fills it."""

    base: int
    end: int

    def mask(self, spans: Iterable[tuple[int, int]]) -> int:
        """The minutes whose ends lie in one of ``[begin, end)``, in ms; the lowest bit is the first minute."""
        bits = 0
        for begin, end in spans:
            first = max(begin // MINUTE_MS, self.base) - self.base
            after = min(end // MINUTE_MS, self.end) - self.base
            if after > first:
                bits |= (1 << after) - (1 << first)
        return bits


def _hours(vital: int, base: int, minutes: Sequence[int]) -> list[HourRow]:
    found = []
    for start in range(0, max(one.bit_length() for one in minutes), MINUTES):
        bits = tuple(one >> start & (1 << MINUTES) - 1 for one in minutes)
        if any(bits):
            found.append(HourRow(vital, (base + start) * MINUTE_MS, bits))
    return found


def open_from(newest: int) -> int:
    """When the oldest hour begins that can still change, in ms."""
    return (newest // HOUR_MS - OPEN_HOURS + 1) * HOUR_MS


def _gap_of(vital: int, *, is_asked: bool) -> int:
    gaps = LONGEST_GAPS[vital]
    return gaps.asked_ms if is_asked else gaps.worn_ms


def _runs_of(samples: Sequence[Sample]) -> dict[tuple[int, int], Known]:
    """Samples of one vital, in order, by device; those that watch nothing left out."""
    found: dict[tuple[int, int], Known] = {}
    # Nearly always they are one run.
    if samples and not any(flags & SPEAKS_FOR_NOTHING for flags in {one[7] for one in samples}):
        first, last, is_asked = samples[0], samples[-1], samples[0].is_spot
        if last.at - first.at < _gap_of(last.vital, is_asked=is_asked) and len({one[2] for one in samples}) == 1:
            return {(last.vital, last.device_no): Known(is_asked, first.at, [[first.at, last.at]])}
    for sample in samples:
        vital, device_no, at = sample[6], sample[2], sample[0]
        known = found.get((vital, device_no))
        if known is None:
            is_asked = sample[9] in SPOT_TYPES
            if _gap_of(vital, is_asked=is_asked) and not sample[7] & SPEAKS_FOR_NOTHING:
                found[vital, device_no] = Known(is_asked, at, [[at, at]])
            continue
        if sample[7] & SPEAKS_FOR_NOTHING:
            continue
        if at - known.runs[-1][1] < _gap_of(vital, is_asked=known.is_asked):
            known.runs[-1][1] = at
        elif at - known.runs[-1][1] >= MONITORED_MS:
            found[vital, device_no] = Known(known.is_asked, at, [[at, at]])
        else:
            known.runs.append([at, at])
    return found


def _join(spans: Spans, first: int, last: int, gap: int) -> None:
    """Adds a span; those less than ``gap`` apart become one."""
    if not spans or first - spans[-1][1] >= gap:
        spans.append([first, last])
        return
    place = bisect_right(spans, [first, NEVER])
    begin = end = place
    while begin and first - spans[begin - 1][1] < gap:
        begin -= 1
    while end < len(spans) and spans[end][0] - last < gap:
        end += 1
    near = spans[begin:end]
    spans[begin:end] = [[min([first, *(one[0] for one in near)]), max([last, *(one[1] for one in near)])]]


def _without(first: int, last: int, off: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """What is left of a span without those of ``off``, which are in order."""
    for begin, end in off:
        if begin >= last:
            break
        if begin > first:
            yield first, begin
        first = max(first, end)
    if first < last:
        yield first, last


def _clipped(spans: Spans, begins: int) -> Spans:
    """What lies before ``begins`` says no more than that something was there."""
    return [[max(first, min(last, begins)), last] for first, last in spans]
