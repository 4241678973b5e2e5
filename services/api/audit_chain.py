"""The chain of audit seals: what a seal is made of, and what is wrong with a chain. Pure."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

ORIGIN: Final = bytes(32)
"""What the first seal follows."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MARK_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class Source:
    """A table whose rows are sealed, with the columns that a seal covers, in this order for ever."""

    name: str
    number: str
    columns: tuple[str, ...]


SOURCES: Final = (
    Source(
        "audit",
        "audit_no",
        ("happened_at", "recorded_at", "doctor_no", "action", "allowed", "people", "alert_id", "address"),
    ),
    Source(
        "register_changes",
        "change_no",
        ("changed_at", "recorded_at", "changed_by", "command", "subject", "details"),
    ),
    Source(
        "assignments",
        "assignment_no",
        ("assigned_at", "recorded_at", "device_no", "slot", "person_no", "observed_from", "observed_until", "readings",
         "events", "assigned_by", "reason"),
    ),
)  # fmt: skip
"""A column that is added later is not among these: seals made before it would no longer fit."""
SOURCE_BY_NAME: Final = {one.name: one for one in SOURCES}


@dataclass(frozen=True, slots=True, kw_only=True)
class RowKey:
    """A row of the audit: its table and its number there."""

    source: str
    row_no: int

    def __str__(self) -> str:
        return f"{self.source} {self.row_no}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """One link of the chain; ``marks`` has four bytes a column of the row, ``sealed_at`` is the machine's time."""

    seal_no: int
    row: RowKey
    sealed_at: datetime
    marks: bytes
    seal: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """The end of the chain at a moment (platform time), as it was written down outside of the database."""

    seal_no: int
    seal: bytes
    written_at: datetime


class Fault(StrEnum):
    """What can be wrong with an audit."""

    CHANGED = "changed"
    """A row says something else than what was sealed."""
    MISSING = "missing"
    """A row was sealed, or waits for its seal, and is not there."""
    ADDED = "added"
    """A row has no seal and waits for none: it was not appended as services do."""
    SEAL_CHANGED = "seal changed"
    """A seal does not follow from its row and the seal before it."""
    SEALS_MISSING = "seals missing"
    """Numbers are left out in the chain."""
    REWRITTEN = "rewritten"
    """The chain has another seal than the anchor of that time."""
    CUT_OFF = "cut off"
    """The chain ends before a seal that an anchor has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """One fault. ``row`` and ``columns`` where it is about a row, ``seal_no`` where about a place in the chain."""

    fault: Fault
    row: RowKey | None = None
    seal_no: int | None = None
    columns: tuple[str, ...] = ()
    detail: str = ""

    def __str__(self) -> str:
        parts = [str(self.row)] if self.row else []
        parts += [f"seal {self.seal_no}"] if self.seal_no is not None else []
        parts += [f"differs in {', '.join(self.columns)}"] if self.columns else []
        parts += [self.detail] if self.detail else []
        return f"{self.fault}: {'; '.join(parts)}"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return (value - _EPOCH) // timedelta(microseconds=1)
    return str(value) if isinstance(value, UUID) else value


def _canonical(value: Any) -> bytes:
    """JSON in one form only: sorted keys, no spaces, ASCII; moments are microseconds since 1970 UTC."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def marks_of(values: Sequence[Any] | None) -> bytes:
    """Four bytes a column; of a row that is not there, none."""
    return b"".join(sha256(_canonical(_plain(one))).digest()[:_MARK_BYTES] for one in values or ())


def seal_of(previous: bytes, seal_no: int, row: RowKey, sealed_at: datetime, values: Sequence[Any] | None) -> bytes:
    """SHA-256 over the seal before it and the canonical form of the row. ``values`` in the order of the columns."""
    row_form = None if values is None else [_plain(one) for one in values]
    link = [seal_no, row.source, row.row_no, _plain(sealed_at), row_form]
    return sha256(previous + _canonical(link)).digest()


def extend(
    seal_no: int, previous: bytes, rows: Iterable[tuple[RowKey, Sequence[Any] | None]], sealed_at: datetime
) -> list[Seal]:
    """Seals for ``rows``, in their order, after seal ``seal_no`` (0 and ``ORIGIN``: the chain is empty).

    A row whose values are None was gone before it was sealed; its seal keeps that.
    """
    made = []
    for row, values in rows:
        seal_no += 1
        previous = seal_of(previous, seal_no, row, sealed_at, values)
        made.append(Seal(seal_no=seal_no, row=row, sealed_at=sealed_at, marks=marks_of(values), seal=previous))
    return made


@dataclass(slots=True)
class ChainCheck:
    """Goes along a chain from its first seal, and says what is wrong at each; holds the anchors and one seal."""

    anchors: Sequence[Anchor]
    sealed: int = 0
    agreeing: int = 0
    _next_no: int = 1
    _previous: bytes | None = ORIGIN
    _expected: dict[int, list[Anchor]] = field(init=False)

    def __post_init__(self) -> None:
        self._expected = {}
        for anchor in self.anchors:
            self._expected.setdefault(anchor.seal_no, []).append(anchor)

    def take(self, seal: Seal, values: Sequence[Any] | None) -> list[Flaw]:
        """The next seal in order of ``seal_no``, with what its row says now; None: there is no such row."""
        found = []
        if seal.seal_no < self._next_no:
            found.append(Flaw(fault=Fault.SEAL_CHANGED, row=seal.row, seal_no=seal.seal_no, detail="given twice"))
        elif seal.seal_no > self._next_no:
            gap = f"up to {seal.seal_no - 1}"
            found.append(Flaw(fault=Fault.SEALS_MISSING, seal_no=self._next_no, detail=gap))
            # What this one should follow is not known.
            self._previous = None
        if values is None:
            found.append(Flaw(fault=Fault.MISSING, row=seal.row, seal_no=seal.seal_no))
        else:
            found += self._compare(seal, values)
        for anchor in self._expected.pop(seal.seal_no, ()):
            if anchor.seal == seal.seal:
                self.agreeing += 1
            else:
                found.append(_against(Fault.REWRITTEN, anchor))
        self.sealed += 1
        # Goes on from what stands there, so that one fault is named once and not at every seal after it.
        self._next_no, self._previous = seal.seal_no + 1, seal.seal
        return found

    def _compare(self, seal: Seal, values: Sequence[Any]) -> list[Flaw]:
        columns = SOURCE_BY_NAME[seal.row.source].columns
        marks = marks_of(values)
        differing = tuple(
            column
            for place, column in enumerate(columns)
            if _mark(marks, place) != _mark(seal.marks, place)
        )  # fmt: skip
        fits = self._previous is None or seal.seal == seal_of(
            self._previous, seal.seal_no, seal.row, seal.sealed_at, values
        )
        if fits and marks == seal.marks:
            return []
        # Where the seal fits, or no column differs, it is not the row that was changed.
        if differing and not (fits and self._previous is not None):
            return [Flaw(fault=Fault.CHANGED, row=seal.row, seal_no=seal.seal_no, columns=differing)]
        return [Flaw(fault=Fault.SEAL_CHANGED, row=seal.row, seal_no=seal.seal_no)]

    def end(self) -> list[Flaw]:
        """After the last seal: anchors of seals that the chain has not."""
        left = [anchor for anchors in self._expected.values() for anchor in anchors]
        return [_against(Fault.CUT_OFF, anchor) for anchor in sorted(left, key=lambda one: one.seal_no)]


def _mark(marks: bytes, place: int) -> bytes:
    return marks[place * _MARK_BYTES : (place + 1) * _MARK_BYTES]


def _against(fault: Fault, anchor: Anchor) -> Flaw:
    return Flaw(
        fault=fault, seal_no=anchor.seal_no, detail=f"anchor of {anchor.written_at:%Y-%m-%d %H:%M:%S} UTC disagrees"
    )
