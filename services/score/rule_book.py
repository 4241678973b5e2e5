"""The rules by what they read: several may read one vital, one may read several, none takes another's place. Pure."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from services.score.asks import can_ask
from services.score.rule import Rule
from services.score.rules import RULES
from services.score.sample import INPUTS


class RuleBook:
    """``rules`` in their order. ``readers`` and, of those that a model answers, ``askers`` by vital number.

    ``read`` are the vitals of both; ``folded`` are all readers, ``gated`` those that need rest, ``asking`` those that
    want to know more of some readings.
    """

    __slots__ = ("askers", "asking", "folded", "gated", "read", "readers", "rules")

    def __init__(self, rules: Sequence[Rule]) -> None:
        """Raises ValueError for two rules of one name and variant, and for inputs without a fold, or the reverse."""
        keys = [rule.key for rule in rules]
        wrong = [rule.key for rule in rules if (rule.fold is not None) + (rule.asks is not None) != bool(rule.inputs)]
        if wrong or len(set(keys)) < len(keys):
            raise ValueError(f"a rule has a name of its own, and inputs where it has a fold: {wrong or keys}")
        self.rules = tuple(rules)
        self.readers = _by_input([rule for rule in rules if rule.fold is not None])
        self.askers = _by_input([rule for rule in rules if rule.asks is not None])
        self.read = frozenset((*self.readers, *self.askers))
        self.folded = tuple(rule for rule in rules if rule.fold is not None)
        self.asking = tuple(rule for rule in self.folded if can_ask(rule.fold))
        self.gated = tuple(rule for rule in self.folded if rule.fold is not None and rule.fold.needs_rest)


def _by_input(rules: Sequence[Rule]) -> Mapping[int, tuple[Rule, ...]]:
    readers: dict[int, tuple[Rule, ...]] = {}
    for rule in rules:
        for code in rule.inputs:
            vital = INPUTS[code]
            readers[vital] = (*readers.get(vital, ()), rule)
    return MappingProxyType(readers)


RULE_BOOK: Final = RuleBook(RULES)
"""The product's."""
