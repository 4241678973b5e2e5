"""Which Debian packages a root has, as dpkg has written it down."""

from pathlib import Path

import pytest

from deploy.audit.debian import RELEASE, STATUS, DebianPackage, packages_in, packages_of, release_of

WRITTEN = """Package: mosquitto
Status: install ok installed
Architecture: amd64
Version: 2.0.21-1+deb13u1
Description: a broker
 Package: none
 .
 Version: 0

Package: libmosquitto1
Status: install ok installed
Source: mosquitto (2.0.21-1)
Architecture: amd64
Version: 2.0.21-1

Package: gone
Status: deinstall ok config-files
Architecture: all
Version: 1
"""


def test_what_is_installed_is_read_with_its_source_and_what_is_gone_is_not() -> None:
    assert list(packages_in(WRITTEN)) == [
        DebianPackage("mosquitto", "2.0.21-1+deb13u1", "amd64", "mosquitto"),
        DebianPackage("libmosquitto1", "2.0.21-1", "amd64", "mosquitto"),
    ]


def test_a_package_without_a_version_is_no_package() -> None:
    with pytest.raises(KeyError, match="Version"):
        list(packages_in(WRITTEN.replace("Version: 2.0.21-1+deb13u1\n", "")))


def test_where_there_is_no_root_there_are_no_packages(tmp_path: Path) -> None:
    assert packages_of(tmp_path) == ()
    assert release_of(tmp_path) == "debian"


def test_a_root_says_its_packages_and_its_release(tmp_path: Path) -> None:
    for path, text in ((STATUS, WRITTEN), (RELEASE, 'ID=debian\nVERSION_ID="13"\nNAME="Debian"\n')):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert len(packages_of(tmp_path)) == 2
    assert release_of(tmp_path) == "debian-13"
