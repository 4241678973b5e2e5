"""How long to let records gather between two bursts: most of what a burst costs, it costs once."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Gather:
    """How long, in real seconds, to let records gather between two bursts.

    ``per_record_s`` for each record handled, up to ``most_s``: under load bursts grow, and share
    what a burst costs. At least until ``least_s`` after the burst was taken, so a burst that took
    long is followed at once. No pause where ``full`` records were handled or wait: the next burst
    would not become larger.
    """

    most_s: float
    full: int
    per_record_s: float = 0.00025
    least_s: float = 0.0

    def after(self, handled: int, *, spent_s: float = 0.0, waiting: int = 0) -> float:
        """The pause after a burst of ``handled`` records that took ``spent_s``; ``waiting`` have come meanwhile."""
        if not handled or handled + waiting >= self.full:
            return 0.0
        return max(self.least_s - spent_s, min(self.most_s, handled * self.per_record_s))
