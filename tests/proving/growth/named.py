"""Named queries of a ``.sql`` file, read as text: what the services ask is known without importing them."""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from deploy.local.settings import CHECKOUT

FILL: Final = Path("tests/proving/growth/fill.sql")
CONSOLE: Final = Path("services/api/queries.sql")
_NAME: Final = re.compile(r"^-- name: (\w+)\n(?:-- .*\n)+", re.MULTILINE)


def named_queries(file: Path) -> Mapping[str, str]:
    """The queries of a file of this checkout by name, without the lines of English."""
    parts = _NAME.split((CHECKOUT / file).read_text("utf-8"))[1:]
    return MappingProxyType({name: sql.strip().rstrip(";") for name, sql in zip(parts[::2], parts[1::2], strict=True)})
