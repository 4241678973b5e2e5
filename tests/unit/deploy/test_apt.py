"""Which Debian archive a machine installs from, as its own apt reads its sources."""

import platform
import shutil
from pathlib import Path

import pytest

from deploy.local import apt
from deploy.local.errors import UnsupportedMachineError

needs_apt = pytest.mark.skipif(shutil.which("apt-get") is None, reason="no apt-get on this machine")

ONE_LINE = """
# deb http://wrong bookworm main
deb [arch=amd64 signed-by=/a] http://other bookworm stable
deb http://wrong bookworm-security main
deb-src http://wrong bookworm main
deb [trusted=yes] http://right/debian/ bookworm main contrib
"""
PARAGRAPHS = """
Types: deb
URIs: http://wrong
Suites: bookworm-security
Components: main

Types: deb
Enabled: no
URIs: http://wrong
Suites: bookworm
Components: main

Types: deb deb-src
# URIs: http://wrong
URIs: http://right/debian
Suites: bookworm
 bookworm-updates
Components: main
"""
FETCHED = {
    "other_dists_bookworm": ("bookworm", "stable"),
    "wrong_dists_bookworm-security": ("bookworm-security", "main"),
    "right_debian_dists_bookworm": ("bookworm", "main"),
    "right_debian_dists_bookworm-updates": ("bookworm-updates", "main"),
}
"""What an update leaves behind: a release with its codename, and what is in its component."""


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The sources of an amd64 machine with Debian 12, none as yet."""
    for folder in ("etc/apt.conf.d", "etc/sources.list.d", "etc/preferences.d", "lists/partial"):
        (tmp_path / folder).mkdir(parents=True)
    for name, (codename, component) in FETCHED.items():
        (tmp_path / "lists" / f"{name}_{component}_binary-amd64_Packages").touch()
        (tmp_path / "lists" / f"{name}_InRelease").write_text(
            f"Codename: {codename}\nDate: Sat, 01 Jan 2022 00:00:00 UTC\nComponents: {component}\nSHA256:\n"
        )
    settings = tmp_path / "apt.conf"
    settings.write_text(
        f'Dir::Etc "{tmp_path}/etc"; Dir::State::Lists "{tmp_path}/lists"; Dir::Cache "{tmp_path}/cache";\n'
        'APT::Architecture "amd64"; APT::Architectures { "amd64"; };\n'
    )
    monkeypatch.setenv("APT_CONFIG", str(settings))
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: {"VERSION_CODENAME": "bookworm"})
    return tmp_path / "etc"


@needs_apt
@pytest.mark.parametrize(("name", "text"), [("sources.list", ONE_LINE), ("sources.list.d/debian.sources", PARAGRAPHS)])
def test_the_mirror_is_the_one_that_the_machine_uses(sources: Path, name: str, text: str) -> None:
    (sources / name).write_text(text)

    assert apt.mirror() == "http://right/debian"


def test_apt_is_asked_again_after_an_update_and_then_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[str] = []

    def run(command: list[str], _environment: dict[str, str] | None = None) -> str:
        commands.append(command[1])
        return "W: nothing is here\n"

    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: {"VERSION_CODENAME": "bookworm"})
    monkeypatch.setattr(apt, "run", run)

    with pytest.raises(UnsupportedMachineError, match="bookworm"):
        apt.mirror()
    assert commands == ["indextargets", "update", "indextargets"]
