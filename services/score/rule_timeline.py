"""Which rules run when, by the clock of reception: models that were promoted, or are tried, from a moment on. Pure."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from schemas.alerts import Variant
from schemas.rule_versions import VersionChange
from services.score.limit_book import ALWAYS
from services.score.rule import NEVER, Rule
from services.score.rule_book import RULE_BOOK, RuleBook


class RuleVersion(NamedTuple):
    """From ``valid_from`` on, in ms, ``artefact`` decides in that place of the rule; "" none in the shadow."""

    rule: str
    variant: Variant
    artefact: str
    valid_from: int
    change: VersionChange


class RuleTimeline:
    """The books by when each begins; the first one has always been in force."""

    __slots__ = ("_begin", "_books")

    def __init__(self, spans: Sequence[tuple[int, RuleBook]]) -> None:
        self._begin = [begins_at for begins_at, _ in spans]
        self._books = [book for _, book in spans]

    def at(self, received_at: int) -> RuleBook:
        """The rules that hold for a record of that reception, in ms."""
        return self._books[max(0, bisect_right(self._begin, received_at) - 1)]

    def until(self, received_at: int) -> int:
        """When others begin after that, in ms; NEVER where none do."""
        place = max(1, bisect_right(self._begin, received_at))
        return self._begin[place] if place < len(self._begin) else NEVER

    @property
    def books(self) -> Sequence[RuleBook]:
        """All of them, in order."""
        return tuple(self._books)

    def with_each(self, make: Callable[[RuleBook], RuleBook]) -> "RuleTimeline":
        """The books that ``make`` makes of these; of the same rules it is one book, which goes on."""
        made: dict[tuple[int, ...], RuleBook] = {}
        spans: list[tuple[int, RuleBook]] = []
        for begins_at, whole in zip(self._begin, self._books, strict=True):
            part = make(whole)
            book = made.setdefault(tuple(map(id, part.rules)), part)
            if not spans or book is not spans[-1][1]:
                spans.append((begins_at, book))
        return RuleTimeline(spans)


def always(rules: RuleBook) -> RuleTimeline:
    """Of a platform on which no version was ever written down."""
    return RuleTimeline([(ALWAYS, rules)])


ALWAYS_THE_SAME: Final = always(RULE_BOOK)


@dataclass(slots=True)
class Timelines:
    """Makes timelines of rows. ``shipped``: the rules of this release; ``models``: by name, rules with a fitted model.

    The same rules in force are the same object, whichever timeline they are of. ``missing`` names models that
    were chosen last and that this process has not: there the rule stays as it is shipped.
    """

    shipped: RuleBook
    models: Mapping[str, Rule]
    missing: set[str] = field(default_factory=set)
    _made: dict[tuple[tuple[str, Variant, str], ...], RuleBook] = field(default_factory=dict)

    def of(self, versions: Iterable[RuleVersion]) -> RuleTimeline:
        """``versions`` in the order in which they were written: of one moment and place, the last one holds."""
        rows = sorted(versions, key=lambda one: one.valid_from)
        held: dict[tuple[str, Variant], str] = {}
        for one in rows:
            # What a release has brought ran before anybody could write that down.
            if one.change is VersionChange.SHIPPED:
                held.setdefault((one.rule, one.variant), one.artefact)
        spans = [(ALWAYS, self._book(held))]
        for one in rows:
            held[one.rule, one.variant] = one.artefact
            book = self._book(held)
            if spans[-1][0] == one.valid_from:
                spans[-1] = one.valid_from, book
            elif book is not spans[-1][1]:
                spans.append((one.valid_from, book))
        # Of what ran before, a release may have taken the file away.
        self.missing = {name for name in held.values() if name and name not in self.models}
        return RuleTimeline(spans)

    def _book(self, held: Mapping[tuple[str, Variant], str]) -> RuleBook:
        named = sorted((rule, variant, artefact) for (rule, variant), artefact in held.items() if artefact)
        key = tuple((rule, variant, name) for rule, variant, name in named if self._has(rule, variant, name))
        if key not in self._made:
            self._made[key] = self._make(key)
        return self._made[key]

    def _has(self, rule: str, variant: Variant, name: str) -> bool:
        """Whether it says something else than what is shipped, and can be run here."""
        if name not in self.models:
            return False
        shipped = next((one.artefact for one in self.shipped.rules if one.name == rule), "")
        return variant is Variant.SHADOW or name != shipped

    def _make(self, key: Sequence[tuple[str, Variant, str]]) -> RuleBook:
        if not key:
            return self.shipped
        live = {rule: self.models[name] for rule, variant, name in key if variant is Variant.LIVE}
        tried = [replace(self.models[name], variant=variant) for _, variant, name in key if variant is Variant.SHADOW]
        return RuleBook([*(live.get(rule.name, rule) for rule in self.shipped.rules), *tried])
