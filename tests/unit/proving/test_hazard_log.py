"""A hazard log that names what is not there is noticed, whatever is wrong with the name."""

from pathlib import Path

import pytest

from tests.proving.hazards.document import document
from tests.proving.hazards.hazard import Probability, Risk, Severity, read_log, risk
from tests.proving.hazards.named_tests import parameters_of, trouble_with

HERE = "tests/unit/proving/test_hazard_log.py"
ROW = """
[[hazard]]
id = "X01"
title = "Something happens"
sequence = "One thing."
situation = "Another thing."
severity = "critical"
before = "probable"
after = "remote"
remains = "A third thing."
"""
CONTROL = """
[[hazard.control]]
does = "prevents it"
module = "schemas/limits.py"
tests = ["tests/unit/a.py::test_a", "tests/unit/a.py::test_b"]
"""


FILE = "tests/unit/test_a.py"
WRITTEN = """
class TestOfAClass:
    def test_something(self): ...

@pytest.mark.skip(reason="not now")
async def test_that_is_skipped(): ...

@pytest.mark.xfail
def test_that_fails(): ...

def test_a(): ...
def made(): ...
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with one file of tests."""
    (tmp_path / FILE).parent.mkdir(parents=True)
    (tmp_path / FILE).write_text(WRITTEN)
    return tmp_path


@pytest.mark.parametrize("name", ["plain", "a-b"])
@pytest.mark.parametrize(("x", "y"), [(1, 2), pytest.param(3, 4, id="odd")])
def test_with_parameters(name: str, x: int, y: int) -> None:
    assert name
    assert x < y


@pytest.mark.parametrize("name", ["test_a", "TestOfAClass::test_something"])
def test_a_test_that_is_there_is_found(root: Path, name: str) -> None:
    assert trouble_with(f"{FILE}::{name}", root) is None


@pytest.mark.parametrize("pattern", ["1-2-*", "odd-a-b", "*"])
def test_some_of_a_tests_parameters_may_be_named(pattern: str) -> None:
    assert trouble_with(f"{HERE}::test_with_parameters[{pattern}]") is None


def test_a_scenario_is_a_test() -> None:
    assert trouble_with("tests/scenarios/doses-of-a-day.yaml") is None
    assert trouble_with("tests/scenarios/nothing.yaml") == "no such file"
    assert trouble_with("tests/scenarios/doses-of-a-day.yaml::test_a") == "not a scenario"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("test_nothing", "no such test"),
        ("test_something", "no such test"),
        ("TestOfAClass", "no such test"),
        ("TestOfAClass::test_a", "no such test"),
        ("made", "no such test"),
        ("", "no such test"),
        ("test_that_is_skipped", "skipped, or expected to fail"),
        ("test_that_fails", "skipped, or expected to fail"),
    ],
)
def test_a_name_that_stands_for_no_test_is_refused(root: Path, name: str, why: str) -> None:
    assert trouble_with(f"{FILE}::{name}", root) == why


def test_a_file_that_nobody_runs_is_refused() -> None:
    assert trouble_with("tests/unit/proving/test_nothing.py::test_a") == "no such file"
    for file in ("tests/integration/alert_world.py::settle_in", "schemas/limits.py::test_a"):
        assert trouble_with(file) == "`make test` does not run this file"


@pytest.mark.parametrize("name", ["test_with_parameters[2-*]", "test_a_log_is_read_row_by_row[*]"])
def test_parameters_that_a_test_has_not_are_refused(name: str) -> None:
    assert trouble_with(f"{HERE}::{name}") == "no such parameter"


def test_parameters_are_written_as_pytest_writes_them(request: pytest.FixtureRequest) -> None:
    # An item of the same function as pytest has collected it, where it has.
    items = [one.name for one in request.session.items if one.name.startswith("test_with_parameters[")]
    found = {f"test_with_parameters[{one}]" for one in parameters_of(HERE, "test_with_parameters")}
    assert len(found) == 4
    assert set(items) <= found


def test_a_log_is_read_row_by_row() -> None:
    (one,) = read_log(ROW + CONTROL)
    (control,) = one.controls
    assert (one.id, one.severity, one.before, one.after) == (
        "X01", Severity.CRITICAL, Probability.PROBABLE, Probability.REMOTE,
    )  # fmt: skip
    assert (one.risk_before, one.residual) == (Risk.HIGH, Risk.MEDIUM)
    assert control.tests == ("tests/unit/a.py::test_a", "tests/unit/a.py::test_b")
    assert read_log(ROW)[0].controls == ()


@pytest.mark.parametrize(
    "wrong",
    [
        ROW.replace("critical", "bad"),
        ROW.replace("probable", "likely"),
        ROW.replace('remains = "A third thing."', ""),
        ROW + 'more = "this"',
        ROW + CONTROL.replace("tests =", "test ="),
    ],
)
def test_a_row_in_another_form_is_refused(wrong: str) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        read_log(wrong)


def test_risk_rises_with_severity_and_with_probability() -> None:
    for severity in Severity:
        risks = [list(Risk).index(risk(severity, one)) for one in Probability]
        assert risks == sorted(risks)
    assert risk(Severity.CATASTROPHIC, Probability.OCCASIONAL) is Risk.HIGH
    assert risk(Severity.CATASTROPHIC, Probability.REMOTE) is Risk.MEDIUM
    assert risk(Severity.NEGLIGIBLE, Probability.FREQUENT) is Risk.MEDIUM
    assert risk(Severity.SERIOUS, Probability.REMOTE) is Risk.LOW


def test_the_page_shows_what_a_row_says() -> None:
    page = document(read_log(ROW + CONTROL))
    for said in ("X01: Something happens", "prevents it, in `schemas/limits.py`", "`tests/unit/a.py::test_b`"):
        assert said in page
    assert "| high | 1 | 0 |" in page
