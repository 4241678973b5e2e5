"""Whose reading it is: a person's own band of a vital, and what explains a reading far off it: a unit, or a room-mate.

Only of devices that somebody uses and that several people of a home may use: what is worn measures its wearer.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import copysign, exp, log, log1p, sqrt
from statistics import median
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from schemas.vitals import DIASTOLIC, GLUCOSE, SYSTOLIC, VITAL_BY_CODE, VITAL_BY_NUMBER, WEIGHT

DAY_MS: Final = 24 * 3_600_000
MOST_VALUES: Final = 32
"""So many values of a vital are kept, the newest: 512 bytes."""
KEPT_DAYS: Final = 60
"""No older ones: a band of last year says nothing of a reading of today."""
LEAST_VALUES: Final = 8
LEAST_DAYS: Final = 3
"""So many values, of as many days, make a band: fewer say what one sitting was like."""
FAR: Final = 3.0
"""So many robust spreads off the own centre, or more, is far: of several vitals, by the root of the sum of squares."""
NEAR: Final = 4.0
"""So many off another band at most, and it may be of that: what is far off everybody is nobody else's either."""
MUCH_BETTER: Final = 30.0
"""So many times likelier has the other story to be: very strong evidence (Jeffreys, Theory of Probability, 1961)."""
MOST_IN_A_ROW: Final = 3
"""After so many that were held as another person's, without one of their own between, the next one is believed.

Somebody may really have changed, and nobody may be there to answer: what is held for ever is not watched.
"""
LIKE: Final = 2.0
"""So many usual spreads off a reading that was confirmed, or fewer, is like it. Ours."""
ASKED_FOR_MS: Final = 15 * 60_000
"""So long after a measurement an answer is one to "Is this yours?", as of asks (``OPEN_MS``)."""
_TAILS: Final = 8.0
"""Degrees of freedom of the distribution of readings round their centre: its tails make outliers of the own story."""
_MOST_LOG: Final = 700.0
_MAD_TO_SPREAD: Final = 1.4826
_USUAL_COUNTS: Final = 8
"""The spread that is usual of everybody counts as so many values of the person's own."""
_BELIEVED_OFF: Final = 2.0
"""So far off at most is what is believed for its nearness to the newest value."""


class Reason(StrEnum):
    """What explains a reading better than that it is this person's."""

    UNIT = "unit"
    PERSON = "person"


class Unit(NamedTuple):
    """A mistake of units that ingest can't see: ``times`` the value that came is what was meant.

    ``code`` (UCUM) is what the number is in, though it came as something else.
    """

    code: str
    times: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """How a vital's bands are made, in its unit; of a ratio in the natural logarithm of it.

    ``usual_spread``: everybody's, which few values of the person's own move little. ``wander_a_day``: spread that comes
    with a day without a reading, growing with its square root. ``believed`` and ``believed_a_day``: a change from the
    newest value that is the person's own story, in the vital's unit, at once and for each day since it.
    """

    vital: int
    is_ratio: bool
    usual_spread: float
    wander_a_day: float
    units: tuple[Unit, ...] = ()
    believed: float = 0.0
    believed_a_day: float = 0.0
    rationale: str = ""

    def place(self, value: float) -> float:
        """Where a value in the vital's unit lies on the scale of its band."""
        return log(value) if self.is_ratio else value


_POUNDS: Final = 2.2046
_MG_A_MMOL: Final = 18.0156
GUARDED: Final[Mapping[int, Guarded]] = MappingProxyType(
    {
        one.vital: one
        for one in (
            Guarded(
                vital=WEIGHT.number,
                is_ratio=True,
                usual_spread=0.0125,
                wander_a_day=0.004,
                units=(Unit("[lb_av]", 1 / _POUNDS), Unit("kg", _POUNDS)),
                believed=2.0,
                believed_a_day=1.0,
                rationale=(
                    "A kilogram from day to day is clothes and meals. Water comes faster than any other weight: with"
                    " heart failure 2 kg in 3 days are alarming (ESC), so 2 kg at once are believed, and 1 kg more a"
                    " day. Ours, to be confirmed by a clinician."
                ),
            ),
            Guarded(
                vital=GLUCOSE.number,
                is_ratio=True,
                usual_spread=0.35,
                wander_a_day=0.02,
                units=(Unit("mmol/L", _MG_A_MMOL),),
                rationale=(
                    "1 mmol/L of glucose are 18.0156 mg/dL. Of the other direction, mg/dL sent as mmol/L, ingest lets"
                    " nothing through that is usual of anybody: it is above 600 mg/dL. Ours."
                ),
            ),
            Guarded(
                vital=SYSTOLIC.number,
                is_ratio=False,
                usual_spread=8.0,
                wander_a_day=1.0,
                rationale="About what a pressure varies by between sittings at home. Ours.",
            ),
            Guarded(
                vital=DIASTOLIC.number,
                is_ratio=False,
                usual_spread=6.0,
                wander_a_day=0.7,
                rationale="As systolic. Ours.",
            ),
        )
    }
)
"""The vitals that are guarded, by number.

Not body temperature: what is degrees Fahrenheit as Celsius, or the other way round, ingest rejects, and the bands of
two people are the same. Not oximetry: well people are all alike, so another's reading explains every recovery.
"""


class Band(NamedTuple):
    """Where a person's readings of a vital lie, on its scale (``Guarded.place``), seen from a moment.

    ``newest`` is the last reading in the vital's unit, ``days_since`` that one.
    """

    centre: float
    spread: float
    newest: float
    days_since: float


Bands = Mapping[int, Band]
"""Of one person, by the number of the vital."""
Values = Mapping[int, float]
"""One measurement: the value of each guarded vital in its unit, by the vital's number."""


class Doubt(NamedTuple):
    """A reading is likelier something else: another unit of the same person's, or a room-mate's.

    ``unit``: what the number is in, "" of a room-mate. ``person_no``: whose, 0 of a unit. ``meant``: what is likely
    meant, by vital in its unit. ``times_better``: how many times likelier than that it is this person's.
    """

    reason: Reason
    unit: str
    person_no: int
    meant: Values
    times_better: float


@dataclass(slots=True)
class OwnValues:
    """A person's newest values of a vital in its unit, in the order of their moments in ms."""

    at: "array[int]" = field(default_factory=lambda: array("q"))
    values: "array[float]" = field(default_factory=lambda: array("d"))

    def take(self, value: float, at: int) -> None:
        """A reading that is theirs, in whatever order they come; a second one of the same moment changes nothing."""
        place = bisect_left(self.at, at)
        if place < len(self.at) and self.at[place] == at:
            return
        self.at.insert(place, at)
        self.values.insert(place, value)
        excess = max(0, len(self.at) - MOST_VALUES)
        while self.at[excess] < self.at[-1] - KEPT_DAYS * DAY_MS:
            excess += 1
        del self.at[:excess], self.values[:excess]

    def band(self, guarded: Guarded, at: int) -> Band | None:
        """The band that they make, seen from ``at``; None while they are too few."""
        known = [
            (one, value) for one, value in zip(self.at, self.values, strict=True) if one >= at - KEPT_DAYS * DAY_MS
        ]
        if len(known) < LEAST_VALUES or len({one // DAY_MS for one, _ in known}) < LEAST_DAYS:
            return None
        places = [guarded.place(value) for _, value in known]
        centre = median(places)
        count, own = len(places), _MAD_TO_SPREAD * median(abs(one - centre) for one in places)
        square = (count * own**2 + _USUAL_COUNTS * guarded.usual_spread**2) / (count + _USUAL_COUNTS)
        newest_at, newest = known[-1]
        days = max(0, at - newest_at) / DAY_MS
        spread = sqrt(square * (1 + 1 / count) + guarded.wander_a_day**2 * days)
        return Band(centre, spread, newest, days)


@dataclass(slots=True)
class OwnBands:
    """Of one person, by the number of the vital: values; what was held in a row as a room-mate's; what was confirmed.

    ``held_in_a_row``: the moments of these readings, in ms: the same one again, under another number, is no second one.
    ``confirmed``: moment and value of the newest one far off the band that is theirs after all.
    ``asked``: moment and values of the newest measurement of which they were asked whether it is theirs.
    """

    values: dict[int, OwnValues] = field(default_factory=dict)
    held_in_a_row: dict[int, list[int]] = field(default_factory=dict)
    confirmed: dict[int, tuple[int, float]] = field(default_factory=dict)
    asked: tuple[int, dict[int, float]] | None = None

    def take(self, measured: Values, at: int) -> None:
        """A measurement of the person's own."""
        for vital, value in measured.items():
            self.values.setdefault(vital, OwnValues()).take(value, at)
            self.held_in_a_row.pop(vital, None)

    def has(self, measured: Values, at: int) -> bool:
        """Whether a measurement of ``at`` was taken as theirs already."""
        return all(vital in self.values and at in self.values[vital].at for vital in measured)

    def hold(self, measured: Iterable[int], doubt: Doubt, at: int) -> None:
        """A measurement of these vitals, of ``at``, is held for ``doubt``."""
        if doubt.reason is Reason.PERSON:
            for vital in measured:
                held = self.held_in_a_row.setdefault(vital, [])
                if at not in held:
                    held.append(at)

    def is_worn_out(self, measured: Iterable[int], at: int) -> bool:
        """Whether so many were held in a row as a room-mate's that the next one, of ``at``, is believed.

        One of them, sent again, is none of them the less: it stays held.
        """
        held = [self.held_in_a_row.get(vital, ()) for vital in measured]
        return any(len(one) >= MOST_IN_A_ROW for one in held) and not any(at in one for one in held)

    def ask(self, measured: Values, at: int) -> None:
        """They are asked whether a measurement is theirs; while the same vital waits for an answer, not again."""
        if self.asked is None or not 0 <= at - self.asked[0] < ASKED_FOR_MS or measured.keys() != self.asked[1].keys():
            self.asked = at, dict(measured)

    def hear(self, said_at: int, *, is_mine: bool) -> None:
        """What they answered at ``said_at``, in ms, to what they were asked last; it answers one ask."""
        if self.asked is None or not 0 <= said_at - self.asked[0] <= ASKED_FOR_MS:
            return
        (at, measured), self.asked = self.asked, None
        if is_mine:
            self.confirm(measured, at)

    def confirm(self, measured: Values, at: int) -> None:
        """A measurement that was doubted is theirs after all: the next like it is not doubted again."""
        self.take(measured, at)
        for vital, value in measured.items():
            self.confirmed[vital] = max(self.confirmed.get(vital, (at, value)), (at, value))

    def is_confirmed(self, measured: Values, at: int) -> bool:
        """Whether it is like one that was confirmed lately, in all that it has."""
        return all(
            vital in self.confirmed
            and at - self.confirmed[vital][0] <= KEPT_DAYS * DAY_MS
            and abs(_apart(vital, value, self.confirmed[vital][1])) <= LIKE * GUARDED[vital].usual_spread
            for vital, value in measured.items()
        )

    def bands(self, vitals: Iterable[int], at: int) -> dict[int, Band]:
        """The bands of these vitals that there are, seen from ``at``."""
        found = {vital: self.values[vital].band(GUARDED[vital], at) for vital in vitals if vital in self.values}
        return {vital: band for vital, band in found.items() if band is not None}

    def to_plain(self) -> dict[str, Any]:
        """As plain values; the same for the same readings."""
        if not self.values:
            return {}
        return {
            "values": {
                VITAL_BY_NUMBER[vital].code: [
                    kept.at.tolist(), kept.values.tolist(), list(self.held_in_a_row.get(vital, ())),
                    list(self.confirmed.get(vital, ())),
                ]
                for vital, kept in sorted(self.values.items())
            },
            "asked": None if self.asked is None else [
                self.asked[0], {VITAL_BY_NUMBER[vital].code: value for vital, value in sorted(self.asked[1].items())}
            ],
        }  # fmt: skip

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "OwnBands":
        """What ``to_plain`` wrote."""
        found = cls()
        for code, (at, values, in_a_row, confirmed) in plain.get("values", {}).items():
            vital = VITAL_BY_CODE[code].number
            found.values[vital] = OwnValues(array("q", at), array("d", values))
            if in_a_row:
                found.held_in_a_row[vital] = list(in_a_row)
            if confirmed:
                found.confirmed[vital] = (confirmed[0], confirmed[1])
        if asked := plain.get("asked"):
            found.asked = asked[0], {VITAL_BY_CODE[code].number: value for code, value in asked[1].items()}
        return found


def judge(
    measured: Values, own: Bands, others: Mapping[int, Bands], *, much_better: float = MUCH_BETTER
) -> Doubt | None:
    """What explains a measurement much better than that it is this person's; None where nothing does.

    ``others``: the bands of the other people of the home, by person number. Doubted is what lies far off the own band,
    and not far off another explanation, which is ``much_better`` times likelier at least. An extreme value that nothing
    else explains is the person's, however extreme it is.

    Whether it may be held is another question: see ``can_call_for_help`` of ``services.score.models.urgent_values``.
    """
    known = {vital: value for vital, value in measured.items() if vital in own}
    if not known or all(_is_believed(vital, value, own[vital]) for vital, value in known.items()):
        return None
    found = [*_as_units(known, own), *_as_others(known, own, others)]
    likeliest = max(found, key=lambda one: (one.times_better, -one.person_no), default=None)
    return likeliest if likeliest is not None and likeliest.times_better >= much_better else None


def _apart(vital: int, value: float, other: float) -> float:
    """How far two values of a vital lie apart on the scale of its band."""
    return GUARDED[vital].place(value) - GUARDED[vital].place(other)


def _is_believed(vital: int, value: float, band: Band) -> bool:
    """Whether it is so near to the newest one that it is the person's own story."""
    guarded = GUARDED[vital]
    return abs(value - band.newest) <= guarded.believed + guarded.believed_a_day * band.days_since


def _off(measured: Values, bands: Bands) -> dict[int, float]:
    """By how many spreads each value is off its band; what is believed is not far off."""
    found = {}
    for vital, value in measured.items():
        band = bands[vital]
        off = (GUARDED[vital].place(value) - band.centre) / band.spread
        found[vital] = copysign(min(abs(off), _BELIEVED_OFF), off) if _is_believed(vital, value, band) else off
    return found


def _explained(measured: Values, own: Bands, meant: Values, bands: Bands) -> float | None:
    """How many times likelier ``meant`` is of ``bands`` than ``measured`` of ``own``; None where it isn't far off."""
    far, near = _squares(measured, own), _squares(meant, bands)
    if far < FAR**2 or near > NEAR**2:
        return None
    return exp(min(_MOST_LOG, _log_density(near, meant, bands) - _log_density(far, measured, own)))


def _squares(measured: Values, bands: Bands) -> float:
    return sum(off**2 for off in _off(measured, bands).values())


def _log_density(squares: float, vitals: Iterable[int], bands: Bands) -> float:
    """Of a measurement so far off, but for what is the same of all: Student's t of as many dimensions as vitals."""
    spreads = [bands[vital].spread for vital in vitals]
    return -sum(map(log, spreads)) - (_TAILS + len(spreads)) / 2 * log1p(squares / _TAILS)


def _as_units(measured: Values, own: Bands) -> Iterable[Doubt]:
    """Each unit that a measurement of one vital may have been in."""
    for vital, value in measured.items() if len(measured) == 1 else ():
        for unit in GUARDED[vital].units:
            meant = value * unit.times
            better = _explained(measured, own, {vital: meant}, own)
            if better is not None:
                yield Doubt(Reason.UNIT, unit.code, 0, {vital: meant}, better)


def _as_others(measured: Values, own: Bands, others: Mapping[int, Bands]) -> Iterable[Doubt]:
    """Each other person that a measurement may be of, by the vitals that are known of both."""
    for person_no, bands in others.items():
        both = {vital: value for vital, value in measured.items() if vital in bands}
        better = _explained(both, own, both, bands) if both else None
        if better is not None:
            yield Doubt(Reason.PERSON, "", person_no, dict(measured), better)
