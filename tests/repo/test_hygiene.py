"""Nothing of one machine, one network or one person is in the repository."""

import re
from pathlib import Path

import pytest

from services.alert.targets import REFUSED
from tests.repo.tree import ROOT, files, text_of

PUBLIC_HOSTS = {
    "deb.debian.org",
    "snapshot.debian.org",
    "docker.io",
    "files.pythonhosted.org",
    "maven.apache.org",
    "pypi.org",
    "repo.maven.apache.org",
    "repo1.maven.org",
    "archive.apache.org",
    "downloads.apache.org",
}
MACHINE_PATHS = re.compile(r"(?<![\w.$}/-])/(?:work|home|root|Users|mnt|media)/[\w.-]+")
REGISTRY_HOSTS = re.compile(r"https?://[\w.-]*(?:pypi|registry|mirror|proxy|artifact|nexus|npm|maven|debian)[\w.-]*")
REGISTRY_OPTIONS = re.compile(r"--(?:extra-)?index-url|--trusted-host|--find-links")
PRIVATE_ADDRESSES = re.compile(r"(?<![\d.])(?:10|192\.168|172\.(?:1[6-9]|2\d|3[01]))(?:\.\d{1,3}){2,3}(?![\d.])")
SECRETS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|AKIA[0-9A-Z]{16}|gh[pousr]_\w{36}|xox[abpr]-[\w-]{10,}|eyJ[\w-]{20,}\.eyJ"
)
LOCKS = sorted((ROOT / "deploy" / "locks").glob("*.txt"))
TEXTS = [path for path in files() if path.suffix not in {".png", ".parquet", ".gz"} and "locks" not in path.parts]


def found(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path}:{text.count(chr(10), 0, match.start()) + 1}: {match[0]}"
        for path in TEXTS
        if (text := text_of(path))
        for match in pattern.finditer(text)
        if path != Path(__file__).relative_to(ROOT)
    ]


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    assert not found(MACHINE_PATHS)


def test_no_file_names_a_registry_that_is_not_public() -> None:
    assert not [one for one in found(REGISTRY_HOSTS) if one.rsplit("//", 1)[1] not in PUBLIC_HOSTS]
    assert not found(REGISTRY_OPTIONS)


def test_no_file_names_a_private_network() -> None:
    """But for whole networks in the list of what a webhook may not reach, and its tests."""
    refused = {f"services/alert/targets.py: {network.network_address}" for network, _ in REFUSED}
    named = [re.sub(r":\d+: ", ": ", one) for one in found(PRIVATE_ADDRESSES)]
    assert not [one for one in named if not one.startswith("tests/") and one not in refused]


def test_no_file_holds_a_secret() -> None:
    assert not found(SECRETS)


def test_no_data_or_credentials_file_is_tracked() -> None:
    endings = {".parquet", ".gz", ".pem", ".key", ".env", ".sqlite", ".db"}
    assert not [str(path) for path in files() if path.suffix in endings or path.name == ".env"]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_pins_every_package_with_hashes_and_names_no_address(lock: Path) -> None:
    text = lock.read_text("utf-8")
    packages = text.replace("\\\n", "").splitlines()
    assert len(packages) > 20
    assert [line for line in packages if not re.match(r"[\w.\[\]-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line)] == []
    assert "://" not in text
    assert not REGISTRY_OPTIONS.search(text)


def test_there_are_locks() -> None:
    assert {lock.name for lock in LOCKS} == {"dev.txt", "run.txt"}
