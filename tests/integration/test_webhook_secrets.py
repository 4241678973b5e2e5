"""Each webhook has a secret of its own; while it is changed either is good."""

from datetime import UTC, datetime

import pytest

from services.runtime.clock import FakeClock, to_datetime
from services.runtime.database import Pool
from services.runtime.sealing import Keys, new_key
from tests.integration.care_world import settle_in
from tests.integration.receivers import settle_secret, webhook_receiver
from tests.integration.test_alert_delivery import SECRET, WEBHOOKS, Desk, log_of, pool, real

__all__ = ["pool", "real"]


@pytest.mark.parametrize("left_s", [60, -1])
async def test_while_a_secret_is_changed_a_call_is_signed_with_both_and_afterwards_with_the_new_one(
    pool: Pool, real: FakeClock, left_s: int
) -> None:
    async with webhook_receiver(200) as receiver:
        world = await settle_in(pool, webhook=receiver.address)
        await settle_secret(pool, world.doctor_no, "the old one", ends_at=to_datetime(real.now_ms() + 1000 * left_s))
        await settle_secret(pool, world.doctor_no, "the new one")
        desk = Desk(pool, real, WEBHOOKS)
        await desk.open_alert(world)
        assert await desk.work() == 1

    (call,) = receiver.calls
    assert call.is_signed_with("the new one")
    assert call.is_signed_with("the old one") is (left_s > 0)


async def test_a_webhook_without_a_secret_is_called_without_a_signature(pool: Pool, real: FakeClock) -> None:
    async with webhook_receiver(200) as receiver:
        world = await settle_in(pool, webhook=receiver.address)
        desk = Desk(pool, real, WEBHOOKS)
        await desk.open_alert(world)
        assert await desk.work() == 1

    assert "hearthbeat-signature" not in receiver.calls[0].headers


async def test_another_address_does_not_get_the_secret_of_the_one_before(pool: Pool) -> None:
    world = await settle_in(pool, webhook="https://first.example/hook")
    await settle_secret(pool, world.doctor_no, SECRET)
    held = "select count(*) from receiver_secrets where doctor_no = $1"
    move = "update contact_addresses set address = $2 where doctor_no = $1 and channel = 'webhook'"
    await pool.execute(move, world.doctor_no, "https://first.example/hook")
    assert await pool.fetchval(held, world.doctor_no) == 1
    await pool.execute(move, world.doctor_no, "https://second.example/hook")
    assert await pool.fetchval(held, world.doctor_no) == 0


async def test_a_secret_sealed_with_another_key_is_tried_again(pool: Pool, real: FakeClock) -> None:
    async with webhook_receiver(200) as receiver:
        world = await settle_in(pool, webhook=receiver.address)
        await pool.execute(
            "insert into receiver_secrets (doctor_no, channel, sealed, issued_at) values ($1, 'webhook', $2, $3)",
            world.doctor_no,
            Keys([new_key()]).seal(SECRET),
            datetime(2026, 1, 1, tzinfo=UTC),
        )
        desk = Desk(pool, real, WEBHOOKS)
        alert_id = await desk.open_alert(world)
        assert await desk.work() == 1

    assert receiver.calls == []
    assert await log_of(pool, alert_id) == [(1, "retry", "unknown_key", False)]
