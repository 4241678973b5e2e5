"""The section about readings that are not what they say: another unit, another person of the home."""

from collections import Counter, defaultdict
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice, pairwise, zip_longest
from typing import Final

import numpy as np
from matplotlib.axes import Axes

from tests.proving.scorecard.figures import Figure, exact, over_people
from tests.proving.scorecard.measured_streams import Streams, cuffs, meters, scales, thermometers
from tests.proving.scorecard.section import Goal, Line, Plot, Section, Wanted, folds_of
from tests.proving.scorecard.swaps_injected import (
    Fate,
    Guard,
    Judged,
    Kind,
    Played,
    draws,
    evidence_of,
    fate_of,
    first_judged,
    five_kilograms,
    guard,
    lie_apart,
    outlier,
    own_ranges,
    play,
)

KINDS: Final = (
    Kind("weight in pounds, sent as kg", "scale", 2.2046),
    Kind("weight in kg, sent as pounds", "scale", 1 / 2.2046),
    Kind("a room-mate's weight", "scale"),
    Kind("a room-mate's pressure", "pressure_cuff"),
    Kind("glucose in mmol/L, sent as mg/dL", "glucose_meter", 1 / 18.0156),
    Kind("glucose in mg/dL, sent as mmol/L", "glucose_meter", 18.0156),
    Kind("a room-mate's glucose", "glucose_meter"),
    Kind("temperature in Fahrenheit, sent as Celsius", "thermometer", 9 / 5, 32),
    Kind("temperature in Celsius, sent as Fahrenheit", "thermometer", 5 / 9, -160 / 9),
)
SWAPS: Final = 200
MOST_IN_A_PERSON: Final = 5
MATES: Final = 3
"""Beside so many room-mates each person's own readings are judged."""
EVIDENCE: Final = (10.0, 30.0, 100.0, 300.0, 1000.0)
TRUE_HELD: Final = 0.0005
"""So much of the training people's own readings may be held at most: half of the goal."""
_RIVALS: Final = (
    ("far off the own band, whatever explains it", outlier, ("glucose_meter", "pressure_cuff", "scale")),
    ("5 kg in a day or off the week's median", five_kilograms, ("scale",)),
)
_REJECTED: Final = "rejected by range"
_HELD: Final = "held"
_HELD_OF_ALL: Final = "held of all"
_CALLS: Final = "may call for help"
_CHANCE: Final = "chance level"
_OWN_HELD: Final = "own readings held"
_QUESTIONS: Final = "questions a person-month"
_OURS: Final = "own band, and what explains it"


@dataclass(frozen=True, slots=True)
class _Evidence:
    """How much better another explanation has to be: chosen for each fold on the people of the others."""

    by_fold: Sequence[float]
    fold_of: Mapping[str, int]

    def guard(self, person: str) -> Guard:
        """What runs for a person of whom no threshold was chosen."""
        return guard(self.by_fold[self.fold_of[person]])


@dataclass(slots=True)
class _Own:
    """Of each person's own readings, by device: what was judged, held and doubted, summed over room-mates."""

    played: dict[tuple[str, str], list[Played]] = field(default_factory=dict)

    def sums(self, what: str, device: str = "") -> list[float]:
        """One sum a person."""
        return [
            sum(getattr(one, what) for one in played)
            for (of, _), played in sorted(self.played.items())
            if of.startswith(device)
        ]

    def held(self, device: str, seed: int) -> Figure:
        """The share of own readings that are held."""
        return over_people(self.sums("held", device), self.sums("judged", device), seed=seed)

    def questions(self, device: str, seed: int) -> Figure:
        """Questions about own readings, in 30 days of a person."""
        return over_people(self.sums("doubted", device), self.sums("days", device), seed=seed, scale=30)


def swaps(wanted: Wanted) -> Section:
    """Injected swaps of units and of people, and people's own readings. Raises MissingDataError."""
    streams: dict[str, Streams] = {"scale": scales(wanted), "thermometer": thermometers(wanted)}
    if wanted.data is not None:
        streams |= {"glucose_meter": meters(wanted), "pressure_cuff": cuffs(wanted)}
    mates = _mates(streams, wanted.seed)
    wanted.report(0.1)
    evidence = _chosen(streams, mates, wanted)
    wanted.report(0.4)
    own = _own_readings(streams, mates, evidence.guard)
    wanted.report(0.6)
    kinds = [kind for kind in KINDS if kind.device in streams]
    noticed = {kind: _drawn(kind, streams, evidence, wanted, noticed=True) for kind in kinds}
    anybody = {kind: _drawn(kind, streams, evidence, wanted, noticed=False) for kind in kinds}
    counted, every = _share(noticed, _counts), _share(anybody, lambda one: one.fate is not Fate.REJECTED)
    wanted.report(0.9)
    seed = wanted.seed
    summary = {
        "held": _held(counted, seed).value,
        "true_readings_held": own.held("", seed).value,
        "held_of_all": _held(every, seed).value,
        "rejected_by_range": float(np.mean([one.fate is Fate.REJECTED for some in noticed.values() for one in some])),
        "called_for_help": float(np.mean([one.calls for one in every])),
    }
    lines = [_total(counted, every, own, seed)]
    lines += [_line(kind, noticed[kind], anybody[kind], own, seed) for kind in kinds]
    lines += _rivals(streams, mates, counted, seed)
    return Section(
        name="swaps",
        title="Readings that are another unit's, or another person's",
        counted=_COUNTED + _of_whom(counted),
        summary=summary,
        lines=lines,
        goals=(Goal(figure="held", at_least=0.95), Goal(figure="true_readings_held", at_most=0.001)),
        plots=_plots(streams, [one for some in anybody.values() for one in some]),
        details=_details(counted, every, evidence, streams),
    )


_COUNTED: Final = (
    "Meters are continuous monitors of older adults with type 1 diabetes, read about four times a day; cuffs are "
    "recorded; scales and thermometers are simulated (usual weights of older adults, 0.55 kg from day to day, a slow "
    "drift, and a week of water in heart failure for three people of ten). Two people are paired at random as room-"
    "mates, and one reading comes in another unit, or is the room-mate's. It is held if it is kept and moves no rule "
    "until somebody has said whose it is. 200 swaps count, in turn of each kind, five of a kind in one person at "
    "most: ingest lets them through, a household would notice them (the ranges that hold 95 % of the two people's "
    "values do not meet, over the whole recordings) and nobody has to be called for them. 'Of all' counts 200 that "
    "ingest lets through, between any two people, and whatever may call for help as not held: such readings are "
    "scored at once, and the person is asked. Every glucose in mmol/L that ingest takes for mg/dL is one of those, "
    "since it is below 34. People's own readings are judged beside three room-mates each; the evidence that is asked "
    "for is chosen on the people of other folds. Chance: as many holds at random moments. Neither age nor sex is "
    "recorded of these people; nobody's band is known before eight readings of three days; and none of the pairs are "
    "real households, whose members may be more alike."
)


def _of_whom(counted: Sequence[Judged]) -> str:
    """Whose swaps those that count are: how much of the figure rests on recorded people."""
    made_up = {"scale", "thermometer"}
    recorded = [one.swap for one in counted if one.swap.kind.device not in made_up]
    people = len({one.person for one in recorded})
    return (
        f"\n\nOf the {len(counted)} that count {len(counted) - len(recorded)} are of simulated people and"
        f" {len(recorded)} of {people} recorded: most of what real people could swap is rejected by its range, may call"
        " for help, or looks alike."
    )


def _mates(streams: Mapping[str, Streams], seed: int) -> Mapping[tuple[str, str], Sequence[str]]:
    """Room-mates of each person, by device and person."""
    rng, found = np.random.default_rng(seed), {}
    for device, people in sorted(streams.items()):
        for person in sorted(people) if device != "thermometer" else ():
            others = [one for one in sorted(people) if one != person]
            drawn = rng.choice(len(others), min(MATES, len(others)), replace=False) if others else ()
            found[device, person] = [others[place] for place in drawn]
    return found


def _chosen(
    streams: Mapping[str, Streams], mates: Mapping[tuple[str, str], Sequence[str]], wanted: Wanted
) -> _Evidence:
    found: dict[tuple[str, str], list[float]] = {}
    readings: dict[tuple[str, str], int] = {}
    for (device, person), others in mates.items():
        of = streams[device]
        found[device, person] = [one for other in others for one in evidence_of(of[person], of[other], EVIDENCE[0])]
        readings[device, person] = len(of[person]) * len(others)
    folds = folds_of([person for _, person in found], wanted.folds, wanted.seed)
    by_fold = [_least(found, readings, set(fold)) for fold in folds]
    fold_of = {person: number for number, fold in enumerate(folds) for person in fold}
    return _Evidence(by_fold, fold_of | dict.fromkeys(streams["thermometer"], 0))


def _least(
    found: Mapping[tuple[str, str], Sequence[float]], readings: Mapping[tuple[str, str], int], but: Container[str]
) -> float:
    """The mildest evidence by which little enough is held of each device, of people who are not in ``but``."""
    for least in EVIDENCE:
        held, judged = Counter[str](), Counter[str]()
        for (device, person), doubts in found.items():
            if person not in but:
                held[device] += sum(one >= least for one in doubts)
                judged[device] += readings[device, person]
        if all(held[device] <= TRUE_HELD * judged[device] for device in judged):
            return least
    return EVIDENCE[-1]


def _own_readings(
    streams: Mapping[str, Streams], mates: Mapping[tuple[str, str], Sequence[str]], guard_of: Callable[[str], Guard]
) -> _Own:
    own = _Own()
    for (device, person), others in mates.items():
        of = streams[device]
        own.played[device, person] = [play(of[person], of[other], guard_of(person)) for other in others]
    return own


def _drawn(
    kind: Kind, streams: Mapping[str, Streams], evidence: _Evidence, wanted: Wanted, *, noticed: bool
) -> list[Judged]:
    rng = np.random.default_rng((wanted.seed, KINDS.index(kind), noticed))
    of = streams[kind.device]
    drawn = islice(draws(kind, of, rng, noticed=noticed), SWAPS)
    return [fate_of(one, of, evidence.guard(one.person)) for one in drawn]


def _counts(one: Judged) -> bool:
    return one.fate is not Fate.REJECTED and not one.calls


def _share(by_kind: Mapping[Kind, Sequence[Judged]], counts: Callable[[Judged], bool]) -> list[Judged]:
    """200 in turn of each kind that has some left, so that none is preferred; five of a kind in one person at most."""
    waiting = []
    for some in by_kind.values():
        of = Counter[str]()
        waiting.append([one for one in some if counts(one) and _nth(of, one) <= MOST_IN_A_PERSON])
    in_turn = (one for row in zip_longest(*waiting) for one in row if one is not None)
    return list(islice(in_turn, SWAPS))


def _nth(of: Counter[str], one: Judged) -> int:
    of[one.swap.person] += 1
    return of[one.swap.person]


def _over_swaps(some: Sequence[Judged], value: Callable[[Judged], float], seed: int) -> Figure:
    """The mean of a value of swaps, with its interval over the people who got them."""
    sums, counts = defaultdict[str, float](float), Counter[str]()
    for one in some:
        sums[one.swap.person] += value(one)
        counts[one.swap.person] += 1
    people = sorted(counts)
    return over_people([sums[one] for one in people], [counts[one] for one in people], seed=seed)


def _held(some: Sequence[Judged], seed: int) -> Figure:
    return _over_swaps(some, lambda one: one.fate is Fate.HELD, seed)


def _chance(some: Sequence[Judged], own: _Own, seed: int) -> Figure:
    """As many holds at random moments of the same people: how many swaps they would hit."""
    judged, held = own.sums("judged"), own.sums("held")
    rate = sum(held) / max(1.0, sum(judged))
    return _over_swaps(some, lambda one: ((one.fate is Fate.HELD) + rate * one.among) / (one.among + 1), seed)


def _total(counted: Sequence[Judged], every: Sequence[Judged], own: _Own, seed: int) -> Line:
    return Line(
        detector=_OURS,
        group="all",
        is_ours=True,
        figures={
            _HELD: _held(counted, seed),
            _HELD_OF_ALL: _held(every, seed),
            _CALLS: _over_swaps(every, lambda one: one.calls, seed),
            _CHANCE: _chance(counted, own, seed),
            _OWN_HELD: own.held("", seed),
            _QUESTIONS: own.questions("", seed),
        },
    )


def _line(kind: Kind, noticed: Sequence[Judged], anybody: Sequence[Judged], own: _Own, seed: int) -> Line:
    """Of one kind. What is NaN there is none of."""
    through = [one for one in anybody if one.fate is not Fate.REJECTED]
    counted = [one for one in noticed if _counts(one)]
    return Line(
        detector=_OURS,
        group=kind.name,
        is_ours=True,
        figures={
            _REJECTED: _over_swaps(anybody, lambda one: one.fate is Fate.REJECTED, seed),
            _HELD: _held(counted, seed),
            _HELD_OF_ALL: _held(through, seed),
            _CALLS: _over_swaps(through, lambda one: one.calls, seed),
            _CHANCE: _chance(counted, own, seed),
            _OWN_HELD: own.held(kind.device, seed),
            _QUESTIONS: own.questions(kind.device, seed),
        },
    )


def _the_same(rival: Guard, _person: str) -> Guard:
    return rival


def _rivals(
    streams: Mapping[str, Streams], mates: Mapping[tuple[str, str], Sequence[str]], counted: Sequence[Judged], seed: int
) -> list[Line]:
    """The same swaps and the same own readings, by what people would have otherwise."""
    lines = []
    for name, rival, devices in _RIVALS:
        own = _own_readings(streams, {key: mates[key] for key in mates if key[0] in devices}, partial(_the_same, rival))
        some = [one.swap for one in counted if one.swap.kind.device in devices]
        fates = [fate_of(one, streams[one.kind.device], rival) for one in some]
        figures = {_HELD: _held(fates, seed), _OWN_HELD: own.held("", seed), _QUESTIONS: own.questions("", seed)}
        lines.append(Line(detector=name, group="all" if len(devices) > 1 else "weight", figures=figures))
    return [*lines, Line(detector="ingest's ranges alone", group="all", figures={_HELD: exact(0), _OWN_HELD: exact(0)})]


def _plots(streams: Mapping[str, Streams], anybody: Sequence[Judged]) -> Sequence[Plot]:
    """How alike two people may be; and what becomes of each kind."""
    scale = [one for one in anybody if one.swap.kind.name == "a room-mate's weight"]
    usual = {
        name: float(np.median([next(iter(one.values.values())) for one in some]))
        for name, some in streams["scale"].items()
    }

    def _by_difference(axes: Axes) -> None:
        apart = np.array([abs(usual[one.swap.person] - usual[one.swap.source]) for one in scale])
        held = np.array([one.fate is Fate.HELD for one in scale])
        edges = np.array([0, 2, 4, 6, 8, 12, 20, 40])
        shares = [
            held[(apart >= low) & (apart < high)].mean() if ((apart >= low) & (apart < high)).any() else np.nan
            for low, high in pairwise(edges)
        ]
        axes.plot((edges[:-1] + edges[1:]) / 2, shares, marker="o")
        axes.set_xlabel("difference of the two people's usual weights, kg")
        axes.set_ylabel("share of swaps held")
        axes.set_ylim(0, 1.05)

    caption = "A room-mate's weight is held once the two people's usual weights lie some kilograms apart (simulated)."
    return (Plot(name="swaps_by_difference", caption=caption, draw=_by_difference),)


def _details(
    counted: Sequence[Judged], every: Sequence[Judged], evidence: _Evidence, streams: Mapping[str, Streams]
) -> Mapping[str, object]:
    ranges = {device: {name: own_ranges(some) for name, some in people.items()} for device, people in streams.items()}

    def _overlaps(one: Judged) -> bool:
        of = ranges[one.swap.kind.device]
        return not one.swap.kind.is_unit and not lie_apart(of[one.swap.person], of[one.swap.source])

    return {
        "evidence_by_fold": list(evidence.by_fold),
        "people_with_a_band": {
            device: sum(first_judged(some) is not None for some in people.values())
            for device, people in streams.items()
        },
        "people_in_swaps": {
            kind.name: len({one.swap.person for one in counted if one.swap.kind == kind}) for kind in KINDS
        },
        "swaps_by_kind": dict(Counter(one.swap.kind.name for one in counted)),
        "swaps_of_all_by_kind": dict(Counter(one.swap.kind.name for one in every)),
        "of_all_between_people_alike": sum(map(_overlaps, every)),
        "of_all_that_may_call_for_help": sum(one.calls for one in every),
    }
