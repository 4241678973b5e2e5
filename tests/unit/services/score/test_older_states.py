"""Checkpoints of older versions are read, and nothing that stood in them is lost or said anew."""

from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from schemas.alerts import Finding
from schemas.codec import decode_uplink_record, parse_json, write_json
from schemas.records import JudgedUplink
from services.score.episodes import FOREVER, Reported
from services.score.home_state import VERSION, HomeState, UnknownStateError
from services.score.older_states import _from_3
from services.score.sample import Sample
from tests.unit.services.score.story import run

DIRECTORY = Path(__file__).parent / "older_states"
STORIES: dict[str, Any] = {
    f"version {version}, {number}": story
    for version in range(1, VERSION)
    for number, story in enumerate(parse_json((DIRECTORY / f"version_{version}.json").read_bytes()))
}
"""Written by the last code of each form: a state in the middle of a story, the rest of it, and what that found."""

stories = pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)


@stories
def test_what_stood_in_a_state_of_an_older_version_goes_on_under_its_number(story: Any) -> None:
    """What that version would have found stands in the fixture; other rules find other things, but nothing twice."""
    before = _kept(story["state"])
    state = HomeState.from_plain(story["state"])
    assert {key: one.level for key, one in _open(state).items() if one.level} == {
        key: level for key, (level, until) in before.items() if until == FOREVER and level
    }
    given_out = {key[:2]: max(other[2] for other in before if other[:2] == key[:2]) for key in before}
    records = [decode_uplink_record(b64decode(one)) for one in story["records"]]
    found = [
        one for one in run([one for one in records if isinstance(one, JudgedUplink)], state) if isinstance(one, Finding)
    ]
    for one in found:
        key = one.person_no, one.rule
        stood = before.get((*key, one.episode))
        # Of an episode of before only one that was open has more to say; the others have new numbers.
        assert stood[1] == FOREVER if stood else one.episode > given_out.get(key, 0)
    assert len({one.finding_id for one in found}) == len(found)


def _kept(state: Any) -> dict[tuple[int, str, int], tuple[int, int]]:
    """Level and end of each episode that a state of an older version has, by person, rule and number."""
    found = {}
    for person, kept in state["subjects"].items():
        for rule, one in (kept.get("rules") or kept.get("tracks", {})).items():
            for episode, _, until, level, *_ in one.get("reported", ()):
                found[int(person), rule, episode] = (level, until)
    return found


def _open(state: HomeState) -> dict[tuple[int, str, int], Reported]:
    return {
        (person, rule, one.episode): one
        for person, kept in state.subjects.items()
        for rule, evaluation in kept.evaluations.items()
        for one in evaluation.episodes.standing
    }


@stories
def test_a_state_that_was_read_is_written_in_the_present_form(story: Any) -> None:
    plain = parse_json(write_json(HomeState.from_plain(story["state"]).to_plain()))
    assert plain["version"] == VERSION
    assert parse_json(write_json(HomeState.from_plain(plain).to_plain())) == plain


@pytest.mark.parametrize(("low_at", "last_low"), [(True, False), (False, True), (True, True), (False, False)])
def test_a_low_that_had_begun_goes_on_though_nothing_was_said_of_it_yet(low_at: bool, last_low: bool) -> None:  # noqa: FBT001 - a table
    low, newest = list(Sample(1000, 65.0, 11, 1, 5, 0, 7)), list(Sample(2000, 64.0, 11, 1, 6, 0, 7))
    base = [0, 0, 2000, low if low_at else None, None, newest if last_low else None, None]
    rule = {"base": base, "since": 0, "reported": [], "episodes": 0}
    plain = _from_3({"subjects": {"7": {"rules": {"glucose_low": rule}, "calls": {}, "moves": []}}})
    tracks, courses = plain["subjects"]["7"]["rules"]["glucose_low"]["base"]
    assert [track[0] for track in tracks] == ([11] if low_at or last_low else [])
    assert [track[-1] for track in tracks if low_at] == ([[[-1, 0, low, 2000, 1]]] if low_at else [])
    assert courses == []


@pytest.mark.parametrize("version", [VERSION + 1, "2", None])
def test_a_state_of_a_newer_version_is_refused_and_not_misread(version: Any) -> None:
    with pytest.raises(UnknownStateError, match="version"):
        HomeState.from_plain(HomeState().to_plain() | {"version": version})
