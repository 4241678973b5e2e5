"""What was said of a home beside what happened there: found, found in time, near-misses that alerted, false alerts."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from schemas.alerts import Severity
from tests.proving.scorecard.happenings import FORECAST, FORESEES_MS, Happening
from tests.proving.scorecard.said import Episode

NOTHING: Final = "nothing"
NEAR_MISS: Final = "near-miss"
_EXAMPLES: Final = 5
_MORE: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        **dict.fromkeys(
            ("heart_rate", "spo2", "respiratory_rate", "temperature", "blood_pressure", "weight", "news2"),
            frozenset({"anomaly", "baseline"}),
        ),
        "glucose_low": frozenset({FORECAST}),
    }
)
"""Which rules see an illness as a whole, or see it come: they may say more of what these rules are asked for."""


@dataclass(slots=True)
class Tally:
    """Of one kind: how many there were, how many were found, and how many of these by when they were due."""

    there: int = 0
    found: int = 0
    in_time: int = 0
    severity: Severity = Severity.TECHNICAL


def _none() -> list[int]:
    """By name, so that outcomes may go from process to process."""
    return [0, 0]


@dataclass(slots=True, kw_only=True)
class Outcome:
    """Of a home over ``days``. ``near`` by kind: near-misses, and those of which something was said.

    ``confusion``: what there was and what was said, by rule; "near-miss" or "nothing" where there was none of it.
    """

    days: float = 0.0
    kinds: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    near: dict[str, list[int]] = field(default_factory=lambda: defaultdict(_none))
    false: Counter[str] = field(default_factory=Counter)
    confusion: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    @property
    def false_alerts(self) -> int:
        """Episodes that nothing explains, those of near-misses among them."""
        return self.false.total()


def outcome_of(happened: Sequence[Happening], episodes: Sequence[Episode], days: float) -> Outcome:
    """The verdict on a home, or on one of its people."""
    outcome = Outcome(days=days)
    explained: set[int] = set()
    for one in happened:
        if not one.near_miss:
            explained.update(place for place, episode in enumerate(episodes) if _speaks_of(episode, one))
    unexplained = [episode for place, episode in enumerate(episodes) if place not in explained]
    blamed: set[int] = set()
    for one in happened:
        if one.near_miss:
            said = [place for place, episode in enumerate(unexplained) if _speaks_of(episode, one)]
            outcome.near[one.kind][0] += 1
            outcome.near[one.kind][1] += bool(said)
            blamed.update(said)
            outcome.confusion[NEAR_MISS, one.rule if said else NOTHING] += 1
        elif one.asked:
            _count_incident(outcome, one, episodes, unexplained)
    for place, episode in enumerate(unexplained):
        outcome.false[episode.first.rule] += 1
        if place not in blamed:
            outcome.confusion[NOTHING, episode.first.rule] += 1
        outcome.examples.append(f"false: {episode.first}")
    outcome.examples = outcome.examples[:_EXAMPLES]
    return outcome


def _count_incident(
    outcome: Outcome, one: Happening, episodes: Sequence[Episode], unexplained: Sequence[Episode]
) -> None:
    tally = outcome.kinds[one.kind]
    tally.there, tally.severity = tally.there + 1, one.severity
    found_at = _found_at(one, episodes)
    if found_at is not None:
        tally.found += 1
        tally.in_time += found_at <= one.due_ms
        outcome.confusion[one.rule, one.rule] += 1
        return
    others = [episode.first.rule for episode in unexplained if _is_within(episode, one)]
    outcome.confusion[one.rule, others[0] if others else NOTHING] += 1
    outcome.examples.append(f"missed: {one}")


def _found_at(one: Happening, episodes: Sequence[Episode]) -> int | None:
    """When it was said first that it is as grave as it is; None: never."""
    found = [
        said.found_at
        for episode in episodes
        if episode.first.rule == one.rule and _speaks_of(episode, one)
        for said in episode.said
        if said.level >= one.level
        and said.severity >= one.severity
        and (one.first_ms <= said.observed_at <= one.last_ms or (one.lasts and said.observed_at < one.first_ms))
    ]
    return min(found, default=None)


def _speaks_of(episode: Episode, one: Happening) -> bool:
    rule, more = episode.first.rule, () if one.near_miss else _MORE.get(one.rule, ())
    if not _is_whose(episode, one) or rule not in {one.rule, *one.also, *more}:
        return False
    return _is_within(episode, one) or (one.lasts and episode.lasts_at(one.first_ms, one.last_ms))


def _is_whose(episode: Episode, one: Happening) -> bool:
    """A device that several people share is the home's."""
    return episode.first.home_no == one.home_no and episode.first.person_no in {one.person_no, 0}


def _is_within(episode: Episode, one: Happening) -> bool:
    first_ms = one.first_ms - (FORESEES_MS if episode.first.rule == FORECAST else 0)
    in_time = any(first_ms <= said.observed_at <= one.last_ms for said in episode.said)
    return in_time and _is_whose(episode, one)


def together(outcomes: Sequence[Outcome]) -> Outcome:
    """Of all homes."""
    done = Outcome()
    for one in outcomes:
        done.days += one.days
        for kind, tally in one.kinds.items():
            both = done.kinds[kind]
            both.there, both.found, both.in_time = (
                both.there + tally.there, both.found + tally.found, both.in_time + tally.in_time,
            )  # fmt: skip
            both.severity = tally.severity
        for kind, (there, alerted) in one.near.items():
            done.near[kind][0] += there
            done.near[kind][1] += alerted
        done.false.update(one.false)
        done.confusion.update(one.confusion)
        done.examples += one.examples
    return done


def shares(kinds: Mapping[str, Tally]) -> dict[str, float]:
    """What was found of each kind, 0 to 1."""
    return {kind: tally.found / tally.there for kind, tally in kinds.items() if tally.there}
