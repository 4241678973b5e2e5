"""`python -m tests.proving.capacity` writes docs/capacity.md and pictures; `--measure PART` measures a part before."""

import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Final

import typer
from rich.console import Console

from tests.proving.capacity import measure_broker, measure_doses, measure_registry, measure_score, record
from tests.proving.capacity.page import PAGE, document
from tests.proving.capacity.pictures import draw

Say = Callable[[str], None]
PARTS: Final[Mapping[str, Callable[[Say], Sequence[Mapping[str, float]]]]] = {
    "registry": measure_registry.measure,
    "broker": measure_broker.measure,
    "doses": measure_doses.measure,
    "score": measure_score.measure,
}


def main(
    measure: Annotated[list[str], typer.Option(help=f"A part: {', '.join(PARTS)}; may be given again.")] = [],  # noqa: B006 - typer reads it
) -> None:
    """Measures what is asked for, minutes of both cores a part; then writes the page from all that was measured."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that no server is left behind
    console = Console(highlight=False)
    if unknown := set(measure) - PARTS.keys():
        raise typer.BadParameter(f"there is no part {', '.join(sorted(unknown))}")
    for name in measure:
        record.write(name, PARTS[name](console.print))
    parts = record.read()
    if missing := PARTS.keys() - parts.keys():
        console.print(f"not measured yet: {', '.join(sorted(missing))}")
        raise typer.Exit(1)
    PAGE.write_text(document(parts))
    for path in (PAGE, *draw(parts)):
        console.print(path)


if __name__ == "__main__":
    typer.run(main)
