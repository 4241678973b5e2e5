"""A home's state under other rules: what each rule knows goes on, as if score had started anew with them. Pure."""

from services.score.evaluation import Evaluation
from services.score.home_state import HomeState
from services.score.person import PersonState
from services.score.quarters import evaluation_of
from services.score.questions import ModelStates
from services.score.rule_book import RuleBook


def use_rules(home: HomeState, rules: RuleBook) -> None:
    """The rules from now on. Of one that is no more, only the number of its last episode is kept."""
    if home.rules is rules:
        return
    home.rules = rules
    for person_no, person in home.subjects.items():
        home.subjects[person_no] = _person(person, rules)
    home.look_ahead()


def hands_over(home: HomeState, rules: RuleBook) -> bool:
    """Whether another fit goes on there: what its state rests on was judged by the one before, as it has to be kept."""
    after = {rule.key: rule for rule in rules.folded if rule.artefact}
    return any(
        key in after and one.rule is not after[key] and bool(one.rule.artefact)
        for person in home.subjects.values()
        for key, one in person.evaluations.items()
    )


def _person(person: PersonState, rules: RuleBook) -> PersonState:
    before = person.rules.rules
    known = {rule.key for rule in rules.rules}
    gone = {key: one.episodes.highest for key, one in person.evaluations.items() if key not in known}
    models = person.models.to_plain(before)
    gone |= {key: one.get("episodes", 0) for key, one in models.items() if key not in known}
    after = PersonState(
        rules=rules,
        limits=person.limits,
        person_no=person.person_no,
        window=person.window,
        evaluations={
            rule.key: _evaluation(person.evaluations[rule.key], person, rules)
            for rule in rules.folded
            if rule.key in person.evaluations
        },
        models=person.models if _same_models(person.rules, rules) else ModelStates.from_plain(models, rules.rules),
        calls=person.calls,
        episodes=person.episodes | gone,
        coverage=person.coverage,
        gaps=person.gaps,
        bands=person.bands,
    )
    # As after a start, those that are in the shadow no more are none of a rule that has a state.
    after.recent, after.has_turned = person.recent, person.has_turned
    return after


def _same_models(before: RuleBook, after: RuleBook) -> bool:
    return [rule for rule in before.rules if rule.asks] == [rule for rule in after.rules if rule.asks]


def _evaluation(one: Evaluation, person: PersonState, rules: RuleBook) -> Evaluation:
    """The same where its rule is the same; else what it has said goes on, and what comes is folded by the new rule."""
    rule = next(rule for rule in rules.folded if rule.key == one.rule.key)
    if rule is one.rule:
        return one
    if one.rule.artefact:
        one.hand_over()
    folds = person.limits.folds(rule, person.person_no)
    return evaluation_of(rule).from_plain(rule, person.window, folds, one.to_plain())
