"""The bad-input corpus of `schemas/corpus/index.jsonl`: what is sent, by whom, and what must become of it."""

import json
from base64 import b64decode
from dataclasses import dataclass
from typing import Any, Final

from deploy.local.settings import CHECKOUT

INDEX: Final = CHECKOUT / "schemas" / "corpus" / "index.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One line of the index. ``player`` says what kind of thing ``sent`` and ``fate`` are (docs/bad-input.md)."""

    id: str
    category: str
    says: str
    player: str
    sent: Any
    fate: Any
    by: dict[str, str]

    @property
    def bytes(self) -> bytes:
        """What is sent, where that is bytes."""
        return made_of(self.sent)


def made_of(parts: Any) -> bytes:
    """The bytes of a text, or of a list of texts, ``{"base64": …}`` and ``{"repeat": [text, times]}``."""
    if isinstance(parts, str):
        return parts.encode()
    if isinstance(parts, list):
        return b"".join(map(made_of, parts))
    if "base64" in parts:
        return b64decode(parts["base64"])
    text, times = parts["repeat"]
    return made_of(text) * int(times)


def load() -> tuple[Case, ...]:
    """Every case, in the order of the index."""
    rows = [json.loads(line) for line in INDEX.read_text("utf-8").splitlines()]
    return tuple(Case(**({"by": {}} | row)) for row in rows)


CASES: Final = load()


def played_by(*players: str) -> list[Case]:
    """The cases of these players."""
    return [case for case in CASES if case.player in players]
