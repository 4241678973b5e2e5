"""Whether a test that the hazard log names is there, would run, and has the parameters that are named."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any, Final

from deploy.local.settings import CHECKOUT

PLAYED: Final = "tests/scenarios/"
"""Scenario files: `tests/e2e/test_scenarios.py` plays every one of them."""
RUN: Final = tuple(f"tests/{folder}/" for folder in ("unit", "repo", "contract", "integration", "e2e"))
_SKIPPING: Final = {"skip", "xfail"}


def trouble_with(name: str, root: Path = CHECKOUT) -> str | None:
    """Why ``name`` stands for no test that runs, or None.

    ``name`` is a scenario file, or ``file::function`` or ``file::Class::function``, with ``[pattern]`` where only some
    of its parameters are meant: `*` stands for anything, and one of them has to fit.
    """
    path, _, rest = name.partition("::")
    if not (root / path).is_file():
        return "no such file"
    if path.startswith(PLAYED):
        return None if path.endswith(".yaml") and not rest else "not a scenario"
    if not path.startswith(RUN) or not Path(path).name.startswith("test_"):
        return "`make test` does not run this file"
    return _trouble_with_function(root, path, rest)


def _trouble_with_function(root: Path, path: str, rest: str) -> str | None:
    function, _, pattern = rest.partition("[")
    found = _find(ast.parse((root / path).read_text("utf-8")).body, function.split("::"))
    if found is None or not found.name.startswith("test_"):
        return "no such test"
    if any(_SKIPPING & _names_in(decorator) for decorator in found.decorator_list):
        return "skipped, or expected to fail"
    if pattern and not any(fnmatchcase(one, pattern.removesuffix("]")) for one in parameters_of(path, function)):
        return "no such parameter"
    return None


def _find(body: Sequence[ast.stmt], names: Sequence[str]) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    first, *rest = names
    for node in body:
        if rest and isinstance(node, ast.ClassDef) and node.name == first:
            return _find(node.body, rest)
        if not rest and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == first:
            return node
    return None


def _names_in(node: ast.AST) -> set[str]:
    """Every attribute that an expression reads."""
    return {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)}


def parameters_of(path: str, function: str) -> list[str]:
    """What pytest writes between brackets for a function of a module that can be imported."""
    found: Any = import_module(path.removesuffix(".py").replace("/", "."))
    for name in function.split("::"):
        found = getattr(found, name)
    marks = [mark for mark in getattr(found, "pytestmark", []) if mark.name == "parametrize"]
    return ["-".join(one) for one in product(*(_ids(mark.args, mark.kwargs) for mark in marks))] if marks else []


def _ids(arguments: Sequence[Any], options: Mapping[str, Any]) -> Iterator[str]:
    names, values = arguments[:2]
    several = len(names.split(",") if isinstance(names, str) else names) > 1
    ids = options.get("ids")
    for place, value in enumerate(values):
        if ids is not None and not callable(ids):
            yield str(ids[place])
            continue
        own = getattr(value, "id", None) if type(value).__name__ == "ParameterSet" else None
        yield own or "-".join(str(ids(one) if ids else one) for one in (value if several else [value]))
