"""The form of our ``.sql`` files: ``-- name: x``, a line of English or more, the SQL; again and again."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_HEADING: Final = re.compile(r"^--[ \t]*name:(.*)\n", re.MULTILINE)
_ENGLISH: Final = re.compile(r"(?:-- .*\n)+")


class BrokenQueriesError(ValueError):
    """A text of named queries is not in their form."""


def named_queries(text: str) -> Mapping[str, str]:
    """The queries by name, without their lines of English and last semicolons.

    Raises BrokenQueriesError: a query that is lost in the one before it would be missed only when
    somebody asks for it.
    """
    before, *parts = _HEADING.split(text)
    if before.strip():
        raise BrokenQueriesError(f"no name stands before {before.strip()[:40]!r}")
    queries: dict[str, str] = {}
    for heading, body in zip(parts[::2], parts[1::2], strict=True):
        name, english = heading.strip(), _ENGLISH.match(body)
        if not heading.startswith(" ") or not name.isidentifier():
            raise BrokenQueriesError(f"not a name: {heading!r}")
        if name in queries:
            raise BrokenQueriesError(f"{name} is there twice")
        if english is None:
            raise BrokenQueriesError(f"{name} says nothing in English")
        queries[name] = body[english.end() :].strip().rstrip(";")
        if not queries[name]:
            raise BrokenQueriesError(f"{name} has no SQL")
    return MappingProxyType(queries)
