"""The device's side of the end-to-end acknowledgement: what it holds, sends again, forgets (docs/firmware.md)."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import Final, Protocol

from schemas.messages import EPOCH_LIMIT, MAX_UNDER_WAY, Ack

RESEND_AFTER_S: Final = 60.0
"""Real seconds without progress until unsettled uplinks are sent again. Each further pause is twice
as long, up to ten times this."""
RESEND_CAP: Final = 10
RESEND_AT_ONCE: Final = 64
KEEP_SETTLED_S: Final = 24 * 3600.0
CAPACITY: Final = 20_000
_CHECKPOINT_S: Final = 60.0
_JITTER: Final = 0.2


@dataclass(slots=True)
class Held:
    """An uplink that is not settled. ``sent_at`` is real seconds, 0 where it has to be sent (again)."""

    seq: int
    tail: bytes
    sent_at: float = 0.0
    first_sent_at: float = 0.0
    times_sent: int = 0
    settled: bool = False


@dataclass(slots=True)
class Position:
    """What survives a restart besides the uplinks: where the outbox stands; ``generation`` 0 before the first ack."""

    epoch: int
    next_seq: int = 0
    upto: int = -1
    generation: int = 0
    kept_from: int = 0
    evicted: int = 0


class OutboxStore(Protocol):
    """Keeps uplinks and positions; both are durable only after the store's ``commit``."""

    def add(self, device: str, epoch: int, seq: int, tail: bytes) -> None:
        """Keeps a new uplink."""

    def forget(self, device: str, epoch: int, below: int) -> None:
        """Drops what is below a number."""

    def read(self, device: str, epoch: int, first: int, last: int) -> Mapping[int, bytes]:
        """The uplinks from ``first`` to ``last`` that are still kept."""

    def save(self, device: str, position: Position) -> None:
        """Keeps where the outbox stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How patient and how large an outbox is."""

    resend_after_s: float = RESEND_AFTER_S
    capacity: int = CAPACITY
    keep_settled_s: float = KEEP_SETTLED_S


class Outbox:
    """The outbox of one device. Times are real seconds of any clock that never goes back."""

    def __init__(
        self, device: str, store: OutboxStore, limits: Limits, draw: Random, position: Position | None = None
    ) -> None:
        self.device = device
        self.position = position or Position(epoch=draw.randrange(EPOCH_LIMIT))
        self._store, self._limits, self._draw = store, limits, draw
        self._held: dict[int, Held] = {}
        self._fresh: deque[int] = deque()
        self._settled_marks: deque[tuple[float, int]] = deque()
        self._may_repeat = True
        self._repeat_at = 0.0
        self._fruitless = 0
        self._load()

    def _load(self) -> None:
        here = self.position
        kept = self._store.read(self.device, here.epoch, here.upto + 1, here.next_seq - 1)
        self._held = {seq: Held(seq, tail) for seq, tail in sorted(kept.items())}

    @property
    def oldest(self) -> int:
        """The lowest number still kept, settled or not."""
        return self.position.kept_from

    @property
    def unsettled(self) -> int:
        """How many uplinks are held that are not at or below ``upto``."""
        return len(self._held)

    @property
    def held(self) -> Iterable[Held]:
        return self._held.values()

    def append(self, tail: bytes, now: float) -> Held:
        """Takes a new uplink; evicts the oldest where there is no room. Publish it only after the store's commit."""
        here = self.position
        held = Held(here.next_seq, tail)
        here.next_seq += 1
        self._held[held.seq] = held
        self._fresh.append(held.seq)
        self._store.add(self.device, here.epoch, held.seq, tail)
        if not self._repeat_at:
            self._repeat_at = now + self._limits.resend_after_s
        if here.next_seq - here.kept_from > self._limits.capacity:
            self._make_room()
        self._store.save(self.device, here)
        return held

    def _make_room(self) -> None:
        here = self.position
        dropped = self._held.pop(here.kept_from, None)
        here.evicted += dropped is not None and not dropped.settled
        here.kept_from += 1
        self._store.forget(self.device, here.epoch, here.kept_from)

    def take(self, now: float) -> list[Held]:
        """What to send now: new uplinks, and when it is time for it the 64 oldest not known to be settled."""
        # No more than this may be under way (docs/firmware.md); the rest waits here.
        limit = max(self.position.upto, self.position.kept_from - 1) + MAX_UNDER_WAY
        chosen: list[Held] = []
        while self._fresh and self._fresh[0] <= limit:
            held = self._held.get(self._fresh.popleft())
            # It may have been evicted, settled, or sent as a repetition since it was queued.
            if held is not None and not held.settled and not held.sent_at:
                chosen.append(held)
        if self._held and (self._may_repeat or now >= self._repeat_at):
            chosen += self._repeat(now, limit, {held.seq for held in chosen})
        for held in chosen:
            held.sent_at = now
            held.first_sent_at = held.first_sent_at or now
            held.times_sent += 1
        return chosen

    def _repeat(self, now: float, limit: int, chosen: set[int]) -> list[Held]:
        aged = now - self._limits.resend_after_s
        waiting = (
            held
            for held in self._held.values()
            if not held.settled
            and (not held.sent_at or held.sent_at <= aged)
            and held.seq <= limit
            and held.seq not in chosen
        )
        again = list(islice(waiting, RESEND_AT_ONCE))
        self._may_repeat = False
        if again:
            pause = self._limits.resend_after_s * min(2**self._fruitless, RESEND_CAP)
            self._repeat_at = now + pause * self._draw.uniform(1, 1 + _JITTER)
            self._fruitless += 1
        else:
            self._repeat_at = now + self._limits.resend_after_s
        return again

    def waits_for(self, now: float) -> bool:
        """There may be something to send."""
        return bool(self._fresh) or bool(self._held and (self._may_repeat or now >= self._repeat_at))

    def connected(self, *, session_present: bool, undelivered: Iterable[int] = ()) -> None:
        """After each connect.

        Without a session at the broker, everything unsettled has to be sent again; with one, only
        what the broker never confirmed.
        """
        for held in self._held.values() if not session_present else ():
            held.sent_at = 0.0
        for seq in undelivered:
            if seq in self._held:
                self._held[seq].sent_at = 0.0
        # What was queued is in ``_held`` unsent, so the repetition below finds it, in order.
        self._fresh.clear()
        self._may_repeat = True
        self._fruitless = 0

    def acknowledge(self, ack: Ack, now: float) -> list[Held]:
        """Obeys an ack, unless of another epoch or an older generation; gives what is newly settled."""
        here = self.position
        if ack.epoch != here.epoch or ack.generation < here.generation:
            return []
        upto = min(ack.upto, here.next_seq - 1)
        if ack.generation > here.generation:
            # The first ack of a life is no restore: nothing was settled that could be lost.
            if here.generation:
                self._fall_back(min(upto, here.upto))
            # After falling back, and saved together: if a power cut left the new generation without
            # the lower ``upto``, the device would never obey the restore.
            here.generation = ack.generation
            self._store.save(self.device, here)
        done = [self._held.pop(seq) for seq in self._below(upto)]
        progress = bool(done) or upto > here.upto
        # Never back within a generation: acks may overtake each other.
        here.upto = max(here.upto, upto)
        progress = self._learn(ack.gaps) or progress
        if progress:
            self._may_repeat, self._fruitless = True, 0
            self._repeat_at = now + self._limits.resend_after_s
            self._age(now)
            self._store.save(self.device, here)
        return done

    def _below(self, upto: int) -> list[int]:
        found = []
        # Held in ascending order, so the first one above ends it.
        for seq in self._held:
            if seq > upto:
                break
            found.append(seq)
        return found

    def _learn(self, gaps: Iterable[tuple[int, int]]) -> bool:
        """Marks as settled what lies between two gaps, and the number right after the last gap.

        What comes after that is not known: an ack lists only the first gaps.
        """
        news, before = False, None
        for first, last in gaps:
            for seq in (*(() if before is None else range(before + 1, first)), last + 1):
                held = self._held.get(seq)
                if held is not None and not held.settled:
                    held.settled = news = True
            before = last
        return news

    def _fall_back(self, upto: int) -> None:
        """The platform was restored to an earlier state: nothing above ``upto`` counts as settled any more."""
        here = self.position
        lost = self._store.read(self.device, here.epoch, upto + 1, here.upto)
        here.upto = upto
        rest = self._held
        for held in rest.values():
            held.settled, held.sent_at = False, 0.0
        self._held = {seq: Held(seq, tail) for seq, tail in sorted(lost.items())} | rest
        self._may_repeat, self._fruitless = True, 0

    def _age(self, now: float) -> None:
        """Forgets what has been settled for longer than it is kept."""
        marks, here = self._settled_marks, self.position
        if not marks or now - marks[-1][0] >= _CHECKPOINT_S:
            marks.append((now, here.upto))
        if not self._limits.keep_settled_s:
            here.kept_from = max(here.kept_from, here.upto + 1)
            return
        while marks and now - marks[0][0] > self._limits.keep_settled_s:
            _, upto = marks.popleft()
            if min(upto, here.upto) + 1 > here.kept_from:
                here.kept_from = min(upto, here.upto) + 1
                self._store.forget(self.device, here.epoch, here.kept_from)

    def lose_storage(self) -> None:
        """The device forgets everything and begins a new epoch."""
        here = self.position
        self._store.forget(self.device, here.epoch, here.next_seq)
        self.position = Position(epoch=self._draw.randrange(EPOCH_LIMIT), evicted=here.evicted)
        self._held.clear()
        self._fresh.clear()
        self._settled_marks.clear()
        self._store.save(self.device, self.position)
