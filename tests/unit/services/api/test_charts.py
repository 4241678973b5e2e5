"""Charts as SVG: what is in them, what must never be, and what they cost."""

import time
from datetime import UTC, datetime, timedelta
from math import sin
from zoneinfo import ZoneInfo

from schemas.presentation import FIGURES, Figure
from schemas.vitals import DIASTOLIC, GLUCOSE, HEART_RATE, SYSTOLIC, Vital
from services.api.charts import Window, draw
from services.api.core import Point

END = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
WINDOW = Window(starts_at=END - timedelta(hours=24), ends_at=END, zone=ZoneInfo("Europe/Berlin"))


def figure_of(vital: Vital) -> Figure:
    return next(figure for figure in FIGURES if vital in (row.vital for row in figure.rows))


PULSE, SUGAR, PRESSURE = map(figure_of, (HEART_RATE, GLUCOSE, SYSTOLIC))


def day(every_s: int) -> list[Point]:
    return [Point(second, 80 + 10 * sin(second / 9000)) for second in range(0, 86_400, every_s)]


def test_a_chart_says_in_words_what_it_shows() -> None:
    drawn = draw(PULSE, {HEART_RATE.number: [Point(60, 61), Point(120, 75), Point(180, 70)]}, WINDOW)

    assert drawn.summary == (
        "21 Nov 15:30 to 22 Nov 15:30. Heart rate: 3 readings, lowest 61, highest 75, newest 70 /min at 15:33."
    )
    assert f"<title>Heart rate</title><desc>{drawn.summary}</desc>" in drawn.svg
    assert 'role="img"' in drawn.svg


def test_a_chart_says_bounds_as_bounds() -> None:
    points = [Point(60, 40, "below"), Point(120, 40), Point(180, 400), Point(240, 400, "above")]
    drawn = draw(SUGAR, {GLUCOSE.number: points}, WINDOW)

    assert "lowest below 40, highest above 400, newest above 400 mg/dL at 15:34." in drawn.summary


def test_a_gap_is_drawn_as_a_gap() -> None:
    whole = draw(PULSE, {HEART_RATE.number: day(60)}, WINDOW)
    broken = draw(PULSE, {HEART_RATE.number: [p for p in day(60) if not 30_000 < p.second < 40_000]}, WINDOW)

    assert whole.svg.count('class="line reactive nofill"') == 1
    assert broken.svg.count('class="line reactive nofill"') == 2


def test_single_measurements_are_dots_with_no_line_between() -> None:
    values = {SYSTOLIC.number: [Point(3600, 140), Point(46_800, 133)], DIASTOLIC.number: [Point(3600, 85)]}
    drawn = draw(PRESSURE, values, WINDOW)

    assert drawn.svg.count("<circle") == 3


def test_a_lone_reading_between_two_gaps_is_still_seen() -> None:
    drawn = draw(PULSE, {HEART_RATE.number: [*day(60)[:100], Point(40_000, 99), *day(60)[1000:]]}, WINDOW)

    assert drawn.svg.count("<circle") == 1


def test_limits_are_bands_behind_the_line() -> None:
    drawn = draw(SUGAR, {GLUCOSE.number: day(300)}, WINDOW)

    assert drawn.svg.index('class="band target"') < drawn.svg.index('class="line reactive nofill"')
    assert 'class="band urgent"' in drawn.svg


def test_a_mark_inside_the_window_is_drawn_and_one_outside_is_not() -> None:
    values = {GLUCOSE.number: day(300)}

    assert 'class="mark"' in draw(SUGAR, values, WINDOW, marks=[END - timedelta(hours=1)]).svg
    assert 'class="mark"' not in draw(SUGAR, values, WINDOW, marks=[END + timedelta(hours=1)]).svg


def test_nothing_in_a_chart_needs_an_inline_style_or_script() -> None:
    for figure in FIGURES:
        svg = draw(figure, {row.vital.number: day(300) for row in figure.rows}, WINDOW).svg.lower()
        assert "<style" not in svg
        assert "<script" not in svg
        assert "style=" not in svg
        assert "javascript" not in svg


def test_a_chart_of_nothing_is_still_a_chart() -> None:
    assert "no readings" in draw(PULSE, {}, WINDOW).summary


def test_a_day_of_one_person_takes_at_most_50_ms_of_processor() -> None:
    best = 1.0
    for _ in range(9):
        started = time.thread_time()
        draw(PULSE, {HEART_RATE.number: day(60)}, WINDOW)
        draw(SUGAR, {GLUCOSE.number: day(300)}, WINDOW)
        best = min(best, time.thread_time() - started)

    assert best <= 0.050
