"""Queries are filled in the way that Grafana's PostgreSQL data source does it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grafana.errors import UnknownMacroError
from grafana.macros import View, substitute, variables_of

VIEW = View(
    since=datetime(2026, 11, 21, 12, tzinfo=UTC),
    until=datetime(2026, 11, 22, 12, tzinfo=UTC),
    variables={"person": "a1"},
    points=1440,
)


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ("f($__timeFrom(), $__timeTo())", "f('2026-11-21T12:00:00Z', '2026-11-22T12:00:00Z')"),
        (
            "where $__timeFilter(received_at)",
            "where received_at BETWEEN '2026-11-21T12:00:00Z' AND '2026-11-22T12:00:00Z'",
        ),
        ("$__interval_ms / 1000", "60000 / 1000"),
        ("${person:sqlstring}::uuid", "'a1'::uuid"),
        ("select 'plain'", "select 'plain'"),
    ],
)
def test_a_macro_becomes_what_grafana_makes_of_it(asked: str, sent: str) -> None:
    assert substitute(asked, VIEW) == sent


@pytest.mark.parametrize(
    "asked",
    ["$__timeGroup(x, '1h')", "$person", "${person}", "${unregistered:sqlstring}", "$__unixEpochFrom()", "${a:csv}"],
)
def test_what_nothing_replaces_is_refused(asked: str) -> None:
    with pytest.raises(UnknownMacroError):
        substitute(asked, VIEW)


def test_a_quote_in_a_choice_stays_inside_its_literal() -> None:
    view = View(since=VIEW.since, until=VIEW.until, variables={"person": "x' or 'a'='a"})

    assert substitute("${person:sqlstring}", view) == "'x'' or ''a''=''a'"


@given(choice=st.text(max_size=40))
def test_no_choice_ends_its_literal_early(choice: str) -> None:
    sent = substitute("${person:sqlstring}", View(since=VIEW.since, until=VIEW.until, variables={"person": choice}))

    assert sent[0] == sent[-1] == "'"
    assert "'" not in sent[1:-1].replace("''", "")
    assert sent[1:-1].replace("''", "'") == choice


def test_the_variables_of_a_query_are_found() -> None:
    assert variables_of("f(${person:sqlstring}, ${day:sqlstring}, $__timeTo(), ${__from:date})") == {"person", "day"}
