"""Kafka's libraries, each with its hashes as committed: what was fetched is used only where all of it is the same."""

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.local.errors import StackError

JARS: Final = Path(__file__).with_name("kafka-jars.toml")


class ChangedJarError(StackError):
    """A library of Kafka is missing, is another one than was committed, or is one too many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jar:
    """A library as Maven names it, its hashes in hexadecimal, and its licence by SPDX."""

    group: str
    artifact: str
    version: str
    sha256: str
    sha512: str
    licence: str

    @property
    def file(self) -> str:
        """As Maven calls its file."""
        return f"{self.artifact}-{self.version}.jar"


def committed(path: Path = JARS) -> Mapping[str, Jar]:
    """The libraries by file name."""
    jars = [Jar(**row) for row in tomllib.loads(path.read_text("utf-8"))["jar"]]
    return {one.file: one for one in jars}


def hashes_of(file: Path) -> tuple[str, str]:
    """SHA-256 and SHA-512."""
    content = file.read_bytes()
    return hashlib.sha256(content).hexdigest(), hashlib.sha512(content).hexdigest()


def differences(directory: Path, jars: Mapping[str, Jar]) -> Iterator[str]:
    """What is wrong with the libraries of a directory, by name."""
    there = {file.name: file for file in sorted(directory.iterdir())} if directory.is_dir() else {}
    for name, jar in sorted(jars.items()):
        if name not in there:
            yield f"{name} is missing"
        elif hashes_of(there[name]) != (jar.sha256, jar.sha512):
            yield f"{name} has changed: its hashes are not those of {JARS.name}"
    for name in sorted(there.keys() - jars.keys()):
        yield f"{name} is not in {JARS.name}"


def verify(directory: Path, jars: Mapping[str, Jar] | None = None) -> None:
    """Raises ChangedJarError, which names every library that differs from what was committed."""
    if wrong := list(differences(directory, committed() if jars is None else jars)):
        raise ChangedJarError(f"Kafka's libraries in {directory} are refused: {'; '.join(wrong)}")
