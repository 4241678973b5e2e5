"""Writes what was fitted as the two files of an artefact, and hashes the people that it was fitted on."""

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Final

from services.score.models.artefact import ARRAYS_ENDING, CARD_ENDING, Artefact, to_bytes

_DIGITS: Final = 16
"""Of a hash: enough that no two of 100,000 people share one, and short, since a card lists thousands."""


def hashed(recording: str, people: Iterable[str]) -> tuple[str, ...]:
    """The people of a recording for the card: whoever holds the recording can find out who was in, nobody else.

    Sorted, so that the order says nothing either.
    """
    return tuple(sorted(sha256(f"{recording}:{person}".encode()).hexdigest()[:_DIGITS] for person in people))


def write(folder: Path, artefact: Artefact) -> int:
    """Writes ``<kind>.npz`` and ``<kind>.json`` into ``folder``, which is made; gives their size in bytes.

    Raises ArtefactError where a number is not finite.
    """
    arrays, card = to_bytes(artefact)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{artefact.card.kind}{ARRAYS_ENDING}").write_bytes(arrays)
    (folder / f"{artefact.card.kind}{CARD_ENDING}").write_bytes(card)
    return len(arrays) + len(card)
