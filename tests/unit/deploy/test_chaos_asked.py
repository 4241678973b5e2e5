"""How a run is laid out: long enough for its strikes, with homes enough for its uplinks."""

from deploy.chaos.asked import Asked
from deploy.chaos.schedule import TARGETS, last_blows, plan


def test_more_strikes_take_longer_and_more_uplinks_take_more_homes() -> None:
    small, large = Asked(kills=6, uplinks=1_500, seed=1), Asked(kills=40, uplinks=200_000, seed=1)
    assert large.runs_for_s > small.runs_for_s
    assert large.homes > 10 * small.homes


def test_without_resends_the_broker_is_spared() -> None:
    asked = Asked(kills=6, uplinks=1_500, seed=1, resends=False)
    assert set(asked.struck_targets) == {*TARGETS} - {"mosquitto"}
    assert asked.resend_after_s > 10 * asked.runs_for_s


def test_strikes_keep_to_their_targets() -> None:
    asked = Asked(kills=9, uplinks=1_500, seed=1, targets=("store", "ingest"))
    struck = [one.target for one in plan(asked.kills, seed=asked.seed, targets=asked.struck_targets)]
    assert set(struck) == {"store", "ingest"}
    assert [one.target for one in last_blows()] == ["store", "ingest"]
