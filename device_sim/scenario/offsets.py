"""Times of a scenario: offsets from its start, such as ``1d 2h 30m`` or ``-20d``, in milliseconds."""

import re
from typing import Final

_UNITS_MS: Final = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000}
_PART: Final = re.compile(r"([0-9]{1,7})([dhms])")


def parse_offset(text: str) -> int | None:
    """Milliseconds of days, hours, minutes, seconds in this order, a sign before the whole; None: it is no offset."""
    parts = [_PART.fullmatch(part) for part in text.removeprefix("-").split(" ")]
    units = "".join(part[2] for part in parts if part)
    # Each unit once at most, the larger before the smaller.
    if None in parts or list(units) != [unit for unit in _UNITS_MS if unit in units]:
        return None
    length = sum(int(part[1]) * _UNITS_MS[part[2]] for part in parts if part)
    return -length if text.startswith("-") else length


def say_offset(at_ms: float) -> str:
    """The same as people write it; what is below a second becomes a fraction of it."""
    rest, words = abs(round(at_ms)), []
    for unit in ("d", "h", "m"):
        count, rest = divmod(rest, _UNITS_MS[unit])
        if count:
            words.append(f"{count}{unit}")
    if rest or not words:
        words.append(f"{rest / 1000:g}s")
    return ("-" if at_ms < 0 else "") + " ".join(words)
