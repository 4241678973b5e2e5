"""What an audit came to: its findings part by part, what was not checked, and the exit code that says so."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table


class Outcome(IntEnum):
    """The exit code of the command. 2 is what a wrong argument has."""

    CLEAN = 0
    FOUND = 1
    NOT_CHECKED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One thing that was looked at: ``looked_at`` of them, what is wrong and what was not checked, each by name."""

    name: str
    looked_at: int
    wrong: Mapping[str, str] = field(default_factory=dict)
    unchecked: Mapping[str, str] = field(default_factory=dict)

    @property
    def outcome(self) -> Outcome:
        """Something wrong goes before something unchecked."""
        if self.wrong:
            return Outcome.FOUND
        return Outcome.NOT_CHECKED if self.unchecked or not self.looked_at else Outcome.CLEAN

    def to_plain(self) -> Mapping[str, Any]:
        """For the report as JSON."""
        return {
            "looked_at": self.looked_at,
            "outcome": self.outcome.name.lower(),
            "wrong": dict(self.wrong),
            "unchecked": dict(self.unchecked),
        }


def outcome_of(parts: list[Part]) -> Outcome:
    """Of all: found, before not checked, before clean. Of no part, nothing was checked."""
    outcomes = {one.outcome for one in parts}
    for outcome in (Outcome.FOUND, Outcome.NOT_CHECKED):
        if outcome in outcomes:
            return outcome
    return Outcome.CLEAN if outcomes else Outcome.NOT_CHECKED


_WORDS = {
    Outcome.CLEAN: "[green]clean[/]",
    Outcome.FOUND: "[bold red]FOUND[/]",
    Outcome.NOT_CHECKED: "[bold yellow]NOT CHECKED[/]",
}
_MOST = 12


def show(parts: list[Part], console: Console) -> None:
    """A table of the parts, then each name with what is wrong, then why something was not checked."""
    table = Table("what", "looked at", "wrong", "not checked", "", title="Audit")
    for one in parts:
        numbers = (str(one.looked_at), str(len(one.wrong)), str(len(one.unchecked)))
        table.add_row(one.name, *numbers, _WORDS[one.outcome])
    console.print(table)
    for one in parts:
        for name, why in one.wrong.items():
            console.print(f"[red]{escape(one.name)}: {escape(name)}: {escape(why)}[/]")
    for one in parts:
        reasons: dict[str, list[str]] = {}
        for name, why in one.unchecked.items():
            reasons.setdefault(why, []).append(name)
        for why, names in reasons.items():
            more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
            said = f"{one.name}: NOT CHECKED, {why}: {', '.join(names[:_MOST])}{more}"
            console.print(f"[yellow]{escape(said)}[/]")
    if outcome_of(parts) is Outcome.NOT_CHECKED:
        console.print(
            "[bold yellow]Nothing is known to be wrong, but not everything was checked: this is no all-clear.[/]"
        )
