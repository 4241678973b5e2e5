"""The bad-input corpus on the full stack: every case ends in its outcome, no thread dies, good traffic flows on."""

import asyncio
from collections.abc import AsyncIterator, Callable

import numpy as np
import pytest
import pytest_asyncio

from schemas.codec import identity_of
from schemas.topics import shard_of
from tests.corpus_world import device_name, stored_in
from tests.golden import RECEIVED_AT
from tests.integration.corpus_path import (
    as_rejected,
    delays_of,
    ended,
    register_senders,
    send_slowly,
    wrongly_ended,
)
from tests.integration.path_world import World, bound, open_world, uplink
from tests.integration.raw_mqtt import RawClient, agrees
from tests.proving.fuzz.corpus import Case, made_of, played_by

pytestmark = [
    pytest.mark.full_stack,
    pytest.mark.slow,
    pytest.mark.timeout(300),  # a stack of its own
    pytest.mark.asyncio(loop_scope="module"),
]

CASES = played_by("uplink", "story")
UPLINKS = played_by("uplink")
MQTT, STORIES = played_by("mqtt"), played_by("story")
GOOD, RAW, OTHER = "corpus-good", "corpus-raw", "band-of-another"
GOOD_UPLINKS, EVERY_S = 400, 0.0125


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    async with open_world(RECEIVED_AT) as opened:
        opened.admit(GOOD, RAW, OTHER, *{device_name(case) for case in CASES})
        await register_senders(opened, CASES, [bound(name, "wearable_band", 1) for name in (GOOD, RAW, OTHER)])
        opened.start("store")
        opened.start("ingest")
        await opened.heard(GOOD)
        yield opened


async def test_every_uplink_ends_in_its_outcome_and_good_traffic_flows_on(
    world: World, say: Callable[[str], None]
) -> None:
    alone = await delays_of(world, GOOD, 2, uplinks=GOOD_UPLINKS, every_s=EVERY_S)
    beside, _ = await asyncio.gather(
        delays_of(world, GOOD, 3, uplinks=GOOD_UPLINKS, every_s=EVERY_S),
        send_slowly(world, UPLINKS, for_s=GOOD_UPLINKS * EVERY_S),
    )
    (p50, p99), (p50_beside, p99_beside) = (1000 * np.quantile(delays, (0.5, 0.99)) for delays in (alone, beside))
    say(
        f"device to ack, p50 and p99 of good uplinks: {p50:.0f} and {p99:.0f} ms"
        f" alone, {p50_beside:.0f} and {p99_beside:.0f} ms beside {len(UPLINKS)} of junk"
    )
    async with asyncio.timeout(60):
        while not await ended(world, UPLINKS):
            await asyncio.sleep(0.1)
    assert await wrongly_ended(world, UPLINKS) == []
    assert world.is_running("ingest")
    assert world.is_running("store")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def acked(world: World) -> None:
    """Every story, all at once; each device hears what its index says within the time that `acked` waits."""

    async def play(case: Case) -> None:
        for one in case.sent:
            await world.device(device_name(case)).send(made_of(one["sent"]))

    await asyncio.gather(*map(play, STORIES))


@pytest.mark.parametrize("case", STORIES, ids=lambda case: case.id)
async def test_a_story_of_uplinks_ends_in_its_ack(world: World, acked: None, case: Case) -> None:
    del acked
    identity = identity_of(made_of(case.sent[-1]["sent"]))
    assert identity is not None
    fate = (case.fate["upto"], case.fate.get("gaps", []), case.fate.get("rejected", []))
    await world.device(device_name(case)).acked(
        lambda ack: ack.epoch == identity[0] and (ack.upto, [list(gap) for gap in ack.gaps], as_rejected(ack)) == fate
    )
    kept = [one for one in case.sent if stored_in(one["fate"])]
    rows = "select count(*) from readings join devices using (device_no) where device = $1"
    assert await world.rows(rows, device_name(case)) == [(len(kept),)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def answers(world: World) -> dict[str, list[str]]:
    """What the broker said to each case; whatever was passed on has come through by then."""
    shard = shard_of(RAW)
    words = {"device": RAW, "DEVICE": RAW.upper(), "shard": str(shard), "other_shard": str((shard + 1) % 64)}
    said = {}
    for case in MQTT:
        reader, writer = await asyncio.open_connection(world.stack.mqtt_host, world.stack.mqtt_port)
        client = RawClient(name=RAW, password=world.password_of(RAW), words=words, reader=reader, writer=writer)
        try:
            for step in case.sent:
                await client.do(step)
        finally:
            writer.transport.abort()
        said[case.id] = client.answers
    await world.publish(GOOD, [uplink(4, 0, at=RECEIVED_AT)])
    await world.device(GOOD).settled(4, 0)
    return said


@pytest.mark.parametrize("case", MQTT, ids=lambda case: case.id)
async def test_the_broker_answers_and_only_what_may_pass_is_stored(
    world: World, answers: dict[str, list[str]], case: Case
) -> None:
    assert agrees(answers[case.id], case.fate["answers"]), answers[case.id]
    there = [await is_there(world, payload) for payload in payloads_of(case)]
    assert all(there) if case.fate.get("stored") else not any(there)


def payloads_of(case: Case) -> list[bytes]:
    """What a case publishes, last wills among it; not what is said about the state of a device."""
    said = [step["publish"] for step in case.sent if "publish" in step]
    said += [step["connect"]["will"] for step in case.sent if "will" in step.get("connect", {})]
    return [made_of(one["payload"]) for one in said if not str(one["topic"]).endswith("/status")]


async def is_there(world: World, payload: bytes) -> bool:
    """Whether an uplink ended anywhere, under whatever name."""
    identity = identity_of(payload)
    if identity is None:
        return bool(await world.rows("select 1 from rejected where raw = $1 and device = $2", payload, RAW))
    return bool(await world.rows("select 1 from device_cursor where epoch = $1", identity[0]))
