"""The weeks before a run: what the same devices of the same people would have sent until it begins. Pure.

Every value is a function of seed, person and time, so the past ends where the live signal begins, without a step: the
same bodies, the same phases of the same devices. Nothing goes wrong in it, neither incident nor fault, but people
don't always do as they should.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from device_sim.adherence import Adherence
from device_sim.casting import usual_period_ms
from device_sim.incidents import IncidentPlan
from device_sim.observations import Planned, observations
from device_sim.physiology import HOUR_MS, MINUTE_MS
from device_sim.world import SimDevice, World
from schemas.codec import encode_uplink
from schemas.messages import Uplink

PAST_DAYS: Final = 28
PAST_EPOCH: Final = 1
"""Of every uplink of the past: no outbox of a run draws it, but for one in 2^53."""
_DAY_MS: Final = 24 * HOUR_MS
_SPARSE_MS: Final = 15 * MINUTE_MS
_ON_ITS_WAY_MS: Final = 400
_IN_TIME: Final = 0.94
"""Of time-critical doses; half of the others are late. Nobody's week ends below what counts as adherent (0.80)."""
_WORN: Final = 0.9


class PastPlan(IncidentPlan):
    """The ``days`` before ``end_ms``: reports lie a quarter of an hour apart, those of the last day as usual."""

    def __init__(self, world: World, *, end_ms: int, days: int = PAST_DAYS) -> None:
        super().__init__(world, start_ms=end_ms - days * _DAY_MS, rate=1.0, enabled=False)
        self.end_ms = end_ms
        self.adherence = Adherence(seed=world.seed, in_time=_IN_TIME, worn=_WORN)

    def reports_every_ms(self, device: SimDevice, at_ms: int) -> int:
        """A quarter of an hour, or as usual where that is longer, or on the last day."""
        usual = usual_period_ms(device)
        return usual if at_ms >= self.end_ms - _DAY_MS else max(usual, _SPARSE_MS)


@dataclass(frozen=True, slots=True, kw_only=True)
class PastUplink:
    """An uplink as it was received, at ``received_at`` in platform ms."""

    received_at: int
    payload: bytes


def past_of(plan: PastPlan, device: SimDevice) -> Iterator[PastUplink]:
    """All that ``device`` sent before the end, in the order of time; numbered anew each time it is asked for.

    What holds nothing, a heartbeat, is left out.
    """
    seq = 0
    for planned in observations(plan, device):
        if planned.at_ms >= plan.end_ms:
            return
        if planned.readings or planned.events:
            received_at = min(planned.at_ms + _ON_ITS_WAY_MS, plan.end_ms - 1)
            yield PastUplink(received_at=received_at, payload=_payload(planned, seq, received_at))
            seq += 1


def _payload(planned: Planned, seq: int, sent_at: int) -> bytes:
    uplink = Uplink(
        epoch=PAST_EPOCH,
        seq=seq,
        sent_at=sent_at,
        clock="synced",
        oldest=0,
        readings=planned.readings,
        events=planned.events,
    )
    return encode_uplink(uplink)
