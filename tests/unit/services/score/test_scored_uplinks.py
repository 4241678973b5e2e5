"""Which uplinks count as scored: like a set, but small."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from services.score.scored_uplinks import SeenMarks

uplinks = st.lists(st.tuples(st.integers(1, 2), st.integers(0, 1), st.integers(0, 40)), max_size=80)


@given(uplinks)
def test_an_uplink_is_new_once(story: Sequence[tuple[int, int, int]]) -> None:
    marks, known = SeenMarks(), set()

    for uplink in story:
        assert marks.add(*uplink) == (uplink not in known)
        known.add(uplink)


@given(uplinks, st.randoms())
def test_marks_are_the_same_in_any_order_of_seq(story: Sequence[tuple[int, int, int]], random: st.DataObject) -> None:
    one_epoch = [(device, 0, seq) for device, _, seq in story]
    shuffled = list(one_epoch)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert _marks_of(shuffled).to_plain() == _marks_of(one_epoch).to_plain()


@given(uplinks, uplinks)
def test_marks_go_on_after_they_were_saved(
    before: Sequence[tuple[int, int, int]], after: Sequence[tuple[int, int, int]]
) -> None:
    marks = _marks_of(before)
    loaded = SeenMarks.from_plain(marks.to_plain())

    assert [loaded.add(*uplink) for uplink in after] == [marks.add(*uplink) for uplink in after]
    assert loaded.to_plain() == marks.to_plain()


def test_a_device_with_endless_holes_keeps_64_ranges_and_what_is_between_the_oldest_counts_as_seen() -> None:
    marks = _marks_of([(1, 0, 10 * number) for number in range(70)])

    ((_, ((_, bounds),)),) = marks.to_plain()
    assert len(bounds) == 2 * 64
    assert not marks.add(1, 0, 5)
    assert marks.add(1, 0, 695)


def test_a_device_keeps_its_newest_four_epochs() -> None:
    marks = _marks_of([(1, epoch, 0) for epoch in (5, 3, 9, 1, 7)])

    assert [epoch for epoch, _ in marks.to_plain()[0][1]] == [3, 9, 1, 7]


def _marks_of(story: Sequence[tuple[int, int, int]]) -> SeenMarks:
    marks = SeenMarks()
    for uplink in story:
        marks.add(*uplink)
    return marks
