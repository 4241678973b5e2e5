"""The episodes of a rule about a person as the findings that were made of them say. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from schemas.alerts import EndReason, Evidence, Finding
from schemas.records import JudgedReading, JudgedUplink

FOREVER: Final = 2**62


class Source(NamedTuple):
    """Which reading of which uplink."""

    device_no: int
    epoch: int
    seq: int
    item: int


def source_of(reading: JudgedReading, record: JudgedUplink) -> Source:
    """Of a reading of a record."""
    return Source(record.device_no, record.epoch, record.seq, reading.item)


class Seen(NamedTuple):
    """An episode as a look back has seen all of it: when it began, in ms, and its highest level.

    ``heard`` findings had been made of it by then, those of this look back included.
    """

    concern: str
    episode: int
    since: int
    level: int
    heard: int


@dataclass(slots=True)
class Stood:
    """An episode that was said, from ``since`` to ``until`` (ms; FOREVER where no end was said), up to ``level``.

    ``sources`` are the readings that it rests on, ``heard`` counts its findings. ``is_current``: one of them was news.
    ``version`` is that of the rule that spoke last.
    """

    concern: str
    episode: int
    since: int = FOREVER
    until: int = FOREVER
    level: int = 0
    version: int = 0
    is_current: bool = False
    is_disproved: bool = False
    is_paused: bool = False
    heard: int = 0
    sources: set[Source] = field(default_factory=set)

    def overlaps(self, concern: str, since: int, until: int) -> bool:
        """Whether an episode of that concern and time may be this one. Findings of old do not say their concern."""
        return (not self.concern or self.concern == concern) and self.since <= until and since <= self.until

    def hear(self, finding: Finding) -> None:
        """Takes the next finding."""
        self.version, self.heard = finding.rule_version, self.heard + 1
        if finding.level:
            self._hear_level(finding)
        elif finding.end_reason is EndReason.NO_DATA:
            self.is_paused = True
        elif finding.end_reason is EndReason.DISPROVED:
            self.is_disproved = True
        else:
            self.until = finding.observed_at

    def _hear_level(self, finding: Finding) -> None:
        self.since = min(self.since, finding.evidence[0].observed_at)
        self.level = max(self.level, finding.level)
        self.is_current = self.is_current or not finding.retrospective
        self.is_disproved = self.is_paused = False
        self.sources |= {_source(one) for one in finding.evidence}


def stood_of(findings: Iterable[Finding], seen: Iterable[Seen], *, all_of_them: bool = False) -> list[Stood]:
    """The episodes of one rule's ``findings`` about a person, in the order in which they were made.

    ``seen`` says what looks back have seen of them. Those that were disproved are left out, unless ``all_of_them`` are
    asked for.
    """
    looked_at = {(one.concern, one.episode): one for one in seen}
    found: dict[tuple[str, int], Stood] = {}
    for one in findings:
        key = (one.concern, one.episode)
        stood = found.setdefault(key, Stood(*key))
        stood.hear(one)
        # What was said since then may have made it worse.
        if key in looked_at and looked_at[key].heard == stood.heard:
            stood.since, stood.level = looked_at[key].since, looked_at[key].level
    return [one for one in found.values() if all_of_them or (one.level and not one.is_disproved)]


def _source(one: Evidence) -> Source:
    return Source(one.device_no, one.epoch, one.seq, one.item)
