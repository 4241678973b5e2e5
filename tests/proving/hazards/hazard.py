"""A row of the hazard log as docs/hazards.toml has it, and how severity and probability make a risk."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Any, Final

from deploy.local.settings import CHECKOUT

LOG: Final = CHECKOUT / "docs" / "hazards.toml"


class Severity(IntEnum):
    """What may come of it, from an inconvenience to a death: the words of ISO 14971:2007, table D.3."""

    NEGLIGIBLE = 1
    MINOR = 2
    SERIOUS = 3
    CRITICAL = 4
    CATASTROPHIC = 5


class Probability(IntEnum):
    """How often harm may come of it, in the words of ISO 14971:2007, table D.4: our estimate, measured by nobody."""

    IMPROBABLE = 1
    REMOTE = 2
    OCCASIONAL = 3
    PROBABLE = 4
    FREQUENT = 5


class Risk(StrEnum):
    """What becomes of severity and probability together."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


HIGH_FROM: Final = 8
MEDIUM_FROM: Final = 6


def risk(severity: Severity, probability: Probability) -> Risk:
    """By the sum of both, each from 1 to 5: high from 8, medium from 6. The bounds are ours."""
    total = severity + probability
    return Risk.HIGH if total >= HIGH_FROM else Risk.MEDIUM if total >= MEDIUM_FROM else Risk.LOW


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """What is done against a hazard: ``module`` does it (a path from the root), ``tests`` show that it does."""

    does: str
    module: str
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hazard:
    """One row. ``before`` and ``after``: how probable harm is without and with the controls.

    ``fault`` is a line of the fault matrix, ``rule`` the name of an alert's rule; a row has one of them or neither.
    """

    id: str
    title: str
    sequence: str
    situation: str
    severity: Severity
    before: Probability
    after: Probability
    remains: str
    controls: tuple[Control, ...]
    fault: int = 0
    rule: str = ""

    @property
    def risk_before(self) -> Risk:
        """Without the controls."""
        return risk(self.severity, self.before)

    @property
    def residual(self) -> Risk:
        """With the controls."""
        return risk(self.severity, self.after)


def read_log(text: str) -> tuple[Hazard, ...]:
    """The rows in their order. Raises KeyError, TypeError and ValueError for a row that is not in the form."""
    return tuple(map(_hazard, tomllib.loads(text)["hazard"]))


def read_hazards(path: Path = LOG) -> tuple[Hazard, ...]:
    """The product's own log."""
    return read_log(path.read_text("utf-8"))


def _hazard(row: Mapping[str, Any]) -> Hazard:
    fields = dict(row)
    return Hazard(
        severity=Severity[fields.pop("severity").upper()],
        before=Probability[fields.pop("before").upper()],
        after=Probability[fields.pop("after").upper()],
        controls=tuple(Control(**{**one, "tests": tuple(one["tests"])}) for one in fields.pop("control", ())),
        **fields,
    )
