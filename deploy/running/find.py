"""Which platforms run on this machine, and the settings with which an operator's commands reach one."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from deploy.containers.clinic import started
from deploy.containers.deployment import Deployment
from deploy.demo.options import RUNNING
from deploy.local.proc import ProcessRef
from deploy.local.settings import StackSettings
from deploy.local.stack import Stack
from deploy.platform.keeper import console_of, keeper_of
from deploy.platform.platform import tools_environment
from services.cli.session import NoPlatformError

DEMO: Final = "demo"
_DSN: Final = "HB_DB_DSN"
_NONE: Final = "start one with make up or make demo, or set HB_DB_DSN"


_HERE_ALONE: Final = ("scenarios", "certificates", "--help", "-h")
"""Commands that need no platform, or bring their own."""


def asked_containers(
    arguments: Sequence[str], environment: Mapping[str, str]
) -> tuple[Deployment, Sequence[str]] | None:
    """Which platform in containers a command is for, and the command without its name; None where it is for another.

    Named by ``--at`` or HB_AT, or the only one that runs here.
    """
    at, rest = environment.get("HB_AT"), list(arguments)
    if rest[:1] == ["--at"]:
        at, rest = "".join(rest[1:2]), rest[2:]
    elif rest and rest[0].startswith("--at="):
        at, rest = rest[0].partition("=")[2], rest[1:]
    if not rest or rest[0] in _HERE_ALONE or (at is None and _DSN in environment):
        return None
    names = [at] if at else running()
    return next(((one, rest) for one in started() if names == [one.name]), None)


def find(at: str | None, environment: Mapping[str, str]) -> Mapping[str, str]:
    """The settings of the platform called ``at``; of the one that runs here where nobody named one.

    What stands in the environment wins. Raises NoPlatformError.
    """
    if at is None:
        if _DSN in environment:
            return {}
        at = _the_only_one()
    settings = _of_demo() if at == DEMO else _of_stack(at)
    return {name: value for name, value in settings.items() if name not in environment}


def _the_only_one() -> str:
    names = running()
    if not names:
        raise NoPlatformError(f"None runs on this machine: {_NONE}.")
    if len(names) > 1:
        raise NoPlatformError(f"{' and '.join(names)} run on this machine: say which with --at.")
    return names[0]


def running() -> list[str]:
    """The names of what runs: stacks of `make up`, what it started in containers, the demo."""
    run_directory = StackSettings().run_directory.parent
    stacks = [path.name for path in sorted(run_directory.glob("*")) if keeper_of(path) is not None]
    return [*stacks, *(one.name for one in started()), *([DEMO] if _demo() else [])]


def _of_stack(name: str) -> Mapping[str, str]:
    directory = StackSettings(name=name).run_directory
    if not directory.is_dir():
        raise NoPlatformError(f"There is no stack {name}: {_NONE}.")
    console = console_of(directory)
    return tools_environment(Stack(StackSettings(name=name))) | ({"HB_ALERT_BASE_URL": console} if console else {})


def _of_demo() -> Mapping[str, str]:
    found = _demo()
    if not found:
        raise NoPlatformError(f"No demo runs on this machine: {_NONE}.")
    return found


def _demo(path: Path = RUNNING) -> dict[str, str]:
    """Its settings; empty where none runs, or one that was killed has left its file."""
    try:
        found = json.loads(path.read_text())
        alive = ProcessRef(found["pid"], found["started"]).alive
        environment: dict[str, str] = found["environment"]
    except (OSError, ValueError, KeyError):
        return {}
    return environment if alive else {}
