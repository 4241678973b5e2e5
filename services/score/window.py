"""A person's window: the samples of all vitals that rules read, kept once, and under which circumstances. Pure."""

from bisect import bisect_left
from collections.abc import Sequence
from heapq import merge
from typing import Any, Final

from services.score.circumstances import Movement, Wearing
from services.score.rule import NEVER
from services.score.sample import INPUT_CODES, INPUTS, SHOWS_WORN, SYMPTOM, Sample, pack, unpack

MOST_SAMPLES: Final = 32
"""Of a vital a rule looks back over so many at most, and those at the same time as the oldest."""
MOST_OF_A_MOMENT: Final = 256
"""Samples of a vital with one and the same time; a device whose clock stands still has no more to say."""
_MOST_DEVICES: Final = 32


class Window:
    """``samples`` by vital, in order; when the person moved; what devices said of being worn, by device number.

    ``off`` are those that have said that they were off the body, as far as it still matters.
    """

    __slots__ = ("movement", "off", "samples", "wearing")

    def __init__(self) -> None:
        self.samples: dict[int, list[Sample]] = {}
        self.movement = Movement()
        self.wearing: dict[int, Wearing] = {}
        self.off: set[int] = set()

    def of(self, vital: int) -> list[Sample]:
        """The samples of a vital, begun where there are none yet."""
        found = self.samples.get(vital)
        if found is None:
            found = self.samples[vital] = []
        return found

    @staticmethod
    def is_full_at(samples: Sequence[Sample], at: int) -> bool:
        """Whether no more samples of that very moment are taken."""
        if len(samples) < MOST_OF_A_MOMENT:
            return False
        return bisect_left(samples, (at + 1,)) - bisect_left(samples, (at,)) >= MOST_OF_A_MOMENT

    @staticmethod
    def has_measured(samples: Sequence[Sample], sample: Sample) -> bool:
        """Whether the same device has sent the same value of the same time in another uplink."""
        same = sample[:3]
        place = bisect_left(samples, same)
        while place < len(samples) and samples[place][:3] == same:
            if samples[place][3:5] != sample[3:5]:
                return True
            place += 1
        return False

    def since(self, vitals: Sequence[int], at: int) -> list[Sample]:
        """The samples of these vitals from ``at`` on, in order."""
        # A tuple of the time alone sorts before every sample of that time.
        known = [self.samples[vital] for vital in vitals if vital in self.samples]
        parts = [samples[bisect_left(samples, (at,)) :] for samples in known]
        return parts[0] if len(parts) == 1 else list(merge(*parts))

    def between(self, vitals: Sequence[int], at: int, before: int) -> list[Sample]:
        """As ``since``, of before ``before`` alone."""
        if len(vitals) > 1:
            found = self.since(vitals, at)
            return found[: bisect_left(found, (before,))]
        samples = self.samples.get(vitals[0], [])
        return samples[bisect_left(samples, (at,)) : bisect_left(samples, (before,))]

    def newest(self, vitals: Sequence[int]) -> Sample | None:
        """The last of them."""
        found: Sample | None = None
        for vital in vitals:
            samples = self.samples.get(vital)
            if samples and (found is None or samples[-1] > found):
                found = samples[-1]
        return found

    def oldest_of_most(self, vitals: Sequence[int]) -> int:
        """When the first of the newest MOST_SAMPLES of one of them was taken, in ms; 0 where all have fewer."""
        found = 0
        for vital in vitals:
            samples = self.samples.get(vital)
            if samples and len(samples) >= MOST_SAMPLES and samples[-MOST_SAMPLES][0] > found:
                found = samples[-MOST_SAMPLES][0]
        return found

    def is_usable(self, sample: Sample) -> bool:
        """Whether the device was on the body then; one that is used when asked need not be.

        What somebody says through a device, they say whether they wear it or not.
        """
        if sample[2] not in self.off or sample.is_spot or sample.vital == SYMPTOM:
            return True
        return self.wearing[sample.device_no].is_worn(sample.at)

    def take_off(self, device_no: int, at: int, *, is_charging: bool = False) -> bool:
        """A device said at ``at`` that it is off the body; gives whether that is news."""
        self.off.add(device_no)
        return self.worn_by(device_no).take_off(at, self._shown_worn(device_no), is_charging=is_charging)

    def worn_by(self, device_no: int) -> Wearing:
        """What is known of a device's being worn, begun where nothing is yet."""
        found = self.wearing.get(device_no)
        if found is None:
            if len(self.wearing) >= _MOST_DEVICES:
                oldest = next(iter(self.wearing))
                del self.wearing[oldest]
                self.off.discard(oldest)
            found = self.wearing[device_no] = Wearing()
        return found

    def worn_since(self) -> dict[int, int]:
        """When devices, by their numbers, first showed that they are worn, in ms, of those that ever did."""
        return {device_no: said.shown_at for device_no, said in self.wearing.items() if said.shown_at < NEVER}

    def _shown_worn(self, device_no: int) -> list[int]:
        """The times of its samples here, and of its steps, that show that it is worn."""
        return [
            one.at
            for samples in self.samples.values()
            for one in samples
            if one.device_no == device_no and one.flags & SHOWS_WORN
        ] + self.movement.stepped_at(device_no)

    def forget(self, vital: int, before: int) -> list[Sample]:
        """Drops the samples of a vital that no rule looks back to any more; gives them."""
        samples = self.samples.get(vital)
        if not samples:
            return []
        place = bisect_left(samples, (before,))
        gone = samples[:place]
        del samples[:place]
        return gone

    def forget_circumstances(self, *, moved_before: int, worn_before: int, covered_from: int) -> None:
        """Drops what says nothing from then on: of movement, and of being worn, of samples or of covered minutes."""
        self.movement.forget(moved_before)
        for said in self.wearing.values():
            said.forget(min(worn_before, covered_from))
        # Few devices have been off so lately that a sample has to be looked at.
        self.off = {device_no for device_no, said in self.wearing.items() if not said.says_nothing_from(worn_before)}

    def to_plain(self) -> dict[str, Any]:
        """As plain values; vitals by their codes, in the order of their numbers."""
        return {
            "samples": {
                INPUT_CODES[vital]: pack(samples) for vital, samples in sorted(self.samples.items()) if samples
            },
            "movement": self.movement.to_plain(),
            "wearing": [[device_no, *said.to_plain()] for device_no, said in self.wearing.items()],
        }

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> "Window":
        """The window that ``to_plain`` wrote."""
        window, known = cls(), dict[int, int]()
        for code, columns in plain["samples"].items():
            vital = INPUTS[code]
            window.samples[vital] = unpack(columns, vital, known)
        window.movement = Movement.from_plain(plain["movement"])
        window.wearing = {device_no: Wearing.from_plain(said) for device_no, *said in plain["wearing"]}
        window.off = {device_no for device_no, said in window.wearing.items() if said.off}
        return window
