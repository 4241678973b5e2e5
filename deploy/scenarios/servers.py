"""The servers under a scenario's platform: those from wheels, or the full stack. Parts can be stopped and started."""

import asyncio
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

from deploy.embedded.embedded import Embedded
from deploy.local.ports import free_port
from deploy.local.settings import StackSettings
from deploy.local.stack import Stack
from deploy.platform.platform import Platform, base_environment
from deploy.platform.services import ServiceProcess
from deploy.platform.tool import run_tool
from device_sim.publish import Broker
from schemas.broker_access import new_secret
from schemas.database_access import DATABASE_SERVICES, role_of, signed_in_as, signed_in_as_nobody
from schemas.registry import Register

SERVICES: Final = ("ingest", "store", "score", "medication", "alert", "api")


class Servers(Protocol):
    """What a scenario is played on. Everything here blocks."""

    environment: Mapping[str, str]
    console_url: str

    @property
    def dsn(self) -> str:
        """The database."""

    def start(self) -> None:
        """The servers; the database is migrated."""

    def start_services(self) -> None:
        """The services, all of them."""

    def switch(self, part: str, *, on: bool) -> None:
        """Stops or starts a part."""

    def broker(self, register: Register) -> Broker:
        """Where the devices of ``register`` sign in, and with what."""

    def pages(self) -> list[int]:
        """The ports of the metrics of the services that run."""

    def say_ended(self) -> str:
        """What a service that ended by itself said last; "" where none has."""

    def stop(self) -> None:
        """Ends everything."""


class EmbeddedServers:
    """PostgreSQL and the broker from wheels; all services in one process, or each ``apart``."""

    def __init__(self, directory: Path, settings: Mapping[str, str], *, apart: bool) -> None:
        self._directory = directory
        self._servers = Embedded(directory / "servers")
        console_port = free_port()
        self.console_url = f"http://127.0.0.1:{console_port}"
        secrets = {service: new_secret() for service in DATABASE_SERVICES}
        self.environment: Mapping[str, str] = base_environment() | {
            "HB_DB_DSN": self._servers.dsn,
            "HB_DB_PASSWORDS": json.dumps(secrets),
            "HB_BUS_KIND": "postgres",
            "HB_BUS_PARTITIONS": "1",
            "HB_MQTT_HOST": self._servers.mqtt_host,
            "HB_MQTT_PORT": str(self._servers.mqtt_port),
            "HB_MQTT_REPLAYS_RETAINED": "true",
            "HB_BROKER_KIND": "unchecked",
            "HB_API_PORT": str(console_port),
            "HB_API_PLAIN_HTTP": "true",
            "HB_ALERT_BASE_URL": self.console_url,
            **settings,
        }
        self._metrics: dict[str, int] = {}
        self._processes: dict[str, ServiceProcess] = {}
        for name in SERVICES if apart else ("services",):
            self._metrics[name] = free_port()
            module = f"services.{name}" if apart else name
            own = {**self.environment, "HB_METRICS_PORT": str(self._metrics[name]), **self._signed_in(name, secrets)}
            self._processes[name] = ServiceProcess(name, [module], own, directory / f"{name}.log")

    def _signed_in(self, name: str, secrets: Mapping[str, str]) -> Mapping[str, str]:
        """As whom the process called ``name`` uses the database: the service it is, or each of those it holds."""
        if name not in secrets:
            return {"HB_DB_DSN": signed_in_as_nobody(self._servers.dsn)}
        return {"HB_DB_DSN": signed_in_as(self._servers.dsn, role_of(name), secrets[name]), "HB_DB_PASSWORDS": "{}"}

    @property
    def dsn(self) -> str:
        return self._servers.dsn

    def start(self) -> None:
        self._servers.start()
        run_tool(self.environment, "services.prepare")

    def start_services(self) -> None:
        for process in self._processes.values():
            process.start()

    def switch(self, part: str, *, on: bool) -> None:
        servers = {"database": "postgresql", "broker": "mqtt"}
        if part in servers:
            server = self._servers.process(servers[part])
            if on:
                server.start()
                server.wait_ready()
            else:
                server.stop()
        elif on:
            self._processes[part].start()
        else:
            self._processes[part].stop()

    def broker(self, register: Register) -> Broker:
        del register
        return Broker(host=self._servers.mqtt_host, port=self._servers.mqtt_port, passwords={})

    def pages(self) -> list[int]:
        return [self._metrics[name] for name, process in self._processes.items() if process.alive]

    def say_ended(self) -> str:
        ended = [one for one in self._processes.values() if one.ended_by_itself and one.exit_code]
        return "\n".join(f"{one.name} ended with {one.exit_code}:\n{one.tail()}" for one in ended)

    def stop(self) -> None:
        for process in reversed(self._processes.values()):
            process.stop()
        self._servers.stop()


class FullServers:
    """Mosquitto, Kafka and TimescaleDB, each service a process of its own."""

    _SERVERS: Final = {"database": "postgresql", "broker": "mosquitto"}

    def __init__(self, directory: Path, settings: Mapping[str, str], *, name: str) -> None:
        self._directory = directory
        self._stack = Stack(StackSettings(name=f"scenarios-{os.getpid()}-{name}"))
        self._settings = dict(settings)
        self._platform: Platform | None = None
        self.environment: Mapping[str, str] = {}
        self.console_url = ""

    @property
    def dsn(self) -> str:
        return self._stack.dsn

    @property
    def platform(self) -> Platform:
        """The services; only after ``start``."""
        assert self._platform is not None  # noqa: S101 - see start
        return self._platform

    def start(self) -> None:
        self._stack.start()
        self._platform = Platform(self._stack, overrides=self._settings, logs=self._directory)
        # Watch looks at all of it from outside and says nothing about people.
        del self._platform.processes["watch"]
        self.environment, self.console_url = self._platform.environment, self._platform.console_url
        self._platform.prepare()

    def start_services(self) -> None:
        self.platform.start()

    def switch(self, part: str, *, on: bool) -> None:
        if part in self._SERVERS:
            server = self._stack.process(self._SERVERS[part])
            if on:
                server.start()
                server.wait_ready()
            else:
                server.stop()
        elif on:
            self.platform.processes[part].start()
        else:
            self.platform.processes[part].stop()

    def broker(self, register: Register) -> Broker:
        file, credentials = self._directory / "register.json", self._directory / "credentials.json"
        file.write_text(register.model_dump_json())
        self.platform.command("services.cli", "register", str(file), "--credentials", str(credentials))
        passwords = json.loads(credentials.read_text())
        return Broker(host=self._stack.mqtt_host, port=self._stack.mqtt_port, passwords=passwords)

    def pages(self) -> list[int]:
        alive = [name for name, process in self.platform.processes.items() if process.alive]
        return [self.platform.metrics_ports[name] for name in alive]

    def say_ended(self) -> str:
        ended = [one for one in self.platform.processes.values() if one.ended_by_itself and one.exit_code]
        return "\n".join(f"{one.name} ended with {one.exit_code}:\n{one.tail()}" for one in ended)

    def stop(self) -> None:
        if self._platform is not None:
            self._platform.stop()
        self._stack.stop()
        self._stack.erase()


async def switch(servers: Servers, part: str, *, on: bool) -> None:
    """Stops or starts a part without holding up the devices."""
    await asyncio.to_thread(lambda: servers.switch(part, on=on))
