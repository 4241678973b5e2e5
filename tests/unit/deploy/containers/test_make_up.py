"""`make up` starts in containers where an engine answers, on a Debian root otherwise, and says which and why."""

import pytest
from typer.testing import CliRunner

from deploy.containers.deployment import Deployment
from deploy.containers.engine import Engine, NoEngineError, find_engine
from deploy.running import __main__ as front


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What would have been run."""
    commands: list[tuple[str, ...]] = []
    monkeypatch.setattr(front, "_run", lambda *command: commands.append(command))
    return commands


def engine_says(monkeypatch: pytest.MonkeyPatch, why: str | None) -> None:
    monkeypatch.setattr(Engine, "why_unusable", lambda _: why)


def up(*options: str) -> str:
    done = CliRunner().invoke(front.cli, ["up", *options])
    assert done.exit_code == 0, done.output
    return done.output


def test_where_an_engine_answers_it_is_in_containers(
    monkeypatch: pytest.MonkeyPatch, ran: list[tuple[str, ...]]
) -> None:
    engine_says(monkeypatch, None)
    assert "In containers" in up("--host", "clinic.example.org")
    assert ran == [("deploy.containers", "up", "--profile", "clinic", "--host", "clinic.example.org")]


def test_where_none_does_it_is_on_a_debian_root(monkeypatch: pytest.MonkeyPatch, ran: list[tuple[str, ...]]) -> None:
    engine_says(monkeypatch, "no Docker engine answers")
    assert "On a Debian root, not in containers: no Docker engine answers." in up()
    assert ran == [("deploy.platform", "up")]


@pytest.mark.parametrize(("why", "on"), [(None, "debian"), ("no Docker engine answers", "docker")])
def test_who_asks_for_a_ground_gets_it(
    monkeypatch: pytest.MonkeyPatch, ran: list[tuple[str, ...]], why: str | None, on: str
) -> None:
    engine_says(monkeypatch, why)
    up("--on", on)
    assert [command[0] for command in ran] == [{"debian": "deploy.platform", "docker": "deploy.containers"}[on]]


def test_down_ends_what_was_started_on_either_ground(
    monkeypatch: pytest.MonkeyPatch, ran: list[tuple[str, ...]]
) -> None:
    monkeypatch.setattr(front, "started", lambda: [Deployment("clinic")])
    assert CliRunner().invoke(front.cli, ["down"]).exit_code == 0
    assert ran == [("deploy.containers", "down", "--profile", "clinic"), ("deploy.platform", "down")]


def test_an_engine_that_does_not_answer_is_named_with_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoEngineError, match="there is no command docker"):
        find_engine()
