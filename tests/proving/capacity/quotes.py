"""Figures that other pages have measured, each with the words that it stands in: a test looks whether they still do."""

import re
from pathlib import Path
from typing import Final, NamedTuple

from deploy.local.settings import CHECKOUT


class Quote(NamedTuple):
    """A figure of ``page``; ``words`` are the place where it stands."""

    value: float
    page: str
    words: str

    @property
    def stands(self) -> bool:
        """Whether the page still says it."""
        return _plain(self.words) in _plain((CHECKOUT / self.page).read_text())


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("*", ""))


_SPEED: Final = str(Path("docs", "speed.md"))
_GROWTH: Final = str(Path("docs", "growth.md"))
_OPERATOR: Final = str(Path("docs", "operator.md"))
_PEER: Final = "ingest 9.1, PostgreSQL 9.0, score 7.9, mosquitto 6.5, store 5.7, Apache Kafka 1.5, the others 0.7"
INGEST_US: Final = Quote(9.1, _SPEED, _PEER)
POSTGRESQL_US: Final = Quote(9.0, _SPEED, _PEER)
MOSQUITTO_US: Final = Quote(6.5, _SPEED, _PEER)
STORE_US: Final = Quote(5.7, _SPEED, _PEER)
KAFKA_US: Final = Quote(1.5, _SPEED, _PEER)
OTHERS_US: Final = Quote(0.7, _SPEED, _PEER)
SCORE_US: Final = Quote(11.2, _SPEED, "of which score has 11.2, 27.3 turns")
"""µs of CPU a reading. Of score the newest, since it has learned more than when the others were measured."""
AT_1_000_US: Final = Quote(241, _SPEED, "241 µs of CPU for a reading")
AT_4_000_US: Final = Quote(69, _SPEED, "229 µs at 1,000 uplinks/s, 69 at 4,000, 40 at 10,000")
AT_10_000_US: Final = Quote(41.4, _SPEED, "At 10,000 uplinks/s for 300 s: 41.4 µs for a reading")
"""µs of CPU a reading of everything together, at so many uplinks a second with four readings each."""
INGEST_MOST: Final = Quote(12_000, _SPEED, "From a full queue it takes 12,000 uplinks/s instead of 11,300.")
CONNECTIONS: Final = Quote(19_800, _SPEED, "| 19,800 | 102.7 | 94 / 263 |")
SCORE_KB: Final = Quote(51, _SPEED, "a person with full windows takes 51 KB, not 53")
SCORE_MB: Final = Quote(150.3, _SPEED, "score 150.3 MB at most (goal 150)")
OTHER_MB: Final = Quote(91, _SPEED, "no service above 91 MB, none growing by more than 2 %")
STATE_B: Final = Quote(3_698, _SPEED, "State: 3,698 bytes a person")
WAL_B: Final = Quote(426, _SPEED, "426 bytes of WAL a reading since it is squeezed by lz4")
ROW_B: Final = Quote(250, _OPERATOR, "A reading takes about 250 bytes, index included.")
INSERTS: Final = Quote(177_820, _GROWTH, "| 50,108,760 | 387 | 56 | 177,820 | 252 |")
WORKLIST_MS: Final = Quote(11, _GROWTH, "| console, people_of, worklist of 500 people | 94 | 36 | 9 | 11 | 36 |")
RELOAD_10_000_S: Final = Quote(1, _OPERATOR, "With 10,000 devices the broker stands still for about a second")
RETENTION_H: Final = Quote(72, _OPERATOR, "comes back from the log (72 hours)")

QUOTES: Final = (
    INGEST_US,
    POSTGRESQL_US,
    MOSQUITTO_US,
    STORE_US,
    KAFKA_US,
    OTHERS_US,
    SCORE_US,
    AT_1_000_US,
    AT_4_000_US,
    AT_10_000_US,
    INGEST_MOST,
    CONNECTIONS,
    SCORE_KB,
    SCORE_MB,
    OTHER_MB,
    STATE_B,
    WAL_B,
    ROW_B,
    INSERTS,
    WORKLIST_MS,
    RELOAD_10_000_S,
    RETENTION_H,
)
