"""When devices that report by themselves do so."""

from collections.abc import Iterator
from typing import Final

from device_sim.casting import Casting, usual_period_ms
from device_sim.chance import dice
from device_sim.world import SimDevice

_FIRST_REPORT_MS: Final = 50_000


def moments(plan: Casting, device: SimDevice, first: int, last: int) -> Iterator[int]:
    """The usual moments of a device in [first, last), at a phase of its own; each is heard within the first minute."""
    usual, period = usual_period_ms(device), plan.reports_every_ms(device, first)
    phase = dice(plan.world.seed, "phase", device.device).randrange(min(usual, _FIRST_REPORT_MS))
    since = plan.start_ms + phase
    # Rounded up: the first turn at or after the beginning of the block.
    turn = max(0, -(-(first - since) // period))
    yield from range(since + turn * period, last, period)
