"""A name is found however it is typed."""

from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.names import fold, is_found


@given(st.text())
def test_case_and_composition_make_no_difference(name: str) -> None:
    ways = (normalize("NFC", name), normalize("NFD", name), name.upper(), name.lower(), normalize("NFD", name).upper())
    assert {fold(way) for way in ways} == {fold(name)}


@given(st.text())
def test_what_was_folded_stays_as_it_is(name: str) -> None:
    assert fold(fold(name)) == fold(name)


@given(st.text(), st.text(min_size=1), st.text())
def test_a_part_of_a_name_finds_it(before: str, part: str, after: str) -> None:
    assert is_found(normalize("NFC", before + part + after), normalize("NFD", part).upper())


@pytest.mark.parametrize(
    ("name", "search"),
    [
        ("Müller", "muller"),
        ("Müller", "MÜLLER"),
        (normalize("NFD", "Müller"), "müller"),
        ("Weiß", "weiss"),
        ("WEISS", "weiß"),
        ("Sørensen", "sorensen"),
        ("Łukasz Żółć", "lukasz zolc"),
        ("Đorđe", "DORDE"),
        ("Mħamed", "mhamed"),
        ("Iş\N{LATIN SMALL LETTER DOTLESS I}l", "isil"),
        ("İbrahim", "ibrahim"),
        ("Æsa Œuvre", "aesa oeuvre"),
        ("Þórður", "thordur"),
        ("Ἀλέξανδρος", "ΑΛΕΞΑΝΔΡΟΣ"),
        ("Владимир", "ВЛАД"),
        ("O\N{SOFT HYPHEN}Brien", "o" + "brien"),
        ("\N{FULLWIDTH LATIN CAPITAL LETTER R}uth", "ruth"),
    ],
)
def test_real_names_are_found_as_people_type_them(name: str, search: str) -> None:
    assert is_found(name, search)


@pytest.mark.parametrize(("name", "search"), [("Müller", "moller"), ("Ruth", "ruthe"), ("a%b", "a_b"), ("Ruth", ".*")])
def test_other_names_and_patterns_find_nothing(name: str, search: str) -> None:
    assert not is_found(name, search)
