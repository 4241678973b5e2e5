"""The hazard log is whole: each control has tests that are there, each rule and each line of the fault matrix a row."""

from pathlib import Path

import pytest

from schemas.rule_names import RULE_NAMES
from tests.proving.faults.lines import LINES
from tests.proving.hazards.document import document
from tests.proving.hazards.hazard import Hazard, Risk, read_log
from tests.proving.hazards.named_tests import trouble_with
from tests.repo.tree import ROOT, text_of

LOG = Path("docs/hazards.toml")
HAZARDS = read_log(text_of(LOG))
STARTERS = 20
"""At least so many of what could harm somebody, whatever rules and faults there are."""

each = pytest.mark.parametrize("hazard", HAZARDS, ids=lambda hazard: hazard.id)


def test_each_has_an_id_and_a_title_of_its_own() -> None:
    for words in ([one.id for one in HAZARDS], [one.title for one in HAZARDS]):
        assert len(set(words)) == len(words)


def test_every_alert_rule_has_a_hazard() -> None:
    assert sorted(one.rule for one in HAZARDS if one.rule) == sorted(row.name for row in RULE_NAMES)


def test_every_line_of_the_fault_matrix_has_a_hazard() -> None:
    assert sorted(one.fault for one in HAZARDS if one.fault) == [line.number for line in LINES]


def test_there_are_hazards_of_no_rule_and_no_fault() -> None:
    assert len([one for one in HAZARDS if not one.rule and not one.fault]) >= STARTERS


@each
def test_a_hazard_has_controls_and_each_of_them_names_a_module_and_tests(hazard: Hazard) -> None:
    assert hazard.controls
    for control in hazard.controls:
        assert control.tests, f"{control.does}: no test shows it"
        assert (ROOT / control.module).is_file(), control.module
        assert not control.module.startswith("tests/"), "what controls a hazard is part of the product"


@each
def test_every_test_that_is_named_is_there_and_runs(hazard: Hazard) -> None:
    named = [test for control in hazard.controls for test in control.tests]
    assert {test: why for test in named if (why := trouble_with(test))} == {}
    assert len(set(named)) == len(named)


@each
def test_a_hazard_is_said_whole(hazard: Hazard) -> None:
    for words in (hazard.sequence, hazard.situation, hazard.remains):
        assert words.endswith(".")
        assert words[0].isupper()
    assert not (hazard.rule and hazard.fault)
    assert not hazard.title.endswith(".")


@each
def test_controls_make_no_hazard_more_probable_and_leave_no_high_risk_unsaid(hazard: Hazard) -> None:
    assert hazard.after <= hazard.before
    assert hazard.residual is not Risk.HIGH
    # Where controls don't make it less probable, the row begins with what is not controlled, or was not tried.
    assert hazard.after < hazard.before or hazard.remains.startswith(("Not controlled: ", "Not tried here: "))


def test_the_page_is_written_from_the_log() -> None:
    assert text_of(Path("docs/hazards.md")) == document(HAZARDS), "python -m tests.proving.hazards.document"


def test_the_page_says_at_its_top_what_hearthbeat_is_not() -> None:
    top = " ".join(text_of(Path("docs/hazards.md")).split("##")[0].split())
    assert "not a certified medical device" in top
    assert "not made for life-critical monitoring" in top
