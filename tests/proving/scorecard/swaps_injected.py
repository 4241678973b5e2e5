"""Swaps put into what people measured: a number in another unit, or a room-mate's reading; and what becomes of each."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

import numpy as np

from schemas.default_limits import DEFAULT_LIMITS
from schemas.validity import VALUE_RULES
from schemas.vitals import VITAL_BY_NUMBER
from services.score.models.own_band import (
    DAY_MS,
    GUARDED,
    LEAST_DAYS,
    LEAST_VALUES,
    MOST_VALUES,
    Doubt,
    OwnBands,
    Values,
    judge,
)
from services.score.models.urgent_values import can_call_for_help
from services.score.sample import Sample
from services.score.weight import is_somebody_else
from tests.proving.scorecard.measured_streams import Measurement, Stream, Streams

LIMITS: Final = tuple(one.limits for one in DEFAULT_LIMITS)
"""Everybody's, and those of each condition: what calls for help of anybody is never held here."""
_OWN_SHARE: Final = (2.5, 97.5)
"""Between these percentiles lies a person's own range, over their whole recording."""


_OUTLIER: Final = 3.5
_LATEST_MS: Final = 14 * DAY_MS
_MOST_REPEATS: Final = 500
"""After so many draws that were known already there are no others."""


class Fate(StrEnum):
    """What became of a swapped reading. ``SCORED``: doubted, and scored all the same, since it may call for help."""

    REJECTED = "rejected"
    HELD = "held"
    SCORED = "scored"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of swap in readings of a device: the value comes as ``times`` it plus ``offset``.

    ``times`` 0: a room-mate's reading, as it is.
    """

    name: str
    device: str
    times: float = 0.0
    offset: float = 0.0

    @property
    def is_unit(self) -> bool:
        """Whether the number is in another unit."""
        return self.times > 0

    def as_sent(self, values: Values) -> Values:
        """What comes of values in their own unit."""
        if not self.is_unit:
            return values
        return {vital: value * self.times + self.offset for vital, value in values.items()}

    def is_in_range(self, values: Values) -> bool:
        """Whether ingest lets it through."""
        rules = VALUE_RULES[self.device]
        return all(
            rules[VITAL_BY_NUMBER[vital].code].lowest <= value <= rules[VITAL_BY_NUMBER[vital].code].highest
            for vital, value in values.items()
        )


class Swap(NamedTuple):
    """A reading of ``source`` that comes as one of ``person``'s; of a unit, both are the same person."""

    kind: Kind
    person: str
    source: str
    measured: Measurement


class Judged(NamedTuple):
    """What became of a swap. ``calls``: its value may call for help; ``among``: of so many of the person's readings."""

    swap: Swap
    fate: Fate
    among: int
    calls: bool = False


Guard = Callable[[Measurement, OwnBands, OwnBands | None, Stream], Doubt | bool | None]
"""Whether a measurement is doubted, by the person's bands and a room-mate's, and by what came of the person before."""


def guard(much_better: float) -> Guard:
    """What HearthBeat runs, with that evidence."""

    def _guard(one: Measurement, own: OwnBands, other: OwnBands | None, _before: Stream) -> Doubt | None:
        others = {} if other is None else {1: other.bands(one.values, one.at)}
        return judge(one.values, own.bands(one.values, one.at), others, much_better=much_better)

    return _guard


def outlier(one: Measurement, own: OwnBands, _other: OwnBands | None, _before: Stream) -> bool:
    """A rival: whatever lies 3.5 spreads off the own median (Iglewicz and Hoaglin 1993), whoever it fits."""
    bands = own.bands(one.values, one.at)
    return any(
        abs(GUARDED[vital].place(one.values[vital]) - band.centre) >= _OUTLIER * band.spread
        for vital, band in bands.items()
    )


def five_kilograms(one: Measurement, _own: OwnBands, _other: OwnBands | None, before: Stream) -> bool:
    """A rival: 5 kg in a day, or off the last week's median, is another person on the scale."""
    week = [_sample(earlier) for earlier in before if earlier.at >= one.at - 7 * DAY_MS]
    return is_somebody_else(week, _sample(one))


def _sample(one: Measurement) -> Sample:
    return Sample(one.at, next(iter(one.values.values())), 1, 1, 0, 0)


@dataclass(frozen=True, slots=True)
class Played:
    """A person's own readings beside a room-mate's: how many were judged, doubted and held, over how many days."""

    judged: int
    held: int
    doubted: int
    days: float


def play(person: Stream, mate: Stream, doubts: Guard) -> Played:
    """A person's readings as they came, with no swap among them: whatever is held is a false hold."""
    own, other = OwnBands(), OwnBands()
    judged = held = doubted = 0
    events = sorted([(one.at, 0, one) for one in mate] + [(one.at, 1, one) for one in person], key=lambda one: one[:2])
    before: list[Measurement] = []
    for at, is_persons, one in events:
        if not is_persons:
            other.take(one.values, at)
            continue
        if not own.bands(one.values, at):
            own.take(one.values, at)
            before.append(one)
            continue
        judged += 1
        doubt = doubts(one, own, other, before)
        doubted += bool(doubt)
        if doubt and not can_call_for_help(one.values, LIMITS) and not own.is_worn_out(one.values, one.at):
            held += 1
            if isinstance(doubt, Doubt):
                own.hold(one.values, doubt, one.at)
                continue
        own.take(one.values, at)
        before.append(one)
    days = (person[-1].at - person[0].at) / DAY_MS if person else 0.0
    return Played(judged, held, doubted, days)


def evidence_of(person: Stream, mate: Stream, least: float) -> list[float]:
    """How many times likelier something else was, of each own reading that was doubted by ``least``."""
    found: list[float] = []

    def _note(one: Measurement, own: OwnBands, other: OwnBands | None, before: Stream) -> None:
        doubt = guard(least)(one, own, other, before)
        if isinstance(doubt, Doubt) and not can_call_for_help(one.values, LIMITS):
            found.append(doubt.times_better)

    play(person, mate, _note)
    return found


def known_until(stream: Stream, at: int) -> tuple[OwnBands, Stream]:
    """What is known of a person before ``at``, and the readings it comes of."""
    before = stream[: bisect_left(stream, at, key=_at)]
    bands = OwnBands()
    for one in before[-MOST_VALUES:]:
        bands.take(one.values, one.at)
    return bands, before


def fate_of(swap: Swap, streams: Streams, doubts: Guard) -> Judged:
    """What becomes of a swap."""
    at, kind = swap.measured.at, swap.kind
    own, before = known_until(streams[swap.person], at)
    other = None if kind.is_unit else known_until(streams[swap.source], at)[0]
    sent = Measurement(at, kind.as_sent(swap.measured.values))
    if not kind.is_in_range(sent.values):
        return Judged(swap, Fate.REJECTED, len(before))
    calls = can_call_for_help(sent.values, LIMITS)
    if not doubts(sent, own, other, before):
        return Judged(swap, Fate.MISSED, len(before), calls)
    return Judged(swap, Fate.SCORED if calls else Fate.HELD, len(before), calls)


def draws(kind: Kind, streams: Streams, rng: np.random.Generator, *, noticed: bool) -> Iterator[Swap]:
    """Different swaps, as long as there are some: two people, each two as likely, and a reading once both have a band.

    ``noticed``: only of two whose own ranges lie apart. A moment counts up to two weeks after the person's last one.
    """
    people = [name for name in sorted(streams) if first_judged(streams[name]) is not None]
    pairs = [(one, one) for one in people] if kind.is_unit else [(a, b) for a in people for b in people if a != b]
    if noticed and not kind.is_unit:
        ranges = {name: own_ranges(streams[name]) for name in people}
        pairs = [(a, b) for a, b in pairs if lie_apart(ranges[a], ranges[b])]
    usable = {}
    for pair in pairs:
        person, source = pair
        begins = max(first_judged(streams[person]) or 0, first_judged(streams[source]) or 0)
        ends = streams[person][-1].at + _LATEST_MS
        usable[pair] = [one for one in streams[source] if begins < one.at <= ends]
    drawn, known, repeats = [pair for pair in pairs if usable[pair]], set[tuple[str, str, int]](), 0
    while drawn and repeats < _MOST_REPEATS:
        person, source = drawn[rng.integers(len(drawn))]
        measured = usable[person, source][rng.integers(len(usable[person, source]))]
        key = person, source, measured.at
        repeats = repeats + 1 if key in known else 0
        if key not in known:
            known.add(key)
            yield Swap(kind, person, source, measured)


def _at(one: Measurement) -> int:
    return one.at


def first_judged(stream: Stream) -> int | None:
    """From when on there is a band, in ms."""
    days = [one.at // DAY_MS for one in stream]
    for place in range(LEAST_VALUES, len(stream) + 1):
        if len(set(days[:place])) >= LEAST_DAYS:
            return stream[place - 1].at
    return None


def own_ranges(stream: Stream) -> Mapping[int, tuple[float, float]]:
    """Between what a person's values lie, but for 2.5 % on each side, by vital: of the whole recording."""
    vitals = stream[0].values
    ends = {vital: np.percentile([one.values[vital] for one in stream], _OWN_SHARE) for vital in vitals}
    return {vital: (float(low), float(high)) for vital, (low, high) in ends.items()}


def lie_apart(one: Mapping[int, tuple[float, float]], other: Mapping[int, tuple[float, float]]) -> bool:
    """Whether the ranges of some vital do not meet: what a household would notice."""
    return any(one[vital][0] > other[vital][1] or one[vital][1] < other[vital][0] for vital in one)
