"""The import contracts of design section 1, as pyproject.toml states them, hold."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.repo.tree import ROOT, SERVICES, files_ending, text_of


def test_every_import_contract_holds() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_service_is_kept_from_importing_the_others() -> None:
    contracts = tomllib.loads(text_of(Path("pyproject.toml")))["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    assert {f"services.{name}" for name in SERVICES} in [set(layer.split(" | ")) for layer in layers]


def imported_by(text: str) -> set[str]:
    """The top-level names of all modules that a source imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def test_the_language_needs_only_the_standard_library_and_pydantic() -> None:
    allowed = set(sys.stdlib_module_names) | {"pydantic", "pydantic_core", "schemas"}
    foreign = {
        f"{path}: {name}"
        for path in files_ending(".py")
        if path.parts[0] == "schemas"
        for name in imported_by(text_of(path)) - allowed
    }
    assert not foreign


def test_cores_need_only_the_standard_library_numpy_and_our_own_code() -> None:
    allowed = set(sys.stdlib_module_names) | {"numpy", "schemas", "services"}
    foreign = {
        f"{path}: {name}"
        for path in files_ending(".py")
        if path.parts[0] == "services" and (path.name == "core.py" or "rules" in path.parts)
        for name in imported_by(text_of(path)) - allowed
    }
    assert not foreign


def test_transport_needs_the_standard_library_and_paho() -> None:
    allowed = set(sys.stdlib_module_names) | {"paho", "transport"}
    foreign = {
        f"{path}: {name}"
        for path in files_ending(".py")
        if path.parts[0] == "transport"
        for name in imported_by(text_of(path)) - allowed
    }
    assert not foreign


def test_the_simulator_needs_little() -> None:
    ours, libraries = {"device_sim", "schemas", "transport"}, {"paho", "numpy", "pyarrow", "rich", "typer", "yaml"}
    allowed = set(sys.stdlib_module_names) | ours | libraries
    foreign = {
        f"{path}: {name}"
        for path in files_ending(".py")
        if path.parts[0] == "device_sim"
        for name in imported_by(text_of(path)) - allowed
    }
    assert not foreign


def test_no_sql_asks_the_database_for_the_time() -> None:
    words = ("now()", "current_timestamp", "clock_timestamp", "statement_timestamp", "localtimestamp", "current_date")
    # Watch compares the server's clock with its own; nothing else is done with the answer.
    compares = "services/watch/queries.sql: select clock_timestamp();"
    askers = {
        f"{path}:{number}: {line.strip()}"
        for path in files_ending(".sql")
        for number, line in enumerate(text_of(path).splitlines(), start=1)
        for word in words
        if word in line.split("--")[0].lower() and f"{path}: {line.strip()}" != compares
    }
    assert not askers
