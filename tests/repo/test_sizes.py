"""Nothing grows too long, and every module says what lives in it."""

import ast
from pathlib import Path
from statistics import median

import pytest

from tests.repo.tree import files_ending, text_of

LONGEST_FILE = 400
LONGEST_FUNCTION = 60
MEDIAN_FILE = 120
MEDIAN_FUNCTION = 10
FORBIDDEN_NAMES = {"utils", "util", "common", "helpers", "helper", "manager", "base", "misc"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions_of(path: Path) -> list[Function]:
    return [node for node in ast.walk(ast.parse(text_of(path))) if isinstance(node, Function)]


def length_of(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


@pytest.mark.parametrize("path", files_ending(".py", ".sql"), ids=str)
def test_a_file_is_not_too_long(path: Path) -> None:
    assert len(text_of(path).splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("path", files_ending(".py"), ids=str)
def test_no_function_is_too_long(path: Path) -> None:
    too_long = {one.name: length_of(one) for one in functions_of(path) if length_of(one) > LONGEST_FUNCTION}
    assert not too_long


@pytest.mark.parametrize("path", files_ending(".py"), ids=str)
def test_a_module_says_in_its_first_line_what_lives_there(path: Path) -> None:
    first = next((line for line in text_of(path).splitlines() if not line.startswith("#!")), "")
    assert first.startswith('"""')
    assert len(first.removeprefix('"""').removesuffix('"""').split()) >= 2


@pytest.mark.parametrize("path", files_ending(".sql"), ids=str)
def test_a_sql_file_says_in_its_first_lines_what_it_is(path: Path) -> None:
    assert text_of(path).startswith("-- ")


def test_no_module_has_a_name_that_says_nothing() -> None:
    vague = [str(path) for path in files_ending(".py") if FORBIDDEN_NAMES & {path.stem, *path.parts[:-1]}]
    assert not vague


def test_most_files_and_functions_are_short() -> None:
    product = [path for path in files_ending(".py") if path.parts[0] != "tests" and path.name != "__init__.py"]
    assert median(len(text_of(path).splitlines()) for path in product) <= MEDIAN_FILE
    assert median(length_of(one) for path in product for one in functions_of(path)) <= MEDIAN_FUNCTION
