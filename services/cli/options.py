"""Options that several commands share."""

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="One JSON value on standard output, for programs.")]
By = Annotated[
    str | None, typer.Option(metavar="NAME", help="Who does this, to be written down; left out: your login.")
]
NoRecipient = Annotated[
    bool, typer.Option("--no-recipient", help="It is meant that nobody will be notified about this person.")
]
Slot = Annotated[int, typer.Option(min=1, max=8, help="The user slot, on a device that several people share.")]
