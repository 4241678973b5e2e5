"""The rules by what they read: several may read one vital, one may read several, none takes another's place. Pure."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from schemas.vitals import VITAL_BY_CODE
from services.score.rule import Rule
from services.score.rules import RULES


class RuleBook:
    """``rules`` in the order in which they are asked. ``readers`` by vital number; ``gated``: those that need rest."""

    __slots__ = ("gated", "readers", "rules")

    def __init__(self, rules: Sequence[Rule]) -> None:
        """Raises ValueError for two rules of one name, and for a fold without inputs or inputs without a fold."""
        names = [rule.name for rule in rules]
        wrong = [rule.name for rule in rules if (rule.fold is None) is not (not rule.inputs)]
        if wrong or len(set(names)) < len(names):
            raise ValueError(f"a rule has a name of its own, and inputs where it has a fold: {wrong or names}")
        self.rules = tuple(rules)
        self.readers = _readers_of(rules)
        self.gated = tuple(rule for rule in rules if rule.fold is not None and rule.fold.needs_rest)


def _readers_of(rules: Sequence[Rule]) -> Mapping[int, tuple[Rule, ...]]:
    readers: dict[int, tuple[Rule, ...]] = {}
    for rule in rules:
        for code in rule.inputs:
            vital = VITAL_BY_CODE[code].number
            readers[vital] = (*readers.get(vital, ()), rule)
    return MappingProxyType(readers)


RULE_BOOK: Final = RuleBook(RULES)
"""The product's."""
