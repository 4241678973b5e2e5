"""Shows that something long goes on: a bar on a terminal, elsewhere a plain line every ten seconds."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Final

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from services.cli.session import say

_EVERY_S: Final = 10.0


@contextmanager
def waiting(what: str) -> Iterator[Callable[[], None]]:
    """While the block runs. It may call what it gets for each thing that is done."""
    done = [0]
    if sys.stderr.isatty():
        columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
        with Progress(*columns, console=say, transient=True) as progress:
            task = progress.add_task(what, total=None)

            def tick() -> None:
                done[0] += 1
                progress.update(task, description=f"{what}: {done[0]:,} done")

            yield tick
        return

    def count() -> None:
        done[0] += 1

    over, began = Event(), time.monotonic()

    def speak() -> None:
        while not over.wait(_EVERY_S):
            counted = f", {done[0]:,} done" if done[0] else ""
            say.print(f"{what}: {time.monotonic() - began:.0f} s{counted}")

    speaker = Thread(target=speak, daemon=True)
    speaker.start()
    try:
        yield count
    finally:
        over.set()
        speaker.join()
