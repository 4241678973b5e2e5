"""The words that pages use; and that names and notes stay text."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from jinja2 import nodes

from services import api
from services.api.live import event
from services.api.rendering import TEMPLATES, evidence_words, fragment, hour, moment, years

PAGES = sorted(Path(*api.__path__, "templates").glob("*.html"))
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


def runs_together(lines: Sequence[str]) -> Iterator[str]:
    """Lines whose last words stand right before those of the next: the newline after a closing tag is cut off."""
    for line, after in pairwise(lines):
        ends = re.search(r"(</(span|a|strong|time)>|[^\s>])\{% end(if|for) %\}$", line)
        if ends and re.match(r"\s*(\{% (if|for)[^%]*%\})?\s*(<(span|strong|a|time)\b|\{\{|\w)", after):
            yield line.strip()


@pytest.mark.parametrize("template", PAGES, ids=lambda path: path.name)
def test_words_of_two_lines_do_not_run_together(template: Path) -> None:
    assert list(runs_together(template.read_text("utf-8").splitlines())) == []


def test_words_that_run_together_are_found() -> None:
    lines = ["{% if at %}<span>03:20</span>{% endif %}", "  {% if often %}<span>reminded</span>{% endif %}"]
    assert list(runs_together(lines)) == [lines[0]]
    assert list(runs_together([lines[0].replace("endif %", "endif +%"), lines[1]])) == []
