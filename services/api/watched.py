"""How much of a day each vital was watched, why the rest was not, and a strip that shows when. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Any, Final, NamedTuple
from xml.etree import ElementTree as ET

from markupsafe import Markup

from schemas.coverage import CAUSE_WORDS, MINUTES, Coverage
from schemas.presentation import FIGURES
from services.api.charts import Window

_WIDTH: Final = 480
_HEIGHT: Final = 14
_MINUTE: Final = timedelta(minutes=1)
_NOTHING: Final = ""
"""A minute of which nothing is known: it has not passed, or the vital was not monitored yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One vital: its label, "watched 11 of 24 h", "not worn 9 h, device silent 4 h", and the strip."""

    label: str
    share: str
    causes: str
    strip: Markup


class _Stretch(NamedTuple):
    """Minutes in a row of one kind, counted from the left edge."""

    first: int
    end: int
    kind: str


def watched_of(rows: Sequence[Mapping[str, Any]], window: Window) -> list[Watched]:
    """Of every vital that has ``rows`` of coverage, in the order of the figures."""
    found = []
    for figure in FIGURES:
        for shown in figure.rows:
            hours = [row for row in rows if row["vital"] == shown.vital.number]
            if hours:
                found.append(_watched(figure.title, _minutes(hours, window), window))
    return found


def _minutes(hours: Sequence[Mapping[str, Any]], window: Window) -> list[str]:
    """What each minute of the window is."""
    minutes = [_NOTHING] * round(window.seconds / 60)
    for row in hours:
        start = round((row["hour"] - window.starts_at) / _MINUTE)
        for kind in Coverage:
            bits = row[kind]
            for minute in range(max(0, -start), min(MINUTES, len(minutes) - start)):
                if bits >> minute & 1:
                    minutes[start + minute] = kind
    return minutes


def _watched(label: str, minutes: Sequence[str], window: Window) -> Watched:
    counts = {kind: minutes.count(kind) for kind in Coverage}
    causes = sorted((kind for kind in CAUSE_WORDS if counts[kind]), key=lambda kind: -counts[kind])
    said = ", ".join(f"{CAUSE_WORDS[kind]} {_span(counts[kind])}" for kind in causes)
    share = f"watched {_hours(counts[Coverage.WATCHED])} of {_hours(len(minutes))} h"
    stretches, place = [], 0
    for kind, group in groupby(minutes):
        end = place + sum(1 for _ in group)
        stretches.append(_Stretch(place, end, kind))
        place = end
    return Watched(label=label, share=share, causes=said, strip=_strip(label, stretches, len(minutes), window, share))


def _hours(minutes: int) -> str:
    """Whole hours; of less than ten, with half hours, rounded down: nobody was watched longer than that."""
    halves = minutes // 30
    return f"{halves / 2:g}" if minutes < 10 * MINUTES else str(minutes // MINUTES)


def _span(minutes: int) -> str:
    return f"{minutes} min" if minutes < MINUTES else f"{_hours(minutes)} h"


def _strip(label: str, stretches: Sequence[_Stretch], minutes: int, window: Window, share: str) -> Markup:
    root = ET.Element(
        "svg",
        {
            "viewBox": f"0 0 {_WIDTH} {_HEIGHT}", "class": "strip", "role": "img", "preserveAspectRatio": "none",
            "xmlns": "http://www.w3.org/2000/svg",
        },
    )  # fmt: skip
    words = [
        f"{_clock(one.first, window)} to {_clock(one.end, window)} {_word(one.kind)}"
        for one in stretches
        if one.kind != _NOTHING
    ]
    title, description = f"{label}: {share}", "; ".join(words) + "."
    root.set("aria-label", f"{title}. {description}")
    for name, text in (("title", title), ("desc", description)):
        ET.SubElement(root, name).text = text
    ET.SubElement(root, "rect", {"class": "unknown", "width": str(_WIDTH), "height": str(_HEIGHT)})
    for one in stretches:
        if one.kind == _NOTHING:
            continue
        x, width = one.first * _WIDTH / minutes, (one.end - one.first) * _WIDTH / minutes
        # By their height too, not by their colour alone: only what was watched fills the strip.
        y, height = (0, _HEIGHT) if one.kind == Coverage.WATCHED else (_HEIGHT * 2 // 3, _HEIGHT - _HEIGHT * 2 // 3)
        ET.SubElement(
            root,
            "rect",
            {"class": one.kind, "x": f"{x:.2f}", "y": str(y), "width": f"{width:.2f}", "height": str(height)},
        )
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 - the serialiser escapes every text


def _clock(minute: int, window: Window) -> str:
    return f"{(window.starts_at + minute * _MINUTE).astimezone(window.zone):%H:%M}"


def _word(kind: str) -> str:
    return "watched" if kind == Coverage.WATCHED else CAUSE_WORDS[Coverage(kind)]
