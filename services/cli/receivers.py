"""`hearthbeat receiver …`: the secrets with which doctors' webhooks are signed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from schemas.broker_access import new_secret
from services.alert.channels.webhook import WEBHOOK, WebhookSettings
from services.api.registration import registration
from services.cli.credentials import SQL, write_down
from services.cli.options import By, Json
from services.cli.session import Code, RefusedError, Session, fail, run, say, settings_of, show
from services.runtime.database import Connection
from services.runtime.errors import SettingError
from services.runtime.sealing import KeyFileError, Keys, new_key

app = typer.Typer(no_args_is_help=True, help="Secrets of doctors' webhooks.")
_OVERLAP_H: Final = 24.0


def open_keys() -> Keys:
    """The keys that seal receivers' secrets. Raises SettingError, which names the variable."""
    file = settings_of(WebhookSettings).key_file
    if file is None:
        raise SettingError("HB_ALERT_WEBHOOK_KEY_FILE is not set.")
    try:
        return Keys.from_file(file)
    except KeyFileError as error:
        raise SettingError(f"HB_ALERT_WEBHOOK_KEY_FILE: {error.detail}") from error


async def give_secret(connection: Connection, keys: Keys, email: str, overlap: timedelta) -> str:
    """A new secret of the doctor's webhook; the ones it had are good for ``overlap`` (real time) longer.

    Raises RefusedError where the doctor has no webhook.
    """
    secret, now = new_secret(), datetime.now(UTC)
    sealed = keys.seal(secret)
    if not await connection.fetchval(SQL["give_receiver_secret"], email, WEBHOOK.name, sealed, now, now + overlap):
        raise RefusedError(f"{email} has no {WEBHOOK.name}.")
    return secret


@app.command()
def rotate(
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="The doctor.")],
    *,
    overlap_h: Annotated[
        float, typer.Option(min=0, max=24 * 30, help="Hours for which the old secret is used beside the new one.")
    ] = _OVERLAP_H,
    by: By = None,
    as_json: Json = False,
) -> None:
    """Give a doctor's webhook a new secret, shown once.

    Until the old one has run out, each call bears two signatures, and the receiver may check either.
    """
    name = email.strip().lower()

    async def work(session: Session) -> str:
        keys = open_keys()
        async with registration(session.pool) as connection:
            secret = await give_secret(connection, keys, name, timedelta(hours=overlap_h))
            await write_down(session, connection, "receiver rotate", name, {"overlap_h": overlap_h})
            return secret

    secret = run(work, by=by)

    def text() -> None:
        say.print(f"The webhook of {name} is signed with this secret, shown this once:")
        typer.echo(secret)
        say.print(f"The one before is used beside it for {overlap_h:g} h.")

    show(as_json, {"doctor": name, "secret": secret, "overlap_h": overlap_h}, text)


@app.command()
def key(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Made where it is not there.")],
) -> None:
    """Put a new key before those of a file of keys, which HB_ALERT_WEBHOOK_KEY_FILE names.

    Secrets are sealed with the first key and opened with any: keep the old ones while there are secrets of theirs.
    Restart alert afterwards.
    """
    try:
        held = file.read_text() if file.exists() else ""
        fresh = file.with_name(f"{file.name}.new")
        fresh.touch(mode=0o600)
        fresh.write_text(f"{new_key()}\n{held}")
        fresh.replace(file)
    except OSError as error:
        fail(f"{file.name}: {error.strerror}.", Code.USAGE)
    say.print(f"{file.name} has a new key.")
