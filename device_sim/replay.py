"""Recorded data through MQTT devices as if it happened now: any table by a column map, a home for each person."""

import csv
import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

from device_sim.errors import ReplayError
from device_sim.faults import Fault
from device_sim.fleet import DOCTOR
from device_sim.observations import Planned
from device_sim.physiology import MINUTE_MS
from device_sim.run import Source
from schemas.messages import Reading
from schemas.registry import Binding, Device, Doctor, Home, Person, Register
from schemas.vitals import VITAL_BY_CODE

DEFAULT_COLUMNS: Final = "person=patient,minute=minute,glucose=glucose_mgdl"
_KEYS: Final = ("person", "minute")
_DEVICE_TYPE_OF: Final[Mapping[str, str]] = {
    "glucose": "cgm",
    "heart_rate": "wearable_band",
    "spo2": "wearable_band",
    "respiratory_rate": "wearable_band",
    "skin_temperature": "wearable_band",
    "steps": "wearable_band",
    "body_temperature": "thermometer",
}
_BORN: Final = "1945-01-01"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One row: minutes since the file's beginning, and the values it has."""

    minute: float
    values: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """The rows of one id of the file, in the order of time."""

    name: str
    person_id: UUID
    rows: tuple[Recorded, ...]

    def device(self, type_code: str) -> str:
        """The device of this person that reports what ``type_code`` can measure."""
        return f"replay-{type_code.replace('_', '-')}-{self.person_id.hex[:12]}"


def read_recordings(path: Path, *, people: int, columns: str) -> Sequence[Recording]:
    """The first ``people`` ids in sorted order. Raises ReplayError where the column map does not fit the file."""
    names = parse_columns(columns)
    rows: dict[str, list[Recorded]] = {}
    table = _read_table(path, list(names.values()))
    for line in zip(*(table[names[key]] for key in names), strict=True):
        found = dict(zip(names, line, strict=True))
        values = tuple((key, float(found[key])) for key in names if key not in _KEYS and _is_number(found[key]))
        if values and _is_number(found["minute"]):
            rows.setdefault(str(found["person"]), []).append(Recorded(minute=float(found["minute"]), values=values))
    return [
        Recording(
            name=name,
            person_id=uuid5(NAMESPACE_URL, f"urn:hearthbeat:replay:{name}"),
            rows=tuple(sorted(rows[name], key=lambda row: row.minute)),
        )
        for name in sorted(rows)[:people]
    ]


def parse_columns(columns: str) -> Mapping[str, str]:
    """``person=…,minute=…,<vital>=…`` as a mapping. Raises ReplayError."""
    pairs = [pair.partition("=") for pair in columns.split(",")]
    names = {key.strip(): column.strip() for key, _, column in pairs}
    unknown = [key for key in names if key not in _KEYS and key not in _DEVICE_TYPE_OF]
    if unknown or not all(names.values()) or not set(_KEYS) < set(names):
        wanted = ", ".join((*_KEYS, *_DEVICE_TYPE_OF))
        raise ReplayError(f"a column map names person, minute and at least one vital, out of: {wanted}")
    return names


def _read_table(path: Path, columns: list[str]) -> Mapping[str, Sequence[object]]:
    if path.suffix == ".parquet":
        from pyarrow import parquet  # noqa: PLC0415 - only needed for this kind of file

        try:
            table: dict[str, list[object]] = parquet.read_table(path, columns=columns).to_pydict()
        except (OSError, ValueError, KeyError) as error:
            raise ReplayError(f"{path.name} has not the columns {', '.join(columns)}") from error
        if set(table) < set(columns):
            raise ReplayError(f"{path.name} has not the columns {', '.join(columns)}")
        return table
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if not set(columns) <= set(reader.fieldnames or ()):
            raise ReplayError(f"{path.name} has not the columns {', '.join(columns)}")
        rows = list(reader)
    return {column: [row[column] for row in rows] for column in columns}


def _is_number(value: object) -> bool:
    try:
        # NaN, a missing value in a table, is not equal to itself.
        return value is not None and float(str(value)) == float(str(value))
    except ValueError:
        return False


def base_ms(recordings: Sequence[Recording], start_ms: int) -> int:
    """Platform time of the file's minute 0, so that its first minute is ``start_ms``."""
    first = min(row.minute for recording in recordings for row in recording.rows)
    return start_ms - round(first * MINUTE_MS)


def make_register(recordings: Sequence[Recording]) -> Register:
    """A home for each person."""
    homes = tuple(
        Home(
            home_id=uuid5(recording.person_id, "home"),
            label=f"Replay {recording.name}",
            time_zone="UTC",
            people=(Person(person_id=recording.person_id, name=f"Recorded {recording.name}", born_on=_BORN),),  # type: ignore[arg-type]
            devices=tuple(
                Device(device=recording.device(kind), type=kind, bindings=(Binding(person_id=recording.person_id),))
                for kind in _types(recording)
            ),
        )
        for recording in recordings
    )
    people = tuple(recording.person_id for recording in recordings)
    return Register(homes=homes, doctors=(Doctor(email=DOCTOR, name="Dr. Example", people=people),))


def _types(recording: Recording) -> Sequence[str]:
    return sorted({_DEVICE_TYPE_OF[vital] for row in recording.rows for vital, _ in row.values})


def make_sources(recordings: Sequence[Recording], *, start_ms: int) -> Sequence[Source]:
    """Each person's rows as uplinks at platform speed."""
    base = base_ms(recordings, start_ms)
    return [
        Source(device=recording.device(kind), type=kind, planned=_planned(recording, kind, base))
        for recording in recordings
        for kind in _types(recording)
    ]


def _planned(recording: Recording, kind: str, base: int) -> Iterator[tuple[Planned, Fault | None]]:
    for row in recording.rows:
        moment = base + round(row.minute * MINUTE_MS)
        readings = tuple(
            _reading(vital, value, moment) for vital, value in row.values if _DEVICE_TYPE_OF[vital] == kind
        )
        if readings:
            yield Planned(at_ms=moment, readings=readings), None


def _reading(vital: str, value: float, moment: int) -> Reading:
    row = VITAL_BY_CODE[vital]
    number = int(value) if value.is_integer() else value
    return Reading(vital=vital, value=number, at=moment, unit=row.unit if row.conversions else None)


def write_map(path: Path, recordings: Sequence[Recording], *, start_ms: int) -> None:
    """Which id of the file became which person and devices; ``base_ms`` is the platform time of the file's minute 0."""
    base = base_ms(recordings, start_ms)
    rows = [
        {
            "id": recording.name,
            "person_id": str(recording.person_id),
            "device": recording.device(_types(recording)[0]),
            "devices": {kind: recording.device(kind) for kind in _types(recording)},
            "base_ms": base,
            "rows": len(recording.rows),
        }
        for recording in recordings
    ]
    path.write_text(json.dumps(rows, indent=2) + "\n")
