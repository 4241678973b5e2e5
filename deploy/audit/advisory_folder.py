"""Advisories from a folder, for whoever's index says nothing: a copy of PyPA's advisory database, in OSV's form."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import yaml
from packaging.version import InvalidVersion, Version

from deploy.audit.advisories import Ask, UnansweredError
from deploy.audit.lock import Locked, canonical

LONGEST_AGE: Final = timedelta(days=30)
"""Of the newest advisory: some come every week, so that a folder without one for a month was not kept up."""
_MODIFIED: Final = re.compile(r"^modified: *['\"]?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)", re.MULTILINE)


def ask_folder(folder: Path) -> Ask:
    """Looks into ``folder/vulns/NAME/*.yaml``. The answers have the form of PyPI's."""

    def ask(release: Locked) -> Mapping[str, Any]:
        files = sorted((folder / "vulns" / release.name).glob("*.yaml"))
        found = [one for file in files if (one := _read(file)) and affects(one, release)]
        return {"info": {"version": release.version}, "vulnerabilities": [_as_pypi_says(one) for one in found]}

    return ask


def doubt_of_folder(folder: Path, at: datetime) -> str:
    """Why a folder can clear nothing: it holds no advisory, or none that is new enough."""
    stamps = [stamp for file in folder.glob("vulns/*/*.yaml") for stamp in _MODIFIED.findall(file.read_text("utf-8"))]
    if not stamps:
        return f"there are no advisories in {folder}"
    newest = datetime.fromisoformat(max(stamps)).replace(tzinfo=UTC)
    if at - newest > LONGEST_AGE:
        return f"the newest advisory of the folder is of {newest:%Y-%m-%d}: older ones find faults, and clear nothing"
    return ""


def _read(file: Path) -> Mapping[str, Any] | None:
    """An advisory that was not withdrawn. Raises UnansweredError for a file that can't be read."""
    try:
        found: Any = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UnansweredError(f"{file.name} can't be read") from error
    if not isinstance(found, dict) or not isinstance(found.get("affected"), list):
        raise UnansweredError(f"{file.name} is no advisory")
    return None if found.get("withdrawn") else found


def affects(advisory: Mapping[str, Any], release: Locked) -> bool:
    """Whether a release is among those that an advisory lists, or in one of its ranges.

    Raises UnansweredError for a version that has no order.
    """
    about = [one for one in advisory["affected"] if canonical(str(one["package"]["name"])) == release.name]
    if any(release.version in map(str, one.get("versions") or ()) for one in about):
        return True
    try:
        version = Version(release.version)
        return any(version in part for one in about for part in _ranges(one))
    except InvalidVersion as error:
        raise UnansweredError(f"{advisory.get('id')} has a version that is none") from error


class _Range:
    """From ``first`` to before ``fixed``, or to ``last`` itself; without either, for ever."""

    def __init__(self, first: Version, fixed: Version | None, last: Version | None) -> None:
        self._first, self._fixed, self._last = first, fixed, last

    def __contains__(self, version: Version) -> bool:
        if version < self._first or (self._fixed is not None and version >= self._fixed):
            return False
        return self._last is None or version <= self._last


def _ranges(affected: Mapping[str, Any]) -> Iterator[_Range]:
    for one in affected.get("ranges") or ():
        if one.get("type") == "ECOSYSTEM":
            yield from _ranges_of(one.get("events") or ())


def _ranges_of(events: Iterable[Mapping[str, Any]]) -> Iterator[_Range]:
    """Events come in the order of versions: each introduction lasts until the next event that ends it."""
    first: Version | None = None
    for event in events:
        if "introduced" in event:
            first = Version(str(event["introduced"]))
        elif first is not None and ("fixed" in event or "last_affected" in event):
            fixed, last = event.get("fixed"), event.get("last_affected")
            yield _Range(first, Version(str(fixed)) if fixed else None, Version(str(last)) if last else None)
            first = None
    if first is not None:
        yield _Range(first, None, None)


def _as_pypi_says(advisory: Mapping[str, Any]) -> Mapping[str, Any]:
    fixed = [
        str(event["fixed"])
        for one in advisory["affected"]
        for part in one.get("ranges") or ()
        if part.get("type") == "ECOSYSTEM"
        for event in part.get("events") or ()
        if "fixed" in event
    ]
    return {
        "id": advisory.get("id", ""),
        "aliases": advisory.get("aliases") or [],
        "summary": advisory.get("summary") or advisory.get("details") or "",
        "fixed_in": fixed,
    }
