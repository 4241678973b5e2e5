"""The evidence of doses as rows: what is written anew, and what is only added. Pure."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple
from uuid import UUID

from schemas.doses import EvidenceRole
from services.medication.machine import Counted, Taking


class Evidence(NamedTuple):
    """An event and what it is to a dose."""

    device_no: int
    epoch: int
    seq: int
    item: int
    role: str


def evidence_of(
    takings: Mapping[UUID, Taking], known: Mapping[UUID, set[Evidence]]
) -> tuple[list[UUID], list[tuple[object, ...]]]:
    """The doses whose evidence is written anew, and the rows to write. What stands there already is left alone.

    To a dose that is not judged again, what was received since is added.
    """
    anew, rows = [], []
    for dose_id, taking in takings.items():
        found = list(_counted(taking))
        if taking.dose.fixed_at is not None:
            rows += [_row(one) for one in found]
        elif {_evidence(one) for one in found} != known.get(dose_id, set()):
            anew.append(dose_id)
            rows += [_row(one) for one in found]
    return anew, rows


def _counted(taking: Taking) -> Iterator[Counted]:
    fixed_at = taking.dose.fixed_at
    for one in taking.counted:
        if fixed_at is None or (one.event.received_at > fixed_at and one.role is not EvidenceRole.DECIDED):
            yield one


def _evidence(one: Counted) -> Evidence:
    event = one.event
    return Evidence(event.device_no, event.epoch, event.seq, event.item, str(one.role))


def _row(one: Counted) -> tuple[object, ...]:
    event = one.event
    return (
        event.device_no,
        event.epoch,
        event.seq,
        event.item,
        one.dose_id,
        event.compartment,
        event.kind,
        event.observed_at,
        one.role is EvidenceRole.DECIDED,
        str(one.role),
    )
