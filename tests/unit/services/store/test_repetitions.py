"""Of which rows the database is asked whether they were stored before, and which of a batch say the same again."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.reasons import NOT_SCORED, Flag
from services.store.repetitions import NewestReadings, flag, repeated_here
from services.store.rows import ROW, ReadingRows

Row = tuple[int, int, int, float, int, int]
"""Device, vital, when it was measured, value, epoch, number of the uplink."""


def rows(*given: Row) -> ReadingRows:
    found = np.zeros(len(given), dtype=ROW)
    for place, (device_no, vital, at, value, epoch, seq) in enumerate(given):
        for name, one in (
            ("device_no", device_no), ("person_no", 7), ("vital", vital), ("observed_at", at), ("value", value),
            ("epoch", epoch), ("seq", seq),
        ):  # fmt: skip
            found[name][place] = one
    return found


def test_what_is_newer_than_all_of_its_device_is_no_repetition_and_nobody_is_asked() -> None:
    newest = NewestReadings()
    newest.begin({0: 10})
    first = rows((1, 2, 100, 60.0, 5, 1), (1, 2, 200, 61.0, 5, 2))
    # Of a device that this process has not heard before, any may be one.
    assert newest.doubtful(first).tolist() == [0, 1]
    newest.written(first, {0: 12})
    newest.begin({0: 12})
    assert newest.doubtful(rows((1, 2, 300, 62.0, 5, 3), (1, 2, 200, 61.0, 6, 0), (2, 2, 900, 1.0, 1, 1))).tolist() == [
        1,
        2,
    ]


def test_where_another_process_has_written_in_between_nothing_is_known_any_more() -> None:
    newest = NewestReadings()
    newest.begin({0: 10})
    newest.written(rows((1, 2, 100, 60.0, 5, 1)), {0: 11})
    newest.begin({0: 30})
    assert newest.doubtful(rows((1, 2, 400, 60.0, 5, 9))).tolist() == [0]


def test_a_repetition_in_one_batch_is_found_and_the_first_one_is_not() -> None:
    found = rows(
        (1, 2, 100, 60.0, 5, 1), (1, 3, 100, 60.0, 5, 1), (1, 2, 100, 61.0, 6, 0), (1, 2, 100, 60.0, 6, 0),
        (2, 2, 100, 60.0, 6, 0), (1, 2, 100, 60.0, 7, 0),
    )  # fmt: skip
    flag(found, repeated_here(found))
    assert [bool(one & Flag.REPEATED) for one in found["flags"].tolist()] == [False, False, False, True, False, True]
    assert Flag.REPEATED & NOT_SCORED


ANY = st.tuples(
    st.integers(1, 3), st.integers(1, 2), st.integers(1, 4), st.sampled_from([1.0, 2.0]), st.integers(1, 3),
    st.integers(0, 3),
)  # fmt: skip


@given(st.lists(ANY, max_size=30), st.integers(0, 30))
def test_however_a_log_is_cut_into_batches_each_repetition_is_found(log: list[Row], cut: int) -> None:
    """By asking about the doubtful ones, as ``stored_before`` does."""
    whole = [
        any(log[before][:4] == row[:4] and log[before][4:] != row[4:] for before in range(place))
        for place, row in enumerate(log)
    ]
    newest, flagged, stored = NewestReadings(), [], set[Row]()
    for first, end in ((0, min(cut, len(log))), (min(cut, len(log)), len(log))):
        batch = rows(*log[first:end])
        newest.begin({0: first})
        flag(batch, repeated_here(batch))
        doubtful = newest.doubtful(batch).tolist()
        again = [
            place
            for place in doubtful
            if any(one[:4] == log[first + place][:4] and one[4:] != log[first + place][4:] for one in stored)
        ]
        flag(batch, again)
        newest.written(batch, {0: end})
        stored |= set(log[first:end])
        flagged += [bool(one & Flag.REPEATED) for one in batch["flags"].tolist()]
    # Within a batch, only neighbours are compared: the same uplink twice is the cursors' to keep out.
    once = len({(row[:4], row[4:]) for row in log}) == len(log)
    assert not once or flagged == whole
