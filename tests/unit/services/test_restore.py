"""Where consumers go on after a restore."""

from services.restore import starts


def test_a_consumer_goes_on_where_the_rows_end() -> None:
    assert starts({0: 40, 1: 0}, {0: (0, 100), 1: (0, 0)}) == {0: 40, 1: 0}


def test_it_goes_on_where_the_log_begins_when_that_is_later() -> None:
    assert starts({0: 40}, {0: (70, 100)}) == {0: 70}


def test_a_position_beyond_the_end_belongs_to_another_log() -> None:
    assert starts({0: 400}, {0: (0, 100)}) == {0: 0}


def test_a_position_at_the_end_stays() -> None:
    assert starts({0: 100}, {0: (20, 100)}) == {0: 100}
