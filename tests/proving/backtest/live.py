"""A live run without servers: all rules, a marker of the log each second, looks back once the markers have passed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from schemas.alerts import Finding
from schemas.records import JudgedUplink, WatermarkMarker
from services.score.followups import Effect, LookBack, Tally
from services.score.limit_book import LimitBook
from services.score.look_back import Look
from services.score.partition import Partition
from services.score.rule import Rule
from services.score.stood import Seen
from tests.proving.backtest.stored import between, devices_off

_MARKER_MS: Final = 1_000


@dataclass
class Live:
    """What ``rule`` has said of the person by now, while all rules run."""

    rule: Rule
    limits: LimitBook
    findings: dict[UUID, Finding] = field(default_factory=dict)
    _partition: Partition = field(init=False)
    _rows: list[JudgedUplink] = field(default_factory=list)
    _seen: dict[tuple[str, int], Seen] = field(default_factory=dict)
    _asked: LookBack | None = None

    def __post_init__(self) -> None:
        self._partition = Partition(limits=self.limits)

    def run(self, records: Sequence[JudgedUplink], until: int) -> list[Finding]:
        """Over all of them, and on to ``until``."""
        marker = records[0].received_at // _MARKER_MS * _MARKER_MS
        for record in records:
            marker = self._mark(marker, record.received_at)
            self._rows.append(record)
            self._hear(self._partition.take(record, Tally()))
        self._mark(marker, until)
        return list(self.findings.values())

    def _mark(self, marker: int, until: int) -> int:
        while marker < until:
            if self._asked is not None and self._asked.received_at < marker:
                self._look(marker - 1)
            self._hear(self._partition.mark(WatermarkMarker(instance="0", received_at=marker)))
            marker += _MARKER_MS
        return marker

    def _hear(self, effects: Iterable[Effect]) -> None:
        for one in effects:
            if isinstance(one, Finding) and one.rule == self.rule.name:
                self.findings.setdefault(one.finding_id, one)
            elif isinstance(one, LookBack) and one.rule == self.rule.name:
                self._asked = one if self._asked is None else self._asked.with_all_of(one)

    def _look(self, received_by: int) -> None:
        asked, self._asked = self._asked, None
        assert asked is not None
        look = Look(asked, self.rule, self.limits, received_by, [*self.findings.values()], [*self._seen.values()])
        while not look.take(
            between(self._rows, look.since, look.until, received_by=received_by),
            devices_off(between(self._rows, 0, look.since, received_by=received_by)),
        ):
            pass
        self._hear(look.findings)
        self._seen |= {(one.concern, one.episode): one for one in look.seen}
        self._asked = look.follow
