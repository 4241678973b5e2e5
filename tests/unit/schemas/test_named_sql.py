"""The form of named queries, and that what is not in it is refused, not lost."""

import pytest

from schemas.named_sql import BrokenQueriesError, named_queries

GOOD = """
-- name: first
-- Everything.
select * from a where note = '-- name: x';

-- name: second
-- Two lines
-- of English.
select 2
-- and a remark
;
"""


def test_queries_have_names_and_lose_their_english() -> None:
    assert named_queries(GOOD) == {
        "first": "select * from a where note = '-- name: x'",
        "second": "select 2\n-- and a remark\n",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("select 1;\n", "no name stands before 'select 1;'"),
        ("-- Said before its name.\n-- name: a\n-- A.\nselect 1;\n", "no name stands before '-- Said"),
        ("-- name: a\nselect 1;\n", "a says nothing in English"),
        ("-- name: a\n\n-- A.\nselect 1;\n", "a says nothing in English"),
        ("-- name: a\n-- A.\n;\n", "a has no SQL"),
        ("-- name: a\n-- A.\n-- name: b\n-- B.\nselect 1;\n", "a has no SQL"),
        ("-- name: a\n-- A.\nselect 1;\n-- name: a\n-- A.\nselect 2;\n", "a is there twice"),
        ("-- name: a b\n-- A.\nselect 1;\n", "not a name: ' a b'"),
        ("-- name:a\n-- A.\nselect 1;\n", "not a name: 'a'"),
        ("--name: a-b\n-- A.\nselect 1;\n", "not a name: ' a-b'"),
        ("-- name: \n-- A.\nselect 1;\n", "not a name: ' '"),
    ],
)
def test_a_text_in_another_form_is_refused(text: str, said: str) -> None:
    with pytest.raises(BrokenQueriesError, match=said):
        named_queries(text)
