"""`hearthbeat status|why|trace|register|assign|replay|without-recipient`: the platform as a whole."""

import os
import sys
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from pydantic import ValidationError
from rich.table import Table

from schemas.presentation import presentation_of
from schemas.registry import Register
from schemas.vitals import VITAL_BY_NUMBER
from services.api.registration import people_without_recipient
from services.assign import Assigned, Wish, assign
from services.cli import register_file
from services.cli.fates import Key
from services.cli.options import By, Json, Slot
from services.cli.people import utc
from services.cli.progress import waiting
from services.cli.session import Code, Session, fail, login, refuse_invalid, run, say, settings_of, show
from services.cli.status import Status, look
from services.cli.trace import trace as follow
from services.cli.why import Facts, Said, ago, causes_of
from services.cli.why_facts import facts_about
from services.runtime.settings import database_for_tools
from services.score import replay as score_replay
from services.score.settings import ScoreSettings

app = typer.Typer()
Person = Annotated[UUID, typer.Argument(metavar="PERSON", help="An id.")]
Device = Annotated[str, typer.Argument(metavar="DEVICE")]


@app.command()
def status(*, as_json: Json = False) -> None:
    """Show how the platform is. The exit code is 1 where somebody should look."""
    found = run(look)
    show(as_json, found.plain(), lambda: _show_status(found))
    raise typer.Exit(Code.NO if found.troubles else Code.DONE)


def _show_status(found: Status) -> None:
    table = Table(show_header=False, box=None)
    table.add_row("platform time", f"{found.now:%Y-%m-%d %H:%M:%S} UTC")
    table.add_row("last uplink", f"{found.heard_at:%Y-%m-%d %H:%M:%S} UTC" if found.heard_at else "none yet")
    for name, count in found.counts.items():
        table.add_row(name.replace("_", " "), f"{count:,}")
    say.print(table)
    if os.environ.get("HB_ALERT_BASE_URL"):
        say.print(f"Doctor's console: {os.environ['HB_ALERT_BASE_URL']}")
    for trouble in found.troubles:
        say.print(trouble, style="yellow", markup=False)
    if not found.troubles:
        say.print("All is well.", style="green")


@app.command()
def why(person: Person, *, as_json: Json = False) -> None:
    """Say why there is no alert about a person: every cause that the facts show, from the device to the doctor.

    The exit code is 1 where nothing stands in the way.
    """
    facts = run(lambda session: facts_about(session, person))
    causes = causes_of(facts)
    plain = {
        "person": person,
        "causes": [{"cause": one.cause, "text": one.text} for one in causes],
        "findings": list(facts.findings),
    }
    show(as_json, plain, lambda: _show_why(facts, causes))
    raise typer.Exit(Code.DONE if causes else Code.NO)


def _show_why(facts: Facts, causes: list[Said]) -> None:
    devices = Table("device", "slot", "from", "until", "heard")
    for one in facts.devices:
        until = f"{one.until_at:%Y-%m-%d %H:%M}" if one.until_at else ""
        heard = ago(facts, one.heard_at) if one.heard_at else "never"
        devices.add_row(one.device, str(one.slot), f"{one.from_at:%Y-%m-%d %H:%M}", until, heard)
    readings = Table("last reading", "", "measured", "received", "marked")
    for last in facts.last:
        shown = presentation_of(VITAL_BY_NUMBER[last.vital])
        readings.add_row(shown.label, last.text, ago(facts, last.observed_at), ago(facts, last.received_at), last.marks)
    for table, rows in ((devices, facts.devices), (readings, facts.last)):
        if rows:
            say.print(table)
    recipients = ", ".join(f"{one.email} by {one.channel}" for one in facts.recipients if one.channel and one.works)
    say.print(f"Would be notified: {recipients or 'nobody'}.", markup=False)
    for finding in facts.findings:
        say.print(f"Found in the last 24 h: {finding}", markup=False)
    say.print()
    for cause in causes:
        say.print(f"[bold]{cause.cause.value}[/]: ", end="")
        say.print(cause.text, markup=False)
    if not causes:
        say.print("Nothing stands in the way of an alert.")


@app.command()
def trace(
    device: Device,
    *,
    for_s: Annotated[float | None, typer.Option(min=0, help="Real seconds; left out: until Ctrl-C.")] = None,
    as_json: Json = False,
) -> None:
    """Follow each uplink of a device live, from the broker to the findings that rest on it."""

    def heard(key: Key, words: str) -> None:
        facts = {"epoch": key[0], "seq": key[1], "fate": words}
        show(as_json, facts, lambda: say.print(f"[bold]seq {key[1]}[/] {words}"))
        sys.stdout.flush()

    with suppress(KeyboardInterrupt):
        run(lambda session: follow(session, device, heard, for_s=for_s))


@app.command()
def register(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON, as schemas/registry.py has it.")],
    *,
    credentials: Annotated[
        Path | None, typer.Option(help="Give each device without a secret one, and write them all to this file.")
    ] = None,
    by: By = None,
    as_json: Json = False,
) -> None:
    """Make the platform say what a register file says: all of it, or nothing."""
    try:
        wanted = Register.model_validate_json(file.read_bytes())
        with waiting("registering") as tick:
            written = run(lambda session: register_file.take(session, wanted, credentials, tick), by=by)
    except OSError as error:
        fail(f"{file.name}: {error.strerror}.", Code.USAGE)
    except ValidationError as error:
        refuse_invalid(error, file)
    show(as_json, written.plain(), lambda: say.print(written.text(), markup=False))


@app.command("without-recipient")
def without_recipient(*, as_json: Json = False) -> None:
    """List the ids of monitored people about whom nobody would be notified; exit code 1 when there are any."""
    found = run(lambda session: people_without_recipient(session.pool, session.now))
    show(as_json, {"people": found}, lambda: typer.echo("\n".join(map(str, found))) if found else None)
    raise typer.Exit(Code.NO if found else Code.DONE)


@app.command("assign")
def assign_readings(
    device: Device,
    person: Person,
    *,
    since: Annotated[datetime, typer.Option("--from", help="UTC, as 2026-11-22T14:30:00.")],
    until: Annotated[datetime, typer.Option(help="UTC; not included.")],
    reason: Annotated[str, typer.Option(help="How that is known.")],
    slot: Slot = 1,
    by: By = None,
    as_json: Json = False,
) -> None:
    """Give a person what a device observed while it was nobody's: unscored, and written down with who said so."""
    wish = Wish(
        device=device, person_id=person, since=utc(since), until=utc(until), by=by or login(), reason=reason, slot=slot
    )

    async def work(session: Session) -> Assigned:
        return await assign(session.pool, wish, session.clock)

    done = run(work)
    said = f"{done.readings} readings and {done.events} events assigned, {done.left} left as they were."
    show(as_json, done._asdict(), lambda: say.print(said))


@app.command()
def replay(*, as_json: Json = False) -> None:
    """Replay the log from its beginning, and compare with what score has found; exit code 1 where that differs.

    Only where the log holds everything since the platform began: it is kept for 72 hours.
    """

    async def work(_session: Session) -> tuple[int, int, bool]:
        settings = ScoreSettings(database=settings_of(database_for_tools))
        with waiting("replaying"):
            state = await score_replay.export_state(settings)
            positions, _ = score_replay.parsed(state)
            done = await score_replay.replay_to(settings, positions)
            found = await score_replay.export_findings(settings)
        return (
            len(done.states()),
            len(done.findings),
            state == score_replay.as_of(positions, done.states()) and _covers(found, done),
        )

    homes, findings, same = run(work)
    said = f"{homes} homes, {findings} findings by replay: {'as score has them' if same else 'NOT as score has them'}."
    show(as_json, {"homes": homes, "findings": findings, "same": same}, lambda: say.print(said))
    raise typer.Exit(Code.DONE if same else Code.NO)


def _covers(found: str, done: score_replay.Replay) -> bool:
    """Whether everything that the replay reports was found; score may have found more since its checkpoint."""
    return set(done.reported().splitlines()) <= set(found.splitlines())
