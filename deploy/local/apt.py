"""The machine's own apt: which mirror it uses, and installing what is missing."""

import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from deploy.local.errors import CommandError, UnsupportedMachineError

_QUIET: Final = {"DEBIAN_FRONTEND": "noninteractive"}
_SITE: Final = "Site: "


def mirror() -> str:
    """The address of the Debian archive that this machine installs from.

    apt says it itself, of what an update has fetched: a fresh container may have had none. Raises
    UnsupportedMachineError where there is no such archive, CommandError where apt fails.
    """
    codename = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    wanted = ["Created-By: Packages", "Component: main", f"Codename: {codename}"]
    for update in (False, True):
        if update:
            _update()
        said = run(["apt-get", "indextargets", "--format", f"{_SITE}$(SITE)", *wanted])
        for line in said.splitlines():
            if line.startswith(_SITE):  # its warnings are among them
                return line.removeprefix(_SITE)
    message = f"apt has no Debian archive of {codename!r} among its sources"
    raise UnsupportedMachineError(message)


def install(commands: dict[str, str]) -> None:
    """Install the packages whose commands are missing; `commands` maps command to package."""
    missing = sorted({package for command, package in commands.items() if shutil.which(command) is None})
    if not missing:
        return
    _update()
    run(["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *missing], os.environ | _QUIET)


def download(packages: Sequence[str], to: Path, *, suite: str | None = None) -> None:
    """Put the files of packages into a folder and install nothing; of another ``suite`` than this machine's, if named.

    Raises UnsupportedMachineError, CommandError.
    """
    lists = to / "lists"
    sources = to / "sources.list"
    options: list[str] = []
    if suite is not None:
        (lists / "partial").mkdir(parents=True)
        sources.write_text(f"deb {mirror()} {suite} main\n", "utf-8")
        found = {"Etc::sourcelist": sources, "Etc::sourceparts": "-", "State::lists": lists}
        options = [part for name, value in found.items() for part in ("-o", f"Dir::{name}={value}")]
    run(["apt-get", "update", "--quiet", *options], os.environ | _QUIET)
    # By root itself: apt's own user may not write to our folders, and says so.
    unsandboxed = ["-o", "APT::Sandbox::User=root"]
    run(["apt-get", "download", "--quiet", *options, *unsandboxed, *packages], os.environ | _QUIET, directory=to)
    shutil.rmtree(lists, ignore_errors=True)
    sources.unlink(missing_ok=True)


def _update() -> None:
    run(["apt-get", "update", "--quiet"], os.environ | _QUIET)


def run(command: list[str], environment: dict[str, str] | None = None, directory: Path | None = None) -> str:
    """Run to the end and return what was printed; the error holds the last lines."""
    done = subprocess.run(
        command,
        env=environment,
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        tail = "\n".join(done.stdout.splitlines()[-15:])
        message = f"{command[0]} ended with {done.returncode}: {' '.join(command)}\n{tail}"
        raise CommandError(message)
    return done.stdout
