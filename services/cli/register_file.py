"""A whole register file, and secrets for those of its devices that have none."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from schemas.registry import Register
from services.api.registration import BINDING_LEAD_S, Registered, registration, write
from services.cli.credentials import SQL, give_credentials, open_broker, update_broker, write_down
from services.cli.session import RefusedError, Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What was written; ``secrets``: how many new ones."""

    registered: Registered
    secrets: int

    def plain(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self.registered) | {"secrets": self.secrets}

    def text(self) -> str:
        """For people."""
        done = self.registered
        return (
            f"{done.homes} homes, {done.people} people, {done.devices} devices ({done.new_devices} new,"
            f" {self.secrets} new secrets), {done.plans} dose plans, {done.doctors} doctors; bindings:"
            f" {done.bindings_begun} begun, {done.bindings_ended} ended;"
            f" care: {done.care_begun} begun, {done.care_ended} ended;"
            f" changed: {done.conditions} conditions, {done.limits} limits"
        )


async def take(session: Session, wanted: Register, credentials: Path | None, tick: Callable[[], None]) -> Taken:
    """Writes it. With ``credentials`` every device of the file without a secret gets one, known to the broker.

    The secrets are added to those that stand in that file. Raises RegisterError, RefusedError, BrokerFilesError; then
    nothing was written.
    """
    broker = open_broker() if credentials is not None else None
    known = _read(credentials)
    lead_s = BINDING_LEAD_S * session.clock.rate
    async with registration(session.pool) as connection:
        done = await write(connection, wanted, session.now, lead_s=lead_s, by=session.by)
        secrets: dict[str, str] = {}
        if broker is not None and credentials is not None:
            names = [device.device for home in wanted.homes for device in home.devices]
            rows = await connection.fetch(SQL["without_credential"], names)
            secrets = await give_credentials(connection, [row["device"] for row in rows], session.now)
            # Before the broker knows them: what is written nowhere would be lost with this process.
            _write(credentials, {**known, **secrets})
            await update_broker(connection, broker, session.now, tick=tick)
        await write_down(session, connection, "register", "file", asdict(done) | {"secrets": len(secrets)})
    return Taken(registered=done, secrets=len(secrets))


def _read(path: Path | None) -> dict[str, str]:
    if path is None or not path.exists():
        return {}
    try:
        held: dict[str, str] = json.loads(path.read_text())
    except ValueError as error:
        raise RefusedError(f"{path.name} is there and holds no secrets of devices.") from error
    return held


def _write(path: Path, secrets: Mapping[str, str]) -> None:
    try:
        path.touch(mode=0o600)
        path.chmod(0o600)  # one that was there may be for others, too
        path.write_text(json.dumps(secrets, indent=2) + "\n")
    except OSError as error:
        raise RefusedError(f"{path.name}: {error.strerror}.") from error
