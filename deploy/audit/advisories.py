"""What a package index knows of faults in releases: PyPI's JSON answers, and whether they can be relied on."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import httpx

from deploy.audit.lock import Locked

INDEX: Final = "https://pypi.org/pypi"
KNOWN_FAULT: Final = Locked("jinja2", "3.1.5", ())
"""A release with an advisory (CVE-2025-27516): an index that knows nothing of it can clear no other."""
_TIMEOUT_S: Final = 20.0
_AT_ONCE: Final = 4
_FOUND: Final = 200

Ask = Callable[[Locked], Mapping[str, Any]]
"""The answer of an index about one release, in the form of PyPI's. Raises UnansweredError."""


class UnansweredError(Exception):
    """The index has not said what it knows of a release."""


@dataclass(frozen=True, slots=True)
class Advisory:
    """A fault that somebody has published. ``ids``: its own and its other names; ``fixed_in``: versions without it."""

    name: str
    version: str
    ids: tuple[str, ...]
    summary: str
    fixed_in: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Advisories:
    """``unchecked`` has a reason for each release of which nothing was learned: no word on it is no all-clear."""

    found: tuple[Advisory, ...]
    unchecked: Mapping[str, str]
    checked: int = 0


def ask_index(client: httpx.Client) -> Ask:
    """Asks PyPI, or the mirror of it that HB_AUDIT_INDEX names (up to and without ``/NAME/VERSION/json``)."""
    index = os.environ.get("HB_AUDIT_INDEX", INDEX).rstrip("/")

    def ask(release: Locked) -> Mapping[str, Any]:
        try:
            answer = client.get(f"{index}/{release.name}/{release.version}/json", timeout=_TIMEOUT_S)
            if answer.status_code != _FOUND:
                raise UnansweredError(f"the index answered {answer.status_code}")
            body: Any = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise UnansweredError(f"the index did not answer: {type(error).__name__}") from error
        if not isinstance(body, dict):
            raise UnansweredError("the index answered something else")
        return body

    return ask


def advisories_in(body: Mapping[str, Any], release: Locked) -> tuple[Advisory, ...]:
    """The faults that an answer names, without those that were withdrawn. Raises UnansweredError where it names none.

    An answer without the field, or about another release, is none: many mirrors leave the field out.
    """
    about, named = body.get("info"), body.get("vulnerabilities")
    if not isinstance(about, dict) or about.get("version") != release.version or not isinstance(named, list):
        raise UnansweredError("the index does not say what it knows of faults")
    return tuple(
        Advisory(
            name=release.name,
            version=release.version,
            ids=(str(one["id"]), *map(str, one.get("aliases") or ())),
            summary=str(one.get("summary") or one.get("details") or "").split("\n")[0][:200],
            fixed_in=tuple(map(str, one.get("fixed_in") or ())),
        )
        for one in named
        if not one.get("withdrawn")
    )


def check_advisories(releases: Iterable[Locked], ask: Ask) -> Advisories:
    """What is known of each release. Nobody is asked, where the index does not know the fault that everybody knows."""
    wanted = tuple(releases)
    if why := doubt_of(ask):
        return Advisories((), {f"{one.name} {one.version}": why for one in wanted})
    return _ask_about(wanted, ask)


def look_for_advisories(releases: Sequence[Locked], ask: Ask, doubt: str) -> Advisories:
    """What somebody's own copy of advisories knows. With a ``doubt`` of it, faults are found and nothing is cleared."""
    found = _ask_about(tuple(releases), ask)
    why = doubt or doubt_of(ask)
    if not why:
        return found
    faulty = {f"{one.name} {one.version}" for one in found.found}
    names = {f"{one.name} {one.version}" for one in releases} - faulty
    return Advisories(found.found, dict.fromkeys(sorted(names), why) | dict(found.unchecked), len(faulty))


def doubt_of(ask: Ask) -> str:
    """Why whoever is asked can clear no release; empty where they can."""
    try:
        known = advisories_in(ask(KNOWN_FAULT), KNOWN_FAULT)
    except UnansweredError as error:
        return str(error)
    return "" if known else "they don't know a fault that was published: nothing is cleared by them"


def _ask_about(wanted: Sequence[Locked], ask: Ask) -> Advisories:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = list(pool.map(lambda one: _about(one, ask), wanted))
    unchecked = {
        f"{one.name} {one.version}": answer
        for one, answer in zip(wanted, answers, strict=True)
        if isinstance(answer, str)
    }
    found = tuple(one for answer in answers if not isinstance(answer, str) for one in answer)
    return Advisories(found, unchecked, len(wanted) - len(unchecked))


def _about(release: Locked, ask: Ask) -> tuple[Advisory, ...] | str:
    try:
        return advisories_in(ask(release), release)
    except UnansweredError as error:
        return str(error)
