"""Where we use what a library promises nobody, its version is capped; here is when the cap may go up.

A minor version of such a library can break us without a word. Before a cap in pyproject.toml is lifted: read how the
library uses these parts now, make this file pass, and do what ``BEFORE_LIFTING`` says.
"""

import ast
import builtins
import importlib
import inspect
import sys
import textwrap
import tomllib
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import aiokafka.conn
import paho.mqtt.client as paho
import pytest
import uvicorn
from aiokafka.consumer import fetcher
from packaging.requirements import Requirement
from paho.mqtt.enums import CallbackAPIVersion

from services.api import charts
from tests.repo.tree import CODE_FOLDERS, ROOT, files_ending, text_of

BEFORE_LIFTING: Final = {
    "aiokafka": "Run tests/integration/test_kafka_connection.py and tests/contract/test_bus.py. When"
    " both tests called test_aiokafka_still_needs_help_... fail, services/runtime/bus/kafka_connection.py"
    " can go. services/runtime/bus/kafka_records.py says what it puts in place of PartitionRecords; the cap can go when"
    " aiokafka makes less of a record, and both of those with it.",
    "paho-mqtt": "Read Client._packet_write: BurstClient queues PUBACKs and retained messages as one packet of kind"
    " PUBACK, so it must ask nothing more of a PUBACK. Read Client._packet_read: what _take_slowly fills in must be"
    " what _packet_handle then reads. Run tests/unit/services/runtime/test_mqtt_client.py,"
    " tests/unit/device_sim/test_mqtt_client.py, tests/contract and `make bench`. The cap can go when paho reads more"
    " than one packet with one recv, and both clients with it.",
    "pygal": "Look at the console's charts (tests/e2e/pictures.py): bands behind the lines, lone dots and marks before"
    " them. The cap can go when pygal draws those itself.",
    "uvicorn": "Run tests/integration/test_service_process.py: one SIGTERM ends the console in good order. The cap can"
    " go when uvicorn.Config can leave signals to the process.",
}


def names_of(kind: type) -> set[str]:
    """What instances of ``kind`` have: of the class, and what its methods set."""
    found = set(dir(kind))
    for one in kind.__mro__:
        if one.__module__ != "builtins":
            found |= own_names(ast.parse(textwrap.dedent(inspect.getsource(one))))
    return found


def own_names(tree: ast.AST) -> set[str]:
    """Every ``x`` of ``self.x`` and ``super().x``."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in {"self", "super()"}
    }


def takes(function: Any, *parameters: str) -> Callable[[], bool]:
    return lambda: list(inspect.signature(function).parameters) == list(parameters)


def has(kind: type, name: str) -> Callable[[], bool]:
    return lambda: name in names_of(kind)


def asks_for(function: Any, name: str) -> Callable[[], bool]:
    return lambda: name in inspect.unwrap(function).__code__.co_names


def _packet_as_filled_in() -> bool:
    known = {
        "command", "have_remaining", "remaining_count", "remaining_mult", "remaining_length", "packet", "to_process",
        "pos",
    }  # fmt: skip
    return set(paho.Client(CallbackAPIVersion.VERSION2)._in_packet) == known  # noqa: SLF001


PARTS: Final[dict[tuple[str, str], Callable[[], bool]]] = {
    ("aiokafka", "AIOKafkaConnection"): asks_for(aiokafka.conn.create_conn, "AIOKafkaConnection"),
    ("aiokafka", "PartitionRecords"): asks_for(fetcher.Fetcher._proc_fetch_request, "PartitionRecords"),  # noqa: SLF001
    ("aiokafka", "_consumer_record"): asks_for(
        fetcher.PartitionRecords._unpack_records,  # noqa: SLF001
        "_consumer_record",
    ),
    ("aiokafka", "_writer"): has(aiokafka.conn.AIOKafkaConnection, "_writer"),
    ("aiokafka", "send"): takes(aiokafka.conn.AIOKafkaConnection.send, "self", "request", "expect_response"),
    ("paho-mqtt", "_client_id"): has(paho.Client, "_client_id"),
    ("paho-mqtt", "_in_packet"): _packet_as_filled_in,
    ("paho-mqtt", "_last_bytes_received"): has(paho.Client, "_last_bytes_received"),
    ("paho-mqtt", "_last_msg_out"): has(paho.Client, "_last_msg_out"),
    ("paho-mqtt", "_loop_rc_handle"): takes(paho.Client._loop_rc_handle, "self", "rc"),  # noqa: SLF001
    ("paho-mqtt", "_mid_generate"): takes(paho.Client._mid_generate, "self"),  # noqa: SLF001
    ("paho-mqtt", "_out_packet"): has(paho.Client, "_out_packet"),
    ("paho-mqtt", "_pack_remaining_length"): takes(
        paho.Client._pack_remaining_length,  # noqa: SLF001
        *("self", "packet", "remaining_length"),
    ),
    ("paho-mqtt", "_packet_handle"): takes(paho.Client._packet_handle, "self"),  # noqa: SLF001
    ("paho-mqtt", "_packet_queue"): takes(
        paho.Client._packet_queue,  # noqa: SLF001
        *("self", "command", "packet", "mid", "qos", "info"),
    ),
    ("paho-mqtt", "_packet_write"): asks_for(paho.Client.loop_write, "_packet_write"),
    ("paho-mqtt", "_protocol"): has(paho.Client, "_protocol"),
    ("paho-mqtt", "_sock"): has(paho.Client, "_sock"),
    ("paho-mqtt", "_ssl_wrap_socket"): asks_for(paho.Client._create_socket, "_ssl_wrap_socket"),  # noqa: SLF001
    ("pygal", "_plot"): asks_for(charts._Plot._draw, "_plot"),  # noqa: SLF001 - pygal.XY's
    ("uvicorn", "capture_signals"): asks_for(uvicorn.Server.serve, "capture_signals"),
}
PUBLIC_BUT_UNDOCUMENTED: Final = {("aiokafka", "send"), ("uvicorn", "capture_signals")}


@pytest.mark.parametrize(("package", "part"), PARTS)
def test_a_private_part_is_as_we_know_it(package: str, part: str) -> None:
    assert PARTS[package, part](), (
        f"{part} is not what it was before {package} {version(package)}. {BEFORE_LIFTING[package]}"
    )


@pytest.mark.parametrize("package", BEFORE_LIFTING)
def test_the_cap_is_the_version_after_the_one_that_was_looked_at(package: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    allowed = next(one.specifier for one in map(Requirement, project["dependencies"]) if one.name == package)
    major, minor = (int(part) for part in version(package).split(".")[:2])
    assert allowed.contains(version(package))
    assert not allowed.contains(f"{major}.{minor + 1}"), f"cap {package} below {major}.{minor + 1}"


def test_every_use_of_a_private_part_is_known_here() -> None:
    found = {use for path in files_ending(".py") if path.parts[0] != "tests" for use in uses(path)}
    assert found == set(PARTS) - PUBLIC_BUT_UNDOCUMENTED


def uses(path: Path) -> Iterator[tuple[str, str]]:
    """Package and part of what a file's classes share with a library's, patch in it, or ask of its objects."""
    text = text_of(path)
    tree = ast.parse(text)
    imported = dict(imports(tree))
    asked = {number for number, line in enumerate(text.splitlines(), 1) if "noqa: SLF001" in line}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield from shared(node, imported)
        elif isinstance(node, ast.Assign):
            yield from patched(node, imported)
        elif isinstance(node, ast.Attribute) and node.lineno in asked and ast.unparse(node.value) != "self":
            yield from [("paho-mqtt", node.attr)] if is_private(node.attr) else []  # whose objects alone are asked


def shared(node: ast.ClassDef, imported: dict[str, str]) -> Iterator[tuple[str, str]]:
    ours = own_names(node) | {one.name for one in node.body if isinstance(one, ast.FunctionDef)}
    for base in filter(None, (library_class(one, imported) for one in node.bases)):
        library = next(kind for kind in base.__mro__ if kind.__module__.partition(".")[0] not in CODE_FOLDERS)
        yield from ((package_of(library.__module__), one) for one in ours & names_of(library) if is_private(one))


def patched(node: ast.Assign, imported: dict[str, str]) -> Iterator[tuple[str, str]]:
    for target in node.targets:
        if isinstance(target, ast.Attribute) and (module := imported.get(ast.unparse(target.value))):
            yield package_of(module), target.attr


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Names in a file and the full names in libraries that they stand for."""
    # What transport holds is built on a library, and built upon: its classes are looked through.
    ours = {*CODE_FOLDERS, *sys.stdlib_module_names, "pydantic", "pydantic_settings"} - {"transport"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found = ((alias.asname or alias.name, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            module = node.module
            found = ((alias.asname or alias.name, f"{module}.{alias.name}") for alias in node.names)
        else:
            continue
        yield from ((name, whole) for name, whole in found if whole.split(".")[0] not in ours)


def library_class(base: ast.expr, imported: dict[str, str]) -> type | None:
    """The class of a library that a base is, None where it is ours or the standard library's."""
    name, _, attribute = ast.unparse(base.value if isinstance(base, ast.Subscript) else base).rpartition(".")
    whole = imported.get(name or attribute)
    if whole is None:
        return None
    module, _, last = (f"{whole}.{attribute}" if name else whole).rpartition(".")
    kind = getattr(importlib.import_module(module), last)
    return kind if isinstance(kind, builtins.type) else None


def package_of(module: str) -> str:
    top = module.partition(".")[0]
    return {"paho": "paho-mqtt"}.get(top, top)
