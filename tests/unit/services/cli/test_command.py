"""The help of every command: it needs no setting, and says what the command does."""

from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from services.cli.command import make_app
from services.cli.session import Find, NoPlatformError

APP = make_app()


def all_commands() -> list[tuple[str, ...]]:
    """Every command and every group of them, by the words that one types."""
    found: list[tuple[str, ...]] = []

    def look(group: Any, words: tuple[str, ...]) -> None:
        for name, command in group.commands.items():
            found.append((*words, name))
            if hasattr(command, "commands"):
                look(command, (*words, name))

    look(typer.main.get_command(APP), ())
    return found


def test_there_is_what_an_operator_needs() -> None:
    wanted = {"status", "register", "trace", "why", "explain", "assign", "replay", "without-recipient"}
    wanted |= {"home add", "person add", "doctor add", "doctor password", "care begin", "care end", "receiver rotate"}
    wanted |= {f"model {name}" for name in ("list", "try", "end")}
    wanted |= {f"device {name}" for name in ("add", "bind", "rotate", "suspend", "resume", "remove", "sync")}
    wanted |= {f"device {name}" for name in ("claim", "activate", "revoke", "wipe", "life", "doubted", "follow")}
    assert wanted <= {" ".join(words) for words in all_commands()}


@pytest.mark.parametrize("words", all_commands(), ids=" ".join)
def test_a_help_needs_no_setting_and_says_what_the_command_does_in_a_sentence(words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(APP, [*words, "--help"], env={"HB_DB_DSN": "", "COLUMNS": "100"})
    assert result.exit_code == 0
    usage, _, rest = result.output.partition("\n\n")
    assert " ".join(words) in usage
    assert rest.strip().partition("\n\n")[0].rstrip().endswith(".")
    # Every option says what it is for.
    options = rest.partition("Options:")[2].splitlines()
    assert all(len(line.split()) > 1 for line in options if line.strip().startswith("--"))


def nowhere(_at: str | None, _environment: object) -> dict[str, str]:
    raise NoPlatformError("None runs on this machine.")


def test_where_nothing_runs_a_command_says_so_and_its_help_still_helps() -> None:
    find: Find = nowhere
    lost = CliRunner().invoke(make_app(find), ["status"])
    assert (lost.exit_code, "No platform was found." in lost.output) == (2, True)
    assert CliRunner().invoke(make_app(find), ["status", "--help"]).exit_code == 0
