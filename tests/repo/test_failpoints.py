"""Each failpoint is a place in one service."""

import re

import pytest

from services.runtime.failpoints import Failpoint
from tests.repo.tree import files_ending, text_of

PLACED = [
    (match[1].lower(), path.parts[1])
    for path in files_ending(".py")
    if path.parts[0] == "services"
    for match in re.finditer(r"\breach\(Failpoint\.(\w+)\)", text_of(path))
]


@pytest.mark.parametrize("place", Failpoint)
def test_a_failpoint_is_placed_once_in_the_service_that_its_name_says(place: Failpoint) -> None:
    assert [service for name, service in PLACED if name == place] == [place.partition("_")[0]]


def test_no_place_goes_by_another_name() -> None:
    assert {name for name, _ in PLACED} == set(Failpoint)
