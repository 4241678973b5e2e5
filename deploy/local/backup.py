"""The database cluster as one file, and back: pg_basebackup, so that roles and TimescaleDB's catalogue are in it."""

import os
import shutil
from pathlib import Path

from deploy.local import jail
from deploy.local.errors import AlreadyRunningError, CommandError
from deploy.local.postgres import BINARIES, USER, Postgres
from deploy.local.prepare import remove_tree
from deploy.local.settings import LOOPBACK

ARCHIVE = "base.tar.gz"


def back_up(postgres: Postgres, to: Path) -> None:
    """Writes the running cluster to a file that only its owner may read: it holds everything about everybody."""
    scratch = _scratch(postgres, "backup.new")
    where = ["--host", LOOPBACK, "--port", str(postgres.port), "--username", USER]
    how = ["--format=tar", "--gzip", "--compress=1", "--wal-method=fetch", "--checkpoint=fast"]
    command = [f"{BINARIES}/pg_basebackup", *where, *how, f"--pgdata={jail.INSIDE}/{scratch.name}"]
    jail.run_inside(postgres.root, postgres.directory, USER, command, **postgres.client_environment)
    to.parent.mkdir(parents=True, exist_ok=True)
    fresh = to.with_name(f"{to.name}.new")
    shutil.copyfile(scratch / ARCHIVE, _private(fresh))
    # In one step, so that no half backup ever takes the place of a whole one.
    fresh.replace(to)
    remove_tree(scratch)


def put_back(postgres: Postgres, source: Path) -> None:
    """Replaces the data of a stopped cluster. What was there is kept beside it until the next time.

    The file may come from another stack: the password becomes this one's. Raises AlreadyRunningError, CommandError.
    """
    if (postgres.directory / "data" / "postmaster.pid").exists() and postgres.answers():
        message = "the database runs: stop it before its data is replaced"
        raise AlreadyRunningError(message)
    if not source.is_file():
        message = f"there is no backup {source}"
        raise CommandError(message)
    fresh = _scratch(postgres, "data.new")
    archive = postgres.directory / ARCHIVE
    shutil.copyfile(source, _private(archive))
    os.chown(archive, *jail.owner(postgres.root, USER))
    unpack = ["tar", "-xzf", f"{jail.INSIDE}/{ARCHIVE}", "-C", f"{jail.INSIDE}/{fresh.name}"]
    jail.run_inside(postgres.root, postgres.directory, USER, unpack)
    archive.unlink()
    data, replaced = postgres.directory / "data", postgres.directory / "data.replaced"
    shutil.rmtree(replaced, ignore_errors=True)
    if data.exists():
        data.rename(replaced)
    fresh.rename(data)
    postgres.write_configuration()
    postgres.take_password()


def _scratch(postgres: Postgres, name: str) -> Path:
    """An empty directory of the database's user."""
    directory = postgres.directory / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True, mode=0o700)
    os.chown(directory, *jail.owner(postgres.root, USER))
    return directory


def _private(path: Path) -> Path:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    return path
