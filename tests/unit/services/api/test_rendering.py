"""The words that pages use; and that names and notes stay text."""

from datetime import UTC, date, datetime

import pytest
from jinja2 import nodes

from services.api.live import event
from services.api.rendering import TEMPLATES, evidence_words, fragment, hour, moment, years

AT = datetime(2026, 11, 22, 14, 30, 5, tzinfo=UTC)


def test_a_moment_is_shown_in_the_homes_zone_with_its_offset() -> None:
    assert moment(AT, "Europe/Berlin") == "22 Nov 2026, 15:30:05 +01:00"
    assert hour(AT, "Asia/Kolkata") == "20:00 +05:30"
    assert hour(AT, "America/New_York") == "09:30 -05:00"


@pytest.mark.parametrize(("born_on", "age"), [(date(1941, 11, 22), 85), (date(1941, 11, 23), 84)])
def test_an_age_turns_on_the_birthday(born_on: date, age: int) -> None:
    assert years(born_on, AT) == age


def test_evidence_is_a_value_with_its_unit_or_the_name_of_an_event() -> None:
    assert evidence_words({"what": "glucose", "value": 48.0}) == "Glucose 48 mg/dL"
    assert evidence_words({"what": "glucose", "value": 39.0, "clipped": True}) == "Glucose below 40 mg/dL"
    assert evidence_words({"what": "body_temperature", "value": 38.0}) == "Body temperature 38.0 °C"
    assert evidence_words({"what": "fall_suspected", "value": None}) == "Fall suspected"


@pytest.mark.parametrize("name", TEMPLATES.list_templates())
def test_a_template_uses_no_filter_that_is_not_there(name: str) -> None:
    """Jinja itself says so only when a page takes that branch."""
    assert TEMPLATES.loader is not None
    source, *_ = TEMPLATES.loader.get_source(TEMPLATES, name)
    used = {node.name for node in TEMPLATES.parse(source).find_all(nodes.Filter)}

    assert used <= set(TEMPLATES.filters)


def test_what_people_typed_stays_text() -> None:
    html = fragment(
        "problem.html", problem="<script>alert(1)</script>", doctor=None, rate=1, now=AT, zone="UTC", path="/"
    )

    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_a_streamed_fragment_survives_its_own_line_ends() -> None:
    assert event("worklist", "<p>\n\n</p>") == "event: worklist\ndata: <p>\ndata: \ndata: </p>\n\n"
