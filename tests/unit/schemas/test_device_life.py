"""The life of a device's credential, step by step; and what a claim's code is good for."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.device_life import (
    TRANSITIONS,
    Claim,
    ClaimVerdict,
    LifeFacts,
    LifeState,
    LifeStep,
    after,
    hash_of,
    judge,
    new_code,
    state_of,
)

NOW = datetime(2026, 12, 1, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - zone is given
NEW = LifeFacts(removed=False, has_credential=False, suspended=False, revoked=False, offered=False)
WHOLE_LIFE = [
    (LifeStep.CLAIM, LifeState.OFFERED),
    (LifeStep.ACTIVATE, LifeState.ACTIVE),
    (LifeStep.ROTATE, LifeState.ACTIVE),
    (LifeStep.SUSPEND, LifeState.SUSPENDED),
    (LifeStep.RESUME, LifeState.ACTIVE),
    (LifeStep.REVOKE, LifeState.REVOKED),
    (LifeStep.WIPE, LifeState.REGISTERED),
    (LifeStep.REMOVE, LifeState.REMOVED),
]


def walk(steps: list[LifeStep]) -> list[LifeState]:
    """The states passed; a step that is refused leaves the device where it is."""
    states = [LifeState.REGISTERED]
    for step in steps:
        states.append(after(states[-1], step) or states[-1])
    return states


def test_a_whole_life_from_claim_to_removal() -> None:
    assert walk([step for step, _ in WHOLE_LIFE])[1:] == [state for _, state in WHOLE_LIFE]


@given(st.lists(st.sampled_from(LifeStep)))
def test_nothing_but_a_wipe_brings_a_revoked_device_back_and_nothing_a_removed_one(steps: list[LifeStep]) -> None:
    states = walk(steps)
    for step, before, now in zip(steps, states, states[1:], strict=False):
        if before is LifeState.REVOKED and now is not before:
            assert step in {LifeStep.WIPE, LifeStep.REMOVE}
        if before is LifeState.REMOVED:
            assert now is before
        if before is LifeState.SUSPENDED and now is LifeState.ACTIVE:
            assert step is LifeStep.RESUME


@given(st.lists(st.sampled_from(LifeStep)))
def test_who_becomes_active_has_got_a_secret_or_the_suspension_lifted(steps: list[LifeStep]) -> None:
    states = walk(steps)
    for step, before, now in zip(steps, states, states[1:], strict=False):
        if now is LifeState.ACTIVE and before is not now:
            assert step in {LifeStep.ACTIVATE, LifeStep.ROTATE, LifeStep.RESUME}


def test_every_state_can_be_reached_and_left_for_removal() -> None:
    assert {LifeState.REGISTERED, *TRANSITIONS.values()} == set(LifeState)
    assert {state for state, step in TRANSITIONS if step is LifeStep.REMOVE} == set(LifeState) - {LifeState.REMOVED}


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({}, LifeState.REGISTERED),
        ({"offered": True}, LifeState.OFFERED),
        ({"has_credential": True}, LifeState.ACTIVE),
        ({"has_credential": True, "offered": True}, LifeState.ACTIVE),
        ({"has_credential": True, "suspended": True}, LifeState.SUSPENDED),
        ({"has_credential": True, "suspended": True, "revoked": True}, LifeState.REVOKED),
        ({"removed": True, "has_credential": True}, LifeState.REMOVED),
    ],
)
def test_the_state_follows_from_what_is_kept(facts: dict[str, bool], state: LifeState) -> None:
    assert state_of(NEW.model_copy(update=facts)) is state


@given(MOMENTS, MOMENTS, st.none() | MOMENTS, st.none() | MOMENTS)
def test_a_code_is_good_only_before_its_end_unused_and_not_withdrawn(
    now: datetime, ends_at: datetime, used_at: datetime | None, withdrawn_at: datetime | None
) -> None:
    verdict = judge(Claim(ends_at=ends_at, used_at=used_at, withdrawn_at=withdrawn_at), now)
    assert (verdict is ClaimVerdict.GOOD) == (used_at is None and withdrawn_at is None and now < ends_at)
    assert (verdict is ClaimVerdict.USED) == (used_at is not None)


def test_a_code_that_nobody_gave_out_is_unknown() -> None:
    assert judge(None, NOW) is ClaimVerdict.UNKNOWN


def test_a_code_that_is_over_or_withdrawn_is_said_to_be() -> None:
    assert judge(Claim(ends_at=NOW), NOW) is ClaimVerdict.OVER
    assert judge(Claim(ends_at=NOW + timedelta(1), withdrawn_at=NOW), NOW) is ClaimVerdict.WITHDRAWN


def test_a_code_may_be_typed_in_small_letters_and_without_hyphens() -> None:
    code = new_code()
    assert hash_of(code.lower().replace("-", " ")) == hash_of(code)
    assert hash_of(new_code()) != hash_of(code)
    assert [len(group) for group in code.split("-")] == [5, 5, 5, 5]
