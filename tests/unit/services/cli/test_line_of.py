"""The line of a value in a JSON file."""

import json

import pytest

from services.cli.line_of import line_of

TEXT = """{
\t"homes": [
\t\t{"home_id": 1,
\t\t "people": [
\t\t   {"name": "x", "limits": []},
\t\t   {"name": "y", "limits": [{"off": 1},
\t\t     {"off": 2}]}
\t\t ]}
\t]
}
"""


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ((), 1),
        (("homes",), 2),
        (("homes", 0), 3),
        (("homes", 0, "people", 1), 6),
        (("homes", 0, "people", 1, "limits", 1, "off"), 7),
        (("homes", 0, "people", 1, "conditions", 0), 6),
        (("homes", 0, "people", 9), 4),
        (("doctors", 0, "email"), 1),
    ],
)
def test_the_line_of_a_value_or_of_the_nearest_one_around_it(place: tuple[int | str, ...], line: int) -> None:
    assert json.loads(TEXT)
    assert line_of(TEXT, place) == line


@pytest.mark.parametrize("text", ['{"homes": [', "[" * 100_000, "", "\x00"])
def test_what_is_no_json_has_one_line(text: str) -> None:
    assert line_of(text, ("homes", 0)) == 1


def test_a_key_that_stands_twice_is_the_last_one_and_letters_that_end_lines_elsewhere_end_none_here() -> None:
    assert line_of('{"a": 1,\n"b": "\u2028\x85",\n"a": 2}', ("a",)) == 3
