"""How a run of `make scale` is laid out, and what it reads of metrics pages."""

from collections import Counter

from deploy.platform.instances import instances_of, two_of
from tests.proving.scale.changes import plan
from tests.proving.scale.metric_sums import Sums

PAGE = """
# TYPE hb_test_seconds histogram
hb_test_seconds_bucket{le="0.1"} 90
hb_test_seconds_bucket{le="1.0"} 99
hb_test_seconds_bucket{le="+Inf"} 100
# TYPE hb_lost counter
hb_lost_total 3
"""


def test_stores_and_scorers_leave_most_often_both_ways_and_for_longer_than_a_session() -> None:
    changes = plan(12, every_s=10)
    services = Counter(change.instance.partition("-")[0] for change in changes)
    assert (services["store"], services["score"]) == (4, 4)
    assert {change.instance for change in changes} <= {one.name for one in instances_of(two_of())}
    for service in ("store", "score"):
        theirs = [change for change in changes if change.instance.startswith(service)]
        assert {change.way for change in theirs} == {"kill", "stop"}
        assert any(change.away_s > 10 for change in theirs)


def test_nobody_leaves_while_the_other_of_its_service_is_away() -> None:
    changes = plan(60, every_s=10)
    for one in changes:
        service = one.instance.partition("-")[0]
        away = [two for two in changes if two.instance.startswith(service) and two is not one]
        assert all(not two.at_s <= one.at_s <= two.at_s + two.away_s for two in away)


def test_the_lives_of_an_instance_add_up() -> None:
    sums = Sums()
    sums.add(PAGE, sign=-1)
    sums.add(PAGE.replace(" 90", " 190").replace(" 99", " 199").replace(" 100", " 200"))
    sums.add(PAGE)
    assert sums.counters["hb_lost_total"] == 3
    assert sums.quantile_ms("hb_test_seconds", 0.5) == 100
    assert sums.quantile_ms("hb_test_seconds", 0.99) == 1000
    assert sums.quantile_ms("hb_test_seconds", 0.999) is None
    assert sums.quantile_ms("nothing", 0.5) is None
