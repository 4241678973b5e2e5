"""Which licences are allowed and why, and which licence a distribution says that it has."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata
from typing import Any, Final, Protocol

_AS_IT_IS: Final = "permits use and passing on, with the text of the licence"
_UNCHANGED: Final = "binds who changes its own files; HearthBeat uses it unchanged"
ALLOWED: Final[Mapping[str, str]] = {
    "0BSD": "asks for nothing",
    "Apache-2.0": "HearthBeat's own licence",
    "BSD": f"{_AS_IT_IS}; the metadata do not say which of its forms, and all of them do",
    "BSD-2-Clause": _AS_IT_IS,
    "BSD-3-Clause": _AS_IT_IS,
    "CC0-1.0": "asks for nothing",
    "ISC": _AS_IT_IS,
    "LGPL-3.0-or-later": "binds who changes it; it is imported unchanged, and another version can take its place",
    "MIT": _AS_IT_IS,
    "MIT-0": "asks for nothing",
    "MIT-CMU": _AS_IT_IS,
    "MPL-2.0": _UNCHANGED,
    "PSF-2.0": _AS_IT_IS,
    "Zlib": _AS_IT_IS,
}
"""SPDX identifiers, and why each may be part of what HearthBeat ships or is built with."""
UNSAID: Final[Mapping[str, tuple[str, str]]] = {
    "atheris": ("Apache-2.0", "its metadata say nothing; the LICENSE file that it ships is the Apache License 2.0"),
    "axe-playwright-python": ("MIT", "its metadata say nothing; the LICENSE file that it ships is the MIT License"),
    "colorama": (
        "BSD-3-Clause",
        "its metadata say BSD alone, on Windows alone; the LICENSE.txt of its wheel is the 3-clause form",
    ),
    "kubernetes-validate": (
        "Apache-2.0",
        "its metadata say Apache alone; the LICENSE file that it ships names version 2.0",
    ),
}
"""Distributions whose metadata don't say it: what was read by hand, and where."""
_SPELLED: Final[Mapping[str, str]] = {
    "apache 2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache 2.0 license": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd": "BSD",
    "bsd license": "BSD",
    "bsd 2-clause license": "BSD-2-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "gnu lesser general public license v3 or later (lgplv3+)": "LGPL-3.0-or-later",
    "gnu lgpl v3+": "LGPL-3.0-or-later",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "mit license": "MIT",
    "the apache license, version 2.0": "Apache-2.0",
    "the apache software license, version 2.0": "Apache-2.0",
    "the mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "python software foundation license": "PSF-2.0",
}
_SPDX: Final = re.compile(r"[A-Za-z0-9.+-]+(?: (?:AND|OR|WITH) [A-Za-z0-9.+-]+)*")
_NO_LICENCE: Final = {"OSI Approved", "DFSG approved"}
_LONGEST: Final = 80


class Metadata(Protocol):
    """What is read of a distribution's metadata."""

    def __contains__(self, item: str, /) -> bool: ...
    def __getitem__(self, key: str, /) -> Any: ...
    def get_all(self, name: str, failobj: None = None) -> list[Any] | None: ...


@dataclass(frozen=True, slots=True)
class Licence:
    """``expression`` is SPDX's, or ``BSD``; empty where nobody knows. ``said_by``: where it stands."""

    expression: str
    said_by: str


def licence_in(found: Metadata) -> Licence:
    """What metadata say: License-Expression goes before License, and that before the classifiers."""
    if expression := _field(found, "License-Expression"):
        return Licence(expression, "License-Expression")
    if text := spelled(_field(found, "License")):
        return Licence(text, "License")
    names = [one.rpartition(" :: ")[2] for one in found.get_all("Classifier") or [] if one.startswith("License ::")]
    known = [spelled(name) for name in names if name not in _NO_LICENCE]
    if known and all(known):
        # Of several classifiers nobody says whether all or one of them holds: all have to be allowed.
        return Licence(" AND ".join(dict.fromkeys(one for one in known if one)), "classifiers")
    return Licence("", "")


def _field(found: Metadata, name: str) -> str:
    return str(found[name]).strip() if name in found else ""


def spelled(text: str) -> str:
    """The identifier of what people write for a licence; empty where nobody has said so yet."""
    if len(text) > _LONGEST:
        return ""
    return _SPELLED.get(text.lower(), text if text in ALLOWED else "")


def licence_of(name: str) -> Licence | None:
    """Of an installed distribution, or of one that was read by hand; None where it is neither."""
    if name in UNSAID:
        expression, why = UNSAID[name]
        return Licence(expression, why)
    try:
        return licence_in(metadata(name))
    except PackageNotFoundError:
        return None


def is_allowed(expression: str) -> bool:
    """Whether one of an expression's alternatives is allowed whole. What is not plain AND and OR is not allowed."""
    if not _SPDX.fullmatch(expression):
        return False
    ways = expression.split(" OR ")
    return any(all(part in ALLOWED for part in way.split(" AND ")) for way in ways)


def not_allowed(found: Iterable[tuple[str, Licence | None]]) -> dict[str, str]:
    """The names whose licence nobody has allowed, with what is wrong."""
    wrong = {}
    for name, licence in found:
        if licence is None:
            wrong[name] = "not installed here, so that its licence is not known"
        elif not licence.expression:
            wrong[name] = "says no licence that is known here; read its files and add it to UNSAID"
        elif not is_allowed(licence.expression):
            wrong[name] = f"{licence.expression} is not in the list of what is allowed"
    return wrong
