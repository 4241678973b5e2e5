"""docs/hazards.md, as docs/hazards.toml has it: `python -m tests.proving.hazards.document` writes it anew."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from deploy.local.settings import CHECKOUT
from tests.proving.faults.lines import LINES
from tests.proving.hazards.hazard import HIGH_FROM, MEDIUM_FROM, Hazard, Probability, Risk, Severity, read_hazards

DOCUMENT: Final = CHECKOUT / "docs" / "hazards.md"
_RUN_FAULTS: Final = frozenset(line.number for line in LINES if line.run)
_HEAD: Final = f"""# Hazards

**HearthBeat is not a certified medical device, and it is not made for life-critical monitoring.**
No authority and no clinician has looked at this page. It is kept in the habit of ISO 14971 (risk
management of medical devices), IEC 62304 (their software) and IEC TR 80002-1 (one applied to the
other), and claims conformity with none of them.

Each row says what could harm somebody, how it comes about, what is done against it, which module
does that, and which tests show that it does. A test of the repository fails where a control names
no test, where a test or a module that is named is not there, and where a rule or a line of
[the fault matrix](faults.md) has no row. All tests that are named run in `make test`; the lines of
the fault matrix run in `make faults`. A file of `tests/scenarios` is played by
`tests/e2e/test_scenarios.py`.

*Severity* is what may come of it: {", ".join(one.name.lower() for one in Severity)}.
*Probability*, before and after the controls, is one of:
{", ".join(one.name.lower() for one in Probability)}. It is **our own estimate, which nobody has
measured**. Both count from 1 to 5; the risk is their sum: high from {HIGH_FROM}, medium from {MEDIUM_FROM}, else
low. *What remains* is what the controls leave open.

`docs/hazards.toml` holds the rows; `python -m tests.proving.hazards.document` writes this page.

"""
_KINDS: Final[tuple[tuple[str, Callable[[Hazard], bool]], ...]] = (
    ("What could harm somebody", lambda one: not one.fault and not one.rule),
    ("Each alert rule", lambda one: bool(one.rule)),
    ("Each line of the fault matrix", lambda one: bool(one.fault)),
)


def document(hazards: Sequence[Hazard]) -> str:
    """The whole page."""
    parts = [_HEAD, _summary(hazards)]
    for title, belongs in _KINDS:
        rows = [one for one in hazards if belongs(one)]
        parts += [f"\n## {title}\n\n", _overview(rows), *map(_section, rows)]
    return "".join(parts)


def _summary(hazards: Sequence[Hazard]) -> str:
    before, after = Counter(one.risk_before for one in hazards), Counter(one.residual for one in hazards)
    rows = "".join(f"| {risk} | {before[risk]} | {after[risk]} |\n" for risk in reversed(Risk))
    return f"| risk | hazards before | hazards after |\n|---|---|---|\n{rows}"


def _overview(rows: Sequence[Hazard]) -> str:
    lines = "".join(f"| {one.id} | {one.title} | {one.risk_before} | {one.residual} |\n" for one in rows)
    return f"| id | hazard | risk before | risk after |\n|---|---|---|---|\n{lines}"


def _section(one: Hazard) -> str:
    return f"\n### {one.id}: {one.title}\n\n| | |\n|---|---|\n" + "".join(f"| {k} | {v} |\n" for k, v in _cells(one))


def _cells(one: Hazard) -> Iterator[tuple[str, str]]:
    yield "sequence of events", one.sequence
    yield "hazardous situation", one.situation
    yield "severity", one.severity.name.lower()
    yield "probability", f"{one.before.name.lower()}, with the controls {one.after.name.lower()}"
    yield "risk", f"{one.risk_before}, with the controls {one.residual}"
    for control in one.controls:
        yield "control", f"{control.does}, in `{control.module}`"
        yield "shown by", ", ".join(f"`{test}`" for test in control.tests)
    if one.fault in _RUN_FAULTS:
        yield "and by", f"`make faults LINE={one.fault}`"
    yield "what remains", one.remains


def write(path: Path = DOCUMENT) -> None:
    """Replaces the page."""
    path.write_text(document(read_hazards()), "utf-8")


if __name__ == "__main__":
    write()
