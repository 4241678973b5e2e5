"""Checkpoints of older versions are read, and what follows is what the older version would have found."""

from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from schemas.alerts import Finding
from schemas.codec import decode_uplink_record, parse_json, write_json
from schemas.records import JudgedUplink
from services.score.home_state import VERSION, HomeState, UnknownStateError
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
def test_a_state_of_an_older_version_goes_on_as_that_version_would_have(story: Any) -> None:
    state = HomeState.from_plain(story["state"])
    records = [decode_uplink_record(b64decode(one)) for one in story["records"]]
    found = run([one for one in records if isinstance(one, JudgedUplink)], state)
    assert [
        [one.rule, one.episode, one.level, one.observed_at, one.doctor_text]
        for one in found
        if isinstance(one, Finding)
    ] == story["findings"]


@stories
def test_a_state_that_was_read_is_written_in_the_present_form(story: Any) -> None:
    plain = parse_json(write_json(HomeState.from_plain(story["state"]).to_plain()))
    assert plain["version"] == VERSION
    assert parse_json(write_json(HomeState.from_plain(plain).to_plain())) == plain


@pytest.mark.parametrize("version", [VERSION + 1, "2", None])
def test_a_state_of_a_newer_version_is_refused_and_not_misread(version: Any) -> None:
    with pytest.raises(UnknownStateError, match="version"):
        HomeState.from_plain(HomeState().to_plain() | {"version": version})
