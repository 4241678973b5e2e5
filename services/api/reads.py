"""What pages and the REST interface read: each function asks for admission first, then the database."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from asyncpg import Record

from schemas.alerts import AlertState, Severity
from schemas.asks import ASKED, CAME_OF, AskKind, AskOutcome
from schemas.presentation import FIGURES, VITAL_PRESENTATIONS, ChartKind, Figure, VitalPresentation, presentation_of
from schemas.reasons import NOT_SCORED, NOT_SHOWN, Flag
from schemas.vitals import VITAL_BY_NUMBER, VITALS
from services.api.access import Action, AuditSubject, admit, record
from services.api.charts import Chart, Window, draw
from services.api.console import Console, Doctor
from services.api.core import Point
from services.api.held_readings import HeldSince, held_for_long
from services.api.names import is_found
from services.api.standing import Standing, of_alert
from services.api.watched import Watched, watched_of
from services.api.without_recipient import WithoutRecipient, without_recipient_of
from services.runtime.clock import to_datetime

MOST_ALERTS: Final = 200
_CLOCKS_DIFFER: Final = timedelta(minutes=2)
"""A device's stamp may lie so far ahead of now (semantics, section 3)."""
STANDS_S: Final = 60
"""As for watch: a platform that stands still for a minute is out of order."""
MOST_PEOPLE: Final = 100
MOST_READINGS: Final = 2000
_ALL: Final = tuple(row.vital.number for row in VITAL_PRESENTATIONS)
_MEASURED: Final = tuple(row.vital.number for row in VITAL_PRESENTATIONS if row.summed_over is None)
_CURVES: Final = tuple(figure for figure in FIGURES if figure.chart.kind is not ChartKind.BARS)
_NOT_SHOWN: Final = int(NOT_SHOWN)
_NOT_SUMMED: Final = int(NOT_SHOWN | Flag.REPEATED)
_NOT_USABLE: Final = NOT_SCORED | Flag.CUFFLESS | Flag.REPEATED
"""What no rule rests on."""
_CAN_BE_BOUNDS: Final = {
    vital.code: vital.number for vital in VITALS if (vital.clipped_low, vital.clipped_high) != (None, None)
}
"""Vitals of which a worn sensor may send a bound; by code."""
_OF_READING: Final = ("device_no", "epoch", "seq", "item")
_NO_STATE: Final = tuple(AlertState)


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """The newest value of a vital; ``fresh`` says whether it may be shown as the current one.

    ``clipped``: it is no number but a bound, see ``VitalPresentation``.
    """

    shown: VitalPresentation
    value: float
    observed_at: datetime
    fresh: bool
    unusual: bool = False
    clipped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Worklist:
    """What waits for a doctor. Technical alerts never stand among the clinical ones.

    ``stands_since``: nothing has come through from devices to rules since then, so what is missing may still come.
    ``without_recipient``: people of whom nobody would be notified, whether or not anything waits. ``standings`` says of
    each alert how it stands with what it is about. ``held``: what no rule has seen for long.
    """

    open: Sequence[Record]
    technical: Sequence[Record]
    acknowledged: Sequence[Record]
    cut_off: bool
    without_recipient: WithoutRecipient
    standings: Mapping[UUID, Standing]
    held: Sequence[HeldSince] = ()
    stands_since: datetime | None = None

    @property
    def people(self) -> set[int]:
        """Numbers of everybody it names, for the audit trail."""
        rows = (*self.open, *self.technical, *self.acknowledged, *self.without_recipient.people)
        return {row["person_no"] for row in rows} | {one.person_no for one in self.held}


async def worklist_of(console: Console, doctor: Doctor) -> Worklist:
    """Every alert that is not closed, of people in the doctor's care now; and of whom nobody would be notified."""
    rows = await console.pool.fetch(console.sql["worklist"], doctor.doctor_no, console.now(), MOST_ALERTS)
    waiting = [row for row in rows if row["state"] == AlertState.OPEN]
    return Worklist(
        open=[row for row in waiting if row["severity"] != Severity.TECHNICAL],
        technical=[row for row in waiting if row["severity"] == Severity.TECHNICAL],
        acknowledged=[row for row in rows if row["state"] != AlertState.OPEN],
        cut_off=len(rows) == MOST_ALERTS,
        without_recipient=await without_recipient_of(console, doctor),
        standings=await standings_of(console, rows),
        held=await held_for_long(console, doctor),
        stands_since=await _stands_since(console),
    )


async def _stands_since(console: Console) -> datetime | None:
    """Since when the watermark stands still, where that is longer than ``STANDS_S`` real seconds."""
    watermark: datetime | None = await console.pool.fetchval(console.sql["watermark"])
    longest = timedelta(seconds=STANDS_S * console.clock.rate)
    return watermark if watermark is not None and console.now() - watermark > longest else None


async def person_of(console: Console, doctor: Doctor, person_id: UUID, action: Action) -> Record:
    """A person in the doctor's care. Raises NotInCareError."""
    person = await console.pool.fetchrow(console.sql["find_person"], person_id)
    subject = AuditSubject(person_no=person["person_no"], home_no=person["home_no"]) if person else None
    await admit(console, doctor, action, subject)
    assert person is not None  # noqa: S101 - where there is none, admit has raised
    return person


async def alert_of(console: Console, doctor: Doctor, alert_id: UUID, action: Action) -> Record:
    """An alert about somebody in the doctor's care. Raises NotInCareError."""
    alert = await console.pool.fetchrow(console.sql["find_alert"], alert_id)
    subject = AuditSubject(person_no=alert["person_no"], home_no=alert["home_no"], alert_id=alert_id) if alert else None
    await admit(console, doctor, action, subject)
    assert alert is not None  # noqa: S101 - where there is none, admit has raised
    return alert


async def people_of(
    console: Console, doctor: Doctor, *, after: UUID | None = None, search: str = "", most: int = MOST_PEOPLE
) -> list[Record]:
    """A page of the people in the doctor's care by name, after a person; ``search``: a part of their names."""
    now, sql = console.now(), console.sql
    found: list[int] | None = None
    if search:
        everybody = await console.pool.fetch(sql["names_in_care"], doctor.doctor_no, now)
        found = [one["person_no"] for one in everybody if is_found(one["display_name"], search)]
    rows = await console.pool.fetch(sql["people_of"], doctor.doctor_no, now, _MEASURED, after, found, most, _NOT_SHOWN)
    await record(console, doctor, Action.READ_PEOPLE, [row["person_no"] for row in rows])
    return list(rows)


async def alerts_of(
    console: Console,
    doctor: Doctor,
    *,
    states: Sequence[AlertState] = _NO_STATE,
    before: tuple[datetime, UUID] | None = None,
    person_no: int | None = None,
    most: int = MOST_ALERTS,
) -> list[Record]:
    """A page of alerts about people in the doctor's care, the newest first."""
    rows = await console.pool.fetch(
        console.sql["alerts_page"],
        doctor.doctor_no,
        console.now(),
        list(states),
        *(before or (None, None)),
        person_no,
        most,
    )
    await record(console, doctor, Action.READ_ALERTS, [row["person_no"] for row in rows])
    return list(rows)


async def latest_of(console: Console, person_no: int) -> list[Latest]:
    """The newest usable reading of every vital; of increments, their sum over a time up to now."""
    now = console.now()
    found = []
    for row in await console.pool.fetch(console.sql["latest_vitals"], person_no, _ALL, now, _NOT_SHOWN):
        shown = presentation_of(VITAL_BY_NUMBER[row["vital"]])
        value, flags = row["value"], row["flags"]
        if shown.summed_over is not None:
            since = now - shown.summed_over
            value = await console.pool.fetchval(
                console.sql["steps_since"], person_no, shown.vital.number, since, _NOT_SUMMED
            )
            flags = 0
        found.append(
            Latest(
                shown=shown,
                value=value,
                observed_at=row["observed_at"],
                fresh=shown.is_fresh(now - row["observed_at"]),
                unusual=bool(flags & Flag.UNUSUAL),
                clipped=bool(flags & Flag.CLIPPED),
            )
        )
    return sorted(found, key=lambda latest: latest.shown.vital.number)


async def standings_of(console: Console, alerts: Sequence[Record]) -> dict[UUID, Standing]:
    """How it stands with what each alert is about."""
    codes, numbers = [vital.code for vital in VITALS], [vital.number for vital in VITALS]
    ids = [alert["alert_id"] for alert in alerts]
    rows = await console.pool.fetch(
        console.sql["standings"], ids, codes, numbers, int(_NOT_USABLE), console.now() + _CLOCKS_DIFFER
    )
    last = {row["alert_id"]: dict(row) for row in rows}
    return {alert["alert_id"]: of_alert(dict(alert), last.get(alert["alert_id"])) for alert in alerts}


async def findings_of(console: Console, alert: Record) -> list[dict[str, Any]]:
    """The findings that an alert rests on, newest first; of evidence that is a bound, ``clipped`` says so."""
    findings = [dict(row) for row in await console.pool.fetch(console.sql["findings_of_alert"], alert["alert_id"])]
    pieces = [piece for finding in findings for piece in finding["evidence"] if piece["what"] in _CAN_BE_BOUNDS]
    if pieces:
        moments = sorted({to_datetime(piece["observed_at"]) for piece in pieces})
        vitals = list(_CAN_BE_BOUNDS.values())
        rows = await console.pool.fetch(
            console.sql["clipped_readings"], alert["person_no"], vitals, moments, int(Flag.CLIPPED)
        )
        bounds = {tuple(row) for row in rows}
        for piece in pieces:
            piece["clipped"] = tuple(piece[name] for name in _OF_READING) in bounds
    return findings


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody was asked, in words; ``came`` is None while an answer is waited for."""

    asked_at: datetime
    words: str
    came: str | None
    answered_at: datetime | None


async def asks_of(console: Console, person_no: int, since: datetime) -> list[Asked]:
    """What a person was asked after readings, the newest first."""
    rows = await console.pool.fetch(console.sql["asks_of_person"], person_no, since, console.now())
    return [
        Asked(
            asked_at=row["asked_at"],
            words=f"{presentation_of(VITAL_BY_NUMBER[row['vital']]).label}: asked {ASKED[AskKind(row['kind'])]}",
            came=CAME_OF[AskOutcome(row["outcome"])] if row["outcome"] else None,
            answered_at=row["answered_at"],
        )
        for row in rows
    ]


async def charts_of(
    console: Console,
    person_no: int,
    window: Window,
    *,
    figures: Sequence[Figure] = _CURVES,
    marks: Sequence[datetime] = (),
) -> list[Chart]:
    """Every figure that has readings in the window, drawn off the event loop."""
    vitals = [row.vital.number for figure in figures for row in figure.rows]
    rows = await console.pool.fetch(
        console.sql["chart_points"], person_no, vitals, window.starts_at, window.ends_at, _NOT_SHOWN
    )
    points: dict[int, list[Point]] = {}
    for row in rows:
        shown, clipped = presentation_of(VITAL_BY_NUMBER[row["vital"]]), bool(row["flags"] & Flag.CLIPPED)
        side, value = shown.bound_of(row["value"], clipped=clipped)
        points.setdefault(row["vital"], []).append(Point(window.place(row["observed_at"]), value, side))
    drawn = [figure for figure in figures if any(row.vital.number in points for row in figure.rows)]
    # Tens of milliseconds each: on the loop they would keep every other request waiting.
    return await asyncio.to_thread(lambda: [draw(figure, points, window, marks=marks) for figure in drawn])


async def watched_by(console: Console, person_no: int, window: Window) -> list[Watched]:
    """How much of the window each monitored vital was watched; whole minutes of the hours that score has written."""
    minute = timedelta(minutes=1)
    starts_at = window.starts_at.replace(second=0, microsecond=0)
    whole = Window(starts_at=starts_at, ends_at=starts_at + (window.ends_at - window.starts_at) // minute * minute,
                   zone=window.zone)  # fmt: skip
    rows = await console.pool.fetch(console.sql["coverage_of"], person_no, whole.starts_at, whole.ends_at)
    return watched_of([dict(row) for row in rows], whole)


async def zone_of(console: Console, doctor: Doctor) -> ZoneInfo:
    """The time zone of all homes in the doctor's care where they share one, else UTC."""
    rows = await console.pool.fetch(console.sql["zones_of"], doctor.doctor_no, console.now())
    return ZoneInfo(rows[0]["time_zone"] if len(rows) == 1 else "UTC")
