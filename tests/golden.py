"""The golden payloads of schemas/examples with what the index expects of them, and the devices that send them."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from schemas.devices import DEVICE_TYPE_BY_CODE, DEVICE_TYPES
from schemas.devices.device_type import DeviceType
from schemas.reasons import Flag

FOLDER: Final = Path(__file__).parents[1] / "schemas" / "examples"
INDEX: Final[dict[str, Any]] = json.loads((FOLDER / "index.json").read_text("utf-8"))
RECEIVED_AT: Final[int] = INDEX["received_at"]
SECOND_SLOT_SINCE: Final[int] = INDEX["second_slot_since"]
_STAMP: Final = re.compile(rb"(?<!\d)179\d{10}(?!\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What is expected of an item that is stored; None means that the index says nothing about it."""

    flags: Flag
    value: float | None
    observed_at: int | None
    person_no: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Golden:
    """A payload and the fate of its items. ``acked`` is False where no ack can be given."""

    name: str
    says: str
    good: bool
    type: DeviceType
    payload: bytes
    stored: dict[int, Stored]
    rejected: dict[int, tuple[str, str]]
    acked: bool
    settled: bool
    decided_by: str

    def payload_at(self, received_at: int) -> bytes:
        """The payload as if it were received at another time: every plausible stamp is moved."""
        moved_by = received_at - RECEIVED_AT
        return _STAMP.sub(lambda stamp: b"%d" % (int(stamp[0]) + moved_by), self.payload)


def _stored(entry: dict[str, Any]) -> dict[int, Stored]:
    return {
        int(item): Stored(
            flags=Flag(sum(Flag[name.upper()] for name in flags)),
            value=entry.get("values", {}).get(item),
            observed_at=entry.get("observed_at", {}).get(item),
            person_no=entry.get("people", {}).get(item),
        )
        for item, flags in entry.get("stored", {}).items()
    }


def _load(entry: dict[str, Any], *, good: bool) -> Golden:
    return Golden(
        name=entry["file"],
        says=entry["says"],
        good=good,
        type=DEVICE_TYPE_BY_CODE[entry["file"].split("/")[0]],
        payload=(FOLDER / entry["file"]).read_bytes(),
        stored=_stored(entry),
        rejected={one["item"]: (one["reason"], one["field"]) for one in entry.get("rejected", [])},
        acked=entry.get("acked", True),
        settled=entry.get("settled", entry.get("acked", True)),
        decided_by=entry.get("decided_by", "ingest"),
    )


GOOD: Final = tuple(_load(entry, good=True) for entry in INDEX["good"])
BAD: Final = tuple(_load(entry, good=False) for entry in INDEX["bad"])
DEVICE_NAMES: Final = {one.code: f"golden-{one.code.replace('_', '-')}" for one in DEVICE_TYPES}
