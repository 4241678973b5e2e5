"""Shares and spans are said with their counts, and nothing is divided by nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.outcomes import Outcomes, of_row, share_words, span_words


def outcomes(**some: float | None) -> Outcomes:
    nothing = {"openings": 0, "acknowledged": 0, "median_s": None, "said_real": 0, "said_false": 0, "said_unclear": 0}
    return of_row(nothing | some)


def test_what_is_unclear_counts_neither_for_nor_against() -> None:
    found = outcomes(openings=10, acknowledged=9, said_real=3, said_false=1, said_unclear=4)

    assert found.precision == 0.75
    assert found.share_handled == 0.9
    assert found.without_verdict == 2


def test_of_nothing_no_share_is_known() -> None:
    found = outcomes()

    assert (found.precision, found.share_handled, found.median_s) == (None, None, None)
    assert share_words(0, 0) == span_words(None) == "not known"


def test_without_a_verdict_of_real_or_false_precision_is_not_known() -> None:
    assert outcomes(openings=5, acknowledged=5, said_unclear=5).precision is None


@pytest.mark.parametrize(
    ("part", "whole", "words"),
    [
        (0, 3, "0 % (0 of 3)"),
        (3, 3, "100 % (3 of 3)"),
        (2, 3, "67 % (2 of 3)"),
        (999, 1000, "99 % (999 of 1000)"),
        (1, 1000, "1 % (1 of 1000)"),
    ],
)
def test_a_share_is_said_with_its_counts(part: int, whole: int, words: str) -> None:
    assert share_words(part, whole) == words


@given(st.integers(1, 10**6).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole))))
def test_all_and_none_are_said_of_nothing_else(counts: tuple[int, int]) -> None:
    part, whole = counts
    percent = int(share_words(part, whole).split(" ")[0])

    assert (percent == 0) == (part == 0)
    assert (percent == 100) == (part == whole)
    assert abs(percent - 100 * part / whole) <= 1


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (3599.0, "59 min"),
        (3600.0, "1 h 00 min"),
        (9300.0, "2 h 35 min"),
        (90000.0, "1 d 1 h"),
    ],
)
def test_a_span_is_said_in_the_units_that_matter(seconds: float, words: str) -> None:
    assert span_words(seconds) == words
