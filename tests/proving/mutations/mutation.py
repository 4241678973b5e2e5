"""A small change of one source file. Pure."""

from dataclasses import dataclass


class StaleMutationError(ValueError):
    """The source that a mutation changes is no longer written like that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """``before`` becomes ``after`` in the file ``path``; ``tests`` are those that have to notice.

    ``at`` is where it stands, in bytes; below 0 where there is but one such place.
    """

    name: str
    path: str
    before: str
    after: str
    tests: tuple[str, ...]
    at: int = -1

    def changed(self, source: str) -> str:
        """The source with the change in it. Raises StaleMutationError."""
        held, before = source.encode(), self.before.encode()
        if self.at < 0 and held.count(before) != 1:
            raise StaleMutationError(f"{self.name}: {self.path} holds its place {held.count(before)} times")
        at = held.index(before) if self.at < 0 else self.at
        if held[at : at + len(before)] != before:
            raise StaleMutationError(f"{self.name}: {self.path} says something else there")
        return (held[:at] + self.after.encode() + held[at + len(before) :]).decode()

    def line(self, source: str) -> int:
        """The number of the line in which it begins, from 1."""
        held = source.encode()
        at = held.index(self.before.encode()) if self.at < 0 else self.at
        return held.count(b"\n", 0, at) + 1
