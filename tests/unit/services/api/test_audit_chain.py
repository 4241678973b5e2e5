"""The chain of audit seals: whatever is done to rows or seals afterwards is named, and what was left alone is not."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from typing import Any
from uuid import UUID

from hypothesis import assume, given
from hypothesis import strategies as st

from services.api.audit_chain import (
    ORIGIN,
    SOURCE_BY_NAME,
    SOURCES,
    Anchor,
    ChainCheck,
    Fault,
    Flaw,
    RowKey,
    Seal,
    extend,
    marks_of,
    seal_of,
)

AT = datetime(2026, 11, 30, 12, tzinfo=UTC)
Rows = dict[RowKey, list[Any]]

moments = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
values = st.one_of(
    *(st.none(), st.booleans(), st.integers(-(2**40), 2**40), st.text(max_size=12), moments, st.uuids()),
    st.lists(st.integers(0, 99), max_size=4),
    st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=3),
)


@st.composite
def many_rows(draw: st.DrawFn, least: int = 1) -> Rows:
    """Rows of any table, in the order in which they are sealed, which is not that of their numbers."""
    keys = st.builds(RowKey, source=st.sampled_from([one.name for one in SOURCES]), row_no=st.integers(1, 40))
    rows: Rows = {}
    for key in draw(st.lists(keys, min_size=least, max_size=6, unique=True)):
        width = len(SOURCE_BY_NAME[key.source].columns)
        first = draw(values)
        rows[key] = [first, *range(width - 1)]
    return rows


def sealed(rows: Rows) -> list[Seal]:
    return extend(0, ORIGIN, rows.items(), AT)


def anchor(seal: Seal) -> Anchor:
    return Anchor(seal_no=seal.seal_no, seal=seal.seal, written_at=AT)


def verified(seals: Sequence[Seal], rows: Rows, anchors: Sequence[Anchor] = ()) -> list[Flaw]:
    check = ChainCheck(anchors)
    found = [one for seal in seals for one in check.take(seal, rows.get(seal.row))]
    return found + check.end()


def faults(found: Sequence[Flaw]) -> list[tuple[Fault, int | None]]:
    return [(one.fault, one.seal_no) for one in found]


@given(rows=many_rows(), cut=st.integers(0, 10))
def test_a_chain_that_nobody_touched_is_whole_however_it_was_cut_into_batches(rows: Rows, cut: int) -> None:
    items = list(rows.items())
    first = extend(0, ORIGIN, items[:cut], AT)
    seals = first + extend(len(first), first[-1].seal if first else ORIGIN, items[cut:], AT)
    assert seals == sealed(rows)
    assert [one.seal_no for one in seals] == list(range(1, len(rows) + 1))
    assert verified(seals, rows, [anchor(one) for one in seals]) == []


@given(rows=many_rows(), data=st.data())
def test_a_changed_row_is_named_with_the_column_that_differs(rows: Rows, data: st.DataObject) -> None:
    seals = sealed(rows)
    seal = data.draw(st.sampled_from(seals))
    place = data.draw(st.integers(0, len(rows[seal.row]) - 1))
    other = data.draw(values)
    assume(marks_of([other]) != marks_of([rows[seal.row][place]]))
    rows[seal.row][place] = other
    column = SOURCE_BY_NAME[seal.row.source].columns[place]
    assert verified(seals, rows) == [Flaw(fault=Fault.CHANGED, row=seal.row, seal_no=seal.seal_no, columns=(column,))]


@given(rows=many_rows(), data=st.data())
def test_a_row_that_was_taken_away_is_named(rows: Rows, data: st.DataObject) -> None:
    seals = sealed(rows)
    seal = data.draw(st.sampled_from(seals))
    del rows[seal.row]
    assert verified(seals, rows) == [Flaw(fault=Fault.MISSING, row=seal.row, seal_no=seal.seal_no)]


@given(rows=many_rows(), data=st.data())
def test_a_row_that_was_gone_before_it_was_sealed_stays_named(rows: Rows, data: st.DataObject) -> None:
    gone = data.draw(st.sampled_from(list(rows)))
    seals = extend(0, ORIGIN, [(key, None if key == gone else said) for key, said in rows.items()], AT)
    assert [(one.fault, one.row) for one in verified(seals, rows)] == [(Fault.CHANGED, gone)]
    del rows[gone]
    assert [(one.fault, one.row) for one in verified(seals, rows)] == [(Fault.MISSING, gone)]


@given(rows=many_rows(least=2), data=st.data())
def test_a_seal_that_was_taken_out_is_named(rows: Rows, data: st.DataObject) -> None:
    seals = sealed(rows)
    gone = seals.pop(data.draw(st.integers(0, len(seals) - 2)))
    assert faults(verified(seals, rows)) == [(Fault.SEALS_MISSING, gone.seal_no)]


@given(rows=many_rows(), data=st.data())
def test_a_seal_that_was_changed_is_named_and_so_is_the_one_that_follows_it(rows: Rows, data: st.DataObject) -> None:
    seals = sealed(rows)
    place = data.draw(st.integers(0, len(seals) - 1))
    forged = {
        "seal": bytes(32),
        "marks": bytes(len(seals[place].marks)),
        "sealed_at": AT + timedelta(seconds=1),
    }
    part = data.draw(st.sampled_from(sorted(forged)))
    seals[place] = replace(seals[place], **{part: forged[part]})  # type: ignore[arg-type]
    after = [place + 2] if part == "seal" and place + 1 < len(seals) else []
    assert faults(verified(seals, rows)) == [(Fault.SEAL_CHANGED, number) for number in [place + 1, *after]]


@given(rows=many_rows(least=2), data=st.data())
def test_seals_in_another_order_are_named(rows: Rows, data: st.DataObject) -> None:
    seals = sealed(rows)
    here, there = data.draw(st.lists(st.integers(0, len(seals) - 1), min_size=2, max_size=2, unique=True))
    numbers = seals[here].seal_no, seals[there].seal_no
    moved = list(seals)
    moved[here] = replace(seals[there], seal_no=numbers[0])
    moved[there] = replace(seals[here], seal_no=numbers[1])
    assert {(Fault.SEAL_CHANGED, number) for number in numbers} <= set(faults(verified(moved, rows)))


@given(rows=many_rows(), data=st.data())
def test_a_row_that_was_put_in_between_is_named(rows: Rows, data: st.DataObject) -> None:
    """With a seal that follows from the one before it, and all later ones given the next number."""
    seals = sealed(rows)
    place = data.draw(st.integers(0, len(seals) - 1))
    key = RowKey(source="audit", row_no=99)
    rows[key] = [None] * 8
    before = seals[place - 1].seal if place else ORIGIN
    between = extend(place, before, [(key, rows[key])], AT)
    later = [replace(one, seal_no=one.seal_no + 1) for one in seals[place:]]
    found = verified([*seals[:place], *between, *later], rows)
    assert faults(found) == [(Fault.SEAL_CHANGED, one.seal_no) for one in later]


@given(rows=many_rows(), data=st.data())
def test_a_chain_that_was_rewritten_as_a_whole_is_seen_by_an_anchor_alone(rows: Rows, data: st.DataObject) -> None:
    seals = sealed(rows)
    place = data.draw(st.integers(0, len(seals) - 1))
    rows[seals[place].row][0] = "another time"
    rewritten = sealed(rows)
    assert verified(rewritten, rows) == []
    found = faults(verified(rewritten, rows, [anchor(one) for one in seals]))
    assert found == [(Fault.REWRITTEN, number) for number in range(place + 1, len(seals) + 1)]


@given(rows=many_rows(), data=st.data())
def test_a_tail_that_was_cut_off_is_seen_by_an_anchor_alone(rows: Rows, data: st.DataObject) -> None:
    seals = sealed(rows)
    left = data.draw(st.integers(0, len(seals) - 1))
    assert verified(seals[:left], rows) == []
    found = faults(verified(seals[:left], rows, [anchor(one) for one in seals]))
    assert found == [(Fault.CUT_OFF, number) for number in range(left + 1, len(seals) + 1)]


def test_a_seal_is_what_it_was_when_the_first_chain_began() -> None:
    """A change of the canonical form would make every audit look changed."""
    said = [AT, AT + timedelta(microseconds=7), 5, "read_person", True, [3, 1], UUID(int=9), "ä ✓"]
    key = RowKey(source="audit", row_no=17)
    seal = seal_of(ORIGIN, 1, key, AT, said)
    form = (
        b'[1,"audit",17,1796040000000000,[1796040000000000,1796040000000007,5,"read_person",true,[3,1],'
        b'"00000000-0000-0000-0000-000000000009","\\u00e4 \\u2713"]]'
    )
    assert seal == sha256(bytes(32) + form).digest()
    details = {"b": 24.0, "a": {"d": None, "c": [True]}}
    second = seal_of(seal, 2, RowKey(source="register_changes", row_no=2), AT, [AT, details])
    form = b'[2,"register_changes",2,1796040000000000,[1796040000000000,{"a":{"c":[true],"d":null},"b":24.0}]]'
    assert second == sha256(seal + form).digest()


def test_the_same_moment_in_another_zone_and_the_same_keys_in_another_order_are_the_same() -> None:
    elsewhere = AT.astimezone(timezone(timedelta(hours=5)))
    assert marks_of([AT, {"a": 1, "b": 2}]) == marks_of([elsewhere, {"b": 2, "a": 1}])
    assert marks_of([1]) != marks_of([True])


def test_a_flaw_says_row_seal_and_columns() -> None:
    one = Flaw(
        fault=Fault.CHANGED, row=RowKey(source="audit", row_no=17), seal_no=4, columns=("action", "people")
    )  # fmt: skip
    assert str(one) == "changed: audit 17; seal 4; differs in action, people"
