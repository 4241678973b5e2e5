"""Models as rules: a step puts questions (rows of features), a batch answers them at once, answers are folded in order.

An answer changes nothing that a later question rests on. So the size of a batch changes nothing.
Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from schemas.alerts import Finding
from services.score.age import Reception
from services.score.episodes import Episodes, finding_of
from services.score.rule import NEVER, Kept, ModelFold, Rule, Subject
from services.score.sample import Sample


class Question(NamedTuple):
    """One row of features of a rule about a person, at ``sample``.

    ``lapsed_at`` other than 0: nothing is asked; time has come to it, in ms, without a question after ``sample``. It
    stands among questions, since only answers before it say whether that matters; of ``sample`` only the time counts.
    """

    rule: Rule
    subject: Subject
    sample: Sample
    features: tuple[float, ...]
    lapsed_at: int = 0


@dataclass(slots=True)
class ModelState:
    """Of one rule about one person: ``asked`` moves with samples alone, ``concluded`` with answers alone.

    ``newest_at`` is of the newest sample; ``due_at``: when nothing has been asked for too long; in ms.
    """

    asked: Kept
    concluded: Kept
    newest_at: int = -NEVER
    episodes: Episodes = field(default_factory=Episodes)
    due_at: int = NEVER


class ModelStates:
    """Of all rules with a model about one person."""

    __slots__ = ("_states",)

    def __init__(self) -> None:
        self._states: dict[str, ModelState] = {}

    def begin(self, rule: Rule, *, highest: int) -> None:
        """A rule that knows nothing yet, but the number of the last episode that was given out."""
        fold = _fold_of(rule)
        self._states[rule.key] = ModelState(fold.start_asking(), fold.start_concluding(), episodes=Episodes(highest))

    def ask(self, rule: Rule, subject: Subject, sample: Sample, *, rested: bool) -> Question | None:
        """The question that follows from a sample, if one does; a sample that comes late is not asked about."""
        state, fold = self._states[rule.key], _fold_of(rule)
        if sample[0] < fold.takes_from(state.asked, sample[6]) or sample[0] < state.newest_at:
            return None
        state.newest_at = sample[0]
        features = fold.ask(state.asked, sample, rested=rested or not fold.needs_rest)
        if features is None:
            return None
        # Nothing is missed while what was measured long ago is still coming in.
        state.due_at = sample.received_at + fold.longest_gap_ms + 1
        return Question(rule, subject, sample, features)

    def takes_from(self, rules: Iterable[Rule], vital: int) -> int:
        """From when on, in ms, one of ``rules``, all begun, takes a sample of a vital they read; NEVER of no rules."""
        return min((_fold_of(rule).takes_from(self._states[rule.key].asked, vital) for rule in rules), default=NEVER)

    @property
    def due_at(self) -> int:
        """When something lapses if nothing is asked until then, in ms."""
        return min([state.due_at for state in self._states.values()], default=NEVER)

    def lapses(self, rules: Iterable[Rule], subject: Subject, now: int) -> list[Question]:
        """Of which rules nothing has been asked for too long, at ``now``; each is said once."""
        found = []
        for rule in rules:
            state = self._states.get(rule.key)
            if state is not None and state.due_at <= now:
                state.due_at = NEVER
                found.append(Question(rule, subject, Sample(state.newest_at, 0.0, 0, 0, 0, 0), (), now))
        return found

    def conclude(self, question: Question, answer: float) -> list[Finding]:
        """What follows from an answer, or from the lack of any question."""
        rule, state = question.rule, self._states[question.rule.key]
        fold, sample = _fold_of(rule), question.sample
        if question.lapsed_at:
            paused = state.episodes.reports(fold.lapse(state.concluded) or (), Reception(question.lapsed_at, sample.at))
            return [finding_of(rule, question.subject, one) for one in paused]
        marks = fold.conclude(state.concluded, sample, question.features, answer)
        reports = state.episodes.reports(marks or (), Reception(sample.received_at, sample.at))
        # Nothing is asked about a late sample, so what has ended is never looked at again.
        state.episodes.forget(question.sample.at)
        return [finding_of(rule, question.subject, one) for one in reports]

    def knows(self, rule: str) -> bool:
        """Whether it has begun."""
        return rule in self._states

    def raise_number(self, rule: str, number: int) -> None:
        """No episode gets a number again that was given out."""
        episodes = self._states[rule].episodes
        episodes.highest = max(episodes.highest, number)

    def to_plain(self, rules: Iterable[Rule]) -> dict[str, Any]:
        """As plain values, in the order of the rules."""
        return {
            rule.key: {
                "asked": state.asked.to_plain(),
                "concluded": state.concluded.to_plain(),
                **({"newest_at": state.newest_at} if state.newest_at > -NEVER else {}),
                **({"due_at": state.due_at} if state.due_at < NEVER else {}),
                **state.episodes.kept(),
            }
            for rule in rules
            if (state := self._states.get(rule.key)) is not None
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any], rules: Iterable[Rule]) -> "ModelStates":
        """What ``to_plain`` wrote."""
        states = cls()
        for rule in rules:
            if rule.key in plain:
                kept = plain[rule.key]
                fold = _fold_of(rule)
                states._states[rule.key] = ModelState(
                    fold.start_asking().from_plain(kept["asked"]),
                    fold.start_concluding().from_plain(kept["concluded"]),
                    kept.get("newest_at", -NEVER),
                    Episodes.from_kept(kept),
                    kept.get("due_at", NEVER),
                )
        return states


def _fold_of(rule: Rule) -> ModelFold:
    assert rule.asks is not None  # noqa: S101 - only rules with a model get here
    return rule.asks


def answers_to(questions: Sequence[Question]) -> list[float]:
    """An answer for each, in their order, 0 where nothing is asked; every model is asked once."""
    by_rule: dict[str, list[int]] = {}
    for place, question in enumerate(questions):
        if not question.lapsed_at:
            by_rule.setdefault(question.rule.key, []).append(place)
    answers = [0.0] * len(questions)
    for places in by_rule.values():
        given = _fold_of(questions[places[0]].rule).answer([questions[place].features for place in places])
        for place, answer in zip(places, given, strict=True):
            answers[place] = answer
    return answers
