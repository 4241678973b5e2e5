"""What there was beside what was said: the table of a simulation, by what rules are about."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes

from schemas.rule_names import RULE_NAMES
from tests.proving.scorecard.verdict import NEAR_MISS, NOTHING

_ORDER: Final = {row.name: place for place, row in enumerate(RULE_NAMES)}
Confusion = Counter[tuple[str, str]]


def confusion_table(confusion: Confusion) -> dict[str, dict[str, int]]:
    """By what there was, how often what was said. Near-misses and nothing at all are the last rows."""
    there, said = _names(confusion)
    return {row: {column: confusion[row, column] for column in said} for row in there}


def confusion_markdown(table: Mapping[str, Mapping[str, int]]) -> str:
    """The table as Markdown; nothing is shown as an empty cell."""
    columns: list[str] = list(next(iter(table.values()), {}))
    head = ["there was \\ was said", *(name.replace("_", " ") for name in columns)]
    rows = [head, ["---"] + ["---:"] * len(columns)]
    for name, counts in table.items():
        rows.append([name.replace("_", " "), *(str(counts[column] or "") for column in columns)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def confusion_plot(confusion: Confusion) -> Callable[[Axes], None]:
    """Draws the table; each row is coloured by its shares."""

    def draw(axes: Axes) -> None:
        there, said = _names(confusion)
        counts = np.array([[confusion[row, column] for column in said] for row in there], dtype=float)
        axes.imshow(counts / np.maximum(1, counts.sum(axis=1, keepdims=True)), cmap="Blues", vmin=0, vmax=1.4)
        for row, column in zip(*np.nonzero(counts), strict=True):
            axes.text(column, row, f"{counts[row, column]:.0f}", ha="center", va="center", fontsize=7)
        axes.set_xticks(
            range(len(said)), [name.replace("_", " ") for name in said], rotation=60, ha="right", fontsize=8
        )
        axes.set_yticks(range(len(there)), [name.replace("_", " ") for name in there], fontsize=8)
        axes.set_xlabel("was said")
        axes.set_ylabel("there was")

    return draw


def _names(confusion: Confusion) -> tuple[Sequence[str], Sequence[str]]:
    rules = sorted(
        {name for pair in confusion for name in pair} - {NEAR_MISS, NOTHING}, key=lambda one: _ORDER.get(one, 99)
    )
    return [*rules, NEAR_MISS, NOTHING], [*rules, NOTHING]
