"""docs/faults.md, as the lines have it: `python -m tests.proving.faults.document` writes it anew."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from deploy.local.settings import CHECKOUT
from tests.proving.faults.line import Line
from tests.proving.faults.lines import LINES

DOCUMENT: Final = CHECKOUT / "docs" / "faults.md"
_HEAD: Final = """# Faults

What is done to the platform on purpose, and what has to hold afterwards. `make faults` does all of it, one line after
the other, and says of each line *pass*, *fail*, or *not run* and why; `make faults LINE=7` does one. It needs the full
stack.

Beside the criterion of its line, everything that devices published on that testbed so far must be stored or rejected,
once each and settled (I1), every uplink be acknowledged end to end, no acknowledgement be ahead of the database (I4),
each alert's trail be a chain (I5), and nobody notified of what somebody has taken on (I3). Where devices resend they do
so after 5 s. A line with a failpoint kills a service between two steps of `services/runtime/failpoints.py`; partitions
are made by a TCP proxy.
`tests/proving/faults/lines.py` is where this page comes from.

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
