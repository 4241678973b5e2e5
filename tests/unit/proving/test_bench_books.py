"""The books of a load: the published set and the stored set are the same exactly when nothing is off."""

import pytest

from tests.proving.bench.books import Books, Stored, balance

EPOCH = ("band-1", 7)
PUBLISHED = {EPOCH: 10}
WHOLE = Stored(rows=40, items=40, first=0, last=9, least=0, most=3)


def books(
    stored: dict[tuple[str, int], Stored] | None = None,
    *,
    settled: list[tuple[int, int]] | None = None,
    events: int = 1,
    rejected: int = 0,
) -> Books:
    return balance(
        PUBLISHED,
        stored={EPOCH: WHOLE} if stored is None else stored,
        settled={EPOCH: [(0, 10)] if settled is None else settled},
        events={EPOCH: events},
        pressed={EPOCH: 1},
        rejected=rejected,
    )


def test_what_is_there_once_and_settled_balances() -> None:
    found = books()
    assert found.balanced
    assert (found.published, found.stored) == (40, 40)


@pytest.mark.parametrize(
    ("wrong", "field", "number"),
    [
        (books({EPOCH: WHOLE._replace(rows=39, items=39)}), "lost", 1),
        (books({}), "lost", 40),
        (books({EPOCH: WHOLE._replace(rows=41)}), "duplicated", 1),
        (books({EPOCH: WHOLE._replace(last=10)}), "foreign", 1),
        (books({EPOCH: WHOLE._replace(most=4)}), "foreign", 1),
        (books({EPOCH: WHOLE, ("band-2", 1): WHOLE}), "foreign", 1),
        (books(settled=[(0, 4), (5, 10)]), "unsettled", 1),
        (books(settled=[]), "unsettled", 10),
        (books(events=0), "lost_events", 1),
        (books(events=2), "duplicated", 1),
        (books(rejected=1), "rejected", 1),
    ],
)
def test_whatever_is_off_unbalances_them(wrong: Books, field: str, number: int) -> None:
    assert not wrong.balanced
    assert getattr(wrong, field) == number


def test_a_lost_row_is_not_made_up_for_by_one_that_is_there_twice() -> None:
    found = books({EPOCH: WHOLE._replace(items=39)})
    assert (found.lost, found.duplicated) == (1, 1)
