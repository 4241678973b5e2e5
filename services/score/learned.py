"""What was learned from recordings, loaded at start: rules with their models; without a model its rule says nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from services.score.models import anomaly_artefact
from services.score.models import glucose_forecast as glucose
from services.score.models.artefact import Artefact, ArtefactError, Form
from services.score.models.artefact import load as load_artefact
from services.score.models.feature_drift import Spread
from services.score.rule import Rule
from services.score.rule_book import RULE_BOOK, RuleBook
from services.score.rules import RULES
from services.score.rules.anomaly import with_model as with_anomaly
from services.score.rules.glucose_forecast import with_model as with_glucose


class Learned(NamedTuple):
    """A rule that a model decides: its name, the form of its artefact, and how the one makes the other."""

    rule: str
    form: Form
    with_artefact: Callable[[Artefact], Rule]


LEARNED: Final[tuple[Learned, ...]] = (
    Learned("glucose_forecast", glucose.FORM, lambda one: with_glucose(glucose.GlucoseModel.from_artefact(one))),
    Learned("anomaly", anomaly_artefact.FORM, lambda one: with_anomaly(anomaly_artefact.model_of(one))),
)
"""All of them, in the order of ``RULES``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesInUse:
    """The rules as this process has them. ``missing``: why a learned rule is silent, by its name.

    ``at_training``: how each feature was spread when a model was fitted, by the name of the fit.
    """

    book: RuleBook = RULE_BOOK
    missing: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    at_training: Mapping[str, Mapping[str, Spread]] = field(default_factory=lambda: MappingProxyType({}))


WITHOUT: Final = RulesInUse()
"""Without anything learned."""


def load(folder: Path) -> RulesInUse:
    """The rules with the artefacts of ``folder``; one that is missing or does not fit leaves its rule silent."""
    made: dict[str, Rule] = {}
    missing: dict[str, str] = {}
    at_training: dict[str, Mapping[str, Spread]] = {}
    for one in LEARNED:
        try:
            artefact = load_artefact(folder, one.form)
            made[one.rule] = replace(one.with_artefact(artefact), artefact=artefact.name)
            at_training[artefact.name] = artefact.card.at_training
        except ArtefactError as error:
            missing[one.rule] = str(error)
    return RulesInUse(book=book_with(made), missing=missing, at_training=at_training)


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """``shipped`` are the rules of this release; ``models``, by name, rules with every fitted model that lies there.

    ``at_training``: of these models, as ``RulesInUse`` has it.
    """

    shipped: RulesInUse
    models: Mapping[str, Rule]
    at_training: Mapping[str, Mapping[str, Spread]] = field(default_factory=lambda: MappingProxyType({}))


def catalogue_of(folder: Path, more: Sequence[Path] = ()) -> Catalogue:
    """What lies in ``folder``, in the folders in it, and in ``more``: other fits of the same models, older ones, say.

    What does not fit this code is passed over there.
    """
    shipped = load(folder)
    inner = sorted(one for one in folder.iterdir() if one.is_dir()) if folder.is_dir() else []
    models: dict[str, Rule] = {}
    at_training: dict[str, Mapping[str, Spread]] = {}
    for found in (shipped, *(load(one) for one in (*inner, *more))):
        at_training.update(found.at_training)
        for rule in found.book.rules:
            if rule.artefact:
                models.setdefault(rule.artefact, rule)
    return Catalogue(
        shipped=shipped, models=MappingProxyType(models), at_training=MappingProxyType(at_training)
    )  # fmt: skip


def book_with(made: Mapping[str, Rule]) -> RuleBook:
    """The rules, with those of ``made`` in the place of the ones of their names."""
    return RuleBook([made.get(rule.name, rule) for rule in RULES])
