"""The machine's own apt: which mirror it uses, and installing what is missing."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from deploy.local.errors import CommandError, UnsupportedMachineError

Entry = tuple[str, list[str], list[str]]


def mirror(apt: Path = Path("/etc/apt"), os_release: Path = Path("/etc/os-release")) -> str:
    """The address of the Debian archive that this machine installs from."""
    codename = _codename(os_release)
    for address, suites, components in _entries(apt):
        if codename in suites and "main" in components:
            return address
    message = f"no Debian archive for {codename!r} in {apt}/sources.list or {apt}/sources.list.d"
    raise UnsupportedMachineError(message)


def install(commands: dict[str, str]) -> None:
    """Install the packages whose commands are missing; `commands` maps command to package."""
    missing = sorted({package for command, package in commands.items() if shutil.which(command) is None})
    if not missing:
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update", "--quiet"], environment)
    run(["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *missing], environment)


def run(command: list[str], environment: dict[str, str] | None = None) -> str:
    """Run to the end and return what was printed; the error holds the last lines."""
    done = subprocess.run(
        command,
        env=environment,
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


def _codename(os_release: Path) -> str:
    for line in os_release.read_text().splitlines():
        key, _, value = line.partition("=")
        if key == "VERSION_CODENAME":
            return value.strip('"')
    message = f"{os_release} names no VERSION_CODENAME"
    raise UnsupportedMachineError(message)


def _entries(apt: Path) -> Iterator[Entry]:
    for path in [apt / "sources.list", *sorted(apt.glob("sources.list.d/*.list"))]:
        if path.exists():
            yield from _one_line_entries(path.read_text())
    for path in sorted(apt.glob("sources.list.d/*.sources")):
        yield from _deb822_entries(path.read_text())


def _one_line_entries(text: str) -> Iterator[Entry]:
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if not words or words[0] != "deb":
            continue
        if words[1].startswith("["):
            end = next(n for n, word in enumerate(words) if word.endswith("]"))
            words = [words[0], *words[end + 1 :]]
        yield words[1], [words[2]], words[3:]


def _deb822_entries(text: str) -> Iterator[Entry]:
    for stanza in text.split("\n\n"):
        fields = _fields(stanza)
        if "deb" not in fields.get("types", []) or fields.get("enabled") == ["no"]:
            continue
        for address in fields.get("uris", []):
            yield address, fields.get("suites", []), fields.get("components", [])


def _fields(stanza: str) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    key = ""
    for line in stanza.splitlines():
        if line.startswith("#"):
            continue
        if not line[:1].isspace():
            name, _, line = line.partition(":")  # noqa: PLW2901
            key = name.strip().lower()
        fields.setdefault(key, []).extend(line.split())
    return fields
