"""What a platform has said and done about the homes of its scenarios, as plain rows; read once at the end."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from deploy.scenarios.mailbox import Mail
from device_sim.scenario.home import SentItem
from schemas.vitals import VITAL_BY_NUMBER
from services.runtime.clock import pause
from services.runtime.database import Pool, load_queries

_SQL: Final = load_queries("deploy.scenarios", "evidence.sql")
_WRITTEN_WITHIN_S: Final = 30.0
_POLL_S: Final = 0.1
_SEVERITIES: Final = ("technical", "low", "medium", "high")


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidFinding:
    """A finding; times are platform ms, ``person_id`` "" where it is about the home."""

    home_id: str
    person_id: str
    rule: str
    episode: int
    level: int
    severity: str
    observed_at: int
    raised_at: int
    end_reason: str
    texts: tuple[str, ...]
    retrospective: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertEvent:
    """Something that happened to an alert."""

    home_id: str
    person_id: str
    rule: str
    at: int
    what: str
    severity: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """A notification that arrived."""

    home_id: str
    person_id: str
    rule: str
    at: int
    to: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingAlert:
    """How an alert stands at a moment."""

    home_id: str
    person_id: str
    rule: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Alerts and doses at one moment; a dose is known by its plan and due time."""

    alerts: tuple[StandingAlert, ...]
    doses: Mapping[tuple[str, int], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """Of one reading: ``flags`` None where it is not stored, ``reason`` "" where it was not rejected."""

    flags: int | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything about the homes of a platform."""

    findings: Sequence[SaidFinding] = ()
    events: Sequence[AlertEvent] = ()
    delivered: Sequence[Delivered] = ()
    coverage: Mapping[tuple[str, str], Mapping[int, int]] = field(default_factory=dict)
    """Of a person and the code of a vital: by hour (platform ms) its watched minutes, as bits."""


@dataclass(slots=True, kw_only=True)
class OfScenario:
    """What belongs to one scenario beside that. ``snapshots`` by ms from the start; ``undone``: acts of the story."""

    snapshots: dict[int, Snapshot] = field(default_factory=dict)
    fates: dict[SentItem, Fate] = field(default_factory=dict)
    undone: list[tuple[str, str]] = field(default_factory=list)


async def read_snapshot(pool: Pool) -> Snapshot:
    """How everything stands now."""
    alerts = await pool.fetch(_SQL["states"])
    doses = await pool.fetch(_SQL["doses"])
    return Snapshot(
        alerts=tuple(StandingAlert(**{**dict(row), "person_id": row["person_id"] or ""}) for row in alerts),
        doses={(row["plan_id"], row["due_at"]): row["state"] for row in doses},
    )


async def read_fates(pool: Pool, asked: Sequence[tuple[str, SentItem]]) -> dict[SentItem, Fate]:
    """What became of readings, each with the name of its device at the broker."""
    items = [item for _, item in asked]
    rows = await pool.fetch(
        _SQL["items"],
        list(range(len(asked))),
        [device for device, _ in asked],
        [item.epoch for item in items],
        [item.seq for item in items],
        [item.item for item in items],
    )
    return {items[row["place"]]: Fate(flags=row["flags"], reason=row["reason"] or "") for row in rows}


async def read_evidence(pool: Pool, mails: Iterable[Mail]) -> Evidence:
    """Findings, what happened to alerts, what was delivered, and what was watched."""
    alerts = {row["alert_id"]: row for row in await pool.fetch(_SQL["alerts"])}
    events = [
        AlertEvent(
            home_id=alerts[row["alert_id"]]["home_id"],
            person_id=alerts[row["alert_id"]]["person_id"] or "",
            rule=alerts[row["alert_id"]]["rule"],
            at=row["at"],
            what=row["what"],
            severity=_severity((alerts[row["alert_id"]]["severities"] or {}).get(str(row["level"]))),
            state=row["to_state"],
        )
        for row in await pool.fetch(_SQL["trail"])
    ]
    findings = [_finding(dict(row)) for row in await pool.fetch(_SQL["findings"])]
    delivered = [
        Delivered(
            home_id=alerts[mail.alert_id]["home_id"],
            person_id=alerts[mail.alert_id]["person_id"] or "",
            rule=alerts[mail.alert_id]["rule"],
            at=mail.arrived_ms,
            to=mail.to,
            text=mail.text,
        )
        for mail in mails
        if mail.alert_id in alerts
    ]
    return Evidence(findings=findings, events=events, delivered=delivered, coverage=await _read_coverage(pool))


async def _read_coverage(pool: Pool) -> Mapping[tuple[str, str], Mapping[int, int]]:
    """Once score has written up to where it stands, which it does every few seconds."""
    # Whatever is missing after that was not watched.
    with suppress(TimeoutError):
        async with asyncio.timeout(_WRITTEN_WITHIN_S):
            while await pool.fetchval(_SQL["unwritten"]):
                await pause(asyncio.Event(), _POLL_S)
    found: dict[tuple[str, str], dict[int, int]] = {}
    for row in await pool.fetch(_SQL["coverage"]):
        key = row["person_id"], VITAL_BY_NUMBER[row["vital"]].code
        found.setdefault(key, {})[row["hour"]] = row["watched"]
    return found


def _finding(row: Mapping[str, object]) -> SaidFinding:
    said = row
    texts = (str(said["doctor_text"]), str(said["caregiver_text"]))
    return SaidFinding(
        home_id=str(said["home_id"]),
        person_id=str(said["person_id"] or ""),
        rule=str(said["rule"]),
        episode=int(str(said["episode"])),
        level=int(str(said["level"])),
        severity=_severity(said["severity"]),
        observed_at=int(str(said["observed_at"])),
        raised_at=int(str(said["raised_at"])),
        end_reason=str(said["end_reason"] or ""),
        texts=texts,
        retrospective=bool(said["retrospective"]),
    )


def _severity(number: object) -> str:
    return _SEVERITIES[number] if isinstance(number, int) else ""
