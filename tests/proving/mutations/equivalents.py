"""Mutations that change nothing anybody can see, and why: they are not drawn. Pure."""

from collections.abc import Mapping
from typing import Final

EQUIVALENTS: Final[Mapping[tuple[str, str, str], str]] = {}
"""By the file, and by the line as it is and as it becomes."""
