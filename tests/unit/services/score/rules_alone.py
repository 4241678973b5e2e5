"""The rules that have to run for one of them to find what it finds among all, whoever is doubted."""

from services.score.rule import Rule
from services.score.rule_book import RULE_BOOK, RuleBook
from services.score.rules.blood_pressure import BLOOD_PRESSURE
from services.score.rules.news2 import NEWS2


def rules_for(rule: Rule, book: RuleBook = RULE_BOOK) -> RuleBook:
    """The rules that have to run for ``rule`` to find what it finds among all of ``book``.

    Whether a doubted pressure is held back rests on what NEWS2 reads.
    """
    beside = {BLOOD_PRESSURE.name: (NEWS2.name,)}.get(rule.name, ())
    return RuleBook([one for one in book.folded if one.key == rule.key or one.name in beside])
