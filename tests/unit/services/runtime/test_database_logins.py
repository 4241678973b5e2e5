"""Each service of a process that holds several signs in at the database with its own secret."""

import pytest
from pydantic import SecretStr

from services.runtime.settings import DatabaseLogins, DatabaseSettings, NoSecretError

OWNER = DatabaseSettings(dsn=SecretStr("postgresql://postgres:all@127.0.0.1:5432/hearth"), pool_size=4)


def test_a_service_is_its_own_role_and_keeps_its_other_settings() -> None:
    own = DatabaseLogins(passwords={"store": SecretStr("of store"), "api": SecretStr("of api")}).of("store", OWNER)
    assert own.dsn.get_secret_value() == "postgresql://hearthbeat_store:of%20store@127.0.0.1:5432/hearth"
    assert own.pool_size == OWNER.pool_size


def test_without_any_secret_the_address_stays() -> None:
    assert DatabaseLogins().of("store", OWNER) == OWNER


def test_a_secret_that_is_missing_is_named() -> None:
    with pytest.raises(NoSecretError, match="HB_DB_PASSWORDS names api, and not store"):
        DatabaseLogins(passwords={"api": SecretStr("of api")}).of("store", OWNER)


def test_secrets_come_from_the_environment_and_show_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HB_DB_PASSWORDS", '{"store": "very secret"}')
    logins = DatabaseLogins()
    assert logins.passwords["store"].get_secret_value() == "very secret"
    assert "very secret" not in repr(logins)
