"""The console refuses to be reached without TLS from elsewhere."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from services.api.settings import ApiSettings
from services.runtime.sealing import new_key
from services.runtime.settings import DatabaseSettings

DATABASE = DatabaseSettings(dsn=SecretStr("postgresql://localhost/nowhere"))


def test_plain_http_is_for_loopback() -> None:
    assert ApiSettings(host="127.0.0.1", plain_http=True, database=DATABASE).plain_http
    with pytest.raises(ValidationError, match="loopback"):
        ApiSettings(host="0.0.0.0", plain_http=True, database=DATABASE)  # noqa: S104 - refused


def test_plain_http_is_for_a_console_without_certificate(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="HB_API_PLAIN_HTTP"):
        ApiSettings(plain_http=True, certificate_file=tmp_path / "console.pem", database=DATABASE)


@pytest.mark.parametrize("proxy", ["*", "10.0.0.0/8", "10.0.0.1,10.0.0.2", "proxy.example", "0.0.0.0/0"])
def test_one_proxy_is_believed_and_not_a_network(proxy: str) -> None:
    with pytest.raises(ValidationError, match="trusted_proxy"):
        ApiSettings(trusted_proxy=proxy, database=DATABASE)
    assert ApiSettings(trusted_proxy="10.0.0.1", database=DATABASE).trusted_proxy == "10.0.0.1"


def test_keys_of_second_factors_are_looked_at_when_settings_are_read(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.touch(mode=0o600)
    keys.write_text(f"{new_key()}\n")
    read = ApiSettings(second_factor_key_file=keys, database=DATABASE).second_factor_keys()
    assert read is not None
    assert read.open(read.seal("x")) == "x"
    assert ApiSettings(database=DATABASE).second_factor_keys() is None
    for text, mode in (("short\n", 0o600), ("\n", 0o600), (f"{new_key()}\n", 0o644)):
        keys.write_text(text)
        keys.chmod(mode)
        with pytest.raises(ValidationError, match="HB_API_SECOND_FACTOR_KEY_FILE"):
            ApiSettings(second_factor_key_file=keys, database=DATABASE)
