"""Which limits are in force for whom, and when, by the versions of limits and the conditions of people. Pure.

From the most to the least specific: the person's own, a condition's (the region's before the platform's), the region's,
the platform's, and at last the defaults of this code.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from schemas.default_limits import DEFAULT_BY_CONDITION
from schemas.limits import CONCERN_BY_NAME, Condition, Limits
from services.score.residences import EVERYWHERE, Residences
from services.score.rule import Fold, Rule

ALWAYS: Final = -(2**62)
NEVER: Final = 2**62
_Makes = Callable[[Mapping[str, Limits]], Fold[Any]]


class Scope(NamedTuple):
    """For whom limits are: a person; or everybody, or all with a condition, of the platform or of its region."""

    person_no: int = 0
    region: bool = False
    condition: Condition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What holds for a scope from ``valid_from`` on, in ms; ``limits`` None: what is less specific holds again."""

    scope: Scope
    concern: str
    valid_from: int
    limits: Limits | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonCondition:
    """A condition of a person over ``[valid_from, valid_to)``, in ms."""

    person_no: int
    condition: Condition
    valid_from: int
    valid_to: int


class Folds:
    """The fold of one rule for one person, by when a record was received.

    ``fold`` is the one that was asked for last, ``begins_at`` and ``ends_at`` say from when to when it holds: so that
    who asks for each sample need not call.
    """

    __slots__ = ("_begin", "_folds", "begins_at", "ends_at", "fold")

    def __init__(self, spans: Sequence[tuple[int, Fold[Any]]]) -> None:
        self._begin = [begins_at for begins_at, _ in spans]
        self._folds = [fold for _, fold in spans]
        self.at(NEVER - 1)

    def at(self, received_at: int) -> Fold[Any]:
        """The fold that holds for a record of that reception, in ms."""
        number = max(0, bisect_right(self._begin, received_at) - 1)
        self.fold = self._folds[number]
        self.begins_at = self._begin[number] if number else ALWAYS
        self.ends_at = self._begin[number + 1] if number + 1 < len(self._begin) else NEVER
        return self.fold


class LimitBook:
    """All versions and conditions, and who lives where, as of one reading of the tables.

    Whatever is registered of people and decides what score does is in it: it begins after its commit, and is known
    before a record of then is.
    """

    def __init__(
        self,
        versions: Iterable[Version] = (),
        conditions: Iterable[PersonCondition] = (),
        residences: Residences = EVERYWHERE,
    ) -> None:
        self.residences = residences
        self._versions: dict[tuple[Scope, str], list[Version]] = {}
        for version in sorted(versions, key=lambda one: one.valid_from):
            self._versions.setdefault((version.scope, version.concern), []).append(version)
        self._conditions: dict[int, list[PersonCondition]] = {}
        for one in conditions:
            self._conditions.setdefault(one.person_no, []).append(one)
        self._special = {scope.person_no for scope, _ in self._versions} | self._conditions.keys()
        self._folds: dict[tuple[str, int, int], Folds] = {}
        self._made: dict[tuple[_Makes, Condition | None, tuple[Limits, ...]], Fold[Any]] = {}

    def folds(self, rule: Rule, person_no: int) -> Folds:
        """The folds of a rule for a person; people of whom nothing is said share theirs."""
        # By the fold as well: a rule that a model decides has another one with it than without.
        key = rule.key, person_no if person_no in self._special else 0, id(rule.fold)
        found = self._folds.get(key)
        if found is None:
            found = self._folds[key] = Folds(self._spans(rule, key[1]))
        return found

    def in_force(self, concern: str, person_no: int, at: int) -> Limits:
        """The limits of a concern for a person, for what is received at ``at``. Raises LookupError for none."""
        limits = self._in_force(concern, person_no, at)
        if limits is None:
            raise LookupError(concern)
        return limits

    def less_specific(self, concern: str, person_no: int, at: int) -> Limits | None:
        """What holds of a concern for a person where no doctor has given them limits of their own; None for nothing."""
        return self._in_force(concern, person_no, at, without_own=True)

    def standing(self, people: Iterable[int], at: int, changed: Iterable[tuple[int, Limits]] = ()) -> "LimitBook":
        """What holds for ``people`` at ``at``, as if it had always held and always would.

        ``changed``: limits that take the place of a person's, by their number.
        """
        people, instead = list(people), {(person_no, one.concern): one for person_no, one in changed}
        held = {
            (person_no, concern): self._in_force(concern, person_no, at)
            for person_no in people
            for concern in CONCERN_BY_NAME
        } | instead
        return LimitBook(
            [
                Version(scope=Scope(person_no=person_no), concern=concern, valid_from=ALWAYS, limits=limits)
                for (person_no, concern), limits in held.items()
                if limits is not None
            ],
            [
                PersonCondition(person_no=person_no, condition=condition, valid_from=ALWAYS, valid_to=NEVER)
                for person_no in people
                for condition in self._held(person_no, at)
            ],
            self.residences,
        )

    def _in_force(self, concern: str, person_no: int, at: int, *, without_own: bool = False) -> Limits | None:
        """None of a concern that only people with a condition have limits of, or those to whom a doctor gave some."""
        for scope in self._scopes(person_no, at):
            if without_own and scope.person_no:
                continue
            version = self._version(scope, concern, at)
            limits = version.limits if version is not None else _default(scope, concern)
            if limits is not None:
                return limits
        return DEFAULT_BY_CONDITION.get((None, concern))

    def _spans(self, rule: Rule, person_no: int) -> list[tuple[int, Fold[Any]]]:
        if rule.limited is None:
            assert rule.fold is not None  # noqa: S101 - only rules with a fold are asked for
            return [(ALWAYS, rule.fold)]
        concerns = [name for name, concern in CONCERN_BY_NAME.items() if concern.rule == rule.name]
        moments = {ALWAYS, *self._moments(concerns, person_no)}
        held = [(at, {name: self._in_force(name, person_no, at) for name in concerns}) for at in sorted(moments)]
        spans: list[tuple[int, Fold[Any]]] = []
        for at, some in held:
            fold = self._fold(rule, person_no, at, {name: one for name, one in some.items() if one})
            # The defaults stand in the table as well, from when they were written: nothing begins with them.
            if not spans or fold is not spans[-1][1]:
                spans.append((at, fold))
        return spans

    def _moments(self, concerns: Sequence[str], person_no: int) -> Iterable[int]:
        for one in self._conditions.get(person_no, ()):
            yield from (one.valid_from, one.valid_to)
        for (scope, concern), versions in self._versions.items():
            if concern in concerns and scope.person_no in {0, person_no}:
                yield from (version.valid_from for version in versions)

    def _fold(self, rule: Rule, person_no: int, at: int, limits: Mapping[str, Limits]) -> Fold[Any]:
        held = self._held(person_no, at) if rule.limited_with else ()
        condition = next((one for one in held if one in rule.limited_with), None)
        make = rule.limited if condition is None else rule.limited_with[condition]
        assert make is not None  # noqa: S101 - see _spans
        # By who makes it as well: another version of a rule makes another one of the same limits.
        key = make, condition, tuple(limits.values())
        if key not in self._made:
            self._made[key] = make(limits)
        return self._made[key]

    def _held(self, person_no: int, at: int) -> Sequence[Condition]:
        """The conditions of a person then, the one that takes precedence first."""
        held = {one.condition for one in self._conditions.get(person_no, ()) if one.valid_from <= at < one.valid_to}
        return [one for one in reversed(Condition) if one in held]

    def _scopes(self, person_no: int, at: int) -> Iterable[Scope]:
        """From the most specific on."""
        if person_no:
            yield Scope(person_no=person_no)
        for condition in self._held(person_no, at):
            yield Scope(region=True, condition=condition)
            yield Scope(condition=condition)
        yield Scope(region=True)
        yield Scope()

    def _version(self, scope: Scope, concern: str, at: int) -> Version | None:
        versions = self._versions.get((scope, concern), ())
        number = bisect_right(versions, at, key=lambda one: one.valid_from)
        return versions[number - 1] if number else None


def _default(scope: Scope, concern: str) -> Limits | None:
    """What this code has for a scope of which the table says nothing."""
    if scope.person_no or scope.region:
        return None
    return DEFAULT_BY_CONDITION.get((scope.condition, concern))


DEFAULT_BOOK: Final = LimitBook()
"""Of a platform without rows: the defaults of this code, for everybody but those with a condition."""
