"""Two versions' findings are the same only where every field and every finding is."""

import json
from typing import Any

import pytest

from tests.proving.findings.compare import compare

EVIDENCE = [{"what": "spo2", "value": 88.0, "at": 5}]


def line(name: str, *, level: int = 1, text: str = "low", evidence: Any = EVIDENCE, more: Any = ()) -> str:
    return json.dumps([name, 1, 2, "spo2", 1, 1, level, 3, 1000, evidence, text, "", "", *more])


def test_the_same_in_any_order_is_the_same() -> None:
    done = compare([line("a"), line("b", level=0)], [line("b", level=0), line("a")])
    assert done.equal
    assert (done.same, done.by_rule) == (2, {"spo2 0": 1, "spo2 1": 1})


def test_new_fields_and_further_evidence_do_not_count() -> None:
    more = [{**EVIDENCE[0], "kind": "spot"}, {"what": "steps", "value": 0, "at": 4}]
    assert compare([line("a")], [line("a", evidence=more, more=["recovered"])]).equal


@pytest.mark.parametrize(
    ("after", "counts"),
    [
        ([], (1, 0, 0)),
        ([line("a"), line("b")], (0, 1, 0)),
        ([line("a", level=2)], (0, 0, 1)),
        ([line("a", text="high")], (0, 0, 1)),
        ([line("a", evidence=[{**EVIDENCE[0], "value": 87.0}])], (0, 0, 1)),
        ([line("a", evidence=[])], (0, 0, 1)),
    ],
    ids=["missing", "new", "level", "words", "value", "evidence lost"],
)
def test_every_difference_counts_and_is_shown(after: list[str], counts: tuple[int, int, int]) -> None:
    done = compare([line("a")], after)
    assert (done.missing, done.new, done.other) == counts
    assert len(done.differences) == 1
    assert not done.equal


def test_reasons_in_other_words_are_passed_over_only_where_that_is_asked_for() -> None:
    def reasoned(words: str, level: int = 1) -> str:
        row = json.loads(line("a", level=level))
        row[12] = words
        return json.dumps(row)

    before, after = [reasoned("of 2025")], [reasoned("of 2026")]
    assert not compare(before, after).equal
    assert compare(before, after, whatever_the_rationale=True).equal
    assert not compare(before, [reasoned("of 2026", level=2)], whatever_the_rationale=True).equal
