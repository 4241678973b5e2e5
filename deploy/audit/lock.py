"""The locked distributions: names, versions and the hashes of their files."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.local.settings import CHECKOUT

LOCKS: Final = CHECKOUT / "deploy" / "locks"
RUN, DEV = LOCKS / "run.txt", LOCKS / "dev.txt"
_LINE: Final = re.compile(
    r"(?P<name>[\w.-]+)(?:\[[\w,.-]+\])?==(?P<version>[^\s;]+)(?P<marker>\s*;[^\\]*?)?(?P<hashes>(?:\s+--hash=\S+)+)\s*"
)
_HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})(?=\s|$)")


class LockError(ValueError):
    """A line of a lock is not in its form, so that nothing can be said of what it locks."""


@dataclass(frozen=True, slots=True)
class Locked:
    """A distribution. ``hashes``: SHA-256 of each file that may be installed; ``marker``: where alone it is."""

    name: str
    version: str
    hashes: tuple[str, ...]
    marker: str = ""


def canonical(name: str) -> str:
    """As an index compares names (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_lock(text: str) -> tuple[Locked, ...]:
    """Every distribution of a lock, in its order. Raises LockError for a line without a version or a hash."""
    return tuple(_locked(text))


def _locked(text: str) -> Iterator[Locked]:
    for line in text.replace("\\\n", " ").splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _LINE.fullmatch(line)
        hashes = tuple(_HASH.findall(line))
        if found is None or len(hashes) != line.count("--hash="):
            raise LockError(f"not a locked distribution: {line[:60]}")
        yield Locked(canonical(found["name"]), found["version"], hashes, (found["marker"] or "").strip(" ;"))


def locked_in(*paths: Path) -> tuple[Locked, ...]:
    """What several locks hold, each name and version once. Raises LockError."""
    each = {(one.name, one.version): one for path in paths for one in read_lock(path.read_text("utf-8"))}
    return tuple(each[key] for key in sorted(each))
