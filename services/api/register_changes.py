"""Who changed by command what doctors and viewers may do: a line each in ``register_changes``, which only grows."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from services.runtime.database import Connection, Queries, load_queries

_SQL: Final[Queries] = load_queries("services.api", "register_changes.sql")


async def write_change(
    connection: Connection, now: datetime, by: str, command: str, subject: str, details: Mapping[str, Any]
) -> None:
    """Within the transaction of the change. ``now`` is platform time; ``by`` a login, or '' for the database's own."""
    await connection.execute(_SQL["write_change"], now, datetime.now(UTC), by, command, subject, dict(details))
