"""`python -m deploy.audit.relist`: writes the list of Kafka's libraries anew, after another version in its pom."""

import shutil
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from rich.console import Console

from deploy.audit.licences import is_allowed, spelled
from deploy.local import apt
from deploy.local.jars import JARS, Jar, committed, hashes_of
from deploy.local.prepare import POM

_HEAD: Final = """\
# The libraries that deploy/local/kafka-pom.xml brings, as they were when somebody looked: whatever differs is refused.
# After another version in the pom: `python -m deploy.audit.relist`, then look at what has changed. Licences are those
# of their poms, in SPDX's words; where a pom says none, somebody has to look.

"""


def fetch(target: Path) -> None:
    """Brings the libraries and their poms, in folders by group, artifact and version. Maven checks their SHA-1."""
    apt.install({"mvn": "maven"})
    pom = str(shutil.copy(POM, target / "pom.xml"))
    options = ["-DincludeScope=runtime", "-Dmdep.useRepositoryLayout=true", "-Dmdep.copyPom=true"]
    apt.run(
        ["mvn", "-q", "-B", "-C", "-f", pom, "dependency:copy-dependencies", *options, f"-DoutputDirectory={target}"]
    )


def jars_in(directory: Path, known: Mapping[str, Jar]) -> Iterator[Jar]:
    """Those that were fetched; what is known of a library's licence stays, also of another version."""
    licences = {(one.group, one.artifact): one.licence for one in known.values()}
    for file in sorted(directory.rglob("*.jar")):
        *group, artifact, version, _ = file.relative_to(directory).parts
        place = ".".join(group), artifact
        sha256, sha512 = hashes_of(file)
        licence = licences.get(place) or _licence_in(file.with_suffix(".pom"))
        yield Jar(group=place[0], artifact=artifact, version=version, licence=licence, sha256=sha256, sha512=sha512)


def _licence_in(pom: Path) -> str:
    """As a pom says it itself, where that is allowed; else nothing, so that a test names the library."""
    if not pom.is_file():
        return ""
    tree = ET.parse(pom)  # noqa: S314 - Maven has read it before us
    names = [one.text or "" for one in tree.iterfind("{*}licenses/{*}license/{*}name")]
    known = [spelled(name.strip()) for name in names]
    found = " AND ".join(dict.fromkeys(known)) if all(known) else ""
    return found if is_allowed(found) else ""


def written(jars: Iterable[Jar]) -> str:
    """The list, in the order of their files."""
    fields = ("group", "artifact", "version", "licence", "sha256", "sha512")
    rows = [
        "\n".join(["[[jar]]", *(f'{name} = "{getattr(one, name)}"' for name in fields)])
        for one in sorted(jars, key=lambda jar: jar.file)
    ]
    return _HEAD + "\n\n".join(rows) + "\n"


def relist(path: Path = JARS) -> list[Jar]:
    """Fetches, writes the list, and returns what is in it."""
    with tempfile.TemporaryDirectory() as scratch:
        fetch(Path(scratch))
        jars = list(jars_in(Path(scratch), committed(path)))
    path.write_text(written(jars), "utf-8")
    return jars


if __name__ == "__main__":
    listed = relist()
    Console(highlight=False).print(f"{len(listed)} libraries in {JARS}; look at what has changed before you commit it")
