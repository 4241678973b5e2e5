"""The accounts must fail where something is lost, twice, foreign or unsettled; hand-made books for each."""

import json
from pathlib import Path

from asyncpg import Range
from hypothesis import given
from hypothesis import strategies as st

from deploy.reconcile.accounts import WHOLE, Accounts, Published, Uplink, balance, read_oracle

FIRST: Uplink = ("band-1", 5, 0)
SECOND: Uplink = ("band-1", 5, 1)
OTHER: Uplink = ("cuff-9", 77, 0)
ORACLE = {
    FIRST: Published(readings=3, events=1),
    SECOND: Published(readings=1, events=0),
    OTHER: Published(readings=0, events=2),
}
STORED = {FIRST: [0, 1, 2, 3], SECOND: [0], OTHER: [0, 1]}
SETTLED = {("band-1", 5): [Range(0, 2)], ("cuff-9", 77): [Range(0, 1)]}

Refusals = dict[Uplink, tuple[list[int], list[str]]]


def books(
    *,
    stored: dict[Uplink, list[int]] | None = None,
    refused: Refusals | None = None,
    settled: dict[tuple[str, int], list[Range[int]]] | None = None,
) -> Accounts:
    """The accounts of a perfect run, but for what is named."""
    return balance(
        ORACLE, stored={**STORED, **(stored or {})}, refused=refused or {}, settled={**SETTLED, **(settled or {})}
    )


def faults(accounts: Accounts) -> dict[str, int]:
    counted = {name: getattr(accounts, name) for name in ("lost", "twice", "unsettled", "foreign")}
    return {name: number for name, number in counted.items() if number}


def test_a_perfect_run_balances() -> None:
    accounts = books()
    assert accounts.balanced
    assert (accounts.uplinks, accounts.readings.published, accounts.events.published) == (3, 4, 3)
    assert (accounts.readings.stored, accounts.events.stored, accounts.examples) == (4, 3, [])


def test_a_reading_that_is_nowhere_is_lost() -> None:
    accounts = books(stored={FIRST: [0, 2, 3]})
    assert not accounts.balanced
    assert faults(accounts) == {"lost": 1}
    assert accounts.examples == ["lost: device band-1 epoch 5 seq 0"]


def test_an_uplink_that_is_nowhere_loses_all_its_items() -> None:
    accounts = balance(
        ORACLE, stored={FIRST: [0, 1, 2, 3], SECOND: [0]}, refused={}, settled={("band-1", 5): [Range(0, 2)]}
    )
    assert not accounts.balanced
    assert faults(accounts) == {"lost": 2, "unsettled": 1}


def test_a_row_that_is_there_twice_is_seen() -> None:
    accounts = books(stored={SECOND: [0, 0]})
    assert not accounts.balanced
    assert faults(accounts) == {"twice": 1}


def test_an_item_both_stored_and_rejected_is_there_twice() -> None:
    accounts = books(refused={FIRST: ([2], ["out_of_range"])})
    assert not accounts.balanced
    assert faults(accounts) == {"twice": 1}


def test_an_item_that_the_uplink_never_had_is_seen() -> None:
    assert not books(stored={SECOND: [0, 1]}).balanced
    assert not books(stored={SECOND: [0, -3]}).balanced


def test_a_row_of_an_uplink_nobody_published_is_foreign() -> None:
    accounts = books(stored={("band-1", 6, 0): [0]})
    assert not accounts.balanced
    assert faults(accounts) == {"foreign": 1}


def test_something_rejected_that_nobody_published_is_foreign() -> None:
    accounts = books(refused={("band-2", 5, 0): ([WHOLE], ["unreadable"])})
    assert not accounts.balanced
    assert faults(accounts) == {"foreign": 1}


def test_an_uplink_that_is_stored_but_not_settled_is_seen() -> None:
    accounts = books(settled={("band-1", 5): [Range(0, 1), Range(2, 9)]})
    assert not accounts.balanced
    assert faults(accounts) == {"unsettled": 1}
    assert accounts.examples == ["not settled: device band-1 epoch 5 seq 1"]


def test_another_epochs_settlement_does_not_count() -> None:
    assert faults(balance(ORACLE, stored=STORED, refused={}, settled={("band-1", 6): [Range(0, 9)]})) == {
        "unsettled": 3
    }


def test_what_is_rejected_with_a_reason_is_accounted_for() -> None:
    accounts = books(stored={FIRST: [0, 3]}, refused={FIRST: ([1, 2], ["bad_value", "too_old"])})
    assert accounts.balanced
    assert (accounts.readings.stored, accounts.readings.rejected) == (2, 2)
    assert accounts.rejected_by_reason == {"bad_value": 1, "too_old": 1}


def test_an_uplink_rejected_whole_covers_what_is_not_stored() -> None:
    accounts = books(stored={FIRST: [3]}, refused={FIRST: ([WHOLE], ["bad_envelope"])})
    assert accounts.balanced
    assert (accounts.readings.rejected, accounts.events.stored, accounts.events.rejected) == (3, 3, 0)


def test_a_refusal_of_one_item_does_not_cover_its_neighbour() -> None:
    accounts = books(stored={FIRST: [0, 3]}, refused={FIRST: ([1], ["bad_value"])})
    assert faults(accounts) == {"lost": 1}


def test_an_empty_uplink_must_still_be_settled() -> None:
    oracle = {FIRST: Published(readings=0, events=0)}
    assert balance(oracle, stored={}, refused={}, settled={("band-1", 5): [Range(0, 1)]}).balanced
    assert not balance(oracle, stored={}, refused={}, settled={}).balanced


@given(data=st.data())
def test_no_single_row_can_be_taken_away_or_added_unseen(data: st.DataObject) -> None:
    uplink = data.draw(st.sampled_from(sorted(STORED)))
    item = data.draw(st.sampled_from(STORED[uplink]))
    without = [one for one in STORED[uplink] if one != item]
    assert not books(stored={uplink: without}).balanced
    assert not books(stored={uplink: [*STORED[uplink], item]}).balanced


def test_examples_are_few_and_counters_are_whole() -> None:
    oracle = {("band-1", 5, seq): Published(readings=1, events=0) for seq in range(100)}
    accounts = balance(oracle, stored={}, refused={}, settled={("band-1", 5): [Range(0, 100)]})
    assert (accounts.lost, len(accounts.examples)) == (100, 20)


def test_the_oracle_is_read_line_by_line(tmp_path: Path) -> None:
    rows = [
        {"device": "band-1", "epoch": 5, "seq": 0, "readings": 3, "events": 1, "at": 17},
        {"device": "cuff-9", "epoch": 77, "seq": 0, "readings": 0, "events": 2},
    ]
    path = tmp_path / "oracle.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert read_oracle(path) == {FIRST: ORACLE[FIRST], OTHER: ORACLE[OTHER]}
