"""One deployment and the engine that runs it: up, down, and the command `hearthbeat` inside."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from deploy.containers.deployment import Deployment
from deploy.containers.engine import Engine, NoEngineError
from deploy.local.errors import CommandError
from deploy.local.settings import CHECKOUT

_FILE: Final = CHECKOUT / "deploy" / "compose.yaml"
_TOOLS: Final = "tools"
_WAIT_S: Final = 600
"""For everything to be healthy; a slow machine takes two minutes."""


class Clinic:
    """A deployment, where an engine answers."""

    def __init__(self, deployment: Deployment, engine: Engine) -> None:
        self.deployment, self.engine = deployment, engine

    @property
    def console(self) -> str:
        """Where doctors sign in."""
        reach = self.deployment.reach
        return f"https://{reach.host or 'localhost'}:{reach.console_port}"

    def up(self) -> None:
        """Starts what does not run, and waits until everything is healthy.

        Raises CommandError, with how each container is and what it said last.
        """
        # Each by its name: one that has run to its end, and shall, is none that could be waited for.
        lasting = [one for one in self.ask("config", "--services").split() if one not in {"access", "prepare", "fleet"}]
        try:
            self.ask("up", "--detach", "--wait", "--wait-timeout", str(_WAIT_S), *lasting)
        except CommandError as error:
            seen = self.ask("ps", "--all"), self.ask("logs", "--tail", "5")
            raise CommandError("\n".join((str(error), *seen))) from error
        self._mark.touch()

    def down(self) -> None:
        """Ends all of it; what it has kept stays. Raises CommandError."""
        self._mark.unlink(missing_ok=True)
        self.ask("down", "--remove-orphans")

    def ask(self, *arguments: str) -> str:
        """Runs ``docker compose ARGUMENTS`` on it; what it printed. Raises CommandError."""
        return self.engine.ask(*self._compose(*arguments))

    def replace_by_tool(self, arguments: Sequence[str]) -> None:
        """Becomes the command `hearthbeat` with these arguments, inside; never returns. Raises NoEngineError."""
        interactive = [] if os.isatty(0) and os.isatty(1) else ["--no-TTY"]
        login = f"LOGNAME={os.environ.get('SUDO_USER') or os.environ.get('LOGNAME') or 'operator'}"
        inside = self._compose("exec", *interactive, "--env", login, _TOOLS, "hearthbeat", *arguments)
        try:
            os.execvpe(self.engine.docker, [self.engine.docker, *inside], dict(self.engine.environment))  # noqa: S606
        except OSError as error:
            raise NoEngineError(f"docker: {error.strerror}") from error

    def _compose(self, *arguments: str) -> list[str]:
        own = self.deployment
        files = ["--env-file", str(own.variables), "--file", str(_FILE)]
        profiles = ["--profile", own.reach.profile, *(["--profile", "watch"] if own.reach.watched else [])]
        return ["compose", "--project-name", own.project, *files, *profiles, *arguments]

    @property
    def _mark(self) -> Path:
        return _mark_of(self.deployment)


def _mark_of(deployment: Deployment) -> Path:
    return deployment.folder / "up"


def started() -> list[Deployment]:
    """Those that `make up` started and nobody has ended."""
    folders = sorted(Deployment("any").folder.parent.glob("*"))
    found = [Deployment(folder.name) for folder in folders if (folder / "compose.env").exists()]
    return [one for one in found if _mark_of(one).exists()]
