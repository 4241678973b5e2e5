"""What was learned is loaded at start; what is missing, damaged or of another form leaves one rule silent, no more."""

import shutil
from pathlib import Path

import pytest

from services.score.learned import LEARNED, WITHOUT, RulesInUse, catalogue_of, load
from services.score.rule_book import RULE_BOOK
from services.score.rules import RULES
from services.score.settings import SHIPPED

NAMES = [one.rule for one in LEARNED]


def folds_of(rules: RulesInUse) -> dict[str, tuple[object, object]]:
    return {rule.name: (rule.fold, rule.asks) for rule in rules.book.rules}


def test_what_ships_is_loaded() -> None:
    rules = load(SHIPPED)
    assert not rules.missing
    silent = folds_of(WITHOUT)
    assert {name for name, said in folds_of(rules).items() if said != silent[name]} == set(NAMES)


def test_rules_keep_their_order_and_names() -> None:
    assert [rule.key for rule in load(SHIPPED).book.rules] == [rule.key for rule in RULES]


def test_an_empty_folder_is_said_and_all_other_rules_go_on(tmp_path: Path) -> None:
    rules = load(tmp_path)
    assert sorted(rules.missing) == sorted(NAMES)
    assert folds_of(rules) == folds_of(WITHOUT)
    assert rules.book.read == RULE_BOOK.read


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ending", [".npz", ".json"])
def test_a_damaged_artefact_is_refused_by_name(name: str, ending: str, tmp_path: Path) -> None:
    for file in SHIPPED.glob(f"{name}.*"):
        shutil.copy(file, tmp_path)
    (tmp_path / f"{name}{ending}").write_bytes(b"{}")
    assert name in load(tmp_path).missing


@pytest.mark.parametrize("name", NAMES)
def test_what_ships_knows_how_its_features_were_spread(name: str) -> None:
    (form,) = [one.form for one in LEARNED if one.rule == name]
    rules = load(SHIPPED)
    (fit,) = [rule.artefact for rule in rules.book.rules if rule.name == name]
    assert tuple(rules.at_training[fit]) == form.features
    assert catalogue_of(SHIPPED).at_training == rules.at_training
