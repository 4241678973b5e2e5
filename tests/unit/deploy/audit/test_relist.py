"""The list of Kafka's libraries is written from what Maven brings, and what nobody knows of a licence stays open."""

import tomllib
from pathlib import Path

import pytest

from deploy.audit import relist
from deploy.local import apt
from deploy.local.jars import JARS, Jar, committed, differences

POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><licenses>{}</licenses></project>"""


def license_of(*names: str) -> str:
    return POM.format("".join(f"<license><name>{name}</name></license>" for name in names))


def lay(directory: Path, group: str, artifact: str, version: str, pom: str = POM) -> None:
    folder = directory.joinpath(*group.split("."), artifact, version)
    folder.mkdir(parents=True)
    (folder / f"{artifact}-{version}.jar").write_bytes(f"{artifact} {version}".encode())
    (folder / f"{artifact}-{version}.pom").write_text(pom)


def test_the_committed_list_is_in_the_form_that_is_written() -> None:
    assert relist.written(committed().values()) == JARS.read_text()


def test_libraries_are_named_by_their_folders_and_keep_a_licence_that_is_known(tmp_path: Path) -> None:
    lay(tmp_path, "org.thing", "core", "2.0", license_of("Something of its own"))
    lay(tmp_path, "new", "other_2.13", "1.0", license_of("The MIT License"))
    known = {
        "core-1.0.jar": Jar(group="org.thing", artifact="core", version="1.0", sha256="", sha512="", licence="ISC")
    }

    other, core = relist.jars_in(tmp_path, known)
    assert (core.group, core.artifact, core.version, core.licence) == ("org.thing", "core", "2.0", "ISC")
    assert (other.file, other.licence) == ("other_2.13-1.0.jar", "MIT")


@pytest.mark.parametrize(
    ("pom", "licence"),
    [
        (license_of("Apache License, Version 2.0", "The MIT License"), "Apache-2.0 AND MIT"),
        (license_of("The MIT License", "GNU General Public License"), ""),
        (license_of("Whatever"), ""),
        (license_of(), ""),
    ],
)
def test_a_licence_that_a_pom_does_not_say_or_nobody_allowed_stays_open(tmp_path: Path, pom: str, licence: str) -> None:
    lay(tmp_path, "org", "thing", "1", pom)
    assert [one.licence for one in relist.jars_in(tmp_path, {})] == [licence]


def test_the_list_is_written_anew_and_then_holds_for_what_was_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flat = tmp_path / "flat"
    flat.mkdir()

    def bring(command: list[str], _environment: dict[str, str] | None = None) -> str:
        (option,) = (one for one in command if one.startswith("-DoutputDirectory="))
        target = Path(option.partition("=")[2])
        for name in ("a", "b"):
            lay(target, "org", name, "1.0", license_of("MIT License"))
            (flat / f"{name}-1.0.jar").write_bytes((target / "org" / name / "1.0" / f"{name}-1.0.jar").read_bytes())
        return ""

    monkeypatch.setattr(apt, "run", bring)
    monkeypatch.setattr(apt, "install", lambda _commands: None)
    file = tmp_path / "jars.toml"
    file.write_text(relist.written(committed().values()))

    assert len(relist.relist(file)) == 2
    assert len(tomllib.loads(file.read_text())["jar"]) == 2
    assert list(differences(flat, committed(file))) == []
