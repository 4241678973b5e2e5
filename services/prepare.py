"""Brings a platform's database and bus to where the services can start: `python -m services.prepare`."""

import asyncio
import sys
from contextlib import AsyncExitStack
from datetime import UTC, datetime

from schemas.topics import BUS_TOPICS
from services.api.limit_rows import write_defaults
from services.runtime.bus.open import open_bus
from services.runtime.database import open_pool
from services.runtime.errors import HearthBeatError, SettingError
from services.runtime.migrate import Edition, load_migrations, migrate
from services.runtime.roles import grant_roles
from services.runtime.settings import BusSettings, DatabaseLogins, DatabaseSettings, database_for_tools
from services.runtime.starting import begin


async def prepare(
    database: DatabaseSettings, bus_settings: BusSettings, logins: DatabaseLogins | None = None
) -> Edition:
    """Idempotent. Says which edition of TimescaleDB it found. Raises WeakSecretError, UnknownServiceError."""
    passwords = {service: secret.get_secret_value() for service, secret in (logins.passwords if logins else {}).items()}
    migrations = load_migrations("schemas.sql.migrations")
    edition = await migrate(database.dsn.get_secret_value(), migrations, database.tls.context())
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(database, application="hb-prepare"))
        await grant_roles(pool, passwords, bus_of_tables=bus_settings.kind == "postgres")
        # Real time: no platform clock runs yet, and one that runs faster begins at this one.
        await write_defaults(pool, datetime.now(UTC))
        bus = await stack.enter_async_context(open_bus(bus_settings, pool))
        await pool.execute("update platform set bus_partitions = $1", bus.partitions)
        # Only the first time: afterwards another cluster is what store has to notice.
        await pool.execute("update platform set cluster = current_cluster() where cluster is null")
        await bus.prepare(
            {topic.name: topic.retention_h for topic in BUS_TOPICS},
            {topic.name: topic.groups for topic in BUS_TOPICS},
        )
    return edition


def main() -> None:
    """Migrations, the roles of the services, topics, first offsets; says the edition."""
    try:
        edition = asyncio.run(prepare(database_for_tools(), BusSettings(), DatabaseLogins()))
    except SettingError:
        raise
    except HearthBeatError as error:
        sys.exit(str(error))
    sys.stdout.write(f"prepared; TimescaleDB edition: {edition}\n")


if __name__ == "__main__":
    begin(main)
