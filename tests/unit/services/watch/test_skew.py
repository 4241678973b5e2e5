"""How askew clocks are, by two looks at one's own."""

from datetime import UTC, datetime, timedelta

from services.watch.database import skew_s


def test_how_far_its_clock_is_from_the_database_server_s_is_measured_both_ways() -> None:
    noon = datetime(2026, 12, 1, 12, tzinfo=UTC)
    later = [noon + timedelta(seconds=seconds) for seconds in range(4)]
    assert skew_s(later[1], later[0], later[2]) == 1.0
    assert skew_s(later[0], later[3], later[1]) == -2.0
    assert skew_s(later[0], later[1], later[2]) == 0.0
