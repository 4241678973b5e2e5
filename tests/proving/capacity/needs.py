"""From what is sent and what it costs to what has to be there. Pure."""

from collections.abc import Mapping
from itertools import pairwise
from math import ceil, exp, log
from typing import Final, NamedTuple

from schemas.codec import encode_uplink_record
from schemas.devices import DEVICE_TYPES
from schemas.records import JudgedReading, JudgedUplink
from schemas.topics import SHARDS
from schemas.vitals import HEART_RATE, RESPIRATORY_RATE, SPO2, STEPS
from tests.proving.capacity import quotes
from tests.proving.capacity.demand import READINGS_A_BAND_UPLINK, Demand

BUSY: Final = 0.5
"""How much of a core may be at work on average: the other half works off what gathered in an outage."""
PEOPLE_A_SCORE: Final = 10_000
"""As many as score was measured with in one process."""
STREAMS_A_CONSOLE: Final = 500
"""Half of the requests that one console takes at once."""
REPLICATION: Final = 3
_US: Final = {
    "ingest": quotes.INGEST_US,
    "store": quotes.STORE_US,
    "score": quotes.SCORE_US,
    "PostgreSQL": quotes.POSTGRESQL_US,
    "mosquitto": quotes.MOSQUITTO_US,
    "Apache Kafka": quotes.KAFKA_US,
    "medication, alert, api, watch": quotes.OTHERS_US,
}
_PARTITIONS: Final = (12, 24, 48, 96, 128, 256, 512, 1024)


class Needs(NamedTuple):
    """What has to be there for one platform."""

    cores: Mapping[str, float]
    instances: Mapping[str, int]
    score_gb: float
    partitions: int | None
    bus_gb: float
    database_tb_a_year: float
    rows_per_s: float
    row_mb_per_s: float
    connections: int
    brokers: int


def us_a_reading(uplinks_per_s: float) -> float:
    """CPU of everything together, between what was measured; at fewer uplinks the CPU stays, at more the price does."""
    points = ((1_000.0, quotes.AT_1_000_US), (4_000.0, quotes.AT_4_000_US), (10_000.0, quotes.AT_10_000_US))
    if uplinks_per_s <= points[0][0]:
        return points[0][1].value * points[0][0] / uplinks_per_s
    for (rate, dear), (next_rate, cheap) in pairwise(points):
        if uplinks_per_s <= next_rate:
            share = log(uplinks_per_s / rate) / log(next_rate / rate)
            return exp(log(dear.value) + share * (log(cheap.value) - log(dear.value)))
    return points[-1][1].value


def cores_of(demand: Demand) -> dict[str, float]:
    """Cores at work by program; the shares are those of a full load."""
    shares = {name: quote.value for name, quote in _US.items()}
    rate = us_a_reading(demand.uplinks_per_s) / sum(shares.values())
    return {name: demand.readings_per_s * share * rate / 1e6 for name, share in shares.items()}


def needs_of(demand: Demand) -> Needs:
    """Of one platform, whether there is a machine that can carry it or not."""
    cores = cores_of(demand)
    score = max(ceil(demand.people / PEOPLE_A_SCORE), ceil(cores["score"] / BUSY))
    ingest = max(ceil(cores["ingest"] / BUSY), ceil(demand.uplinks_per_s / (quotes.INGEST_MOST.value * BUSY)))
    rows = demand.readings_per_s
    kept = demand.uplinks_per_s * 3_600 * quotes.RETENTION_H.value * record_bytes()
    return Needs(
        cores=cores,
        instances={
            "ingest": ingest,
            "store": ceil(cores["store"] / BUSY),
            "score": score,
            "api": ceil(demand.doctors / STREAMS_A_CONSOLE),
        },
        score_gb=demand.people * quotes.SCORE_KB.value * 1_000 / 1e9,
        partitions=next((number for number in _PARTITIONS if number >= score), None),
        bus_gb=REPLICATION * kept / 1e9,
        database_tb_a_year=demand.readings_a_year * quotes.ROW_B.value / 1e12,
        rows_per_s=rows,
        row_mb_per_s=rows * quotes.ROW_B.value / 1e6,
        connections=demand.devices,
        brokers=ceil(demand.devices / quotes.CONNECTIONS.value),
    )


def most_people_of_ingest() -> int:
    """With an instance for each shard, half busy."""
    return int(SHARDS * quotes.INGEST_MOST.value * BUSY / Demand(1).uplinks_per_s)


def record_bytes() -> int:
    """What the record of a band's uplink takes on the bus."""
    at = 1_796_000_000_000
    vitals = (HEART_RATE, SPO2, RESPIRATORY_RATE, STEPS)
    readings = tuple(JudgedReading(item, 700_000, vital.number, 96.0, at, 0) for item, vital in enumerate(vitals))
    band = next(one.number for one in DEVICE_TYPES if one.code == "wearable_band")
    assert len(readings) == READINGS_A_BAND_UPLINK
    record = JudgedUplink(
        2_000_000, "band-0700000", 400_000, 0, 2**50, 500_000, 0, at, at + 300, readings, device_type=band
    )
    return len(encode_uplink_record(record))
