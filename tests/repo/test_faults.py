"""The fault matrix is whole, and its page says what it does."""

from pathlib import Path

import pytest

from tests.proving.faults.document import document
from tests.proving.faults.line import Line
from tests.proving.faults.lines import LINES
from tests.repo.tree import ROOT, text_of


def test_there_are_forty_lines_in_order() -> None:
    assert [line.number for line in LINES] == list(range(1, 41))


@pytest.mark.parametrize("line", LINES, ids=lambda line: str(line.number))
def test_a_line_is_run_in_one_way_or_says_why_not(line: Line) -> None:
    assert sum(map(bool, (line.run, line.tests, line.why_not))) == 1
    assert (line.run is None) is (line.kind is None)
    assert line.fault
    assert line.criterion


@pytest.mark.parametrize("line", [one for one in LINES if one.tests], ids=lambda line: str(line.number))
def test_the_tests_that_stand_for_a_line_exist(line: Line) -> None:
    for test in line.tests:
        file, _, name = test.partition("::")
        assert (ROOT / file).is_file()
        assert not name or f"def {name}(" in text_of(Path(file))


def test_the_page_is_written_from_the_lines() -> None:
    assert text_of(Path("docs/faults.md")) == document(LINES), "python -m tests.proving.faults.document"
