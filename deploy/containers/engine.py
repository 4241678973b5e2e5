"""A Docker engine with Compose that answers: found, and asked to do things."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from deploy.local.apt import run
from deploy.local.errors import StackError

_ANSWER_S: Final = 20.0


class NoEngineError(StackError):
    """No Docker engine with Compose answers here."""


@dataclass(frozen=True, slots=True)
class Engine:
    """The command ``docker`` in an environment that says where the engine is."""

    docker: str = "docker"
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    def ask(self, *arguments: str) -> str:
        """Runs ``docker ARGUMENTS`` to its end; what it printed. Raises CommandError."""
        return run([self.docker, *arguments], dict(self.environment))

    def knows(self, kind: str, name: str) -> bool:
        """Whether the engine has such an ``image``, ``network``, … of that name."""
        return self._answers(kind, "inspect", name)

    def why_unusable(self) -> str | None:
        """What is missing; None where engine and Compose answer."""
        if shutil.which(self.docker, path=self.environment.get("PATH")) is None:
            return "there is no command docker"
        if not self._answers("compose", "version"):
            return "docker has no compose"
        if not self._answers("ps", "--quiet"):
            return "no Docker engine answers"
        return None

    def _answers(self, *arguments: str) -> bool:
        try:
            done = subprocess.run(
                [self.docker, *arguments],
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_ANSWER_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        return done.returncode == 0


def find_engine() -> Engine:
    """The one that the environment names. Raises NoEngineError."""
    engine = Engine()
    if why := engine.why_unusable():
        raise NoEngineError(f"No Docker engine with Compose answers here: {why}.")
    return engine
