"""Message catalogues: sentences by key and reader, in the form of gettext, filled in with facts."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from io import BytesIO
from typing import Final

from babel.messages.pofile import read_po

from schemas.alerts import Fact, Message
from schemas.presentation import presentation_of
from schemas.vitals import VITAL_BY_CODE

LANGUAGES: Final = ("en",)
"""Each has a folder here; the tests name the sentences that a language lacks."""
_FILE: Final = "findings.po"
_OF_VITAL: Final = frozenset({"value", "limit"})
_CLIPPED = "clipped"
_VITAL, _UNIT, _BOUND = "vital", "unit", "bound"
"""Contexts of a vital's name and of the words of its unit. English takes them from schemas.presentation."""


class Reader(StrEnum):
    """Whom a sentence is for; the context of its entry."""

    DOCTOR = "doctor"
    CAREGIVER = "caregiver"


class UnknownSentenceError(KeyError):
    """A catalogue has no sentence for this key and reader."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The sentences of one language by context and key."""

    language: str
    sentences: Mapping[tuple[str, str], str]

    @classmethod
    def read(cls, language: str, content: bytes) -> "Catalogue":
        """From the bytes of a .po file; entries without a translation, or marked as fuzzy, are not there."""
        catalogue = read_po(BytesIO(content), locale=language)
        return cls(
            language,
            {
                (str(entry.context), str(entry.id)): str(entry.string)
                for entry in catalogue
                if entry.id and entry.string and not entry.fuzzy
            },
        )

    def say(self, message: Message, reader: Reader) -> str:
        """The sentence for ``reader``. Raises UnknownSentenceError, and KeyError for a fact that is missing."""
        sentence = self.sentences.get((reader, message.key))
        if sentence is None:
            raise UnknownSentenceError(f"{self.language}: {reader} {message.key}")
        return sentence.format_map(self._words(message.facts))

    def _words(self, facts: Mapping[str, Fact]) -> Mapping[str, Fact]:
        """The facts as they stand in a sentence: values with the words of their vital's unit."""
        code = facts.get(_VITAL)
        if not isinstance(code, str):
            return facts
        shown = presentation_of(VITAL_BY_CODE[code])
        words = dict(facts)
        words["label"] = self.sentences.get((_VITAL, code), shown.label)
        unit = self.sentences.get((_UNIT, code), shown.unit_words)
        for name in _OF_VITAL & facts.keys():
            value = facts[name]
            words[name] = f"{shown.number(value)} {unit}" if isinstance(value, int | float) else value
        if _CLIPPED in facts:
            words["value"] = self._bound(code, float(facts["value"]), unit)
        return words

    def _bound(self, code: str, value: float, unit: str) -> str:
        """A value beyond what the sensor can measure is no number: it is said as the bound that it lies beyond."""
        vital = VITAL_BY_CODE[code]
        is_low = vital.clipped_low is not None and value <= vital.clipped_low + 1
        bound = (vital.clipped_low or 0) + 1 if is_low else (vital.clipped_high or 0) - 1
        said = self.sentences[_BOUND, "below" if is_low else "above"]
        return said.format(value=f"{presentation_of(vital).number(bound)} {unit}")


def load(language: str) -> Catalogue:
    """The catalogue of one of LANGUAGES."""
    return Catalogue.read(language, (resources.files("services.sentences") / language / _FILE).read_bytes())


ENGLISH: Final = load("en")
