"""What is timed is what readers ask: the panels' own SQL and the console's own queries."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tests.proving.growth.fill import SQL
from tests.proving.growth.queries import About, Asker, Draw, Question, questions

ASKED = questions()
ANNA = UUID(int=0xA1)
NOW = datetime(2026, 10, 1, tzinfo=UTC)
DRAW = Draw(person_no=3, person_id=ANNA, doctor_no=1, until=NOW - timedelta(days=9), now=NOW)


def test_every_promise_is_asked() -> None:
    assert {question.about for question in ASKED} == set(About)


def test_names_are_given_once_for_each_promise() -> None:
    assert len({(question.name, question.about) for question in ASKED}) == len(ASKED)


@pytest.mark.parametrize("question", ASKED, ids=lambda question: f"{question.name}-{question.about}".replace(" ", "-"))
def test_a_question_has_as_many_arguments_as_it_names(question: Question) -> None:
    sql, arguments = question.put(DRAW)
    assert all(f"${number}" in sql for number in range(1, len(arguments) + 1))
    assert f"${len(arguments) + 1}" not in sql


def test_a_panel_shows_the_person_and_the_time_drawn() -> None:
    curve = next(one for one in ASKED if one.name == "panel: Heart rate" and one.about is About.MONTH)
    sql, arguments = curve.put(DRAW)

    assert curve.asker is Asker.CAREGIVER
    assert arguments == ()
    assert str(ANNA) in sql
    assert "'2026-09-22T00:00:00Z'" in sql
    assert "'2026-08-23T00:00:00Z'" in sql


def test_the_generators_queries_have_names() -> None:
    assert "readings_of_a_day" in SQL
