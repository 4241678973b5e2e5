"""Which states of a dose are settled, and which say that it was taken."""

from schemas.doses import OPEN_STATES, TAKEN_STATES, DoseState


def test_a_dose_that_is_not_known_is_not_settled_and_one_that_is_held_is() -> None:
    assert {DoseState.PENDING, DoseState.REMINDED, DoseState.UNKNOWN} == OPEN_STATES
    assert {DoseState.MISSED, DoseState.HELD} == set(DoseState) - OPEN_STATES - TAKEN_STATES


def test_no_state_is_open_and_taken() -> None:
    assert not OPEN_STATES & TAKEN_STATES
