"""The console as a process, and its commands: register FILE, without-recipient, set-password EMAIL."""

import asyncio
import os
import sys
from pathlib import Path
from uuid import UUID

import typer
from pydantic import ValidationError
from rich.console import Console

from schemas.metrics import METRICS
from schemas.registry import Register
from services.api import app
from services.api.passwords import set_password
from services.api.registration import BINDING_LEAD_S, Registered, people_without_recipient
from services.api.registration import register as write_register
from services.api.settings import ApiSettings
from services.runtime.clock import Clock, to_datetime
from services.runtime.database import open_pool
from services.runtime.errors import HearthBeatError
from services.runtime.lifecycle import run_service
from services.runtime.settings import ClockSettings, database_for_tools

cli = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
_say = Console(stderr=True, highlight=False)


@cli.callback(invoke_without_command=True)
def serve(context: typer.Context) -> None:
    """Serves the doctor's console; with a command, does that instead."""
    if context.invoked_subcommand is not None:
        return
    run_service(app.run, ApiSettings(), METRICS)


@cli.command()
def register(file: Path) -> None:
    """Writes a register file (JSON, schemas.registry.Register) to the database."""
    try:
        wanted = Register.model_validate_json(file.read_bytes())
        written = asyncio.run(_register(wanted, ClockSettings().clock()))
    except (OSError, ValidationError, HearthBeatError) as error:
        _say.print(str(error), markup=False)
        raise typer.Exit(1) from error
    _say.print(
        f"{written.homes} homes, {written.people} people, {written.devices} devices ({written.new_devices} new), "
        f"{written.plans} dose plans, {written.doctors} doctors; bindings: {written.bindings_begun} begun, "
        f"{written.bindings_ended} ended; care: {written.care_begun} begun, {written.care_ended} ended"
    )


async def _register(wanted: Register, clock: Clock) -> Registered:
    async with open_pool(database_for_tools(), application="hb-register") as pool:
        return await write_register(pool, wanted, to_datetime(clock.now_ms()), lead_s=BINDING_LEAD_S * clock.rate)


@cli.command()
def without_recipient() -> None:
    """Lists the ids of monitored people without a recipient, one a line; exit code 1 when there are any."""
    try:
        found = asyncio.run(_without_recipient(ClockSettings().clock()))
    except HearthBeatError as error:
        _say.print(str(error), markup=False)
        raise typer.Exit(2) from error
    for person_id in found:
        typer.echo(str(person_id))
    raise typer.Exit(1 if found else 0)


async def _without_recipient(clock: Clock) -> list[UUID]:
    async with open_pool(database_for_tools(), application="hb-without-recipient") as pool:
        return await people_without_recipient(pool, to_datetime(clock.now_ms()))


@cli.command("set-password")
def set_password_of(email: str) -> None:
    """Sets a doctor's password, from HB_API_PASSWORD or standard input, and signs them out everywhere."""
    password = os.environ.get("HB_API_PASSWORD") or sys.stdin.readline().rstrip("\n")
    try:
        asyncio.run(_set_password(email, password))
    except HearthBeatError as error:
        _say.print(str(error), markup=False)
        raise typer.Exit(1) from error


async def _set_password(email: str, password: str) -> None:
    async with open_pool(database_for_tools(), application="hb-set-password") as pool:
        await set_password(pool, email, password)


if __name__ == "__main__":
    cli()
