"""The words that pages use; and that names and notes stay text."""

from datetime import UTC, date, datetime

import pytest

from services.api.live import event
from services.api.rendering import evidence_words, fragment, hour, moment, number, years

AT = datetime(2026, 11, 22, 14, 30, 5, tzinfo=UTC)


def test_a_moment_is_shown_in_the_homes_zone_with_its_offset() -> None:
    assert moment(AT, "Europe/Berlin") == "22 Nov 2026, 15:30:05 +01:00"
    assert hour(AT, "Asia/Kolkata") == "20:00 +05:30"
    assert hour(AT, "America/New_York") == "09:30 -05:00"


@pytest.mark.parametrize(("born_on", "age"), [(date(1941, 11, 22), 85), (date(1941, 11, 23), 84)])
def test_an_age_turns_on_the_birthday(born_on: date, age: int) -> None:
    assert years(born_on, AT) == age


@pytest.mark.parametrize(("value", "text"), [(70.0, "70"), (36.75, "36.8"), (96.04, "96"), (3609.0, "3,609")])
def test_a_value_has_no_more_digits_than_were_measured(value: float, text: str) -> None:
    assert number(value) == text


def test_evidence_is_a_value_with_its_unit_or_the_name_of_an_event() -> None:
    assert evidence_words({"what": "glucose", "value": 48.0}) == "Glucose 48 mg/dL"
    assert evidence_words({"what": "fall_suspected", "value": None}) == "Fall suspected"


def test_what_people_typed_stays_text() -> None:
    html = fragment(
        "problem.html", problem="<script>alert(1)</script>", doctor=None, rate=1, now=AT, zone="UTC", path="/"
    )

    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_a_streamed_fragment_survives_its_own_line_ends() -> None:
    assert event("worklist", "<p>\n\n</p>") == "event: worklist\ndata: <p>\ndata: \ndata: </p>\n\n"
