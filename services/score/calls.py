"""Calls for help of a person as they are remembered, so that a further event joins the one it belongs to. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from services.score.sample import Sample

_CALLS_KEPT: Final = 8
_PRESSES_KEPT: Final = 32


@dataclass(slots=True)
class Call:
    """A fall or an SOS call as remembered, so that a further event joins it. Times in ms.

    ``events`` counts those that were news; ``heard`` are the newest, each the number of its device and its time: the
    same one under another number of an uplink is a repetition.
    """

    episode: int
    first_at: int
    last_at: int
    events: int = 1
    heard: list[list[int]] = field(default_factory=list)


def known_call(calls: Sequence[Call], event: Sample, within_ms: int, *, extends: bool) -> tuple[Call | None, bool]:
    """The call that an event joins, None where it is the first of one; and whether it is news.

    ``within_ms``: so near to a call it belongs to it. ``extends``: every one is news, and makes the call longer.
    """
    at, which = event.at, [event.device_no, event.at]
    for call in reversed(calls):
        if call.first_at - within_ms <= at <= call.last_at + within_ms:
            if not extends or which in call.heard:
                return call, False
            call.first_at, call.last_at = min(at, call.first_at), max(at, call.last_at)
            call.events += 1
            call.heard = [*call.heard, which][-_PRESSES_KEPT:]
            return call, True
    return None, True


def begin_call(calls: list[Call], event: Sample, episode: int) -> Call:
    """The call that begins with an event; of older ones the newest are kept."""
    call = Call(episode, event.at, event.at, heard=[[event.device_no, event.at]])
    calls.append(call)
    del calls[:-_CALLS_KEPT]
    return call
