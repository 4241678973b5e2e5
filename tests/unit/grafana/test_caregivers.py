"""Role names and what a grant names, before any database is asked."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from grafana.__main__ import app
from grafana.caregivers import Sight, check_role
from grafana.errors import BadRoleNameError


@pytest.mark.parametrize("role", ["family_lind", "day_care_2", "abc"])
def test_a_plain_name_is_a_role_name(role: str) -> None:
    check_role(role)


NAMES_OF_OTHERS = ["pg_monitor", "postgres", "hearthbeat_caregiver"]
MISSPELT = ["", "ab", "Family", "family-lind", "1family", "a" * 41, 'x" y', "a;b", "fa mily", "familie_ä", "abc\n"]


@pytest.mark.parametrize("role", NAMES_OF_OTHERS + MISSPELT)
def test_any_other_is_refused(role: str) -> None:
    with pytest.raises(BadRoleNameError):
        check_role(role)


@given(role=st.text(max_size=50))
def test_a_name_that_passes_needs_no_quotes(role: str) -> None:
    try:
        check_role(role)
    except BadRoleNameError:
        return
    assert role.isascii()
    assert role == role.lower()
    assert role.replace("_", "").isalnum()
    assert len(role) <= 40


def test_a_group_for_which_nothing_is_named_sees_everything() -> None:
    sight = Sight.of((), (), doses=False, since=None, until=None)

    assert (sight.vitals, sight.rules, sight.doses) == (None, None, True)


def test_as_soon_as_something_is_named_only_that_is_seen() -> None:
    until = datetime(2027, 1, 1, tzinfo=UTC)
    sight = Sight.of((), ("fall", "sos"), doses=False, since=None, until=until)

    assert (sight.vitals, sight.rules, sight.doses, sight.until) == ((), ("fall", "sos"), False, until)


@pytest.mark.parametrize(
    "arguments",
    [
        ["caregiver", "add", "family", "--dsn", "postgresql://nowhere"],
        ["caregiver", "add", "family", "--dsn", "postgresql://nowhere", "--person", "not-a-uuid"],
        ["caregiver", "add", "family", "--dsn", "postgresql://nowhere", "--person", "0" * 32, "--vital", "mood"],
        ["caregiver", "add", "family", "--person", "0" * 32],
        ["operator", "add", "--dsn", "postgresql://nowhere"],
        ["pictures", "neighbour", "--dsn", "postgresql://nowhere"],
    ],
)
def test_a_command_that_lacks_something_says_so_and_does_nothing(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HB_DB_DSN", raising=False)

    assert CliRunner().invoke(app, arguments).exit_code == 2


def test_no_command_takes_a_password_as_an_argument() -> None:
    for command in (["caregiver", "add"], ["caregiver", "password"], ["operator", "add"]):
        result = CliRunner().invoke(app, [*command, "family", "--password", "x" * 20])
        assert result.exit_code == 2
        assert "No such option" in result.output
