"""Promtool comes out of the package that was committed, and of no other."""

import io
import tarfile
from pathlib import Path

import pytest

from deploy.local import promtool
from deploy.local.errors import CommandError


def archive(**files: bytes) -> bytes:
    """As dpkg-deb gives a package's files; their names have a slash for each two underscores."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as made:
        for name, content in files.items():
            about = tarfile.TarInfo(f"./{name.replace('__', '/')}")
            about.size = len(content)
            made.addfile(about, io.BytesIO(content))
    return held.getvalue()


def test_it_is_found_among_the_package_s_files() -> None:
    assert promtool.program_of(archive(usr__bin__prometheus=b"another", usr__bin__promtool=b"itself")) == b"itself"


def test_a_package_without_it_is_refused() -> None:
    with pytest.raises(CommandError, match="in prometheus_"):
        promtool.program_of(archive(usr__bin__prometheus=b"another"))


def test_apt_is_asked_for_the_committed_package_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def run(command: list[str]) -> str:
        asked.append(command)
        raise CommandError("another hash")

    monkeypatch.setattr("deploy.local.apt.mirror", lambda: "mirror")
    monkeypatch.setattr("deploy.local.apt.run", run)
    with pytest.raises(CommandError):
        promtool.fetch(tmp_path / "new")
    assert asked[0][2].startswith("mirror/pool/")
    assert asked[0][-1] == f"SHA256:{promtool.HASH}"
    assert not promtool.program(tmp_path).exists()


def test_each_release_has_a_folder_of_its_own(tmp_path: Path) -> None:
    assert promtool.VERSION in promtool.program(tmp_path).parts
