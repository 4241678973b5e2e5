"""The scorecard as a page that a doctor can read: docs/scorecard.md, with its plots."""

from collections.abc import Iterable, Mapping, Sequence
from math import isnan
from pathlib import Path
from textwrap import fill
from typing import Final

from matplotlib.figure import Figure as Picture

from tests.proving.scorecard.report import said
from tests.proving.scorecard.section import Goal, Line, Plot, Section

WIDTH: Final = 100
_DPI: Final = 110
_INCHES: Final = (8, 4.2)

_ABOUT: Final = """Every detector beside what people would have without it, on recorded people and on labelled
simulation. Written by `make scorecard DATA=folder PAGE=1`, never by hand. They are scored by the code that runs, but
for the second opinion on falls, which no service loads. Whatever is learned was fitted on other people than those it
is scored on (five folds of people); recipes and settings were chosen with these people in view, so only other people
test them. In brackets are 95 % confidence intervals over people. *Chance* is what the same alerts at random times
would have found: a sensitivity says something only by what it is above that."""


def write_page(sections: Sequence[Section], not_run: Mapping[str, str], page: Path, pictures: Path) -> None:
    """Writes ``page``, and a picture for each plot into ``pictures``."""
    parts = ["# How good the alerts are", wrapped(_ABOUT), _goals(sections)]
    for section in sections:
        parts += [f"## {section.title}", paragraphs(section.counted), table_of(section.lines)]
        for plot in section.plots:
            parts += pictured(plot, pictures, f"scorecard-{plot.name}", f"pictures/scorecard-{plot.name}.png")
    parts += [wrapped(f"**{name}** was not run: {why}") for name, why in not_run.items()]
    page.write_text("\n\n".join(parts) + "\n")


def _goals(sections: Sequence[Section]) -> str:
    rows = [
        (
            section.title,
            goal.figure.replace("_", " "),
            _number(section.summary[goal.figure]),
            _bound(goal),
            _met(section, goal),
        )
        for section in sections
        for goal in section.goals
    ]
    return rows_of(("what", "figure", "measured", "goal", "met"), rows)


def _met(section: Section, goal: Goal) -> str:
    return "yes" if goal.is_met(section.summary[goal.figure]) else "**no**"


def _bound(goal: Goal) -> str:
    bounds = [] if goal.at_least is None else [f"≥ {goal.at_least:g}"]
    return " and ".join(bounds + ([] if goal.at_most is None else [f"≤ {goal.at_most:g}"]))


def _number(value: float) -> str:
    return "" if isnan(value) else f"{value:.3g}"


def table_of(lines: Sequence[Line]) -> str:
    """Ours in bold; those of groups below those of everybody."""
    titles = list(dict.fromkeys(title for line in lines for title in line.figures))
    rows = []
    for line in sorted(lines, key=lambda one: bool(one.group)):
        name = f"{line.detector}, {line.group}" if line.group else line.detector
        figures = [said(line.figures[title]) if title in line.figures else "" for title in titles]
        rows.append((f"**{name}**" if line.is_ours else name, *figures))
    return rows_of(("", *titles), rows)


def pictured(plot: Plot, folder: Path, name: str, link: str) -> list[str]:
    """Draws ``plot`` into ``<name>.png``; what the page says there."""
    picture = Picture(figsize=_INCHES, layout="constrained")
    plot.draw(picture.subplots())
    picture.savefig(folder / f"{name}.png", dpi=_DPI)
    return [f"![{plot.caption}]({link})", wrapped(f"*{plot.caption.rstrip('.')}.*")]


def rows_of(titles: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of Markdown; numbers stand to the right."""
    heads = list(titles)
    below = ["---"] + ["---:"] * (len(heads) - 1)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (heads, below, *rows))


def paragraphs(text: str) -> str:
    """Paragraphs, which blank lines part, each in lines that fit."""
    return "\n\n".join(wrapped(one) for one in text.strip().split("\n\n"))


def wrapped(text: str, *, hanging: str = "") -> str:
    """In lines that fit; all but the first begin with ``hanging``."""
    words = " ".join(text.split())
    return fill(words, WIDTH, break_long_words=False, break_on_hyphens=False, subsequent_indent=hanging)
