"""docs/capacity.md says what its figures say, and those that it quotes still stand where it found them."""

import pytest

from tests.proving.capacity import record
from tests.proving.capacity.page import PAGE, document
from tests.proving.capacity.pictures import DIRECTORY, MEASURED
from tests.proving.capacity.quotes import QUOTES, Quote
from tests.repo.tree import text_of


@pytest.mark.parametrize("quote", QUOTES, ids=lambda quote: quote.words[:40])
def test_a_figure_that_is_quoted_stands_on_its_page(quote: Quote) -> None:
    assert quote.stands, f"{quote.page} does not say any more: {quote.words}"
    figure = f"{quote.value:,.0f}" if quote.value >= 1_000 else f"{quote.value:g}"
    assert figure in quote.words or "about a second" in quote.words


def test_a_figure_that_has_changed_is_noticed() -> None:
    assert not QUOTES[0]._replace(words="ingest 9.2, PostgreSQL 9.0").stands


def test_the_page_is_what_its_command_writes() -> None:
    assert PAGE.read_text() == document(record.read()), "python -m tests.proving.capacity writes it anew"


def test_every_part_was_measured_with_three_sizes_or_more_on_a_day_and_a_machine_that_are_named() -> None:
    parts = record.read()
    assert parts.keys() == {shown.part for shown in MEASURED}
    for part in parts.values():
        assert part.on
        assert "cores" in part.machine
        assert len(part.points) >= 3


def test_its_pictures_are_there_and_hold_no_date() -> None:
    for name in ("capacity-needs.svg", "capacity-ends.svg"):
        assert f"pictures/{name}" in PAGE.read_text()
        assert "<dc:date>" not in text_of((DIRECTORY / name).relative_to(DIRECTORY.parents[1]))
