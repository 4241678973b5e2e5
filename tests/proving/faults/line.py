"""What a line of the fault matrix is: a fault, how it is made here, and when the platform has passed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.proving.faults.testbed import Testbed, TestbedKind

Figures = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row. ``run`` on a ``kind``, or the ``tests`` that show the criterion, or ``why_not``.

    ``scaled`` says what the row of the plan asks for and is made shorter or smaller here.
    """

    number: int
    fault: str
    criterion: str
    kind: TestbedKind | None = None
    run: Callable[[Testbed], Figures] | None = None
    tests: tuple[str, ...] = ()
    why_not: str = ""
    scaled: str = ""
