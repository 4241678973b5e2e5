"""Message catalogues: sentences by key and reader, in the form of gettext, filled in with facts."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from io import BytesIO
from types import MappingProxyType
from typing import Final, NamedTuple

from babel.messages.pofile import read_po

from schemas.alerts import Fact, Message
from schemas.presentation import presentation_of
from schemas.vitals import VITAL_BY_CODE

LANGUAGES: Final = ("en",)
"""Each has a folder here; the tests name the sentences that a language lacks."""
_FILE: Final = "findings.po"
NOTIFICATIONS: Final = "notifications.po"
"""What is sent to doctors; its languages are those of ``schemas.registry.ContactAddress``."""
_VALUE, _CLIPPED = "value", "clipped"
"""Facts: the value, and whether it is a bound (1) of what its sensor can measure."""
_OF_VITAL: Final = frozenset({_VALUE, "limit", "reference", "gain"})
_VITAL, _UNIT, _BOUND, _REST = "vital", "unit", "bound", "rest"
"""Contexts of a vital's name, of its unit's words, of below and above (English takes them from schemas.presentation),
and of whether a reading was taken at rest."""
_REST_IS_KNOWN: Final = "known"
"""What holds where the facts do not say otherwise; all rows of before 2026-11-29 said so."""


_LISTS: Final[Mapping[str, str]] = MappingProxyType(
    {"points": "input", "threes": "input", "missing": "missing input", "channels": "channel"}
)
"""Facts that are codes with blanks between them, some with a number after a colon, and the context of their words.

The number stands where the words have a place for it, else behind them.
"""
_UNUSUAL: Final = "unusual"
"""A fact, and the context of its parts: codes of vitals with blanks between them, each with its level after a colon,
and after another one how far that lies above what is usual for the person (a number with its sign), where it is known.
"""


class Reader(StrEnum):
    """Whom a sentence is for; the context of its entry."""

    DOCTOR = "doctor"
    CAREGIVER = "caregiver"


class UnknownSentenceError(KeyError):
    """A catalogue has no sentence for this key and reader."""


class Deviation(NamedTuple):
    """A vital by its code, its level, and how far that lies above what is usual for the person: None is not known."""

    code: str
    level: float
    from_usual: float | None


def deviations_of(facts: Mapping[str, Fact]) -> tuple[Deviation, ...]:
    """The vitals that an anomaly rests on, the oddest first; none where the facts have none."""
    parts = [one.split(":") for one in str(facts.get(_UNUSUAL, "")).split()]
    return tuple(Deviation(code, float(level), float(rest[0]) if rest else None) for code, level, *rest in parts)


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

    def phrase(self, context: str, key: str, **facts: Fact) -> str:
        """The words of an entry that is for everybody, with ``facts`` as they are. Raises like ``say``."""
        words = self.sentences.get((context, key))
        if words is None:
            raise UnknownSentenceError(f"{self.language}: {context} {key}")
        return words.format_map(facts)

    def _words(self, facts: Mapping[str, Fact]) -> Mapping[str, Fact]:
        """The facts as they stand in a sentence: values with the words of their vital's unit."""
        words = dict(facts)
        for name in _LISTS.keys() & facts.keys():
            words[name] = ", ".join(self._listed(_LISTS[name], one) for one in str(facts[name]).split())
        if _UNUSUAL in facts:
            words[_UNUSUAL] = "; ".join(map(self._unusual, deviations_of(facts)))
        code = facts.get(_VITAL)
        if not isinstance(code, str):
            return words
        shown = presentation_of(VITAL_BY_CODE[code])
        words["label"] = self.sentences.get((_VITAL, code), shown.label)
        words[_REST] = self.sentences.get((_REST, str(facts.get(_REST, _REST_IS_KNOWN))), "")
        unit = self.sentences.get((_UNIT, code), shown.unit_words)
        for name in _OF_VITAL & facts.keys():
            value = facts[name]
            if isinstance(value, int | float):
                # A limit is a number; a value that its sensor can't measure is a bound.
                side, number = shown.bound_of(value, clipped=name == _VALUE and bool(facts.get(_CLIPPED)))
                form = self.sentences.get((_BOUND, side), f"{side} {{value}}") if side else "{value}"
                words[name] = form.format(value=f"{shown.number(number)} {unit}")
        return words

    def _unusual(self, one: "Deviation") -> str:
        shown = presentation_of(VITAL_BY_CODE[one.code])
        facts = {
            "label": self.sentences.get((_UNUSUAL, one.code), shown.label),
            "level": f"{shown.number(one.level)} {self.sentences.get((_UNIT, one.code), shown.unit_words)}",
        }
        if one.from_usual is None:
            return self.phrase(_UNUSUAL, "not known", **facts)
        difference = shown.number(abs(one.from_usual))
        # What is shown as 0 is neither above nor below.
        if not float(difference):
            return self.phrase(_UNUSUAL, "as usual", **facts)
        return self.phrase(_UNUSUAL, "above" if one.from_usual > 0 else "below", difference=difference, **facts)

    def _listed(self, context: str, one: str) -> str:
        code, _, number = one.partition(":")
        word = self.sentences.get((context, code), code)
        if "{number}" in word:
            return word.format(number=number)
        return f"{word} {number}" if number else word


def load(language: str, file: str = _FILE) -> Catalogue:
    """The catalogue of one of LANGUAGES, or of another ``file`` that the language has."""
    return Catalogue.read(language, (resources.files("services.sentences") / language / file).read_bytes())


ENGLISH: Final = load("en")
