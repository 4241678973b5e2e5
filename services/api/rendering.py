"""Turns data into HTML: the templates, and the words that they use for times, ages, evidence and severities."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from schemas.alerts import Severity
from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.presentation import ahead_min_of, presentation_of, spelled_out, title_of
from schemas.vitals import VITAL_BY_CODE
from services.api.console import Doctor, console_of
from services.api.core import age_text
from services.api.notified import ACTION_WORDS, REASON_WORDS, SAID_WORDS, VERDICT_WORDS, standing_of
from services.api.outcomes import share_words, span_words
from services.api.standing import Standing, of_end
from services.runtime.clock import to_datetime

_HERE: Final = Path(__file__).parent
_SEVERITY_WORDS: Final[Mapping[int, str]] = MappingProxyType(
    {Severity.HIGH: "High", Severity.MEDIUM: "Medium", Severity.LOW: "Low", Severity.TECHNICAL: "Technical"}
)


def moment(at: datetime, zone: str | ZoneInfo = "UTC") -> str:
    """A moment in the home's zone, with its offset."""
    local = at.astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone)
    offset = f"{local:%z}"
    return f"{local:%d %b %Y, %H:%M:%S} {offset[:3]}:{offset[3:5]}"


def hour(at: datetime, zone: str | ZoneInfo = "UTC") -> str:
    """The time of day in the home's zone, with its offset."""
    local = at.astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone)
    offset = f"{local:%z}"
    return f"{local:%H:%M} {offset[:3]}:{offset[3:5]}"


def short(at: datetime, zone: str | ZoneInfo = "UTC") -> str:
    """A moment in few words, in the home's zone."""
    return f"{at.astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone):%d %b, %H:%M}"


def expected_by(rule: str, at: datetime, zone: str | ZoneInfo = "UTC") -> str:
    """Until when what was likely at ``at`` would have come, as the time of day; "" of a rule that says what is."""
    ahead_min = ahead_min_of(rule)
    if not ahead_min:
        return ""
    return f"{(at + timedelta(minutes=ahead_min)).astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone):%H:%M}"


def standing_words(standing: Standing, zone: str | ZoneInfo = "UTC") -> str:
    """How it stands, as a sentence."""
    return standing.sentence("" if standing.at is None else moment(standing.at, zone))


def standing_badge(standing: Standing, zone: str | ZoneInfo = "UTC") -> str:
    """How it stands, in few words; "" where it goes on."""
    return standing.badge("" if standing.at is None else short(standing.at, zone))


def noticed_end(row: Mapping[str, Any], zone: str | ZoneInfo = "UTC") -> str:
    """Why the episode of what was noticed ended, or that it pauses; "" where nothing says so."""
    if row["over_at"] is None:
        return ""
    end = {"observed_at": row["over_at"], "raised_at": row["over_raised_at"]}
    return standing_badge(
        of_end(row["rule"], {**end, **{name: row[name] for name in ("end_reason", "known_until")}}), zone
    )


def notified_words(row: Mapping[str, Any], zone: str | ZoneInfo = "UTC") -> str:
    """How a notification stands."""
    sent_at, held_until = ("" if at is None else moment(at, zone) for at in (row["sent_at"], row["held_until"]))
    return standing_of(row, sent_at=sent_at, held_until=held_until)


def years(born_on: date, today: datetime) -> int:
    """A person's age in whole years."""
    return today.year - born_on.year - ((today.month, today.day) < (born_on.month, born_on.day))


def evidence_words(piece: dict[str, Any]) -> str:
    """One reading or event that a finding rests on."""
    vital = VITAL_BY_CODE.get(piece["what"])
    if vital is None:
        return spelled_out(piece["what"])
    row, value = presentation_of(vital), piece["value"]
    return row.label if value is None else f"{row.label} {row.text(value, clipped=piece.get('clipped', False))}"


def type_words(code: str) -> str:
    """A type of device for people. One that has no row is of another version: it is spelled out."""
    return DEVICE_TYPE_BY_CODE[code].label if code in DEVICE_TYPE_BY_CODE else spelled_out(code)


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        moment=moment,
        expected_by=expected_by,
        from_ms=to_datetime,
        hour=hour,
        rule=title_of,
        severity=_SEVERITY_WORDS.__getitem__,
        evidence=evidence_words,
        device_type=type_words,
    )
    environment.filters.update(standing=standing_words, badge=standing_badge, noticed_end=noticed_end)
    environment.filters.update(short=short, notified=notified_words, span=span_words)
    environment.globals.update(age_text=age_text, years=years, of_end=of_end, share_words=share_words)
    environment.globals.update(
        verdict_words=VERDICT_WORDS, action_words=ACTION_WORDS, reason_words=REASON_WORDS, said_words=SAID_WORDS
    )
    return environment


TEMPLATES: Final = _environment()


def fragment(name: str, **values: Any) -> Markup:
    """A piece of a page."""
    return Markup(TEMPLATES.get_template(name).render(values))  # noqa: S704 - the templates escape


def page(
    request: Request,
    name: str,
    doctor: Doctor | None,
    *,
    status: int = 200,
    zone: ZoneInfo | None = None,
    **values: Any,
) -> HTMLResponse:
    """A whole page. Every one shows platform time, and says so where it is simulated."""
    console = console_of(request)
    return HTMLResponse(
        fragment(
            name,
            doctor=doctor,
            now=console.now(),
            rate=console.clock.rate,
            zone=zone or ZoneInfo("UTC"),
            path=request.url.path,
            **values,
        ),
        status,
    )
