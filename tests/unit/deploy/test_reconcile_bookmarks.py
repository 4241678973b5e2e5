"""Acks against cursors: ahead is always wrong, behind only where the broker forgot nothing."""

from types import SimpleNamespace

import pytest

from deploy.reconcile.bookmarks import Settled, upto_of, wrongly_acknowledged


@pytest.mark.parametrize(
    ("ranges", "floor", "upto"),
    [([], 0, -1), ([(0, 5)], 0, 4), ([(1, 5)], 0, -1), ([(3, 5)], 3, 4), ([(0, 2), (4, 6)], 0, 1), ([(4, 6)], 9, 8)],
)
def test_upto_is_the_end_of_the_run_from_nought(ranges: list[tuple[int, int]], floor: int, upto: int) -> None:
    parts = [SimpleNamespace(lower=lower, upper=upper) for lower, upper in reversed(ranges)]
    assert upto_of(parts, floor) == upto


HERE = {"band-1": Settled(epoch=7, upto=20)}


@pytest.mark.parametrize(
    ("acks", "wrong_if_all_are_kept", "wrong_if_not"),
    [
        ({"band-1": Settled(epoch=7, upto=20)}, 0, 0),
        ({"band-1": Settled(epoch=7, upto=21)}, 1, 1),
        ({"band-1": Settled(epoch=7, upto=19)}, 1, 0),
        ({"band-1": Settled(epoch=6, upto=90)}, 1, 0),
        ({}, 1, 0),
    ],
)
def test_an_ack_is_held_against_its_cursor(
    acks: dict[str, Settled], wrong_if_all_are_kept: int, wrong_if_not: int
) -> None:
    assert len(wrongly_acknowledged(HERE, acks, all_kept=True)) == wrong_if_all_are_kept
    assert len(wrongly_acknowledged(HERE, acks, all_kept=False)) == wrong_if_not
