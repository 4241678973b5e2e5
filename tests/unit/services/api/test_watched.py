"""What a doctor reads of how much of a day was watched."""

from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from schemas.coverage import Coverage
from schemas.vitals import GLUCOSE, HEART_RATE, SYSTOLIC
from services.api.charts import Window
from services.api.watched import watched_of

END = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
DAY = Window(starts_at=END - timedelta(hours=24), ends_at=END, zone=ZoneInfo("Europe/Berlin"))
WHOLE = (1 << 60) - 1


def hour(at: datetime, vital: int = HEART_RATE.number, **bits: int) -> dict[str, Any]:
    return {"vital": vital, "hour": at, **dict.fromkeys(Coverage, 0), **bits}


def a_day(kinds: str) -> list[dict[str, Any]]:
    """One letter an hour, from 15:00 of the day before on."""
    names = {"w": "watched", "n": "not_worn", "c": "charging", "d": "device_silent"}
    first = END.replace(minute=0) - timedelta(hours=23)
    return [hour(first + timedelta(hours=n), **{names[kind]: WHOLE}) for n, kind in enumerate(kinds)]


def test_a_day_is_said_in_hours_with_the_longest_cause_first() -> None:
    (one,) = watched_of(a_day("wwwwwwwwwwwnnnnnnnnnddd"), DAY)

    assert (one.label, one.share) == ("Heart rate", "watched 11 of 24 h")
    assert one.causes == "not worn 9 h, device silent 3 h"


def test_short_times_are_said_in_minutes_and_nothing_is_rounded_up() -> None:
    (one,) = watched_of([hour(END - timedelta(minutes=90), watched=(1 << 59) - 1, poor=1 << 59)], DAY)

    assert one.share == "watched 0.5 of 24 h"
    assert one.causes == "poor quality 1 min"


def test_minutes_before_and_after_the_day_do_not_count() -> None:
    rows = [hour(DAY.starts_at - timedelta(minutes=30), watched=WHOLE), hour(END.replace(minute=0), watched=WHOLE)]
    (one,) = watched_of(rows, DAY)

    assert one.share == "watched 1 of 24 h"


def test_the_strip_shows_when_and_says_it_in_words() -> None:
    (one,) = watched_of(a_day("wn"), DAY)
    root = ET.fromstring(one.strip)  # noqa: S314 - our own
    kinds = {rect.get("class"): rect for rect in root if rect.tag.endswith("rect")}

    assert kinds.keys() == {"unknown", "watched", "not_worn"}
    assert float(kinds["watched"].get("x", 0)) == 10  # half an hour of 24 on 480
    assert float(kinds["watched"].get("width", 0)) == 20
    assert int(kinds["watched"].get("height", 0)) > int(kinds["not_worn"].get("height", 0))
    assert "16:00 to 17:00 watched; 17:00 to 18:00 not worn." in one.strip


def test_both_pressures_are_one_vital_and_what_is_not_monitored_is_not_there() -> None:
    rows = [hour(END - timedelta(hours=3), vital, watched=WHOLE) for vital in (SYSTOLIC.number, GLUCOSE.number)]

    assert sorted(one.label for one in watched_of(rows, DAY)) == ["Blood pressure", "Glucose"]
    assert watched_of([], DAY) == []


@given(st.lists(st.integers(0, WHOLE), min_size=7, max_size=7), st.integers(-25, 1))
def test_whatever_stands_in_a_row_is_drawn_within_the_strip(bits: list[int], hours: int) -> None:
    row = hour(END.replace(minute=0) + timedelta(hours=hours), **dict(zip(Coverage, bits, strict=True)))
    for one in watched_of([row], DAY):
        for rect in ET.fromstring(one.strip).iter("{http://www.w3.org/2000/svg}rect"):  # noqa: S314 - our own
            assert 0 <= float(rect.get("x", 0)) <= float(rect.get("x", 0)) + float(rect.get("width", 0)) <= 480.01
