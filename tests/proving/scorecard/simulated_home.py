"""One simulated home through ingest's judgement, score's step, due rows and medication: all that is said of it.

Left out are the end of a call for help and reminders, which raise no alert, and looks back: nothing of a simulated
home comes later than rules look, and all that is looked at again are sittings at a cuff. The rules are those without
anything learned: what the learned ones say notifies nobody, is measured elsewhere, and changes nothing that others say.
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from device_sim.physiology import MINUTE_MS
from schemas.alerts import Finding, Variant
from schemas.records import WatermarkMarker
from schemas.registry import Home
from services.score.core import with_answers
from services.score.followups import Effect, FallCheck, Tally
from services.score.partition import Partition
from tests.proving.scorecard.due_doses import DueDoses
from tests.proving.scorecard.due_falls import DueFalls
from tests.proving.scorecard.due_silence import DueSilence
from tests.proving.scorecard.limit_alone import LimitAlone
from tests.proving.scorecard.said import Said, said_of
from tests.proving.scorecard.simulated_homes import Neighbourhood
from tests.proving.scorecard.simulated_log import log_of

_MARKED_EVERY_MS: Final = MINUTE_MS // 2
"""A platform is marked each second: here what only time brings is found up to half a minute later."""


class Story(NamedTuple):
    """What is said of a home in the order in which it is found: by HearthBeat, and by a limit alone."""

    ours: list[Said]
    alone: list[Said]


def story_of(homes: Neighbourhood, home: Home) -> Story:
    """Plays the home from its beginning to its end."""
    story = Story([], [])
    story.ours.extend(_played(homes, home, story.alone))
    return story


def _played(homes: Neighbourhood, home: Home, alone: list[Said]) -> Iterator[Said]:
    partition, tally = Partition(limits=homes.book), Tally()
    falls, doses = DueFalls(), DueDoses(homes, home)
    silence = DueSilence([homes.entries[device.device] for device in home.devices], homes.plan.start_ms)
    tick, limit = homes.plan.start_ms, LimitAlone()

    def marked(now: int) -> Iterator[Said]:
        yield from _found(partition, partition.mark(WatermarkMarker(instance="one", received_at=now)), falls, now)
        yield from _of(falls.follow(now), now)
        yield from silence.look(now)
        yield from _of(doses.look(now), now)

    for record in log_of(homes, str(home.home_id)):
        now = record.received_at
        while tick <= now:
            yield from marked(tick)
            tick += _MARKED_EVERY_MS
        alone.extend(limit.hear(record))
        yield from silence.hear(record)
        yield from _found(partition, partition.take(record, tally), falls, now)
        falls.hear(record)
        yield from _of(falls.follow(now), now)
        yield from _of(doses.hear(record), now)
    while tick <= homes.end_ms:
        yield from marked(tick)
        tick += _MARKED_EVERY_MS


def _found(partition: Partition, effects: list[Effect], falls: DueFalls, now: int) -> Iterator[Said]:
    if not effects:
        return
    for effect in with_answers(effects, partition.homes.__getitem__):
        if isinstance(effect, FallCheck):
            falls.begin(effect)
        elif isinstance(effect, Finding) and effect.variant is Variant.LIVE:
            yield from _of([effect], now)


def _of(findings: Iterable[Finding], now: int) -> Iterator[Said]:
    for finding in findings:
        said = said_of(finding, now)
        if said is not None:
            yield said
