"""From conditions to incidents to what operators are notified: once, in time, and that it is over."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.watch.core import (
    HAPPENINGS,
    HOLDS_MS,
    MARK_LASTS_MS,
    MEANING,
    REMIND_MS,
    Condition,
    Incident,
    Kind,
    Suspicions,
    advance,
    fold,
    is_over,
    notification_text,
    notified,
    rise,
    to_notify,
)

STEP = Condition(kind=Kind.STEP_OVERDUE, detail="3 of them.")
OUTAGE = Condition(kind=Kind.PLATFORM_OUTAGE)
UNNOTIFIED = Condition(kind=Kind.NO_RECIPIENT, detail="2 now.")
DAY_MS = 24 * 3_600_000
DROPPED = Condition(kind=Kind.DROPPED_AT_BROKER, detail="7 more.")


def look(live: list[Incident], *conditions: Condition, now: int) -> list[Incident]:
    return fold(live, conditions, conditions, now, iter(uuid4, None))


def notify(live: list[Incident], now: int) -> tuple[list[Incident], list[str]]:
    """Notifies what is due; the incidents afterwards and what was notified."""
    due = to_notify(live, now)
    ids = {one.incident_id for one in due}
    return [notified(one, now) if one.incident_id in ids else one for one in live], [
        f"{'over ' if one.ended_at is not None else ''}{one.kind}" for one in due
    ]


def test_a_condition_is_notified_once_then_after_a_quarter_of_an_hour_then_that_it_is_over() -> None:
    live, said = notify(look([], STEP, now=0), 0)
    assert said == ["step_overdue"]
    live, said = notify(look(live, STEP, now=5_000), 5_000)
    assert said == []
    live, said = notify(look(live, STEP, now=REMIND_MS), REMIND_MS)
    assert said == ["step_overdue"]
    live, said = notify(look(live, now=REMIND_MS + 5_000), REMIND_MS + 5_000)
    assert said == ["over step_overdue"]
    assert [is_over(one) for one in live] == [True]


def test_that_nobody_would_be_notified_is_notified_once_a_day_while_it_is_so_and_during_an_outage_too() -> None:
    live, said = notify(look([], OUTAGE, UNNOTIFIED, now=0), 0)
    assert said == ["platform_outage", "no_recipient"]
    live, said = notify(look(live, UNNOTIFIED, now=REMIND_MS), REMIND_MS)
    assert said == ["over platform_outage"]
    live, said = notify(look(live, UNNOTIFIED, now=DAY_MS), DAY_MS)
    assert said == ["no_recipient"]
    _, said = notify(look(live, now=DAY_MS + 5_000), DAY_MS + 5_000)
    assert said == ["over no_recipient"]


def test_that_nobody_would_be_notified_has_to_last_longer_than_a_binding_takes_to_end() -> None:
    suspicions = Suspicions()
    assert suspicions.ripe([UNNOTIFIED], 0) == []
    assert suspicions.ripe([UNNOTIFIED], 25_000) == []
    assert suspicions.ripe([UNNOTIFIED], 30_000) == [UNNOTIFIED]


def test_an_outage_is_one_page_and_its_symptoms_are_listed_in_it() -> None:
    live = look([], OUTAGE, STEP, Condition(kind=Kind.NO_PROGRESS, subject="store"), now=0)
    due = to_notify(live, 0)
    assert [one.kind for one in due] == [Kind.PLATFORM_OUTAGE]
    subject, body = notification_text(due, live)
    assert subject == "HearthBeat platform: platform outage"
    assert "step_overdue" in body
    assert "no_progress (store)" in body


def test_symptoms_that_outlive_the_outage_are_notified_then() -> None:
    live, _ = notify(look([], OUTAGE, STEP, now=0), 0)
    _, said = notify(look(live, STEP, now=5_000), 5_000)
    assert said == ["step_overdue", "over platform_outage"]


def test_what_happened_stays_open_for_a_while_and_is_not_repeated() -> None:
    live, said = notify(look([], DROPPED, now=0), 0)
    assert said == ["dropped_at_broker"]
    live, said = notify(look(live, now=5_000), 5_000)
    assert (said, live[0].ended_at) == ([], None)
    live, said = notify(look(live, DROPPED, now=10_000), 10_000)
    assert said == []
    live, said = notify(look(live, now=10_000 + MARK_LASTS_MS), 10_000 + MARK_LASTS_MS)
    assert said == ["over dropped_at_broker"]


def test_a_page_that_did_not_go_out_is_tried_again_at_the_next_look() -> None:
    live = look([], STEP, now=0)
    assert to_notify(live, 0)
    assert to_notify(look(live, STEP, now=5_000), 5_000)


def test_an_incident_that_nobody_heard_of_ends_without_a_word() -> None:
    ended = look(look([], STEP, now=0), now=5_000)
    assert to_notify(ended, 5_000) == []
    assert is_over(ended[0])


def test_a_restart_is_no_incident() -> None:
    suspicions, down = Suspicions(), Condition(kind=Kind.SERVICE_DOWN, subject="store")
    assert suspicions.ripe([down], 0) == []
    assert suspicions.ripe([down], HOLDS_MS[Kind.SERVICE_DOWN] - 1) == []
    assert suspicions.ripe([], 20_000) == []
    assert suspicions.ripe([down], 30_000) == []
    assert suspicions.ripe([down], 30_000 + HOLDS_MS[Kind.SERVICE_DOWN]) == [down]


def test_what_is_only_suspected_again_keeps_an_open_incident_open() -> None:
    down = Condition(kind=Kind.SERVICE_DOWN, subject="store")
    live = look([], down, now=0)
    assert fold(live, [], [down], 5_000, iter(uuid4, None))[0].ended_at is None


@pytest.mark.parametrize(("before", "now", "by"), [(None, 3, 3), (3, 3, 0), (3, 5, 2), (5, 2, 2), (None, 0, 0)])
def test_a_counter_rises_by_what_it_gained_or_by_all_since_it_began_anew(before: int | None, now: int, by: int) -> None:
    assert rise(before, now) == by


def test_a_group_that_stands_before_work_is_timed_from_when_the_work_came() -> None:
    seen = advance({}, {"store 0": (10, 10)}, 0)
    seen = advance(seen, {"store 0": (10, 15)}, 5_000)
    assert seen["store 0"].since == 5_000
    seen = advance(seen, {"store 0": (10, 20)}, 65_000)
    assert (seen["store 0"].since, seen["store 0"].lag) == (5_000, 10)
    seen = advance(seen, {"store 0": (12, 20)}, 66_000)
    assert seen["store 0"].since == 66_000


def test_every_kind_says_what_it_means() -> None:
    assert set(MEANING) == set(Kind)
    assert all(text.endswith(".") for text in MEANING.values())


CONDITIONS = st.builds(Condition, kind=st.sampled_from(Kind), subject=st.sampled_from(["", "a", "b"]))


@given(st.lists(st.tuples(st.lists(CONDITIONS, max_size=6), st.booleans(), st.integers(0, 20 * 60_000)), max_size=30))
def test_whatever_is_seen_no_key_is_open_twice_and_every_notified_beginning_has_its_end_notified(
    looks: list[tuple[list[Condition], bool, int]],
) -> None:
    live: list[Incident] = []
    ended_unsaid: set[UUID] = set()
    now = 0
    for conditions, reached, gap in [*looks, ([], True, 10 * MARK_LASTS_MS), ([], True, 1)]:
        now += gap
        live = look(live, *conditions, now=now)
        open_keys = [one.key for one in live if one.ended_at is None]
        assert len(open_keys) == len(set(open_keys))
        assert {one.key for one in live if one.ended_at is None and one.kind not in HAPPENINGS} == {
            one.key for one in conditions if one.kind not in HAPPENINGS
        }
        if reached:
            live, _ = notify(live, now)
        ended_unsaid |= {one.incident_id for one in live if one.notified_at is not None and one.end_notified_at is None}
        ended_unsaid -= {one.incident_id for one in live if one.end_notified_at is not None}
        live = [one for one in live if not is_over(one)]
    assert not ended_unsaid
    assert not live
