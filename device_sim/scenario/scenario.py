"""A whole scenario, and how its file is read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from device_sim.scenario.document import ScenarioError, read_document
from device_sim.scenario.expectations import Expectation, read_expectation
from device_sim.scenario.fields import Field
from device_sim.scenario.household import Household, read_carers, read_devices, read_people
from device_sim.scenario.plans import read_plans
from device_sim.scenario.story import Entry, Registers, Sends, Stops, read_entry
from schemas.messages import OLDEST_ACCEPTED_MS

_FIELDS: Final = ("why", "starts", "zone", "doctors", "caregivers", "devices", "plans", "story")
_STARTS: Final = datetime(2026, 3, 3, 10)  # noqa: DTZ001 - wall clock of the home
_ZONE: Final = "Europe/Berlin"
_LONGEST_MS: Final = 92 * 86_400_000
_SUFFIXES: Final = (".yaml", ".yml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """``starts_ms`` is platform time in ms UTC; everything else counts from there."""

    name: str
    why: str
    file: Path
    starts_ms: int
    zone: str
    lasts_ms: int
    household: Household
    story: tuple[Entry, ...]
    expect: tuple[Expectation, ...]

    @property
    def everybody(self) -> Household:
        """The household with all that registrations of the story bring; what they say of one thing last holds."""
        whole = self.household
        for entry in sorted((one for one in self.story if isinstance(one, Registers)), key=lambda one: one.at):
            whole = merged(whole, entry.changes)
        return whole

    @property
    def stops_parts(self) -> bool:
        """Whether it needs a platform of its own."""
        return any(isinstance(entry, Stops) for entry in self.story)

    def moment(self, wall_clock: datetime) -> int:
        """Platform time of a moment on the home's clock."""
        return _platform_ms(wall_clock, self.zone)


def _platform_ms(wall_clock: datetime, zone: str) -> int:
    return round(wall_clock.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).timestamp() * 1000)


def read_scenario(file: Path) -> Scenario:
    """Raises ScenarioError, which names file, line and field."""
    document = read_document(file)
    top = Field(document, (), document.value)
    row = top.row(required=("scenario", "lasts", "people", "expect"), optional=_FIELDS)
    zone = _zone(row["zone"]) if "zone" in row else _ZONE
    household = _household(row)
    known = _with_later(household, row["story"]) if "story" in row else household
    story = tuple(read_entry(entry, known) for entry in row["story"].rows()) if "story" in row else ()
    expect = tuple(read_expectation(entry, known) for entry in row["expect"].rows())
    if not expect:
        row["expect"].refuse("a scenario that expects nothing shows nothing")
    lasts = row["lasts"].length()
    if lasts > _LONGEST_MS:
        row["lasts"].refuse("is longer than 92 days")
    if "story" in row:
        _check_moments(row["story"], story, lasts)
    return Scenario(
        name=row["scenario"].text(r"[a-z0-9-]{1,60}"),
        why=row["why"].text() if "why" in row else "",
        file=file,
        starts_ms=_platform_ms(row["starts"].wall_clock() if "starts" in row else _STARTS, zone),
        zone=zone,
        lasts_ms=lasts,
        household=household,
        story=story,
        expect=expect,
    )


def _zone(found: Field) -> str:
    try:
        return ZoneInfo(found.text(r"[A-Za-z0-9_+/-]{1,60}")).key
    except (OSError, ValueError, KeyError):
        found.refuse(f"{found.text()!r} is not an IANA time zone")


def _household(row: Mapping[str, Field]) -> Household:
    people = read_people(row["people"])
    if not people:
        row["people"].refuse("names nobody")
    devices = read_devices(row["devices"], people) if "devices" in row else {}
    return Household(
        people=people,
        doctors=read_carers(row["doctors"], people) if "doctors" in row else {},
        caregivers=read_carers(row["caregivers"], people) if "caregivers" in row else {},
        devices=devices,
        plans=read_plans(row["plans"], people, devices) if "plans" in row else {},
    )


def _with_later(household: Household, story: Field) -> Household:
    """With what the register says later, which other entries and expectations may name: their order does not matter."""
    for entry in story.rows():
        if isinstance(entry.value, dict) and "register" in entry.value:
            changes = read_entry(entry, household)
            assert isinstance(changes, Registers)  # noqa: S101 - only that kind has the word
            household = merged(household, changes.changes)
    return household


def merged(household: Household, changes: Household) -> Household:
    """A household after a registration: what is not named stays."""
    return Household(
        people={**household.people, **changes.people},
        doctors=household.doctors,
        caregivers=household.caregivers,
        devices={**household.devices, **changes.devices},
        plans={**household.plans, **changes.plans},
    )


def _check_moments(found: Field, story: Sequence[Entry], lasts: int) -> None:
    """Nothing of the story lies beyond the end; what was measured long before the start is refused by the contract."""
    for entry, row in zip(story, found.rows(), strict=True):
        if isinstance(entry, Sends):
            if entry.when.first < -OLDEST_ACCEPTED_MS - lasts:
                row.refuse("was measured too long before the start")
            last = entry.when.turns()[-1] if entry.sent is None else entry.sent
        elif isinstance(entry, Stops):
            last = entry.first
        else:
            last = getattr(entry, "at", getattr(entry, "first", 0))
        if last > lasts:
            row.refuse("happens after the end of the scenario")


def read_scenarios(paths: Iterable[Path]) -> list[Scenario]:
    """All scenarios of files and folders, each name once. Raises ScenarioError for the first that can't be read."""
    found: dict[str, Scenario] = {}
    for file in files_of(paths):
        scenario = read_scenario(file)
        if scenario.name in found:
            message = f"{scenario.name!r} is also the name of {found[scenario.name].file}"
            raise ScenarioError(file, 1, "scenario", message)
        found[scenario.name] = scenario
    return list(found.values())


def files_of(paths: Iterable[Path]) -> list[Path]:
    """The files, and those in the folders, in the order of their names. Raises ScenarioError where there is none."""
    files: list[Path] = []
    for path in paths:
        inside = sorted(one for one in path.rglob("*") if one.suffix in _SUFFIXES) if path.is_dir() else [path]
        if not inside:
            raise ScenarioError(path, 1, "", "holds no scenario")
        files += inside
    return list(dict.fromkeys(files))
