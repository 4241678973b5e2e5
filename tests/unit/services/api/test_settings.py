"""The console refuses to be reached without TLS from elsewhere."""

import pytest
from pydantic import SecretStr, ValidationError

from services.api.settings import ApiSettings
from services.runtime.settings import DatabaseSettings

DATABASE = DatabaseSettings(dsn=SecretStr("postgresql://nowhere"))


def test_plain_http_is_for_loopback() -> None:
    assert ApiSettings(host="127.0.0.1", plain_http=True, database=DATABASE).plain_http
    with pytest.raises(ValidationError, match="loopback"):
        ApiSettings(host="0.0.0.0", plain_http=True, database=DATABASE)  # noqa: S104 - refused
