"""Sends golden payloads as their device would and looks at what the ack says of each."""

from collections.abc import Iterable

from schemas.codec import identity_of
from schemas.messages import Ack
from tests.golden import Golden
from tests.integration.path_world import RawDevice


def epoch_of(example: Golden) -> int:
    return (identity_of(example.payload) or (-1, -1))[0]


def expected_refusals(example: Golden) -> set[tuple[int, int, str]]:
    identity = identity_of(example.payload)
    assert identity is not None
    return {(identity[1], item, reason) for item, (reason, _) in example.rejected.items()}


async def play(device: RawDevice, examples: Iterable[Golden]) -> list[str]:
    """Sends each and waits for its ack; the names of those that were not acknowledged as they should be."""
    wrong = []
    for example in examples:
        await device.send(example.payload)
        if not example.acked:
            continue
        identity = identity_of(example.payload)
        assert identity is not None
        epoch, seq = identity
        ack = await device.acked(lambda ack, epoch=epoch: ack.epoch == epoch)  # type: ignore[misc]
        rejected = {(one.seq, one.item, one.reason) for one in ack.rejected}
        if rejected != expected_refusals(example) or settles(ack, seq) is not example.settled:
            wrong.append(f"{example.name}: {ack}")
    return wrong


def settles(ack: Ack, seq: int) -> bool:
    """Whether the ack of an epoch of one uplink says that it is settled."""
    return seq <= ack.upto or any(last == seq - 1 for _, last in ack.gaps)
