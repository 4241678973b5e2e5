"""Which Debian packages are installed in a root, from what dpkg has written down there."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

STATUS: Final = Path("var/lib/dpkg/status")
RELEASE: Final = Path("etc/os-release")
_INSTALLED: Final = "install ok installed"


@dataclass(frozen=True, slots=True)
class DebianPackage:
    """A binary package; ``source``: what it was built from, whose name advisories of Debian bear."""

    name: str
    version: str
    architecture: str
    source: str


def packages_in(status: str) -> Iterator[DebianPackage]:
    """Those of a dpkg status file that are installed, in its order. Raises KeyError for one without its fields."""
    for paragraph in status.split("\n\n"):
        fields = dict(
            line.split(": ", 1) for line in paragraph.splitlines() if ": " in line and not line.startswith(" ")
        )
        if fields.get("Status") == _INSTALLED:
            name = fields["Package"]
            source = fields.get("Source", name).split(" ")[0]
            yield DebianPackage(name, fields["Version"], fields["Architecture"], source)


def packages_of(root: Path) -> tuple[DebianPackage, ...]:
    """What is installed in a root; nothing where there is none."""
    status = root / STATUS
    return tuple(packages_in(status.read_text("utf-8"))) if status.is_file() else ()


def release_of(root: Path) -> str:
    """As package URLs name the distribution, such as ``debian-13``."""
    release = root / RELEASE
    lines = release.read_text("utf-8").splitlines() if release.is_file() else []
    fields = dict(line.split("=", 1) for line in lines if "=" in line)
    return f"{fields.get('ID', 'debian')}-{fields.get('VERSION_ID', '')}".replace('"', "").rstrip("-")
