"""docs/clinical.md says what the code does: a row for every limit, its number in it, a section for every rationale."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import timedelta
from fnmatch import fnmatchcase
from importlib import import_module
from math import inf
from pathlib import Path
from string import ascii_lowercase
from types import ModuleType
from typing import Any, Final

import pytest

from schemas.alerts import Severity
from schemas.default_limits import DEFAULT_LIMITS
from schemas.devices import DEVICE_TYPES
from schemas.limits import CONCERN_BY_NAME, LevelLimit, Limits, Side
from schemas.presentation import FIGURES, VITAL_PRESENTATIONS
from schemas.vitals import VITALS
from services.medication import adherence, sayings
from services.score.rule import Rule
from services.score.rules import RULES
from tests.repo.tree import files_ending, text_of

PAGE: Final = Path("docs/clinical.md")
CITED: Final = re.compile(r"docs/clinical\.md#([a-z0-9-]+)")
STATUSES: Final = {"guideline", "measured", "to confirm", "ours"}
BOUNDS: Final = (
    "lowest", "highest", "flag_below", "flag_above", "max_step_per_minute", "clipped_low", "clipped_high",
)  # fmt: skip
LEVELS: Final = {"NEAR_FALL", "CONFIRMED", "LIES_ON"}
"""Names of levels: numbers, but no limits."""
UNITS_MS: Final = {"s": 1_000, "min": 60_000, "h": 3_600_000}
SHARED: Final = (
    "services/score/age.py", "services/score/tracks.py", "services/score/circumstances.py",
    "services/score/pressure.py", "services/score/weight.py", "services/score/own_baseline.py",
    "services/score/coverage.py", "services/score/asks.py", "services/score/news2.py", "services/score/quarters.py",
    "schemas/doses.py", "schemas/alert_timing.py", "schemas/adherence.py", "services/medication/stock.py",
    "services/medication/notices.py",
)  # fmt: skip
"""Limits of rules that stand in no rule's own file."""
MEMORY: Final = "_MOST"
"""Names of how much is remembered begin so. They bound what a home takes in memory, and decide nothing of a person."""


@dataclass(frozen=True, slots=True)
class Row:
    """A limit as the page has it, and the modules that its section names."""

    section: str
    what: str
    value: str
    status: str
    name: str
    modules: tuple[str, ...]


def anchor_of(title: str) -> str:
    """As GitHub makes it of a heading."""
    return re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")


def sections() -> Iterator[tuple[str, str]]:
    for part in re.split(r"^## ", text_of(PAGE), flags=re.MULTILINE)[1:]:
        title, _, text = part.partition("\n")
        yield anchor_of(title), text


def rows() -> Iterator[Row]:
    for section, text in sections():
        modules = tuple(re.findall(r"`([a-z0-9_/]+\.py)`", text))
        for line in text.splitlines():
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if line.startswith("| ") and len(cells) == 5 and (named := re.fullmatch(r"`(.+)`", cells[4])):
                # One number may have several names in code.
                for name in named[1].split("`, `"):
                    yield Row(section, cells[0], cells[1], cells[3], name, modules)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float | timedelta) and not isinstance(value, bool)


def level_names(limits: Limits) -> Iterator[str]:
    """As the page calls its levels: ``level_1``, ``level_2a`` and ``level_2b`` where there are two, ``moving_1``."""
    kinds = [f"{'moving' if one.moving else 'level'}_{one.level}" for one in limits.levels]
    for place, kind in enumerate(kinds):
        yield kind + (ascii_lowercase[kinds[:place].count(kind)] if kinds.count(kind) > 1 else "")


def default_limits() -> Iterator[tuple[str, LevelLimit | Limits]]:
    """What holds the numbers of the defaults, under the names of the page."""
    for default in DEFAULT_LIMITS:
        condition = f', "{default.condition}"' if default.condition else ""
        name = f'limits("{default.limits.concern}"{condition})'
        yield name, default.limits
        for level_name, level in zip(level_names(default.limits), default.limits.levels, strict=True):
            yield f"{name}.{level_name}", level


def default_numbers() -> Iterator[tuple[str, Any]]:
    for name, owner in default_limits():
        for field in fields(owner):
            if field.name != "level" and is_number(value := getattr(owner, field.name)):
                yield f"{name}.{field.name}", value


ANCHORS: Final = dict(sections())
ROWS: Final = tuple(rows())
DEFAULTS: Final = dict(default_limits())
DEFAULT_NUMBERS: Final = dict(default_numbers())
OWN_ROWS: Final = {row.name for row in ROWS}


def meant_by(row: Row) -> list[str]:
    """The names of numbers of the default limits that a row is about: its own, or those that fit and have no own."""
    if row.name in DEFAULT_NUMBERS:
        return [row.name]
    return [name for name in DEFAULT_NUMBERS if fnmatchcase(name, row.name) and name not in OWN_ROWS]


def module_of(path: str) -> ModuleType:
    return import_module(path.removesuffix(".py").removesuffix("/__init__").replace("/", "."))


def value_of(row: Row) -> Any:
    """What the code has under the name of a row; one value, whatever the number of limits that it is about."""
    if row.name.startswith("limits("):
        (value,) = {DEFAULT_NUMBERS[name] for name in meant_by(row)}
        return value
    first, *rest = re.split(r"[.\[]", row.name.replace("]", ""))
    for module in map(module_of, row.modules):
        if hasattr(module, first):
            found = getattr(module, first)
            for part in rest:
                found = found[int(part)] if part.isdigit() else getattr(found, part)
            return found
    raise LookupError(row)


def numbers_in(row: Row) -> tuple[float, ...]:
    """The numbers of a row in the unit that the code counts in."""
    unit = row.value.split()[-1]
    numbers = [float(number.replace(",", "")) for number in re.findall(r"[\d.,]*\d", row.value)]
    if unit not in UNITS_MS:
        return tuple(numbers)
    found = value_of(row)
    in_code = {"ms": 1, "s": 1_000, "min": 60_000}.get(row.name.lower().rsplit("_", 1)[-1], 0)
    if isinstance(found, timedelta):
        in_code = 1
    return tuple(number * UNITS_MS[unit] / in_code for number in numbers)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.section}: {row.name}")
def test_a_row_says_the_number_that_the_code_has(row: Row) -> None:
    found = value_of(row)
    assert row.status in STATUSES
    if isinstance(found, Severity):
        assert row.value == found.name.lower()
        return
    if isinstance(found, timedelta):
        found = found.total_seconds() * 1_000
    assert numbers_in(row) == (tuple(found) if isinstance(found, tuple) else (found,))


def numbers_of_module(path: str) -> set[str]:
    """The names that a file gives to numbers."""
    names: set[str] = set()
    for node in ast.parse(text_of(Path(path))).body:
        targets = [node.target] if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [])
        for target in targets:
            names |= {one.id for one in ast.walk(target) if isinstance(one, ast.Name)}
    module = module_of(path)
    limits = {name for name in names - LEVELS if not name.startswith(MEMORY)}
    return {name for name in limits if is_number(getattr(module, name))}


def test_every_number_of_a_rule_has_its_row() -> None:
    named = {(module, row.name) for row in ROWS for module in row.modules}
    rule_files = [f"services/score/rules/{rule.name}.py" for rule in RULES]
    missing = {
        f"{path}: {name}" for path in (*rule_files, *SHARED) for name in numbers_of_module(path)
        if (path, name) not in named
    }  # fmt: skip
    assert not missing


def test_every_limit_of_a_fold_and_every_urgency_has_its_row() -> None:
    known = {id(owner): name for rule in RULES for name, owner in vars(module_of(rule_file(rule.name))).items()}
    wanted = set()
    for rule in RULES:
        name = known[id(rule)]
        wanted |= {f"{name}.severities[{level}]" for level in rule.severities}
        fold: Any = rule.fold
        if fold is not None:
            held = {field.name: getattr(fold, field.name) for field in fields(fold)}
            # What never decides anything: a step without a bound, and the pause of devices that a rule doesn't read.
            idle = set() if getattr(fold, "takes_asked", True) else {"asked_pause_ms"}
            wanted |= {
                f"{name}.fold.{field}" for field, value in held.items()
                if is_number(value) and value and value != inf and field not in idle
            }  # fmt: skip
    assert wanted - {row.name for row in ROWS} == set()


def test_every_number_of_the_default_limits_has_its_row() -> None:
    covered = {name for row in ROWS for name in meant_by(row)}
    assert DEFAULT_NUMBERS.keys() - covered == set()
    assert {default.limits.source.partition("#")[2].rstrip(".") for default in DEFAULT_LIMITS} <= ANCHORS.keys()


@pytest.mark.parametrize("row", [row for row in ROWS if row.name.startswith("limits(") and row.name.endswith(".on")],
                         ids=lambda row: row.name)  # fmt: skip
def test_a_row_says_whether_the_limit_itself_counts_and_on_which_side(row: Row) -> None:
    for name in meant_by(row):
        limit = DEFAULTS[name.removesuffix(".on")]
        assert isinstance(limit, LevelLimit)
        side = CONCERN_BY_NAME[name.split('"')[1]].side
        wordings = {
            (Side.ABOVE, True): r", (from|at or above)$",
            (Side.ABOVE, False): r", above$",
            (Side.BELOW, True): r", (down to|at or below)$",
            (Side.BELOW, False): r", below$",
        }
        assert re.search(wordings[side, limit.inclusive], row.what), name


def rule_file(name: str) -> str:
    return f"services/score/rules/{name}.py"


def test_every_bound_of_a_vital_and_every_limit_of_silence_has_its_row() -> None:
    wanted = {
        f"{vital.code.upper()}.{bound}" for vital in VITALS for bound in BOUNDS if getattr(vital, bound) is not None
    }
    wanted |= {f"{kind.code.upper()}.silent_after_s" for kind in DEVICE_TYPES if kind.silent_after_s is not None}
    assert wanted <= {row.name for row in ROWS}


def rationales() -> Iterator[tuple[str, str]]:
    for rows in (RULES, VITALS, DEVICE_TYPES, VITAL_PRESENTATIONS, [figure.chart for figure in FIGURES]):
        for row in rows:
            yield f"{type(row).__name__} {getattr(row, 'code', getattr(row, 'name', ''))}", row.rationale
    for name, value in [*vars(sayings).items(), *vars(adherence).items()]:
        if name.startswith("_RATIONALE"):
            yield name, value


@pytest.mark.parametrize(("what", "rationale"), list(rationales()))
def test_a_rationale_is_short_and_names_its_section(what: str, rationale: str) -> None:
    """A doctor reads it beside an alert: sentences, no shorthand of ours, and where to read more."""
    cited = CITED.findall(rationale)
    assert len(cited) == 1, what
    assert set(cited) <= ANCHORS.keys()
    assert rationale.endswith(".")
    assert len(rationale) <= 350, what
    assert not re.search(r"\[[KVM]\]", rationale)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_numbers_of_a_rationale_are_those_of_its_section(rule: Rule) -> None:
    """They are written out in its sentences: here is who notices when a limit changes and its sentence does not."""
    (section,) = CITED.findall(rule.rationale)
    said = re.findall(r"\d+ (?:/min|%|mg/dL|min|s|h|steps)(?![\w/])", rule.rationale)
    values = {row.value for row in ROWS if row.section == section}
    assert [one for one in said if one not in values] == []


def test_every_section_that_is_cited_anywhere_exists() -> None:
    cited = {path: CITED.findall(text_of(path)) for path in files_ending(".py", ".md", ".sql", ".html")}
    assert {path: anchors for path, anchors in cited.items() if set(anchors) - ANCHORS.keys()} == {}
