"""PostgreSQL with TimescaleDB: data directory, configuration and the questions asked of it."""

import os
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from string import Template

from deploy.certificates.files import CA_CERTIFICATE
from deploy.local import encryption, jail
from deploy.local.probes import postgres_answers
from deploy.local.process import Server
from deploy.local.settings import LOOPBACK, StackSettings

USER = "postgres"
BINARIES = "/usr/lib/postgresql/17/bin"
CONFIGURATION = Path(__file__).with_name("postgresql.conf.in")
ENCRYPTED_ALONE = "pg_hba.encrypted.conf"
#: Key and certificate in one file: whoever reads it finds the two that belong together.
TLS = {
    "ssl": "on",
    "ssl_cert_file": f"{jail.INSIDE}/{encryption.SHOWN}",
    "ssl_key_file": f"{jail.INSIDE}/{encryption.SHOWN}",
    "ssl_min_protocol_version": "TLSv1.2",
    "hba_file": f"{jail.INSIDE}/{ENCRYPTED_ALONE}",
}


def configuration(host: str, port: int, options: Mapping[str, str]) -> str:
    """postgresql.conf; ``options`` win over what is there."""
    text = Template(CONFIGURATION.read_text()).substitute(host=host, port=str(port))
    return text + "".join(f"{name} = '{value}'\n" for name, value in options.items())


def by_tls_alone(addresses: str) -> str:
    """pg_hba.conf of a server that lets people in from ``addresses`` by TLS and password, and nobody else."""
    return "".join(f"hostssl {what} all {addresses} scram-sha-256\n" for what in ("all", "replication"))


class Postgres:
    """The database server of one stack."""

    def __init__(self, settings: StackSettings, root: Path, port: int, password: str) -> None:
        self._settings = settings
        self.root, self.port, self.password = root, port, password
        self.directory = settings.server_directory("postgresql")

    def server(self) -> Server:
        """How to run it; SIGINT is its fast shutdown (disconnect everybody, then end)."""
        inside = jail.INSIDE
        command = [f"{BINARIES}/postgres", "-D", f"{inside}/data", "-c", f"config_file={inside}/postgresql.conf"]
        return Server(
            name="postgresql",
            command=jail.inside(self.root, self.directory, USER, command),
            wrapped=True,
            log=self._settings.run_directory / "postgresql.log",
            before_start=self._before_start,
            answers=self.answers,
            stop_signal=signal.SIGINT,
        )

    def answers(self) -> bool:
        """Whether it takes connections."""
        return postgres_answers(LOOPBACK, self.port, USER, encryption.context(self._settings))

    def make_database(self) -> None:
        """Create the stack's database with the extension, unless it is there."""
        database = self._settings.database
        known = self.ask("postgres", "select datname from pg_database").splitlines()
        if database not in known:
            self.ask("postgres", f'create database "{database}"')
        self.ask(database, "create extension if not exists timescaledb")

    def ask(self, database: str, sql: str) -> str:
        """One statement through psql; the value as text."""
        where = ["--host", LOOPBACK, "--port", str(self.port), "--username", USER, "--dbname", database]
        command = [
            f"{BINARIES}/psql",
            *where,
            "--no-psqlrc",
            "--quiet",
            "--tuples-only",
            "--no-align",
            "--command",
            sql,
        ]
        options = "-c client_min_messages=error"
        return jail.run_inside(self.root, self.directory, USER, command, **self.client_environment, PGOPTIONS=options)

    @property
    def client_environment(self) -> dict[str, str]:
        """What PostgreSQL's own programs inside the root need in order to sign in."""
        password = {"PGPASSWORD": self.password}
        if not self._settings.tls:
            return password
        return {**password, "PGSSLMODE": "verify-full", "PGSSLROOTCERT": f"{jail.INSIDE}/{CA_CERTIFICATE}"}

    def _before_start(self) -> None:
        owner = jail.owner(self.root, USER)
        for directory in (self.directory, self.directory / "log"):
            directory.mkdir(parents=True, exist_ok=True)
            os.chown(directory, *owner)
        if not (self.directory / "data").exists():
            self._initialise(owner)
        if self._settings.tls:
            encryption.hand_out(self._settings, "postgresql", owner)
        self.write_configuration()

    def write_configuration(self) -> None:
        """As the settings say."""
        options = (TLS if self._settings.tls else {}) | dict(self._settings.postgres_options)
        (self.directory / "postgresql.conf").write_text(configuration(LOOPBACK, self.port, options))
        (self.directory / ENCRYPTED_ALONE).write_text(by_tls_alone(f"{LOOPBACK}/32"))

    def take_password(self) -> None:
        """Gives the stopped cluster this stack's password: a backup may come from another stack.

        In single-user mode, which asks for no password.
        """
        inside = jail.INSIDE
        command = [
            f"{BINARIES}/postgres",
            "--single",
            "-D",
            f"{inside}/data",
            "-c",
            f"config_file={inside}/postgresql.conf",
        ]
        sql = f"alter role {USER} password '{self.password}'"
        jail.run_inside(self.root, self.directory, USER, [*command, "postgres"], given=sql)

    def _initialise(self, owner: tuple[int, int]) -> None:
        # Made beside its place and renamed at the end: what an interrupted run leaves never counts.
        shutil.rmtree(self.directory / "data.new", ignore_errors=True)
        password = self.directory / "password"
        password.touch(mode=0o600)
        os.chown(password, *owner)
        password.write_text(self.password)
        arguments = ["-D", f"{jail.INSIDE}/data.new", "-U", USER, f"--pwfile={jail.INSIDE}/password"]
        options = ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums"]
        jail.run_inside(self.root, self.directory, USER, [f"{BINARIES}/initdb", *arguments, *options])
        password.unlink()
        (self.directory / "data.new").rename(self.directory / "data")
