"""Who lived in which home, and when. Pure."""

from collections.abc import Iterable
from typing import Final, NamedTuple


class Residence(NamedTuple):
    """Somebody lived in a home over ``[valid_from, valid_to)``, in ms."""

    person_no: int
    home_no: int
    valid_from: int
    valid_to: int


class Residences:
    """Of people who have moved; of whom nothing is said, every home that knows them is theirs."""

    def __init__(self, known: Iterable[Residence] = ()) -> None:
        self._of: dict[int, list[Residence]] = {}
        for one in known:
            self._of.setdefault(one.person_no, []).append(one)

    def lives_in(self, person_no: int, home_no: int, at: int) -> bool:
        """Whether a person lived in a home at ``at``, in ms."""
        known = self._of.get(person_no)
        return known is None or any(one.home_no == home_no and one.valid_from <= at < one.valid_to for one in known)


EVERYWHERE: Final = Residences()
"""Of a platform on which nobody has moved."""
