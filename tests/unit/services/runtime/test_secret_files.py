"""A file of a secret is good where its owner alone may read it, or root's group."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from services.api.settings import ApiSettings
from services.runtime.sealing import KeyFileError, Keys, new_key
from services.runtime.secret_files import why_open
from services.runtime.settings import DatabaseSettings
from services.runtime.tls import TlsSettings
from tests.unit.transport.handshake import new_authority

IS_ROOT = os.getuid() == 0
OPEN = (0o604, 0o606, 0o620, 0o644, 0o660, 0o666, 0o701, 0o777)


def secret(path: Path, mode: int, *, owner: int | None = None) -> Path:
    path.write_text(f"{new_key()}\n")
    path.chmod(mode)
    if owner is not None:
        os.chown(path, owner, -1)
    return path


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o700])
def test_a_file_of_its_owner_alone_is_good(mode: int, tmp_path: Path) -> None:
    assert why_open(secret(tmp_path / "key", mode)) is None


@pytest.mark.parametrize("mode", OPEN)
def test_a_file_that_others_may_use_says_so(mode: int, tmp_path: Path) -> None:
    assert f"{mode:04o}" in str(why_open(secret(tmp_path / "key", mode)))


@pytest.mark.skipif(not IS_ROOT, reason="only root can give files to others")
@pytest.mark.parametrize("mode", [0o440, 0o640])
def test_a_group_may_read_what_root_owns_and_nothing_else(mode: int, tmp_path: Path) -> None:
    assert why_open(secret(tmp_path / "roots", mode, owner=0)) is None
    assert why_open(secret(tmp_path / "anybodys", mode, owner=4711)) is not None


def test_a_link_is_as_good_as_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(secret(tmp_path / "key", 0o644))
    assert why_open(tmp_path / "link") is not None
    (tmp_path / "key").chmod(0o600)
    assert why_open(tmp_path / "link") is None


def test_each_setting_that_names_a_secret_refuses_an_open_file(tmp_path: Path) -> None:
    authority = new_authority(tmp_path / "ca", datetime.now(UTC))
    leaf = authority.leaf_file("broker")
    database = DatabaseSettings(dsn=SecretStr("postgresql://127.0.0.1/x"))
    apart = tmp_path / "certificate"
    apart.write_bytes(leaf.read_bytes())
    apart.chmod(0o644)
    assert ApiSettings(certificate_file=apart, key_file=leaf, database=database).key_file == leaf
    leaf.chmod(0o644)

    with pytest.raises(ValidationError, match="HB_TLS_CERTIFICATE_FILE: others may read"):
        TlsSettings(certificate_file=leaf)
    with pytest.raises(ValidationError, match="HB_API_CERTIFICATE_FILE: others may read"):
        ApiSettings(certificate_file=leaf, database=database)
    with pytest.raises(ValidationError, match="HB_API_KEY_FILE: others may read"):
        ApiSettings(certificate_file=leaf, key_file=leaf, database=database)
    with pytest.raises(ValidationError, match="HB_DB_DSN: sslkey: others may read"):
        DatabaseSettings(dsn=SecretStr(f"postgresql://127.0.0.1/x?sslkey={leaf}"))
    with pytest.raises(KeyFileError, match="keys: others may read"):
        Keys.from_file(secret(tmp_path / "keys", 0o640 if not IS_ROOT else 0o644))
