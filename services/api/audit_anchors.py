"""Anchors: where the chain of audit seals ended, day by day, in a file outside of the database."""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from pydantic_settings import BaseSettings, SettingsConfigDict

from services.api.audit_chain import Anchor
from services.runtime.errors import HearthBeatError

FILE: Final = "audit-anchors.jsonl"


class AuditSettings(BaseSettings):
    """``anchors``: a directory outside of the database, in which the end of the chain of audit seals is written daily.

    It should lie where nobody who may write to the database may write. None: no anchors.
    """

    model_config = SettingsConfigDict(env_prefix="HB_API_AUDIT_")

    anchors: Path | None = None


class AnchorFileError(HearthBeatError):
    """The file of audit anchors can't be read."""


class Why(StrEnum):
    """Why an anchor was written."""

    DAY = "day"
    STOP = "stop"
    RESTORED = "restored"
    """A backup was restored: what the chain had beyond this is gone, and no anchor of before says otherwise."""


@dataclass(frozen=True, slots=True)
class AnchorFile:
    """The file in a directory. One line is appended at a time, so that several consoles may share it."""

    directory: Path

    @property
    def path(self) -> Path:
        """The file itself."""
        return self.directory / FILE

    def append(self, anchor: Anchor, why: Why) -> None:
        """Writes a line, on disk on return. Makes the directory. Raises OSError."""
        line = {
            "seal_no": anchor.seal_no,
            "seal": anchor.seal.hex(),
            "written_at": anchor.written_at.isoformat(),
            "why": why,
        }
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        opened = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(opened, (json.dumps(line) + "\n").encode())
            os.fsync(opened)
        finally:
            os.close(opened)

    def read(self) -> list[tuple[Anchor, Why]]:
        """Every line, in the order of writing; none where there is no file yet. Raises AnchorFileError."""
        try:
            lines = self.path.read_text("ascii").splitlines()
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no ASCII text."
            raise AnchorFileError(f"({why})") from error
        return [_read_line(number, line) for number, line in enumerate(lines, start=1)]


@dataclass(slots=True)
class DailyAnchor:
    """Writes one anchor a day of platform time, and one at stop."""

    file: AnchorFile
    _knows_before: bool = False
    _day: date | None = None
    _seal_no: int = 0

    def is_due(self, today: date) -> bool:
        """Whether this day has none yet, as far as is known."""
        return today != self._day

    def keep(self, anchor: Anchor, why: Why) -> bool:
        """Appends it unless its day has one, or, at stop, the chain is what it was. Gives whether it did.

        Blocks. Raises OSError, AnchorFileError; then it is to be tried again.
        """
        if not self._knows_before:
            self._recall()
        day = anchor.written_at.date()
        wanted = self.is_due(day) if why is Why.DAY else anchor.seal_no != self._seal_no
        written = wanted and anchor.seal_no > 0
        if written:
            self.file.append(anchor, why)
            self._seal_no = anchor.seal_no
        self._day = day
        return written

    def _recall(self) -> None:
        """What was anchored before this process began. A line of a restore stands for no day."""
        if lines := self.file.read():
            newest, why = lines[-1]
            self._seal_no, self._day = newest.seal_no, None if why is Why.RESTORED else newest.written_at.date()
        self._knows_before = True


def _read_line(number: int, line: str) -> tuple[Anchor, Why]:
    try:
        said = json.loads(line)
        written_at = datetime.fromisoformat(said["written_at"])
        anchor = Anchor(seal_no=int(said["seal_no"]), seal=bytes.fromhex(said["seal"]), written_at=written_at)
        return anchor, Why(said["why"])
    except (ValueError, KeyError, TypeError) as error:
        raise AnchorFileError(f"(Line {number} is no anchor.)") from error


def in_force(lines: Iterable[tuple[Anchor, Why]]) -> tuple[list[Anchor], list[Anchor]]:
    """The anchors that the chain has to agree with, and those of what was lost by restoring a backup."""
    kept: list[Anchor] = []
    lost: list[Anchor] = []
    for anchor, why in lines:
        if why is Why.RESTORED:
            lost += [one for one in kept if one.seal_no > anchor.seal_no]
            kept = [one for one in kept if one.seal_no <= anchor.seal_no]
        # Of an empty chain there is nothing to agree with.
        if anchor.seal_no:
            kept.append(anchor)
    return kept, lost
