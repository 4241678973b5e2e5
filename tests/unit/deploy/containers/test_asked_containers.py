"""For which platform the command `hearthbeat` is: one in containers, or another that it finds by itself."""

from pathlib import Path

import pytest

from deploy.containers.deployment import Deployment
from deploy.running import find

TOWN, HILL = "town", "hill"


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Names of what runs here; two are known in containers, of which one runs."""
    names = [TOWN]
    monkeypatch.setattr(find, "started", lambda: [Deployment(TOWN, tmp_path), Deployment(HILL, tmp_path)])
    monkeypatch.setattr(find, "running", lambda: names)
    return names


def asked(*arguments: str, **environment: str) -> tuple[str, list[str]] | None:
    found = find.asked_containers(arguments, environment)
    return None if found is None else (found[0].name, list(found[1]))


@pytest.mark.usefixtures("running")
def test_the_only_platform_that_runs_is_meant() -> None:
    assert asked("device", "list") == (TOWN, ["device", "list"])


@pytest.mark.usefixtures("running")
def test_one_that_is_named_is_meant_whatever_else_runs() -> None:
    assert asked("--at", HILL, "status") == (HILL, ["status"])
    assert asked(f"--at={HILL}", "status") == (HILL, ["status"])
    assert asked("status", HB_AT=HILL) == (HILL, ["status"])
    assert asked("--at", "dev", "status") is None


def test_of_several_none_is_meant_unless_it_is_named(running: list[str]) -> None:
    running.append("dev")
    assert asked("status") is None
    assert asked("--at", TOWN, "status") == (TOWN, ["status"])


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("arguments", [(), ("--help",), ("certificates", "show", "."), ("scenarios",)])
def test_what_needs_no_platform_runs_here(arguments: tuple[str, ...]) -> None:
    assert asked(*arguments) is None


@pytest.mark.usefixtures("running")
def test_settings_that_were_made_by_hand_go_before_what_runs() -> None:
    assert asked("status", HB_DB_DSN="somewhere") is None
