"""What mutations are planted in, with the tests that have to notice, and those that have a name. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from tests.proving.mutations.mutation import Mutation


class Ground(StrEnum):
    """A part of the product whose pure modules are changed."""

    SCORE = "score"
    ALERTS = "alerts"
    DOSES = "doses"


SCORE_TESTS: Final = ("tests/unit/services/score",)
"""Unit tests, property tests and case tables of score."""
ALERT_TESTS: Final = (
    "tests/unit/schemas/test_alert_calls.py",
    "tests/unit/schemas/test_alert_concerns.py",
    "tests/unit/schemas/test_alert_machine.py",
    "tests/unit/schemas/test_alert_repeats.py",
    "tests/unit/schemas/test_alert_stories.py",
    "tests/unit/services/alert",
)
DOSE_TESTS: Final = (
    "tests/unit/schemas/test_adherence.py",
    "tests/unit/schemas/test_doses.py",
    "tests/unit/schemas/test_plan_terms.py",
    "tests/unit/schemas/test_plan_versions.py",
    "tests/unit/services/medication",
)

_OF_SCORE: Final = (
    Mutation(
        name="recovered without values",
        path="services/score/beyond.py",
        before="back = limits.is_cleared(sample.value, side) and not self._is_opposite(side, sample.value)",
        after="back = True",
        tests=SCORE_TESTS,
    ),
    Mutation(
        name="worse not found",
        path="services/score/beyond.py",
        before=" or worse >= limits.worse_by:",
        after=":",
        tests=SCORE_TESTS,
    ),
    Mutation(
        name="age ignored",
        path="services/score/age.py",
        before="        return age <= CURRENT_FOR_MS",
        after="        return True",
        tests=SCORE_TESTS,
    ),
    Mutation(
        name="direction ignored",
        path="schemas/limits.py",
        before="(value - self.on) * side > 0",
        after="abs(value - self.on) > 0",
        tests=SCORE_TESTS,
    ),
    Mutation(
        name="limits' version ignored",
        path="services/score/limit_book.py",
        before="number = max(0, bisect_right(self._begin, received_at) - 1)",
        after="number = len(self._begin) - 1",
        tests=SCORE_TESTS,
    ),
    Mutation(
        name="poor steps count",
        path="services/score/core.py",
        before="if (not flags & SHOWS_WORN and vital != _STEPS) or flags & _NOT_SCORED:",
        after="if not flags & SHOWS_WORN and vital != _STEPS:",
        tests=SCORE_TESTS,
    ),
    Mutation(
        name="devices' tracks mixed",
        path="services/score/beyond.py",
        before="track = state.tracks.get(sample[2])",
        after="track = next(iter(state.tracks.values()), None)",
        tests=SCORE_TESTS,
    ),
    Mutation(
        name="a clipped value said as a number",
        path="services/score/rule.py",
        before='clipped: Mapping[str, Fact] = {"clipped": 1} if mark.last.flags & Flag.CLIPPED else {}',
        after="clipped: Mapping[str, Fact] = {}",
        tests=SCORE_TESTS,
    ),
    Mutation(
        name="worn ignored",
        path="services/score/window.py",
        before="return self.wearing[sample.device_no].is_worn(sample.at)",
        after="return True",
        tests=SCORE_TESTS,
    ),
    Mutation(
        name="retained counts as news",
        path="services/store/core.py",
        before="if not (is_retained(uplink) and self.holds(uplink.seq)):",
        after="if uplink.received_at:",
        tests=("tests/unit/services/store",),
    ),
)
_OF_ALERTS: Final = (
    Mutation(
        name="one alert for all that a rule says",
        path="schemas/alert_concerns.py",
        before="        return finding.concern\n",
        after="        return finding.rule\n",
        tests=ALERT_TESTS,
    ),
    Mutation(
        name="a pause without data ends the repetition",
        path="schemas/alert_machine.py",
        before="if finding.episode not in live.active_episodes or finding.end_reason is EndReason.NO_DATA:",
        after="if finding.episode not in live.active_episodes:",
        tests=ALERT_TESTS,
    ),
    Mutation(
        name="what has recovered is repeated",
        path="schemas/alert_machine.py",
        before="return _moved(live, Happened.ENDED, alert, _OVER)",
        after="return _moved(live, Happened.ENDED, alert)",
        tests=ALERT_TESTS,
    ),
    Mutation(
        name="a new episode of an open alert is but counted",
        path="schemas/alert_machine.py",
        before="else _joins(moved, found, now)",
        after="else moved",
        tests=ALERT_TESTS,
    ),
    Mutation(
        name="quiet hours hold what is grave",
        path="services/alert/quiet_hours.py",
        before="_HELD: Final = frozenset({Severity.MEDIUM})",
        after="_HELD: Final = frozenset({Severity.MEDIUM, Severity.HIGH})",
        tests=ALERT_TESTS,
    ),
)
_OF_DOSES: Final = (
    Mutation(
        name="an edit makes no version",
        path="schemas/plan_versions.py",
        before="if content is not None and newest.content.key == content.key:",
        after="if content is not None:",
        tests=DOSE_TESTS,
    ),
    Mutation(
        name="a dose too many is tomorrow's",
        path="services/medication/machine.py",
        before="if not (is_early and before is not None and moment <= before.dose.closes_at):",
        after="if True:",
        tests=DOSE_TESTS,
    ),
    Mutation(
        name="one lift takes one drug of the cup",
        path="services/medication/machine.py",
        before="for taking in due:",
        after="for taking in due[:1]:",
        tests=DOSE_TESTS,
    ),
    Mutation(
        name="not heard is not taken",
        path="services/medication/core.py",
        before="    if not is_judged(dose, watermark):\n",
        after="    if False:\n",
        tests=DOSE_TESTS,
    ),
    Mutation(
        name="an empty cup is a taking",
        path="services/medication/machine.py",
        before="is_empty = event.kind == LIFTED and self._is_empty(event.observed_at)",
        after="is_empty = False",
        tests=DOSE_TESTS,
    ),
)
NAMED: Final[Mapping[Ground, tuple[Mutation, ...]]] = MappingProxyType(
    {Ground.SCORE: _OF_SCORE, Ground.ALERTS: _OF_ALERTS, Ground.DOSES: _OF_DOSES}
)
"""What a platform of this kind gets wrong, each one line of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where mutations are drawn from: of ``pure`` the modules that say so of themselves, of ``whole`` each."""

    pure: tuple[str, ...]
    whole: tuple[str, ...] = ()
    tests: tuple[str, ...]


SOURCES: Final[Mapping[Ground, Sources]] = MappingProxyType(
    {
        Ground.SCORE: Sources(pure=("services/score/*.py",), whole=("services/score/rules/*.py",), tests=SCORE_TESTS),
        Ground.ALERTS: Sources(pure=("schemas/alert_*.py", "services/alert/*.py"), tests=ALERT_TESTS),
        Ground.DOSES: Sources(
            pure=("schemas/adherence.py", "schemas/plan_*.py", "services/medication/*.py"), tests=DOSE_TESTS
        ),
    }
)
"""Patterns of paths in the checkout."""
