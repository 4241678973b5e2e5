"""Brings Kafka's access lists to the table in `schemas.bus_access`: `python -m services.bus_access`."""

import asyncio
import sys

from schemas.bus_access import BUS_RIGHTS, BUS_USERS
from services.runtime.bus.kafka_access import client_arguments
from services.runtime.bus.kafka_acls import Changed, bring_to
from services.runtime.bus.kafka_connection import use_mended_connections
from services.runtime.errors import HearthBeatError, SettingError
from services.runtime.settings import BusSettings
from services.runtime.starting import begin, settings_of


class NoUsersError(SettingError):
    """This bus knows no users; set HB_BUS_USER and HB_BUS_PASSWORD, of Kafka's admin."""


async def grant_bus(settings: BusSettings) -> Changed:
    """Signs in as Kafka's admin. Twice is as good as once. Raises NoUsersError, AccessListsError, RetryLaterError."""
    if settings.kind != "kafka" or settings.user is None:
        raise NoUsersError
    use_mended_connections()
    return await bring_to(client_arguments(settings), BUS_RIGHTS, BUS_USERS)


def main() -> None:
    """Says how many rights were added and taken back."""
    settings = settings_of(BusSettings)
    try:
        changed = asyncio.run(grant_bus(settings))
    except SettingError:
        raise
    except HearthBeatError as error:
        sys.exit(str(error))
    others = f"; {changed.others} lines for others stand as they were" if changed.others else ""
    sys.stdout.write(
        f"{len(BUS_RIGHTS)} rights of {len(BUS_USERS)} users in force; "
        f"{changed.added} added, {changed.taken_back} taken back{others}\n"
    )


if __name__ == "__main__":
    begin(main)
