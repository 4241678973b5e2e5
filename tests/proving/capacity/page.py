"""docs/capacity.md, from the quotes, the demand and what was measured."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from deploy.local.settings import CHECKOUT
from tests.proving.capacity import quotes
from tests.proving.capacity.demand import DEVICES_A_PERSON, DOSES_AT_EIGHT, PEOPLE_A_DOCTOR, PLACES
from tests.proving.capacity.ends import ends
from tests.proving.capacity.needs import (
    BUSY,
    PEOPLE_A_SCORE,
    REPLICATION,
    STREAMS_A_CONSOLE,
    needs_of,
    record_bytes,
    us_a_reading,
)
from tests.proving.capacity.record import Line, Part

PAGE: Final = CHECKOUT / "docs" / "capacity.md"
_WIDTH: Final = 100
Parts = Mapping[str, Part]


def document(parts: Parts) -> str:
    """The page. Raises KeyError where a part was not measured."""
    return "\n\n".join([*_head(), *_sent(), *_needs(), *_ends(parts), *_measured(parts), *_unknown()]) + "\n"


def prose(text: str) -> str:
    """Wrapped as prose is here."""
    return textwrap.fill(" ".join(text.split()), _WIDTH, break_long_words=False, break_on_hyphens=False)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Its first column is text, the others are figures."""
    lines = [f"| {' | '.join(head)} |", f"| --- |{' ---: |' * (len(head) - 1)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def number(value: float) -> str:
    """With as many places as say something."""
    if value >= 100:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.2g}" if value < 10 else f"{value:.0f}"


def _head() -> list[str]:
    return [
        "# What many people need",
        prose(
            """This page multiplies what was measured to what a county, a city and a country need, and says where that
            ends. Its figures are of three kinds: *measured* on [what the path costs](speed.md), [growth](growth.md)
            and [for operators](operator.md), where a test looks whether they still stand; *measured here*, with the
            real component and so many people as one machine could hold; and *extrapolated*, which is said each
            time. **No platform of more than 20,000 devices has run as a whole.**"""
        ),
        prose(
            """`python -m tests.proving.capacity` writes the page and its pictures, with `--measure PART` after it has
            measured a part (`registry`, `broker`, `doses`, `score`) again; each takes some minutes of two cores and
            servers of its own."""
        ),
    ]


def _sent() -> list[str]:
    return [
        "## What people send",
        prose(
            f"""Our assumption: everybody wears a band that sends four readings each minute; one person in five wears a
            glucose monitor that sends one each five minutes; cuff, scale, doses and signs of life come to 24 uplinks
            a day. Everybody has {DEVICES_A_PERSON} devices, each with a connection of its own. A quarter of all
            people ({DOSES_AT_EIGHT:.0%}) has a dose at eight in the morning, all in one time zone. A doctor cares for
            {PEOPLE_A_DOCTOR} people, and all doctors look at once. Cores are average load with clear text; a core is
            planned to be at most {BUSY:.0%} busy, so that what gathered in an outage is worked off in as long as the
            outage took. What TLS adds is not in these figures."""
        ),
    ]


def _needs() -> list[str]:
    found = {name: needs_of(demand) for name, demand in PLACES.items()}
    names = list(found)

    def row(what: str, values: Iterable[str]) -> list[str]:
        return [what, *values]

    rows = [
        row("people", (f"{PLACES[name].people:,}" for name in names)),
        row("uplinks a second", (number(PLACES[name].uplinks_per_s) for name in names)),
        row("readings a second", (number(PLACES[name].readings_per_s) for name in names)),
        row("µs of CPU a reading, all programs", (number(us_a_reading(PLACES[name].uplinks_per_s)) for name in names)),
        row("**cores at work, all programs**", (number(sum(found[name].cores.values())) for name in names)),
        *(row(f"cores of {one}", (number(found[name].cores[one]) for name in names)) for one in found["city"].cores),
        *(
            row(f"instances of {one}", (number(found[name].instances[one]) for name in names))
            for one in found["city"].instances
        ),
        row("memory of score, GB", (number(found[name].score_gb) for name in names)),
        row(
            "partitions of the log",
            (str(found[name].partitions) if found[name].partitions else "more than 1,024" for name in names),
        ),
        row(f"disk of Kafka, {REPLICATION} copies, GB", (number(found[name].bus_gb) for name in names)),
        row("rows a second", (number(found[name].rows_per_s) for name in names)),
        row("readings written, MB/s, without WAL", (number(found[name].row_mb_per_s) for name in names)),
        row("database, TB a year", (number(found[name].database_tb_a_year) for name in names)),
        row("connections of devices", (number(found[name].connections) for name in names)),
        row("nodes of mosquitto, by connections alone", (number(found[name].brokers) for name in names)),
        row("doctors at once", (number(PLACES[name].doctors) for name in names)),
    ]
    return [
        "## What that needs",
        prose(
            f"""Between 1,000 and 10,000 uplinks a second the cost of a reading is interpolated; below, the CPU of
            1,000 a second is taken whole, and beyond it no further saving is assumed. Everything beyond 10,000
            uplinks a second is **extrapolated**. An instance of score has {PEOPLE_A_SCORE:,} people, as many as were
            measured in one process; a console has {STREAMS_A_CONSOLE} live pages. A record on the bus takes
            {record_bytes()} bytes and stays for {quotes.RETENTION_H.value:.0f} hours. A row takes
            {quotes.ROW_B.value:.0f} bytes (TimescaleDB's Apache edition, which does not compress)."""
        ),
        table(["one platform for", *names], rows),
        "![Cores at work by program, and what has to be kept](pictures/capacity-needs.svg)",
    ]


def _ends(parts: Parts) -> list[str]:
    found = sorted(ends(parts), key=lambda one: one.people)
    rows = [[one.what, f"{float(f'{one.people:.2g}'):,.0f}", one.known, one.then] for one in found]
    first = found[0]
    return [
        "## Where it ends",
        prose(
            f"""**{first.what} end first, at about {float(f"{first.people:.2g}"):,.0f} people.** So one platform as it
            is carries a county only with what the last column says, and a country is no platform but many: one for
            each region, with a database, a log and brokers of its own, as homes never look across a region. One
            mosquitto held {quotes.CONNECTIONS.value:,.0f} connections, which is all that was tried;
            {quotes.CONNECTIONS.value / DEVICES_A_PERSON:,.0f} people have as many."""
        ),
        table(["what", "people", "how that is known", "what then"], rows).replace(
            "| ---: | ---: | ---: |", "| ---: | --- | --- |"
        ),
        "![Measured, and the lines that go on from it](pictures/capacity-ends.svg)",
    ]


_HEADS: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "registry": (
        """Ingest's register. Each instance looks every 2 s whether it has changed, and reads all of it where it has;
        with one older than 8 s uplinks wait. The real keeper, on a PostgreSQL of its own: the median of three looks
        each, the longest time that nothing else had a turn meanwhile, and what the first one added to the process.""",
        {
            "people": "people",
            "devices": "devices",
            "unchanged_s": "nothing has changed, s",
            "changed_s": "a device was added, s",
            "stands_still_s": "ingest stands still, s",
            "mb": "memory, MB",
        },
    ),
    "broker": (
        """mosquitto's access files, written anew and read at SIGHUP for each device that is added; one client is
        connected and asks all the time.""",
        {"devices": "devices", "files_mb": "both files, MB", "pause_s": "mosquitto stands still, s"},
    ),
    "doses": (
        """Doses due in one moment: medication plans three days for everybody, a transaction a plan; then one look of
        its ledger reminds of all of them in one transaction. The real planner and ledger, with the limits of time
        that the service has.""",
        {
            "people": "people",
            "planned": "doses planned",
            "plan_s": "to plan them, s",
            "look_s": "the look, s",
            "reminders": "reminders written",
        },
    ),
    "score": (
        """Score's core with one partition of people whose windows are full, a reading of each vital a minute: what the
        process grew by, how long Python needs to look through all of it once, and CPU without the database.""",
        {
            "people": "people",
            "mb": "memory, MB",
            "collection_s": "looked through once, s",
            "us_a_reading": "CPU a reading, µs",
        },
    ),
}


def _measured(parts: Parts) -> list[str]:
    said = [
        "## What was measured here",
        prose(
            """Other programs were at work on the two cores all the time, so times are upper limits: on a quiet machine
            20,000 devices stopped mosquitto for four seconds ([for operators](operator.md))."""
        ),
    ]
    for name, (text, columns) in _HEADS.items():
        part = parts[name]
        rows = [[number(point[key]) if point[key] >= 0 else "given up" for key in columns] for point in part.points]
        said += [prose(f"{text} {part.on}, {part.machine}."), table(list(columns.values()), rows)]
        if name == "doses":
            said.append(prose(_a_city(part)))
    return said


def _a_city(part: Part) -> str:
    doses = PLACES["city"].doses_at_once
    plan, look = (Line.through(part.points, "people", figure).at(doses) for figure in ("plan_s", "look_s"))
    return f"""A city has {doses:,} doses due at eight. **Extrapolated**, planning three days of them takes
        {number(plan / 60)} minutes, which is soon enough, as it is done two days ahead; the one look that reminds
        everybody takes {number(look / 60)} minutes, and nobody else's dose is looked at meanwhile."""


def _unknown() -> list[str]:
    return [
        "## What nobody has measured",
        """- More than one machine: networks between services, replicas of Kafka, a standby.
- TLS, compression by TimescaleDB's community edition, and a broker cluster.
- Consoles of many doctors at once, and Grafana's panels of many caregivers.
- Mornings: people wake at one time, so peaks are higher than the average of a day.""",
    ]
