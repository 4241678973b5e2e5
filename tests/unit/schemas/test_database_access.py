"""As whom services sign in at the database, whatever their secrets look like."""

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.database_access import DATABASE_SERVICES, role_of, signed_in_as, signed_in_as_nobody

PLACE = "127.0.0.1:5432/hearth?sslmode=verify-full"
DSNS = (f"postgresql://{PLACE}", f"postgresql://postgres@{PLACE}", f"postgresql://postgres:s%40cret@{PLACE}")
printable = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1)


@given(dsn=st.sampled_from(DSNS), secret=printable)
def test_any_secret_signs_in_and_the_owner_is_left_out(dsn: str, secret: str) -> None:
    parts = urlsplit(signed_in_as(dsn, "hearthbeat_store", secret))
    assert (parts.username, unquote(parts.password or "")) == ("hearthbeat_store", secret)
    assert f"{parts.hostname}:{parts.port}{parts.path}?{parts.query}" == PLACE


@pytest.mark.parametrize("dsn", DSNS)
def test_an_address_without_a_login_says_where_and_no_more(dsn: str) -> None:
    assert signed_in_as_nobody(dsn) == f"postgresql://{PLACE}"


def test_every_service_has_a_role_of_its_own() -> None:
    assert len({role_of(service) for service in DATABASE_SERVICES}) == len(DATABASE_SERVICES)
