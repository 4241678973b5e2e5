"""PostgreSQL refuses to run as root; this finds it somebody else to be."""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded.errors import AccountError

SOMEBODY_ELSE = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What goes before a command, and the account it runs as."""

    before: tuple[str, ...] = ()
    user: str | None = None

    def own(self, directory: Path) -> None:
        """Let the account have a directory."""
        if self.user is not None:
            shutil.chown(directory, self.user)


def find_account(program: Path, directory: Path) -> Account:
    """Who PostgreSQL runs as: ourselves, unless we are root, whom it refuses.

    As root, first a user namespace: there it sees another user number, but the files stay ours.
    Where that can't be had, the user `nobody`, who then has to own the data and reach the programs.
    """
    if os.geteuid() != 0:
        return Account()
    number = pwd.getpwnam(SOMEBODY_ELSE)
    namespace = ("unshare", "--user", f"--map-user={number.pw_uid}", f"--map-group={number.pw_gid}", "--")
    if shutil.which("unshare") is not None and _works([*namespace, str(program), "--version"]):
        return Account(before=namespace)
    if not _works([str(program), "--version"], SOMEBODY_ELSE) or not _works(["ls", str(directory)], SOMEBODY_ELSE):
        message = f"run as an ordinary user, or let {SOMEBODY_ELSE} read {program} and reach {directory}"
        raise AccountError(message)
    return Account(user=SOMEBODY_ELSE)


def _works(command: list[str], user: str | None = None) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False, user=user).returncode == 0
    except PermissionError:
        return False
