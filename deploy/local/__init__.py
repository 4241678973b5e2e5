"""The full stack on a Debian machine without Docker: mosquitto, Kafka and TimescaleDB, on loopback, under `.local/`."""

from deploy.local.prepare import why_unavailable
from deploy.local.process import ServerProcess
from deploy.local.settings import PLATFORM_USERS, SERVERS, StackSettings
from deploy.local.stack import Stack

__all__ = [
    "PLATFORM_USERS",
    "SERVERS",
    "ServerProcess",
    "Stack",
    "StackSettings",
    "why_unavailable",
]
