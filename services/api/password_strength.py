"""Which passwords are taken: long ones that neither stand on lists of leaked ones nor follow from those. Pure."""

from collections.abc import Sequence
from typing import Final

from zxcvbn import zxcvbn

from services.runtime.errors import HearthBeatError

SHORTEST: Final = 15
"""Characters of a password that is all that is asked for (NIST SP 800-63B-4, 3.1.1.2)."""
LONGEST: Final = 128
LEAST_GUESSES_LOG10: Final = 10.0
"""Whoever tries leaked passwords, words, names, dates, rows of keys and repetitions first needs 10 to this of tries."""
_OURS: Final = ("hearthbeat", "hearth beat")


class PasswordRefusedError(HearthBeatError):
    """A password needs 15 to 128 characters."""


class KnownPasswordError(PasswordRefusedError):
    """That password is known, or follows from what is: leaked passwords, words, names, rows of keys. Take another."""


def check_password(password: str, about: Sequence[str] = ()) -> None:
    """Refuses what is short, long or guessed soon. ``about``: what others know of its owner, as name and address.

    Raises PasswordRefusedError, KnownPasswordError.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise PasswordRefusedError
    known = [*_OURS, *(part for one in about for part in (one, *one.replace("@", " ").replace(".", " ").split()))]
    if zxcvbn(password, user_inputs=known, max_length=LONGEST)["guesses_log10"] < LEAST_GUESSES_LOG10:
        raise KnownPasswordError
