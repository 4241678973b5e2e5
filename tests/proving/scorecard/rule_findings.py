"""What the product's rules find in a person's rows, and how long each episode lasts."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from schemas.alerts import Finding
from services.score.asks import Ask
from services.score.core import pass_time, step
from services.score.followups import Effect, Tally
from services.score.home_state import HomeState
from tests.proving.alarms.recordings import Row, records

DAY_MS: Final = 24 * 60 * 60_000


@dataclass(frozen=True, slots=True)
class Found:
    """Of one person: the findings of some concerns, in order, and how often the person was asked something."""

    findings: Sequence[Finding]
    asked: int

    @property
    def said(self) -> int:
        """Findings that something is wrong: those that it became worse as well, and those that it is over not."""
        return sum(one.level > 0 for one in self.findings)

    @property
    def alerts(self) -> int:
        """Episodes, each of which is an alert at most: what becomes worse meanwhile is the same one."""
        return len({(one.concern, one.episode) for one in self.findings if one.level})

    @property
    def active_ms(self) -> int:
        """For how long episodes were on, until each was over or nothing was known any more."""
        began: dict[tuple[str, int], int] = {}
        total = 0
        for one in self.findings:
            key = one.concern, one.episode
            if one.level:
                began.setdefault(key, one.observed_at)
            elif key in began:
                total += max(0, one.observed_at - began.pop(key))
        return total


def found(rows: Sequence[Row], device: str, concerns: Collection[str]) -> Found:
    """What the rules make of a person's rows, and of a day without any after them."""
    state, tally = HomeState(), Tally()
    effects: list[Effect] = []
    received_at = home_no = 0
    for record in records(rows, device):
        effects += step(state, record, tally)
        received_at, home_no = record.received_at, record.home_no
    effects += pass_time(state, home_no, received_at + DAY_MS)
    return Found(
        [one for one in effects if isinstance(one, Finding) and one.concern in concerns],
        sum(isinstance(one, Ask) for one in effects),
    )
