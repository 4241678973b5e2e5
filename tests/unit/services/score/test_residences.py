"""Who lives where: of whoever has moved, in one home at a time; of everybody else, wherever they are known."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.score.known_limits import book_of
from services.score.limit_book import ALWAYS, NEVER, LimitBook
from services.score.residences import EVERYWHERE, Residence, Residences

MOVES = st.lists(st.tuples(st.integers(1, 10_000), st.integers(1, 3)), max_size=6, unique_by=lambda one: one[0])


def refuse(_number: int, _field: str) -> None:
    raise AssertionError


@given(person=st.integers(1, 9), home=st.integers(1, 9), at=st.integers(0, 10_000))
def test_of_whom_nothing_is_said_every_home_that_knows_them_is_theirs(person: int, home: int, at: int) -> None:
    assert EVERYWHERE.lives_in(person, home, at)
    assert Residences([Residence(person + 1, home, ALWAYS, 5)]).lives_in(person, home, at)


@given(moves=MOVES, at=st.integers(-10, 11_000))
def test_whoever_has_moved_lives_in_one_home_at_a_time(moves: list[tuple[int, int]], at: int) -> None:
    begins = [(ALWAYS, 0), *sorted(moves), (NEVER, 0)]
    known = Residences([Residence(7, home, first, end) for (first, home), (end, _) in pairwise(begins)])
    lived = [home for home in range(4) if known.lives_in(7, home, at)]
    assert lived == [next(home for (first, home), (end, _) in pairwise(begins) if first <= at < end)]


def test_the_book_has_them_from_the_rows_and_keeps_them_where_limits_are_held_fast() -> None:
    rows = [
        {"person_no": 7, "home_no": 1, "from_ms": None, "to_ms": 100},
        {"person_no": 7, "home_no": 2, "from_ms": 100, "to_ms": None},
    ]
    book = book_of([], [], refuse, rows)
    for one in (book, book.standing([7], 50)):
        found = [
            one.residences.lives_in(7, home, at) for home, at in ((1, 99), (1, 100), (2, 99), (2, 100), (2, NEVER - 1))
        ]
        assert found == [True, False, False, True, True]
    assert LimitBook().residences.lives_in(7, 1, 100)
