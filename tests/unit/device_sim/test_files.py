"""The oracle, the clock, the tally and the trace: what a tester reads."""

import json
import time
from pathlib import Path

from device_sim.clock import SimClock
from device_sim.oracle import Line, Oracle, read_oracle
from device_sim.tally import Tally, write_summary
from device_sim.trace import Tracer
from schemas.codec import encode_ack, encode_uplink
from schemas.messages import Ack, Reading, RejectedItem, Uplink
from schemas.topics import ACK, STATUS, UP


def test_the_oracle_names_every_uplink_once_over_restarts_and_torn_lines(tmp_path: Path) -> None:
    path = tmp_path / "oracle.jsonl"
    first = Oracle(path)
    first.write([Line("band", 7, 0, 4, 0), Line("band", 7, 1, 4, 1)])
    first.close()
    with path.open("ab") as file:
        file.write(b'{"device":"band","ep')
    second = Oracle(path)
    second.write([Line("band", 7, 1, 4, 1), Line("band", 7, 2, 0, 0)])
    second.close()
    assert (second.uplinks, second.readings, second.events) == (3, 8, 1)
    assert [line.seq for line in read_oracle(path)] == [0, 1, 2]
    assert json.loads(path.read_text().splitlines()[0]) == {
        "device": "band", "epoch": 7, "seq": 0, "readings": 4, "events": 0,
    }  # fmt: skip


def test_the_clock_is_the_one_of_the_environment_and_stops_at_its_end() -> None:
    start = time.monotonic() - 10
    given = {"HB_CLOCK_ORIGIN_MS": "1000000", "HB_CLOCK_ORIGIN_MONOTONIC": repr(start), "HB_CLOCK_RATE": "60"}
    clock = SimClock.from_environment(given)
    assert 1_600_000 <= clock.now_ms() < 1_660_000
    assert not clock.frozen
    ended = SimClock.from_environment(given | {"HB_CLOCK_FROZEN_AT_MS": "1300000"})
    assert (ended.now_ms(), ended.frozen) == (1_300_000, True)


def test_without_an_environment_the_clock_is_the_machines() -> None:
    assert abs(SimClock.from_environment({}).now_ms() - time.time() * 1000) < 1000


def test_the_summary_has_quantiles_and_nothing_where_nothing_was(tmp_path: Path) -> None:
    tally = Tally()
    assert tally.latency() == {"p50": None, "p99": None, "samples": 0}
    for hundredths in range(101):
        tally.acked(hundredths / 1000)
    assert tally.latency() == {"p50": 50.0, "p99": 99.0, "samples": 101}
    write_summary(tmp_path / "summary.json", {"uplinks": {"published": 1}})
    assert json.loads((tmp_path / "summary.json").read_text()) == {"uplinks": {"published": 1}}


def test_a_trace_shows_publication_resend_acknowledgement_and_refusal_once() -> None:
    said: list[str] = []
    tracer = Tracer(lambda line: said.append(line.partition(" ")[2]))
    reading = Reading(vital="spo2", value=97, at=1)
    uplink = encode_uplink(Uplink(epoch=5, seq=0, sent_at=1, clock="synced", oldest=0, readings=(reading,)))
    ack = encode_ack(Ack(generation=0, epoch=5, upto=0, rejected=(RejectedItem(seq=0, item=0, reason="unknown_unit"),)))
    for topic, payload in (
        (UP, uplink),
        (UP, uplink),
        (ACK, ack),
        (ACK, ack),
        (STATUS, b"{}"),
        (UP, b"junk"),
        (ACK, b"?"),
    ):
        tracer.message(topic.of(3, "band-1"), payload)
    assert said[0] == "published epoch 5 seq 0: spo2 97"
    assert said[1].startswith("sent again epoch 5 seq 0")
    assert said[2].startswith("acknowledged epoch 5 up to 0, gaps none (1 uplinks")
    assert said[3] == "rejected seq 0 item 0: unknown_unit"
    assert len([line for line in said if line.startswith("rejected")]) == 1
    assert said[5] == "status: {}"
    assert "without a readable identity" in said[6]
    assert "can't be read" in said[7]
