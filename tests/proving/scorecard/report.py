"""The scorecard as JSON: each section under its name, its own figures first."""

import json
from collections.abc import Mapping, Sequence
from math import isnan
from pathlib import Path
from typing import Any, Final

from deploy.local.settings import CHECKOUT
from tests.proving.scorecard.figures import Figure
from tests.proving.scorecard.section import Section

REPORT: Final = CHECKOUT / ".local" / "reports" / "scorecard.json"


def document(sections: Sequence[Section], not_run: Mapping[str, str], *, seed: int, took_s: float) -> dict[str, Any]:
    """Everything that was measured; NaN, nothing to count, is null. ``not_run``: why, by section."""
    return {
        **{section.name: _section(section) for section in sections},
        **{name: {"not_run": why} for name, why in not_run.items()},
        "seed": seed,
        "took_s": round(took_s, 1),
        "missed": [one for section in sections for one in section.missed],
    }


def _section(section: Section) -> dict[str, Any]:
    return {
        **{name: _number(value) for name, value in section.summary.items()},
        "goals": [
            {"figure": goal.figure, "at_least": goal.at_least, "at_most": goal.at_most}
            | {"met": goal.is_met(section.summary[goal.figure])}
            for goal in section.goals
        ],
        "detectors": [
            {"detector": line.detector, "group": line.group or "all", "is_ours": line.is_ours}
            | {title: [_number(number) for number in figure] for title, figure in line.figures.items()}
            for line in section.lines
        ],
        **_plain(section.details),
    }


def _plain(value: Any) -> Any:
    """The same without NaN, which JSON does not know."""
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and isnan(value) else value


def _number(value: float) -> float | None:
    return None if isnan(value) else float(f"{value:.6g}")


def write(found: Mapping[str, Any], path: Path) -> None:
    """Writes the JSON, one line a value of a list."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=1, allow_nan=False) + "\n")


def said(figure: Figure, digits: int = 3) -> str:
    """For people: the value, and its interval where it has one."""
    if isnan(figure.value):
        return ""
    value = f"{figure.value:.{digits}g}"
    if figure.low == figure.high:
        return value
    return f"{value} ({figure.low:.{digits}g} to {figure.high:.{digits}g})"
