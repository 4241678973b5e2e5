"""What was said in the course of a simulation, and when it could be: findings in the form that a verdict needs."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.alerts import EndReason, Finding, Severity
from schemas.rule_names import EXPECTS
from services.score.rules.fall import FALL, NEAR_FALL


class Said(NamedTuple):
    """One finding. ``found_at``: when the log had come far enough to say it; level 0: it is over. Times in ms."""

    home_no: int
    person_no: int
    rule: str
    concern: str
    episode: int
    level: int
    severity: Severity
    observed_at: int
    found_at: int
    is_over: bool = False


def said_of(finding: Finding, found_at: int) -> Said | None:
    """None of what reaches nobody, such as a near fall or what became known too late.

    What is likely or unusual notifies nobody either, and has sections of its own.
    """
    if finding.retrospective or finding.rule in EXPECTS or (finding.rule == FALL.name and finding.level == NEAR_FALL):
        return None
    return Said(
        finding.home_no,
        finding.person_no,
        finding.rule,
        finding.concern or finding.rule,
        finding.episode,
        finding.level,
        finding.severity,
        finding.observed_at,
        found_at,
        is_over=finding.level == 0 and finding.end_reason is not EndReason.NO_DATA,
    )


@dataclass(slots=True)
class Episode:
    """All that was said of one episode, in its order; ``over_at`` is None while it goes on."""

    said: list[Said] = field(default_factory=list)
    over_at: int | None = None

    @property
    def first(self) -> Said:
        return self.said[0]

    def lasts_at(self, first_ms: int, last_ms: int) -> bool:
        """Whether it goes on at some moment between."""
        return self.first.observed_at <= last_ms and (self.over_at is None or self.over_at >= first_ms)


def episodes_of(said: Iterable[Said]) -> list[Episode]:
    """Episodes of which something was said, by when it was."""
    known: dict[tuple[int, int, str, str, int], Episode] = {}
    for one in said:
        episode = known.setdefault((one.home_no, one.person_no, one.rule, one.concern, one.episode), Episode())
        if one.level:
            episode.said.append(one)
            episode.over_at = None
        elif one.is_over:
            episode.over_at = one.observed_at
    return [episode for episode in known.values() if episode.said]
