"""What stands around an uplink's items, and how far their stamps are believed. Pure."""

from functools import partial
from typing import Any, Final, NamedTuple

from schemas.messages import MAX_ITEMS, NEWEST_ACCEPTED_MS
from schemas.reasons import Flag, RejectionReason
from schemas.validity import CLOCK_FLAGS, STAMP_LIMIT, accepted_stamps

# A plain integer: combining members of a Flag costs more than judging the rest of a reading.
_CORRECTED_CLOCK: Final = int(Flag.CORRECTED_CLOCK)


class RejectedError(Exception):
    """An item can't be stored: ``reason`` and the field that is wrong."""

    def __init__(self, reason: RejectionReason, field: str) -> None:
        super().__init__(reason, field)
        self.reason, self.field = reason, field


class Envelope(NamedTuple):
    """The readable part around the items, and the times that are believed of them.

    ``flags`` are those of every item: of its clock, of how it was sent. ``ahead``: how far the clock that stamps the
    items is ahead of the platform's, in ms; it is taken off every stamp, and is 0 where the clock is believed.
    ``counts_from_boot``: the clock was never set.
    """

    sent_at: int
    counts_from_boot: bool
    ahead: int
    flags: int
    oldest: int
    readings: list[Any]
    events: list[Any]
    oldest_stamp: int
    newest_stamp: int


_envelope_of: Final = partial(tuple.__new__, Envelope)
"""An envelope of the fields in their order, at a third of what its constructor takes."""


def open_envelope(body: dict[str, Any], epoch: int, seq: int, received_at: int, flags: int) -> Envelope:
    """The envelope of a payload that was identified as ``epoch`` and ``seq``. Raises RejectedError."""
    # JSON may hold a name twice. Here the last one counts, in ``identity_of`` the first. ``type``,
    # not ``isinstance``, here and below: to Python a bool is an int.
    for name, first in (("epoch", epoch), ("seq", seq)):
        if type(body[name]) is not int or body[name] != first:
            raise RejectedError(RejectionReason.BAD_ENVELOPE, name)
    sent_at, clock, oldest = body.get("sent_at"), body.get("clock"), body.get("oldest")
    if type(sent_at) is not int or not 0 <= sent_at < STAMP_LIMIT:
        raise RejectedError(RejectionReason.BAD_ENVELOPE, "sent_at")
    if not isinstance(clock, str) or clock not in CLOCK_FLAGS:
        raise RejectedError(RejectionReason.BAD_ENVELOPE, "clock")
    if type(oldest) is not int or not 0 <= oldest <= seq:
        raise RejectedError(RejectionReason.BAD_ENVELOPE, "oldest")
    readings, events = body.get("readings", []), body.get("events", [])
    if not isinstance(readings, list):
        raise RejectedError(RejectionReason.BAD_ENVELOPE, "readings")
    if not isinstance(events, list):
        raise RejectedError(RejectionReason.BAD_ENVELOPE, "events")
    if len(readings) + len(events) > MAX_ITEMS:
        raise RejectedError(RejectionReason.TOO_MANY_ITEMS, "readings")
    counts_from_boot, ahead = clock == "unsynced", sent_at - received_at
    flags |= CLOCK_FLAGS[clock]
    if not counts_from_boot:
        # Behind is not corrected: nobody knows it from an uplink that was long on its way.
        if ahead > NEWEST_ACCEPTED_MS:
            flags |= _CORRECTED_CLOCK
        else:
            ahead = 0
    bounds = accepted_stamps(received_at)
    return _envelope_of((sent_at, counts_from_boot, ahead, flags, oldest, readings, events, *bounds))


def as_of(received_at: int, flags: int) -> Envelope:
    """In the place of an envelope that can't be read."""
    return _envelope_of((received_at, False, 0, flags, 0, [], [], *accepted_stamps(received_at)))


def observed_at_of(at: Any, envelope: Envelope) -> int:
    """When an item was observed, in platform ms: the device's stamp, less what its clock is ahead.

    For a clock that counts from boot that is the item's age, counted back from reception. Raises RejectedError.
    """
    if type(at) is not int or not 0 <= at < STAMP_LIMIT:
        raise RejectedError(RejectionReason.BAD_TIME, "at")
    # Such a stamp ahead of now is of an earlier boot, and nobody knows when that was.
    if envelope.counts_from_boot and at > envelope.sent_at:
        raise RejectedError(RejectionReason.EARLIER_BOOT, "at")
    observed_at = at - envelope.ahead
    if observed_at > envelope.newest_stamp:
        raise RejectedError(RejectionReason.IN_THE_FUTURE, "at")
    if observed_at < envelope.oldest_stamp:
        raise RejectedError(RejectionReason.TOO_OLD, "at")
    return observed_at
