"""The command behind `make mutations`: plants small changes in pure modules, and each has to be noticed by a test."""

import json
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from deploy.local.settings import CHECKOUT
from tests.proving.mutations.drawing import draw, is_pure, lines_of
from tests.proving.mutations.grounds import NAMED, SOURCES, Ground
from tests.proving.mutations.mutation import Mutation
from tests.proving.mutations.trial import TrialError, Tried, copy_source, tried, undisturbed

REPORT: Final = CHECKOUT / ".local" / "reports" / "mutations.json"


def sources(ground: Ground) -> dict[str, str]:
    """The modules of ``ground`` in which mutations are drawn, by their path."""
    of = SOURCES[ground]
    pure = [path for one in of.pure for path in sorted(CHECKOUT.glob(one)) if is_pure(path.read_text())]
    whole = [path for one in of.whole for path in sorted(CHECKOUT.glob(one))]
    return {str(path.relative_to(CHECKOUT)): path.read_text() for path in (*pure, *whole)}


def main(
    *,
    of: Annotated[Ground, typer.Option("--of", help="What is changed.")] = Ground.SCORE,
    seed: Annotated[int | None, typer.Option(help="Draws mutations by this seed.")] = None,
    count: Annotated[int, typer.Option(min=1, help="So many are drawn.")] = 10,
    named: Annotated[bool, typer.Option("--named", help="Tries those that have a name.")] = False,
    limit_s: Annotated[
        float, typer.Option(min=1, help="Seconds for one; the tests that take longer have noticed.")
    ] = 180,
) -> None:
    """Ends with 1 where a mutation survives, and says which; with 2 where the tests come to no verdict."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    console = Console(highlight=False)
    drawn = () if seed is None else draw(seed, count, sources(of), SOURCES[of].tests)
    chosen = [*(NAMED[of] if named or seed is None else ()), *drawn]
    done: list[Tried] = []
    with tempfile.TemporaryDirectory(prefix="hb-mutations-") as directory, console.status("") as status:
        copy = Path(directory) / "copy"
        copy_source(copy)
        status.update("the tests as they are")
        try:
            took_s = undisturbed(copy, chosen, limit_s=limit_s)
            for mutation in chosen:
                status.update(f"{len(done)} of {len(chosen)} are done")
                done.append(tried(copy, mutation, limit_s=limit_s))
        except TrialError as error:
            console.print(str(error), markup=False)
            raise typer.Exit(2) from error
    _say(console, done, took_s)
    survived = [one for one in done if not one.killed_by]
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        {"name": one.mutation.name, "place": _place(one.mutation), "killed_by": one.killed_by, "s": round(one.took_s)}
        for one in done
    ]
    REPORT.write_text(json.dumps({"of": of, "seed": seed, "named": named, "mutations": rows}, indent=2) + "\n")
    raise typer.Exit(1 if survived else 0)


def _say(console: Console, done: Sequence[Tried], took_s: float) -> None:
    table = Table("mutation")
    table.add_column("where", overflow="fold")
    table.add_column("s")
    table.add_column("killed by", overflow="fold")
    for one in done:
        table.add_row(
            one.mutation.name,
            Text(_place(one.mutation)),
            f"{one.took_s:.0f}",
            Text(one.killed_by) if one.killed_by else Text("survived", style="bold red"),
        )
    console.print(table)
    survived = [one.mutation for one in done if not one.killed_by]
    console.print(
        f"{len(done) - len(survived)} of {len(done)} killed; without a mutation the tests take {took_s:.0f} s"
    )
    for mutation in survived:
        before, after = lines_of(mutation, (CHECKOUT / mutation.path).read_text())
        console.print(f"survived: {_place(mutation)} ({mutation.name})\n  - {before}\n  + {after}", markup=False)


def _place(mutation: Mutation) -> str:
    return f"{mutation.path}:{mutation.line((CHECKOUT / mutation.path).read_text())}"


if __name__ == "__main__":
    typer.run(main)
