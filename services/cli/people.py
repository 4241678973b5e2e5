"""`hearthbeat home|person|doctor|care …`: who lives where, and who cares for whom."""

import os
import sys
from datetime import UTC, date, datetime
from typing import Annotated
from uuid import UUID

import typer
from pydantic import ValidationError

from schemas.registry import ContactAddress, Doctor
from services.api.accounts import remove_second_factor
from services.api.password_resets import make_link
from services.api.password_strength import SHORTEST
from services.api.passwords import set_password
from services.cli import additions
from services.cli.options import By, Json, NoRecipient
from services.cli.receivers import open_keys
from services.cli.session import Code, Session, fail, refuse_invalid, run, say, show
from services.runtime.errors import SettingError

home_app = typer.Typer(no_args_is_help=True, help="Homes.")
person_app = typer.Typer(no_args_is_help=True, help="People who are cared for.")
doctor_app = typer.Typer(no_args_is_help=True, help="Family doctors: where they are notified, how they sign in.")
care_app = typer.Typer(no_args_is_help=True, help="Which doctor cares for whom.")
Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The address that the doctor signs in with.")]


@home_app.command("add")
def add_home(
    label: Annotated[str, typer.Argument(metavar="LABEL", help="What people call it.")],
    *,
    time_zone: Annotated[str, typer.Option(help="IANA name, as Europe/Berlin.")],
    by: By = None,
    as_json: Json = False,
) -> None:
    """Register a home; prints its id."""
    try:
        home_id = run(lambda session: additions.add_home(session, label, time_zone), by=by)
    except ValidationError as error:
        refuse_invalid(error)
    show(as_json, {"home": home_id}, lambda: typer.echo(str(home_id)))


@person_app.command("add")
def add_person(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    *,
    home: Annotated[UUID, typer.Option(help="The id of the home where they live.")],
    born: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Date of birth, as 1941-05-03.")],
    doctor: Annotated[
        list[str] | None, typer.Option(metavar="EMAIL", help="A doctor who cares for them; may be given again.")
    ] = None,
    by: By = None,
    as_json: Json = False,
) -> None:
    """Register a person; prints their id."""
    birthday = date(born.year, born.month, born.day)
    try:
        person_id = run(lambda session: additions.add_person(session, name, birthday, home, doctor or []), by=by)
    except ValidationError as error:
        refuse_invalid(error)
    show(as_json, {"person": person_id}, lambda: typer.echo(str(person_id)))


@doctor_app.command("add")
def add_doctor(
    email: Email,
    *,
    name: Annotated[str, typer.Option(help="As patients call them.")],
    person: Annotated[
        list[UUID] | None, typer.Option(metavar="ID", help="A person in their care; may be given again.")
    ] = None,
    webhook: Annotated[str | None, typer.Option(metavar="URL", help="Notify there, too.")] = None,
    by: By = None,
    as_json: Json = False,
) -> None:
    """Register a doctor, who is notified at EMAIL. Asks for a password, or reads it from standard input."""
    addresses = [("email", email), *([("webhook", webhook)] if webhook else [])]
    try:
        doctor = Doctor(email=email, name=name)
        contacts = tuple(ContactAddress(channel=channel, address=address) for channel, address in addresses)
        doctor = doctor.model_copy(update={"addresses": contacts})
    except ValidationError as error:
        refuse_invalid(error)
    password = new_password()

    async def work(session: Session) -> str | None:
        keys = open_keys() if webhook else None
        return await additions.add_doctor(session, doctor, password, person or [], keys)

    secret = run(work, by=by)

    def text() -> None:
        say.print(f"{doctor.email} may sign in.")
        if secret is not None:
            say.print("Calls of the webhook are signed with this secret, shown this once:")
            typer.echo(secret)

    show(as_json, {"doctor": doctor.email, **({"webhook_secret": secret} if secret else {})}, text)


@doctor_app.command("password")
def change_password(email: Email, *, by: By = None) -> None:
    """Set a doctor's password, asked for or from standard input, and sign them out everywhere."""
    password = new_password()
    run(lambda session: set_password(session.pool, email, password, by=session.by, now=session.now), by=by)
    say.print("The password is set; the doctor is signed out everywhere.")


@doctor_app.command("reset")
def reset_password(email: Email, *, by: By = None, as_json: Json = False) -> None:
    """Make a link by which a doctor sets a new password, once, within half an hour. Hand it over yourself."""

    async def work(session: Session) -> tuple[str, datetime]:
        console = os.environ.get("HB_ALERT_BASE_URL")
        if not console:
            raise SettingError("HB_ALERT_BASE_URL is not set: the console's address, with which the link begins.")
        link = await make_link(session.pool, email, by=session.by, now=session.now)
        return f"{console.rstrip('/')}/reset#{link.code}", link.ends_at

    address, ends_at = run(work, by=by)

    def text() -> None:
        say.print(f"Good once, until {ends_at:%H:%M:%S} UTC. Whoever has it sets the password: give it to nobody else.")
        typer.echo(address)

    show(as_json, {"doctor": email, "link": address, "ends_at": ends_at}, text)


@doctor_app.command("remove-second-factor")
def remove_factor(email: Email, *, by: By = None) -> None:
    """Ask a doctor for the password alone, since phone and recovery codes are lost; sign them out everywhere.

    Be sure that it is the doctor who asks you.
    """
    run(lambda session: remove_second_factor(session.pool, email, by=session.by, now=session.now), by=by)
    say.print("The second factor is removed; the doctor is signed out everywhere, and can set one up again.")


@doctor_app.command("disable")
def disable_doctor(
    email: Email,
    *,
    heir: Annotated[
        str | None, typer.Option("--hand-over-to", metavar="EMAIL", help="Who cares for their people from now on.")
    ] = None,
    no_recipient: Annotated[
        bool,
        typer.Option("--no-recipient", help="It is meant that nobody is notified about some of them."),
    ] = False,
    by: By = None,
    as_json: Json = False,
) -> None:
    """End at once what a doctor who leaves can see and do, their care and their addresses. The trail stays.

    Refused where nobody else would be notified about one of their people.
    """
    left = run(lambda session: additions.disable_doctor(session, email, heir=heir, no_recipient=no_recipient), by=by)
    facts = {"doctor": email, "people": left.people, "handed_over_to": heir, "without_doctor": left.without_doctor}

    def text() -> None:
        say.print(f"{email} is signed out everywhere and can't sign in any more.")
        if left.without_doctor:
            say.print("No doctor cares any longer for:", style="red")
            for person in left.without_doctor:
                typer.echo(str(person))

    show(as_json, facts, text)


@doctor_app.command("enable")
def enable_doctor(email: Email, *, by: By = None) -> None:
    """Let a doctor whose account was disabled sign in again. Asks for a password, or reads it from standard input."""
    password = new_password()
    run(lambda session: additions.enable_doctor(session, email, password), by=by)
    say.print("The doctor may sign in, and is notified by e-mail. Nobody is in their care: hearthbeat care begin.")


@care_app.command("begin")
def begin_care(
    email: Email,
    person: Annotated[UUID, typer.Argument(metavar="PERSON", help="An id.")],
    *,
    by: By = None,
    as_json: Json = False,
) -> None:
    """Let a doctor care for a person from now on, beside whoever does already."""
    run(lambda session: additions.begin_care(session, email, person), by=by)
    show(as_json, {"doctor": email, "person": person}, lambda: say.print(f"{email} cares for {person} from now on."))


@care_app.command("end")
def end_care(
    email: Email,
    person: Annotated[UUID, typer.Argument(metavar="PERSON", help="An id.")],
    *,
    no_recipient: NoRecipient = False,
    by: By = None,
    as_json: Json = False,
) -> None:
    """End a doctor's care for a person. Refused where nobody else would be notified."""
    run(lambda session: additions.end_care(session, email, person, no_recipient=no_recipient), by=by)
    show(as_json, {"doctor": email, "person": person}, lambda: say.print(f"{email} cares for {person} no longer."))


def new_password() -> str:
    """From HB_API_PASSWORD, asked for twice at a terminal, or else the first line of standard input."""
    if given := os.environ.get("HB_API_PASSWORD"):
        return given
    if not sys.stdin.isatty():
        line = sys.stdin.readline().rstrip("\n")
        if not line:
            fail("A password is read from standard input, and there was none.", Code.USAGE)
        return line
    asked: str = typer.prompt(f"Password ({SHORTEST} characters or more)", hide_input=True, confirmation_prompt=True)
    return asked


def utc(moment: datetime) -> datetime:
    """What was typed without a zone is UTC."""
    return moment.replace(tzinfo=UTC)
