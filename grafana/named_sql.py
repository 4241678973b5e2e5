"""SQL kept in ``.sql`` files as named queries, as the services keep theirs; grafana imports no service."""

import re
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType
from typing import Final

_NAME: Final = re.compile(r"^-- name: (\w+)\n(?:-- .*\n)+", re.MULTILINE)


def load_queries(file: str) -> Mapping[str, str]:
    """The queries of a file of this package by name; the lines of English are left out."""
    parts = _NAME.split(resources.files("grafana").joinpath(file).read_text("utf-8"))[1:]
    return MappingProxyType({name: sql.strip().rstrip(";") for name, sql in zip(parts[::2], parts[1::2], strict=True)})
