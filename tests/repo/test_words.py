"""One word has one meaning: the glossary has the words, and those that were replaced stay away."""

import re
from typing import Final

import pytest

from schemas.alerts import AlertState, Severity
from schemas.doses import DoseState
from tests.repo.tree import files, files_ending, text_of

REPLACED: Final = {
    r"set[ _-]aside|put[ _]aside|setting aside|sets? \w+ aside": "rejected",
    r"put[ _]off": "throttled",
    r"strangers?": "unregistered",
    r"(re)?tell(s|er)?|(un)?told|tellings?": "notify, repeat; or: say, show, publish, report",
    r"ladders?": "escalation",
    r"cry[ _]for[ _]help|cries[ _]for[ _]help": "emergency",
    r"paged|unpaged|pagers?|PageQueue|queue_page|claim_pages": "notification",
    r"canar(y|ies)": "watermark marker",
    r"eyes?|seats?|(\w+)Eye": "probe, leader lock",
    r"respiration": "respiratory_rate",
    r"dose[ _]slots?|slot_id|PlannedSlot": "dose",
    r"soils?": "testbed",
}
"""What a word of the glossary has replaced, whole or as a part of a name, whatever its case."""
REPLACED_FILES: Final = re.compile(
    r"(^|/)(asked|ground|by_hand|telling|lean|plain|look|seat|pager|canary|ladder|untold|flow|floods)\.py$"
)
HERE: Final = "tests/repo/test_words.py"
CODE: Final = [
    path for path in files_ending(".py", ".sql", ".html", ".toml", ".yaml", ".js", ".css") if str(path) != HERE
]


def glossary() -> list[str]:
    (page,) = (path for path in files() if str(path) == "docs/glossary.md")
    named = re.findall(r"^\| \*\*(.+?)\*\* \|", text_of(page), re.MULTILINE)
    return [word for cell in named for word in cell.split(", ")]


@pytest.mark.parametrize("word", REPLACED, ids=str)
def test_a_word_that_was_replaced_is_not_used_in_code(word: str) -> None:
    pattern = re.compile(rf"(?<![^\W_])(?:{word})(?![^\W_])", re.IGNORECASE)
    used = [
        f"{path}:{text.count(chr(10), 0, match.start()) + 1}: {match[0]}, say: {REPLACED[word]}"
        for path in CODE
        if (text := text_of(path))
        for match in pattern.finditer(text)
    ]
    assert used == []


def test_files_are_named_by_what_they_hold() -> None:
    assert [str(path) for path in files() if REPLACED_FILES.search(str(path))] == []


def test_the_glossary_says_each_word_once() -> None:
    words = glossary()
    assert len(words) > 100
    assert sorted({word for word in words if words.count(word) > 1}) == []


def test_every_state_that_people_see_is_in_the_glossary() -> None:
    words = {word for cell in glossary() for word in cell.split()}
    assert {str(state) for state in (*AlertState, *DoseState)} - words == set()
    assert all(
        severity.name in text_of(path) for severity in Severity for path in files() if path.name == "glossary.md"
    )
