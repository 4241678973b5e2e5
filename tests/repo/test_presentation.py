"""What schemas/presentation.py says of vitals and rules stands nowhere else in the product."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.presentation import FIGURES, RULE_PRESENTATIONS, VITAL_PRESENTATIONS
from schemas.vitals import VITAL_BY_CODE
from tests.repo.tree import files, text_of

SPEAKERS = ("services", "grafana", "schemas/sql")
"""Whose words people read, or whose SQL gives them."""
LABELS = {
    *(row.label for row in VITAL_PRESENTATIONS),
    *(row.short_label for row in VITAL_PRESENTATIONS if row.short_label),
    *(figure.title for figure in FIGURES),
    *(row.title for row in RULE_PRESENTATIONS),
}
UNITS = {row.unit_words for row in VITAL_PRESENTATIONS} - {"%", "steps"}
"""The unmistakable ones: ``%`` formats times, and steps are also those of an escalation."""
NAMES = {*VITAL_BY_CODE, *(row.rule for row in RULE_PRESENTATIONS)} - {"steps"}
"""Grafana's thresholds have steps too."""
ALL_VITALS = {"VITALS", "VITAL_BY_CODE", "VITAL_BY_NUMBER", "Vital"}

AGE_LIMIT = re.compile(r"\b\w*(?:FRESH|STALE|fresh_for|current_for|stale_after|old_after|silent_after)\w*")
ASK_OF_DEVICES = {Path("grafana/vital_views.py"), Path("services/score/silence.py")}
"""Panels compare ages in SQL, so the row's limit is put there; and how long a device may be silent is said by both."""

SHOWN = [path for path in files() if path.as_posix().startswith(SPEAKERS) and path.suffix in {".py", ".sql", ".html"}]
PYTHON = [path for path in SHOWN if path.suffix == ".py"]
SHOWS = [path for path in PYTHON if path.parts[0] == "grafana" or path.parts[:2] == ("services", "api")]
"""The code of console and panels."""


def docstrings_of(tree: ast.AST) -> set[int]:
    """The strings that stand as statements of their own."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def strings_of(path: Path) -> Iterator[str]:
    """What a file says to people: its strings; of SQL and pages, all but the comments."""
    if path.suffix != ".py":
        yield re.sub(r"--.*|\{#.*?#\}", "", text_of(path))
        return
    tree = ast.parse(text_of(path))
    aside = docstrings_of(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in aside:
            yield node.value


def sentences_of(path: Path) -> Iterator[str]:
    """The fixed parts of sentences that have something filled in."""
    for node in ast.walk(ast.parse(text_of(path))):
        if isinstance(node, ast.JoinedStr):
            yield from (str(part.value) for part in node.values if isinstance(part, ast.Constant))


def said(words: set[str], strings: Iterator[str]) -> set[str]:
    """Those of ``words`` that stand as whole words in one of ``strings``."""
    text = "\n".join(strings)
    return {word for word in words if re.search(rf"(?<![\w/]){re.escape(word)}(?!\w)", text)}


def test_there_is_something_to_look_at() -> None:
    assert {"services/api/reads.py", "grafana/panels.py", "grafana/panels.sql"} <= {str(path) for path in SHOWN}
    assert said(LABELS, strings_of(Path("schemas/presentation.py"))) == LABELS


@pytest.mark.parametrize("path", SHOWN, ids=str)
def test_no_label_or_title_stands_a_second_time(path: Path) -> None:
    assert not said(LABELS, strings_of(path))


@pytest.mark.parametrize("path", SHOWS, ids=str)
def test_no_words_of_a_unit_stand_a_second_time_in_console_or_panels(path: Path) -> None:
    assert not said(UNITS, strings_of(path))


@pytest.mark.parametrize("path", PYTHON, ids=str)
def test_no_sentence_spells_out_a_unit(path: Path) -> None:
    """A rule's rationale quotes its sources with theirs; a sentence with a value in it has them from the row."""
    assert not said({*UNITS, "%"}, sentences_of(path))


@pytest.mark.parametrize("path", SHOWS, ids=str)
def test_console_and_panels_single_out_no_vital_and_no_rule(path: Path) -> None:
    """So a new one needs a row of presentation and no edit there."""
    tree = ast.parse(text_of(path))
    imported = {
        name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "schemas.vitals"
        for name in node.names
    }
    assert imported <= ALL_VITALS
    assert not NAMES & set(strings_of(path))


@pytest.mark.parametrize("path", SHOWN, ids=str)
def test_how_old_is_old_is_asked_of_the_row_alone(path: Path) -> None:
    """Nobody names an age limit of their own, nor takes one from the device that measured."""
    names = re.findall(
        r"\b\w*(?:FRESH|STALE)\w*\b|\b\w*(?:fresh_for|current_for|stale_after|old_after)\w*\b", text_of(path)
    )
    may_ask = path == Path("grafana/vital_views.py")
    assert not [name for name in names if not may_ask or name != "fresh_for"]
    assert may_ask or path == Path("services/score/silence.py") or "silent_after_s" not in text_of(path)
