"""The queries that are timed: what caregivers' panels and the doctor's console ask, as they ask it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from deploy.local.settings import CHECKOUT
from grafana.boards import boards
from grafana.macros import View, substitute
from grafana.query_target import Reader
from schemas.alerts import AlertState, Severity
from schemas.named_sql import named_queries
from schemas.reasons import NOT_SHOWN
from schemas.vitals import HEART_RATE, STEPS, VITALS

CONSOLE: Final = CHECKOUT / "services" / "api" / "queries.sql"
"""Read as text: what the console asks is known without importing it."""
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(hours=24)
MONTH: Final = timedelta(days=30)
_MOST_ALERTS, _MOST_OF_A_PERSON, _MOST_PEOPLE, _MOST_READINGS = 200, 20, 100, 2000
_ALL: Final = [vital.number for vital in VITALS]
_MEASURED: Final = [vital.number for vital in VITALS if vital is not STEPS]
_CHARTED: Final = _MEASURED
_NOT_SHOWN: Final = int(NOT_SHOWN)


class Asker(StrEnum):
    """Whose session it is."""

    CAREGIVER = "caregiver"
    OPERATOR = "operator"
    DOCTOR = "doctor"


class About(StrEnum):
    """What a promise is about."""

    DAY = "24 h of one person"
    MONTH = "30 days of one vital"
    LIST = "worklist of 500 people"
    PLATFORM = "1 h of the platform"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """What one execution is about; ``until`` is the end of the time shown, ``now`` the platform's present."""

    person_no: int
    person_id: UUID
    doctor_no: int
    until: datetime
    now: datetime


Call = tuple[str, tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A query, and how it is put about somebody."""

    name: str
    about: About
    asker: Asker
    put: Callable[[Draw], Call]


def questions() -> tuple[Question, ...]:
    """Every panel over its dashboard's own time, the caregivers' curves over 30 days, and what the console reads."""
    panels = [(board.reader, panel) for board in boards() for panel in json.loads(board.json)["panels"]]
    seen, run = ([panel for reader, panel in panels if reader is one] for one in (Reader.CAREGIVER, Reader.OPERATOR))
    curves = [panel for panel in seen if "caregiver_series" in panel["targets"][0]["rawSql"]]
    return (
        *(_panel(panel, About.DAY, Asker.CAREGIVER, DAY) for panel in seen),
        *(_panel(panel, About.MONTH, Asker.CAREGIVER, MONTH) for panel in curves),
        *_of_the_console(),
        *(_panel(panel, About.PLATFORM, Asker.OPERATOR, HOUR) for panel in run),
    )


def _panel(panel: dict[str, Any], about: About, asker: Asker, span: timedelta) -> Question:
    sql, points = panel["targets"][0]["rawSql"], panel.get("maxDataPoints", 720)

    def put(draw: Draw) -> Call:
        shown = {"person": str(draw.person_id)}
        view = View(since=draw.until - span, until=draw.until, variables=shown, points=points)
        return substitute(sql, view), ()

    return Question(name=f"panel: {panel['title']}", about=about, asker=asker, put=put)


def _of_the_console() -> list[Question]:
    sql = named_queries(CONSOLE.read_text("utf-8"))

    def asked(query: str, about: About, arguments: Callable[[Draw], tuple[Any, ...]]) -> Question:
        return Question(
            name=f"console: {query}", about=about, asker=Asker.DOCTOR, put=lambda draw: (sql[query], arguments(draw))
        )

    states, week = list(AlertState), timedelta(days=7)
    return [
        asked("find_person", About.DAY, lambda d: (d.person_id,)),
        asked("latest_vitals", About.DAY, lambda d: (d.person_no, _ALL, d.now, _NOT_SHOWN)),
        asked("steps_since", About.DAY, lambda d: (d.person_no, STEPS.number, d.now - DAY, _NOT_SHOWN)),
        asked("chart_points", About.DAY, lambda d: (d.person_no, _CHARTED, d.until - DAY, d.until, _NOT_SHOWN)),
        asked("low_findings", About.DAY, lambda d: (d.person_no, d.now - week, d.now, int(Severity.LOW))),
        asked("doses_between", About.DAY, lambda d: (d.person_no, d.now - DAY, d.now)),
        asked(
            "alerts_page",
            About.DAY,
            lambda d: (d.doctor_no, d.now, states, None, None, d.person_no, _MOST_OF_A_PERSON),
        ),
        asked(
            "readings_page",
            About.MONTH,
            lambda d: (d.person_no, HEART_RATE.number, d.until - MONTH, 0, 0, 0, 0, d.until, _MOST_READINGS),
        ),
        asked("worklist", About.LIST, lambda d: (d.doctor_no, d.now, _MOST_ALERTS)),
        asked("zones_of", About.LIST, lambda d: (d.doctor_no, d.now)),
        asked(
            "people_of",
            About.LIST,
            lambda d: (d.doctor_no, d.now, _MEASURED, d.person_id, None, _MOST_PEOPLE, _NOT_SHOWN),
        ),
        Question(
            name="console: alerts_page of all",
            about=About.LIST,
            asker=Asker.DOCTOR,
            put=lambda d: (sql["alerts_page"], (d.doctor_no, d.now, states, None, None, None, _MOST_ALERTS)),
        ),
    ]
