"""One deployment and the engine that runs it: up, down, and the command `hearthbeat` inside."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from deploy.containers.deployment import USER, Deployment
from deploy.containers.engine import Engine, NoEngineError
from deploy.local import apt
from deploy.local.errors import CommandError
from deploy.local.settings import CHECKOUT

_FILE: Final = CHECKOUT / "deploy" / "compose.yaml"
_TOOLS: Final = "tools"
_WAIT_S: Final = 600
"""For everything to be healthy; a slow machine takes two minutes."""


_TAKE_OVER: Final = (
    "echo \"alter role postgres password '$(cat /srv/password)'\""
    ' | postgres --single -D "$PGDATA" -c config_file=/srv/postgresql.conf postgres'
)
"""In single-user mode, which asks for none."""


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

    def back_up(self) -> Path:
        """A backup of the whole database, made now, beside those of each day. Raises CommandError."""
        return self.backups / self.ask("exec", "--no-TTY", "backup", "sh", "/back-up.sh", "now").strip()

    @property
    def backups(self) -> Path:
        """The folder where they lie; each holds everything about everybody."""
        return self.deployment.folder / "backups"

    def restore(self, source: Path) -> str:
        """Puts a backup in the place of the database, has log and devices bring the rest, and starts everything again.

        Gives what that came to. What was there before is kept until the next time. Raises CommandError.
        """
        if not source.is_file():
            raise CommandError(f"there is no backup {source}")
        self.down()
        _replace_cluster(source, self.deployment.folder / "postgresql" / "data")
        # The backup may have been made under another password.
        alone = ["run", "--rm", "--no-deps", "--no-TTY", "--entrypoint", "/bin/sh", "postgresql", "-c", _TAKE_OVER]
        self.ask(*alone)
        # With it come the servers and both jobs, and nobody who would write.
        self.ask("up", "--detach", "--wait", "--wait-timeout", str(_WAIT_S), _TOOLS)
        said = self.ask("exec", "--no-TTY", _TOOLS, "python", "-m", "services.restore").strip()
        self.ask("exec", "--no-TTY", _TOOLS, "hearthbeat", "device", "sync")
        self.up()
        return said

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


def _replace_cluster(source: Path, data: Path) -> None:
    cluster, fresh, replaced = (data / name for name in ("cluster", "cluster.new", "cluster.replaced"))
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    apt.run(["tar", "-xzf", str(source), "-C", str(fresh), "--no-same-owner"])
    apt.run(["chown", "--recursive", f"{USER}:{USER}", str(fresh)])
    shutil.rmtree(replaced, ignore_errors=True)
    if cluster.exists():
        cluster.rename(replaced)
    fresh.rename(cluster)


def _mark_of(deployment: Deployment) -> Path:
    return deployment.folder / "up"


def started() -> list[Deployment]:
    """Those that `make up` started and nobody has ended."""
    folders = sorted(Deployment("any").folder.parent.glob("*"))
    found = [Deployment(folder.name) for folder in folders if (folder / "compose.env").exists()]
    return [one for one in found if _mark_of(one).exists()]
