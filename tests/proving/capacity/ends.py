"""Where a component ends, in people: from what was measured, or along the line that goes on from it. Pure."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from tests.proving.capacity import quotes
from tests.proving.capacity.demand import DEVICES_A_PERSON, DOSES_AT_EIGHT, Demand
from tests.proving.capacity.needs import BUSY, PEOPLE_A_SCORE, most_people_of_ingest
from tests.proving.capacity.record import Line, Part

MOST_PARTITIONS: Final = 1_024
_RESEND_AFTER_S: Final = 60.0
_LOOK_S: Final = 3.0
"""A look every 2 s that takes longer than this leaves the register older than 8 s before the next one is done."""
_DISK_TB: Final = 50.0
"""What a large server holds; our assumption."""


class End(NamedTuple):
    """So many people are what a component carries."""

    what: str
    people: float
    known: str
    then: str


def ends(parts: Mapping[str, Part]) -> Iterator[End]:
    """Each of them."""
    one = Demand(1)
    pause = Line.through(parts["broker"].points, "devices", "pause_s")
    yield End(
        "mosquitto's access files",
        pause.reaches(_RESEND_AFTER_S) / DEVICES_A_PERSON,
        _known(
            pause.reaches(_RESEND_AFTER_S), parts["broker"], "devices", "each device that is added stops it for 60 s"
        ),
        "a broker that asks a database who may sign in; or several, each with a part of the shards",
    )
    changed = Line.through(parts["registry"].points, "devices", "changed_s")
    yield End(
        "ingest's register, where devices are added all day",
        changed.reaches(_LOOK_S) / DEVICES_A_PERSON,
        _known(changed.reaches(_LOOK_S), parts["registry"], "devices", "a look takes 3 s, then uplinks wait for it"),
        "read what has changed, and the own shards alone",
    )
    unchanged = Line.through(parts["registry"].points, "devices", "unchanged_s")
    yield End(
        "ingest's register, where nothing changes",
        unchanged.reaches(_LOOK_S) / DEVICES_A_PERSON,
        _known(unchanged.reaches(_LOOK_S), parts["registry"], "devices", "even asking takes 3 s"),
        "a number that each change raises, in the place of a mark over all rows",
    )
    look = Line.through(parts["doses"].points, "people", "look_s")
    yield End(
        "medication's one look, at eight in the morning",
        look.reaches(_RESEND_AFTER_S) / DOSES_AT_EIGHT,
        _known(look.reaches(_RESEND_AFTER_S), parts["doses"], "doses", "everybody is reminded a minute late"),
        "looks that take a part of the dispensers each",
    )
    yield End(
        "the database's disk, a year of readings",
        _DISK_TB * 1e12 / (one.readings_a_year * quotes.ROW_B.value),
        f"extrapolated: {_DISK_TB:.0f} TB in one server, {quotes.ROW_B.value:.0f} bytes a reading",
        "a shorter retention of single readings, or the community edition's compression",
    )
    yield End(
        "the database's writes",
        BUSY * quotes.INSERTS.value / one.readings_per_s,
        f"extrapolated: half of {quotes.INSERTS.value:,.0f} rows a second, which were measured alone by COPY",
        "a database for each region",
    )
    yield End(
        "ingest, an instance for each of 64 shards",
        most_people_of_ingest(),
        f"extrapolated: half of {quotes.INGEST_MOST.value:,.0f} uplinks a second, 64 times",
        "a platform for each region",
    )
    yield End(
        "score, an instance for each partition",
        MOST_PARTITIONS * PEOPLE_A_SCORE,
        f"extrapolated: {MOST_PARTITIONS:,} partitions with {PEOPLE_A_SCORE:,} people each",
        "a platform for each region",
    )


def _known(where: float, part: Part, x: str, what: str) -> str:
    largest = part.points[-1]["people" if x == "doses" else x]
    kind = "measured" if where <= largest else f"extrapolated from {largest:,.0f} {x}"
    return f"{kind}: {what}"
