"""The three servers of one stack, put together."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.local import backup, encryption, jail, kafka, mosquitto, prepare
from deploy.local.errors import AlreadyRunningError, StackError
from deploy.local.postgres import USER, Postgres
from deploy.local.prepare import Say, locked, remove_tree
from deploy.local.process import Server, ServerProcess
from deploy.local.record import make_record, read_record, record_path
from deploy.local.settings import SERVERS, StackSettings
from schemas.broker_access import device_user, verifier_of
from schemas.database_access import role_of, signed_in_as
from schemas.topics import shard_of


def say_nothing(_line: str) -> None:
    """The progress report of those who want none."""


class Stack:
    """A stack by its settings. One that another process started is found again by its name."""

    def __init__(self, settings: StackSettings) -> None:
        self._path = record_path(settings)
        with locked(settings.run_directory / "lock"):
            before = read_record(self._path)
            if settings.tls and before is not None and not before.tls:
                message = f"stack {settings.name} was made in plaintext; erase it before it can be an encrypted one"
                raise StackError(message)
            if before is not None and before.tls and set(settings.kafka_users) - set(before.kafka_secrets):
                message = f"Kafka of stack {settings.name} was made for other users; erase it before it can have these"
                raise StackError(message)
            self._record = make_record(settings, before)
            self._record.write(self._path)
            self.settings = settings = replace(settings, tls=self._record.tls)
            if settings.tls:
                encryption.make_certificates(settings)
        self._root = prepare.root_directory(settings.local)
        self._libraries = prepare.kafka_libraries(settings.local)
        self._postgres = Postgres(settings, self._root, self._record.postgres_port, self._record.database_password)
        self._processes: dict[str, ServerProcess] = {}

    @property
    def dsn(self) -> str:
        """The database, for asyncpg, as its owner."""
        return self._record.dsn

    def dsn_of(self, service: str) -> str:
        """The same as the role of a service, which `services.prepare` makes."""
        return signed_in_as(self.dsn, role_of(service), self.database_secrets[service])

    @property
    def database_secrets(self) -> Mapping[str, str]:
        """The secret of each service at the database."""
        return self._record.database_secrets

    @property
    def kafka_bootstrap(self) -> str:
        """Host and port of the Kafka node."""
        return self._record.kafka_bootstrap

    @property
    def mqtt_host(self) -> str:
        """The broker's address."""
        return self._record.mqtt_host

    @property
    def mqtt_port(self) -> int:
        """The broker's port."""
        return self._record.mqtt_port

    @property
    def mqtt_platform_port(self) -> int:
        """The broker's port for the platform's own connections."""
        return self._record.mqtt_platform_port

    @property
    def platform_secrets(self) -> Mapping[str, str]:
        """The secret of each connection of the platform, and of each guest."""
        return self._record.platform_secrets

    @property
    def kafka_secrets(self) -> Mapping[str, str]:
        """The secret of each of Kafka's users; empty where it knows none."""
        return self._record.kafka_secrets

    @property
    def ca_file(self) -> Path:
        """The CA of an encrypted stack."""
        return encryption.ca_file(self.settings)

    @property
    def services_file(self) -> Path:
        """Key and certificate for the services' own listeners, of an encrypted stack."""
        return encryption.services_file(self.settings)

    def renew_certificates(self) -> None:
        """New keys and certificates for all servers, of the same CA. Only Kafka is started anew for it.

        mosquitto and PostgreSQL read theirs again; who is connected stays connected.
        """
        encryption.renew(self.settings)
        with locked(self.settings.run_directory / "lock"):
            for name, owner in (("mosquitto", mosquitto.USER), ("postgresql", USER)):
                encryption.hand_out(self.settings, name, jail.owner(self._root, owner))
                self.process(name).reload()
            self.process("kafka").stop()
            self.process("kafka").start()
            self.process("kafka").wait_ready()

    def prepare(self, say: Say = say_nothing) -> None:
        """Build what is missing, see `deploy.local.prepare`."""
        prepare.prepare(self.settings.local, say)

    def start(self, timeout_s: float = 90.0) -> None:
        """Start whatever doesn't run and wait until everything answers; prepares first where that wasn't done."""
        self.prepare()
        # Two processes that open a new stack at once must not give it two sets of ports and
        # passwords.
        with locked(self.settings.run_directory / "lock"):
            for name in self.settings.servers:
                if not self.process(name).alive:
                    self.process(name).start()
            self.wait_ready(timeout_s)
            if "postgresql" in self.settings.servers:
                self._postgres.make_database()

    def stop(self) -> None:
        """End the recorded processes in good order; data stays."""
        with locked(self.settings.run_directory / "lock"):
            for name in SERVERS:
                self.process(name).stop()

    def back_up(self, to: Path) -> None:
        """Write the running database cluster to a file."""
        backup.back_up(self._postgres, to)

    def put_back(self, source: Path) -> None:
        """Stop the database, replace all of its data by a backup's, start it again."""
        with locked(self.settings.run_directory / "lock"):
            database = self.process("postgresql")
            database.stop()
            backup.put_back(self._postgres, source)
            database.start()
            database.wait_ready()

    def erase(self) -> None:
        """Remove data, logs, ports and passwords of a stopped stack; the object is of no use afterwards."""
        running = [name for name in SERVERS if self.process(name).alive]
        if running:
            message = f"stack {self.settings.name} still runs {', '.join(running)}"
            raise AlreadyRunningError(message)
        remove_tree(self.settings.run_directory)

    def process(self, name: str) -> ServerProcess:
        """One of `SERVERS`."""
        if name not in self._processes:
            self._processes[name] = ServerProcess(self._server(name), self._record.processes.get(name), self._write)
        return self._processes[name]

    def wait_ready(self, timeout_s: float = 60.0) -> None:
        """Wait until all of them answer."""
        for name in self.settings.servers:
            self.process(name).wait_ready(timeout_s)

    def register_devices(self, secrets: Mapping[str, str]) -> None:
        """Make exactly these devices (name to secret) known to the broker, which goes on running.

        Raises BrokerUserError.
        """
        devices = [device_user(name, shard_of(name), verifier_of(secret)) for name, secret in secrets.items()]
        mosquitto.write_users(self.settings, devices)
        self.process("mosquitto").reload()

    def versions(self) -> dict[str, str]:
        """What runs here, TimescaleDB's edition included."""
        database, servers = self.settings.database, self.settings.servers
        found = {}
        if "mosquitto" in servers:
            found["mosquitto"] = mosquitto.version(self._root, self.settings.server_directory("mosquitto"))
        if "kafka" in servers:
            found["kafka"] = kafka.version(self._libraries)
        if "postgresql" in servers:
            extension = "select extversion from pg_extension where extname = 'timescaledb'"
            found["postgresql"] = self._postgres.ask(database, "show server_version")
            found["timescaledb"] = self._postgres.ask(database, extension)
            found["timescaledb edition"] = self._postgres.ask(database, "show timescaledb.license")
        return found

    def server_settings(self) -> dict[str, str]:
        """The durability settings as the database server itself reports them."""
        names = ("fsync", "synchronous_commit", "full_page_writes", "data_checksums")
        return {name: self._postgres.ask(self.settings.database, f"show {name}") for name in names}

    def _server(self, name: str) -> Server:
        servers = {
            "mosquitto": lambda: mosquitto.mosquitto(
                self.settings, self._root, self.mqtt_port, self.mqtt_platform_port, self.platform_secrets
            ),
            "kafka": lambda: kafka.kafka(
                self.settings,
                self._libraries,
                self._record.kafka_port,
                self._record.kafka_controller_port,
                self.kafka_secrets,
            ),
            "postgresql": self._postgres.server,
        }
        return servers[name]()

    def _write(self) -> None:
        found = {name: process.reference for name, process in self._processes.items()}
        processes = {name: reference for name, reference in found.items() if reference is not None}
        self._record = self._record.with_processes({**self._record.processes, **processes})
        self._record.write(self._path)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
