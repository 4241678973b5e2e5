"""A dose goes only where the table says, and is settled once."""

from itertools import product

import pytest

from schemas.doses import DOSE_TRANSITIONS, DoseState, IllegalDoseTransitionError, moved

SETTLED = (DoseState.TAKEN, DoseState.EARLY, DoseState.LATE, DoseState.MISSED)


def test_every_state_has_its_row_and_a_settled_dose_goes_nowhere() -> None:
    assert set(DOSE_TRANSITIONS) == set(DoseState)
    assert [state for state in SETTLED if DOSE_TRANSITIONS[state]] == []


@pytest.mark.parametrize(("before", "after"), list(product(DoseState, DoseState)))
def test_a_dose_goes_where_the_table_says_and_nowhere_else(before: DoseState, after: DoseState) -> None:
    if after in DOSE_TRANSITIONS[before]:
        assert moved(before, after) is after
    else:
        with pytest.raises(IllegalDoseTransitionError):
            moved(before, after)
