"""What somebody who has just started a platform may do next, as lines to paste."""

from typing import Final

from rich.console import Console

COMMAND: Final = ".venv/bin/hearthbeat"
_DOCTOR: Final = "you@example.org"


def print_first_steps(console: Console, *, at: str) -> None:
    """The way from an empty platform to an alert on the doctor's console."""
    for line in _lines(at):
        console.print(line, markup=False, soft_wrap=True)


def _lines(at: str) -> list[str]:
    return [
        "",
        f"Add a home, a doctor, a person and a band to it ({at}):",
        "",
        f"  {COMMAND} status",
        f'  HOME_ID=$({COMMAND} home add "Rose Cottage" --time-zone Europe/London)',
        f'  {COMMAND} doctor add {_DOCTOR} --name "Dr. You"',
        f'  PERSON_ID=$({COMMAND} person add "Anna Berg" --home $HOME_ID --born 1941-05-03 --doctor {_DOCTOR})',
        f"  {COMMAND} device add anna-band --type wearable_band --home $HOME_ID --person $PERSON_ID",
        "",
        "The last one shows how to send a reading and a press of the SOS button as that band. Then:",
        "",
        f"  {COMMAND} trace anna-band     what becomes of each message",
        f"  {COMMAND} why $PERSON_ID      why there is no alert",
        f"  {COMMAND} --help              everything else",
        "",
    ]
