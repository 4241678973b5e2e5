"""After a gap in the log no episode gets a number again that findings carry already."""

from collections.abc import Mapping, Sequence

import pytest

from schemas.alerts import Finding
from schemas.codec import parse_json, write_json
from services.score.followups import Effect
from services.score.home_state import HomeState
from tests.unit.services.score.story import PERSON, run, series, uplink
from tests.unit.services.score.test_questions import ThrowAway, book_with


def episodes_of(effects: Sequence[Effect]) -> list[tuple[str, int]]:
    return [(one.rule, one.episode) for one in effects if isinstance(one, Finding) and one.level]


@pytest.mark.parametrize(
    ("given_out", "expected"), [({}, 1), ({"heart_rate": 7}, 8), ({"heart_rate": 0}, 1)], ids=["none", "more", "fewer"]
)
@pytest.mark.parametrize("begun", [False, True])
def test_an_episode_is_numbered_after_those_that_were_given_out(
    given_out: Mapping[str, int],
    expected: int,
    begun: bool,  # noqa: FBT001 - a table
) -> None:
    state = HomeState()
    if begun:
        run([uplink(99, -1, {"heart_rate": 80})], state)
    state.subject(PERSON).raise_numbers(given_out)
    state = HomeState.from_plain(parse_json(write_json(state.to_plain())))
    assert episodes_of(run(series("heart_rate", [(n, 125) for n in range(11)]), state)) == [("heart_rate", expected)]


def test_so_is_a_call() -> None:
    state = HomeState(book_with(ThrowAway()))
    state.subject(PERSON).raise_numbers({"sos": 3})
    assert episodes_of(run([uplink(0, 0, events=["sos_pressed"])], state)) == [("sos", 4)]


def test_a_model_that_was_asked_goes_on_beyond_them() -> None:
    rules = book_with(ThrowAway())
    state = HomeState(rules)
    run([uplink(0, 0, {"heart_rate": 130, "spo2": 97})], state)
    person = state.subject(PERSON)
    assert person.models.knows("unwell")
    person.raise_numbers({"unwell": 5, "heart_rate": 2})
    plain = person.to_plain()
    assert (plain["models"]["unwell"]["episodes"], plain["rules"]["heart_rate"]["episodes"]) == (5, 2)
