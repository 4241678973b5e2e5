"""The fault matrix: forty rows."""

from typing import Final

from deploy.faults import kills
from deploy.faults.ground import HOMES, PLAIN
from deploy.faults.line import Line

LINES: Final[tuple[Line, ...]] = (
    Line(
        number=1, fault="kill -9 of ingest", criterion="each recovery within 5 s", soil=PLAIN, run=kills.ingest_killed
    ),
    Line(
        number=2,
        fault="kill -9 of store, also between the commits of the database and of Kafka",
        criterion="a batch that is read again changes no row",
        soil=PLAIN,
        run=kills.store_killed,
    ),
    Line(
        number=3,
        fault="kill -9 of score, in its transaction and after it",
        criterion="no alert is missed or told twice; the state is that of an undisturbed replay",
        soil=HOMES,
        run=kills.score_killed,
    ),
    Line(
        number=6,
        fault="kill -9 of the console during an acknowledgement",
        criterion="it is recorded or it is not; repeating the request is harmless",
        soil=PLAIN,
        run=kills.api_killed,
    ),
    Line(
        number=35,
        fault="two copies of each service by mistake",
        criterion="nothing is stored or sent twice",
        soil=PLAIN,
        run=kills.started_twice,
    ),
)
