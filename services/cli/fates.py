"""The fate of one uplink, put together from what the broker says and what the database holds. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Key = tuple[int, int]
"""Epoch and seq."""


@dataclass(slots=True, kw_only=True)
class Fate:
    """Platform milliseconds where a time; None is not yet."""

    published: int = 0
    received_at: int | None = None
    stored: int = 0
    refused: dict[int, str] = field(default_factory=dict)
    acked: bool = False
    findings: list[str] = field(default_factory=list)

    def words(self) -> str:
        """One line for a person."""
        said = [f"published {self.published}x" if self.published else "not seen at the broker"]
        if self.received_at is not None:
            refused = ", ".join(f"item {item} {reason}" for item, reason in sorted(self.refused.items()))
            said += ["received", f"stored {self.stored}" + (f", rejected: {refused}" if refused else ""), "settled"]
        if self.acked:
            said.append("acked")
        said += [f"finding: {rule}" for rule in self.findings]
        return " → ".join(said)


class Fates:
    """All uplinks of a device that were heard of, newest last."""

    def __init__(self) -> None:
        self.by_key: dict[Key, Fate] = {}

    def _fate(self, key: Key) -> Fate:
        return self.by_key.setdefault(key, Fate())

    def saw_uplink(self, key: Key) -> None:
        """The device sent it, perhaps again."""
        self._fate(key).published += 1

    def saw_ack(self, epoch: int, upto: int, rejected: Iterable[tuple[int, int, str]]) -> None:
        """The platform acknowledged everything of ``epoch`` up to ``upto``."""
        for (of_epoch, seq), fate in self.by_key.items():
            fate.acked |= of_epoch == epoch and seq <= upto
        for seq, item, reason in rejected:
            if (epoch, seq) in self.by_key:
                self.by_key[epoch, seq].refused[item] = reason

    def saw_rows(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Stored items, by uplink."""
        for row in rows:
            fate = self._fate((row["epoch"], row["seq"]))
            fate.received_at, fate.stored = row["received_at"], row["stored"]

    def saw_rejections(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Items that were rejected."""
        for row in rows:
            fate = self._fate((row["epoch"], row["seq"]))
            fate.received_at = row["received_at"]
            fate.refused[row["item"]] = row["reason"]

    def saw_findings(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Findings, by the uplinks they rest on."""
        for row in rows:
            name = f"{row['rule']} level {row['level']}"
            if name not in (findings := self._fate((row["epoch"], row["seq"])).findings):
                findings.append(name)
