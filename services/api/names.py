"""Finds names however they are typed: whatever case and accents, composed or not. Pure.

Here and not in SQL, because what `lower()` knows of letters depends on the database's locale, and C knows ASCII alone.
"""

from typing import Final
from unicodedata import category, combining, normalize

_WHOLE_LETTERS: Final = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ħ": "h",
        "\N{LATIN SMALL LETTER DOTLESS I}": "i",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
        "ð": "d",
    }
)
"""Letters that do not come apart into a letter and a mark, as people type them who have no such key."""


def fold(name: str) -> str:
    """What is the same for all ways to write a name: without case, accents and invisible joiners.

    Case and accents are removed twice. Taking a letter apart may give a capital letter, and a
    letter that lost its case may come apart further.
    """
    apart = normalize("NFKD", normalize("NFKD", name.casefold()).casefold())
    letters = "".join(letter for letter in apart if not combining(letter) and category(letter) != "Cf")
    return letters.translate(_WHOLE_LETTERS)


def is_found(name: str, search: str) -> bool:
    """Whether ``search`` is a part of ``name``."""
    return fold(search) in fold(name)
