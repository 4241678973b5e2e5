"""While readings of a vital say nothing to its limits nobody looks at each: what has to hold for that. Pure."""

from typing import Final

from services.score.sample import Sample

NOBODY: Final = -1
"""The number of no device."""
_NO_SAMPLE: Final = Sample(2**62, 0.0, NOBODY, 0, 0, 0)


class Calm:
    """Of one vital. It goes on with each later sample of ``device_no`` whose value is between limits, and believed.

    ``lowest`` and ``highest`` lie outside of what is calm; a step of ``most_step`` is believed however soon it comes;
    all in the vital's unit. ``newest`` is the last sample that it went on with. It is over where ``device_no`` is
    NOBODY.
    """

    __slots__ = ("device_no", "highest", "lowest", "most_step", "newest")

    def __init__(self) -> None:
        self.device_no = NOBODY
        self.lowest = self.highest = self.most_step = 0.0
        self.newest = _NO_SAMPLE

    def begin(self, sample: Sample, lowest: float, highest: float, most_step: float) -> None:
        """With ``sample``, at which nothing of the vital was beyond a limit."""
        self.device_no, self.newest = sample[2], sample
        self.lowest, self.highest, self.most_step = lowest, highest, most_step

    def goes_on(self, sample: Sample) -> bool:
        """Whether nobody has to look at ``sample``, which then is the newest one."""
        value, newest = sample[1], self.newest
        if (
            sample[2] != self.device_no
            or not self.lowest < value < self.highest
            or not newest[0] < sample[0]
            or abs(value - newest[1]) > self.most_step
        ):
            return False
        self.newest = sample
        return True
