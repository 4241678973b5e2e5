"""The two embedded servers of one directory, put together."""

import sys
from importlib import metadata
from pathlib import Path
from string import Template
from types import TracebackType
from typing import Self

from deploy.embedded.postgres import HOST, Postgres
from deploy.embedded.process import ChildProcess, Program
from deploy.local.ports import free_port
from deploy.local.probes import mqtt_answers

HERE = Path(__file__).parent


class Embedded:
    """A broker and a database on loopback; the data lies in `directory`, ports of 0 are chosen free."""

    def __init__(
        self, directory: Path, *, database: str = "hearthbeat", mqtt_port: int = 0, postgres_port: int = 0
    ) -> None:
        self._directory = directory.resolve()
        self.mqtt_host = HOST
        self.mqtt_port = mqtt_port or free_port()
        #: MQTT 3.1.1; this broker speaks one version a port.
        self.mqtt_port_v311 = free_port()
        self._postgres = Postgres(self._directory / "postgresql", postgres_port or free_port(), database)
        self._processes = {
            "mqtt": ChildProcess(self._broker()),
            "postgresql": ChildProcess(self._postgres.program()),
        }

    @property
    def dsn(self) -> str:
        """The database, for asyncpg."""
        return self._postgres.dsn

    def process(self, name: str) -> ChildProcess:
        """`mqtt` or `postgresql`."""
        return self._processes[name]

    def start(self) -> None:
        """Start both and wait until they answer."""
        self._write_broker_configuration()
        self._postgres.initialise()
        for process in self._processes.values():
            process.start()
        for process in self._processes.values():
            process.wait_ready()
        self._postgres.make_database()

    def stop(self) -> None:
        """End both in good order; the database's data stays."""
        for process in self._processes.values():
            process.stop()

    def versions(self) -> dict[str, str]:
        """What runs here; there is no TimescaleDB in the wheel."""
        return {"iotcore": metadata.version("iotcore"), "postgresql": self._postgres.ask("show server_version")}

    def server_settings(self) -> dict[str, str]:
        """The durability settings as the database server itself reports them."""
        names = ("fsync", "synchronous_commit", "full_page_writes", "data_checksums")
        return {name: self._postgres.ask(f"show {name}") for name in names}

    def _broker(self) -> Program:
        configuration = self._directory / "broker.toml"
        return Program(
            name="mqtt",
            # -P: else Python would find our own files beside broker.py before the libraries.
            command=[sys.executable, "-P", str(HERE / "broker.py"), str(configuration)],
            log=self._directory / "broker.log",
            answers=lambda: mqtt_answers(self.mqtt_host, self.mqtt_port),
        )

    def _write_broker_configuration(self) -> None:
        template = Template((HERE / "broker.toml.in").read_text())
        values = {"host": HOST, "port": str(self.mqtt_port), "port_v311": str(self.mqtt_port_v311)}
        (self._directory / "broker.toml").write_text(template.substitute(values))

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
