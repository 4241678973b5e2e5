"""Quantiles of histograms and of plain lists."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest

from deploy.reconcile.latency import counter_value, histogram_quantiles, quantile_of
from schemas.metrics import METRICS
from services.runtime.metrics import Metrics

NAME = "hb_store_device_to_row_seconds"


def page(*observed: float) -> str:
    metrics = Metrics(METRICS)
    metrics.observe(NAME, observed)
    metrics.count("hb_ingest_items_total", 3, outcome="reading")
    metrics.count("hb_ingest_items_total", 2, outcome="event")
    return generate_latest(metrics.registry).decode()


@given(values=st.lists(st.floats(min_value=0, max_value=5), min_size=1, max_size=60))
def test_a_quantile_lies_in_the_bucket_of_the_value_it_stands_for(values: list[float]) -> None:
    (buckets,) = [row.buckets for row in METRICS if row.name == NAME]
    for wanted in (0.5, 0.99):
        exact = quantile_of(sorted(values), wanted)
        assert exact is not None
        (estimate,) = histogram_quantiles(page(*values), NAME, [wanted])
        assert estimate is not None
        upper = next((bound for bound in buckets if exact <= bound), buckets[-1])
        lower = max((bound for bound in buckets if bound < exact), default=0.0)
        assert min(lower, buckets[-1]) <= estimate <= upper


def test_a_quantile_beyond_the_last_bound_is_the_last_bound() -> None:
    (buckets,) = [row.buckets for row in METRICS if row.name == NAME]
    assert histogram_quantiles(page(10_000.0), NAME, [0.5, 0.99]) == [buckets[-1], buckets[-1]]


def test_what_was_never_observed_has_no_quantile() -> None:
    assert histogram_quantiles(page(), NAME, [0.5]) == [None]
    assert histogram_quantiles(page(1.0), "no_such_metric", [0.5, 0.99]) == [None, None]


def test_what_was_observed_before_does_not_count() -> None:
    (past,) = histogram_quantiles(page(*[4.0] * 99, 0.01), NAME, [0.5])
    (present,) = histogram_quantiles(page(*[4.0] * 99, 0.01), NAME, [0.5], since=page(*[4.0] * 99))
    assert past is not None
    assert present is not None
    assert present < 0.02 < past
    assert histogram_quantiles(page(4.0), NAME, [0.5], since=page(4.0)) == [None]


def test_a_counter_is_summed_over_its_labels() -> None:
    assert counter_value(page(), "hb_ingest_items_total") == 5
    assert counter_value(page(), "hb_ingest_items") == 0


@pytest.mark.parametrize(
    ("quantile", "value"), [(0.0, 1.0), (0.01, 1.0), (0.5, 2.0), (0.51, 3.0), (0.75, 3.0), (0.99, 4.0), (1.0, 4.0)]
)
def test_the_quantile_of_a_list_is_the_nearest_rank(quantile: float, value: float) -> None:
    assert quantile_of([1.0, 2.0, 3.0, 4.0], quantile) == value


def test_nothing_has_no_quantile() -> None:
    assert quantile_of([], 0.5) is None


def test_a_metric_that_no_row_names_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        Metrics(METRICS).count("hb_misspelt_total")
