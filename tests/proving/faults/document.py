"""docs/faults.md, as the lines have it: `python -m tests.proving.faults.document` writes it anew."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from deploy.local.settings import CHECKOUT
from tests.proving.faults.line import Line
from tests.proving.faults.lines import LINES

DOCUMENT: Final = CHECKOUT / "docs" / "faults.md"
_HEAD: Final = """# Faults

This page says which faults we cause on purpose, and what has to hold afterwards. `make faults`
runs every line, one after the other, and says of each *pass*, *fail*, or *not run* with the reason.
`make faults LINE=7` runs one line. It needs the full stack.

Each line has a criterion of its own. Beside it, all of this must hold for everything that devices
have published so far:

- every item is stored or rejected, once, and settled (I1);
- the database has acknowledged every uplink, and no acknowledgement is ahead of the database (I4);
- the trail of each alert has no gap (I5);
- nobody is notified of an alert that somebody has already taken on (I3).

Where devices send again, they do so after 5 s. Some lines kill a service between two of its steps;
`services/runtime/failpoints.py` names these places. A TCP proxy interrupts the network.
"As it says" in the last column means: the fault is caused as the second column says, at full size.

`python -m tests.proving.faults.document` writes this page from `tests/proving/faults/lines.py`.

| line | fault | what has to hold | how it is run here |
|---|---|---|---|
"""


def document(lines: Sequence[Line]) -> str:
    """The whole page."""
    return _HEAD + "".join(f"| {one.number} | {one.fault} | {one.criterion} | {_how(one)} |\n" for one in lines)


def _how(line: Line) -> str:
    if line.why_not:
        return f"not run: {line.why_not}"
    how = ", ".join(f"`{test}`" for test in line.tests) or "as it says"
    return f"{how}; {line.scaled}" if line.scaled and line.tests else line.scaled or how


def write(path: Path = DOCUMENT) -> None:
    """Replaces the page."""
    path.write_text(document(LINES))


if __name__ == "__main__":
    write()
