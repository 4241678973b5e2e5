"""Puts the command together from its parts."""

from typing import Annotated

import typer

from services.cli import device_steps, devices, explain, follow, models, people, platform, receivers
from services.cli.session import FRONT, Find, Front


def make_app(find: Find | None = None) -> typer.Typer:
    """The whole command. ``find`` looks for a platform that runs on this machine; without it the environment says."""
    app = typer.Typer(
        name="hearthbeat",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def front(
        at: Annotated[
            str | None,
            typer.Option(
                metavar="PLATFORM",
                envvar="HB_AT",
                help="A stack of make up by its name, or demo; left out: the one that runs here.",
            ),
        ] = None,
    ) -> None:
        """Look after a HearthBeat platform: homes, people, doctors, devices, and what becomes of what they send.

        Settings come from the environment (HB_DB_DSN, ...), or from the platform that runs on this machine. Exit codes:
        0 done, 1 no (refused, or something to look at), 2 wrong arguments or settings, 3 a server does not answer.
        """
        FRONT.set(Front(find, at))

    app.add_typer(people.home_app, name="home")
    app.add_typer(people.person_app, name="person")
    app.add_typer(people.doctor_app, name="doctor")
    app.add_typer(people.care_app, name="care")
    device_app = typer.Typer(no_args_is_help=True, help="Devices and their credentials at the broker.")
    for part in (devices.app, device_steps.app, follow.app):
        device_app.add_typer(part)
    app.add_typer(device_app, name="device")
    app.add_typer(receivers.app, name="receiver")
    app.add_typer(models.app, name="model")
    app.add_typer(platform.app)
    app.add_typer(explain.app)
    return app
