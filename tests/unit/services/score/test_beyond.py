"""Samples that say nothing are folded at once, and what follows is the same."""

from copy import deepcopy

from hypothesis import given
from hypothesis import strategies as st

from schemas.vitals import HEART_RATE
from services.score.beyond import Beyond
from services.score.rules.heart_rate import HEART_RATE_LIMITS
from services.score.sample import Sample

assert isinstance(HEART_RATE_LIMITS.fold, Beyond)
FOLD: Beyond = HEART_RATE_LIMITS.fold


@st.composite
def samples(draw: st.DrawFn) -> list[Sample]:
    """Pulses of one band, now and then of a second one, in the order of time; some of them at the same moment."""
    at, taken = 1_700_000_000_000, []
    for seq in range(draw(st.integers(1, 40))):
        at += draw(st.sampled_from([0, 1_000, 60_000, 60_000, 300_000, 4_000_000]))
        value = draw(st.sampled_from([70.0, 71.0, 72.0, 90.0, 90.0, 118.0, 39.0, 125.0]))
        taken.append(Sample(at, value, draw(st.sampled_from([1] * 20 + [2])), 0, seq, 0, HEART_RATE.number, 0, at, 1))
    return sorted(taken)


@given(samples(), st.integers(0, 12))
def test_what_is_skipped_leaves_the_state_as_each_sample_would(taken: list[Sample], first: int) -> None:
    one_by_one = FOLD.start()
    for sample in taken[:first]:
        FOLD.advance(one_by_one, sample, rested=True)
    at_once, before = deepcopy(one_by_one), deepcopy(one_by_one.to_plain())
    marks = [FOLD.advance(one_by_one, sample, rested=True) for sample in taken[first:]]
    if FOLD.skip(at_once, taken[first:]):
        assert (at_once.to_plain(), any(marks)) == (one_by_one.to_plain(), False)
    else:
        assert at_once.to_plain() == before


def test_a_quiet_hour_is_skipped() -> None:
    """Else nothing would be gained, and the test above would show nothing."""
    state = FOLD.start()
    hour = [Sample(60_000 * n, 70.0 + n % 3, 1, 0, n, 0, HEART_RATE.number, 0, 60_000 * n, 1) for n in range(1, 61)]
    FOLD.advance(state, hour[0], rested=True)
    assert FOLD.skip(state, hour[1:])
    assert state.tracks[1].at == hour[-1].at
