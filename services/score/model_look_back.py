"""What a reading that is not the person's after all means to a rule that a model decides. Pure.

The stored readings are stepped over twice, with it and without it. An episode that is there only with it is disproved;
nothing new is said of what is there without it, since a model is not asked about what came late either.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from schemas.alerts import Finding, Variant
from schemas.records import JudgedUplink
from services.score.core import judge, look_at_circumstances, with_answers
from services.score.followups import Effect, LookBack, Tally
from services.score.home_state import HomeState
from services.score.limit_book import LimitBook
from services.score.look_back import disproof_of
from services.score.rule import HOUR_MS, Rule
from services.score.rule_book import RuleBook
from services.score.sample import Sample
from services.score.stood import Stood, stood_of

BEFORE_MS: Final = 60 * HOUR_MS
"""So much before it is stepped over as well: five times the half-life of what is usual for the person."""
SPEAKS_MS: Final = 48 * HOUR_MS
"""A value speaks for a day at most, and what is averaged of it for hours more: what began later is not of it."""


def disproofs(
    asked: LookBack,
    rule: Rule,
    limits: LimitBook,
    known: Iterable[Finding],
    stored: Sequence[JudgedUplink],
    gone: Sequence[JudgedUplink],
) -> list[Finding]:
    """Ends of the episodes of ``known`` that rest on the readings of ``gone``, which are not among ``stored`` any more.

    ``stored`` begins ``BEFORE_MS`` before the first of them.
    """
    near = [one for one in stood_of(known, ()) if asked.first_at <= one.since <= asked.last_at + SPEAKS_MS]
    if not near or not gone or not stored:
        return []
    whole = sorted([*stored, *gone], key=lambda record: record.received_at)
    with_them, without = (_shown(rule, limits, records) for records in (whole, stored))
    newest = _newest(stored)
    return [
        disproof_of(rule, asked.subject, one, newest)
        for one in near
        if _has(with_them, one) and not _has(without, one) and one.version == rule.version
    ]


def _shown(rule: Rule, limits: LimitBook, records: Iterable[JudgedUplink]) -> list[Stood]:
    state, effects = HomeState(rules=RuleBook((rule,)), limits=limits), list[Effect]()
    for record in records:
        look_at_circumstances(state, record, effects)
        judge(state, record, Tally(), effects)
    found = [one for one in with_answers(effects, lambda _: state) if isinstance(one, Finding)]
    return stood_of([one for one in found if one.rule == rule.name and one.variant is Variant.LIVE], ())


def _has(shown: Iterable[Stood], one: Stood) -> bool:
    return any(other.overlaps(one.concern, one.since, one.until) for other in shown)


def _newest(records: Sequence[JudgedUplink]) -> Sample:
    """The newest reading: what is known by now."""
    at, record, reading = max((one.observed_at, record, one) for record in records for one in record.readings)
    return Sample(
        at, reading.value, record.device_no, record.epoch, record.seq, reading.item, 0, reading.flags,
        record.received_at, record.device_type,
    )  # fmt: skip


def asking(rules: RuleBook) -> dict[str, Rule]:
    """The live rules that a model decides, by name."""
    return {rule.name: rule for rule in rules.rules if rule.asks is not None and rule.variant is Variant.LIVE}
