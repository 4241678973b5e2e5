"""One version of score on a recorded log: run by path with that version's checkout as PYTHONPATH.

It uses nothing but what every version has: the codec, and ``services.score.replay``. Arguments: the log, where
the findings go (a line of JSON each), where the figures go.
"""

import json
import sys
import time
from pathlib import Path
from struct import Struct
from typing import Any

from schemas.codec import decode_uplink_record
from services.score import replay

_LENGTH = Struct("<I")
"""As in ``record``, which another version does not have."""


def main(log: Path, findings: Path, figures: Path) -> None:
    """Replays it and writes what was found."""
    asked: list[str] = []
    _listen(asked)
    done, records, readings, cpu_s = replay.Replay(), 0, 0, 0.0
    with log.open("rb") as file:
        while head := file.read(_LENGTH.size):
            uplink = decode_uplink_record(file.read(_LENGTH.unpack(head)[0]))
            before = time.process_time()
            done.take(uplink)
            cpu_s += time.process_time() - before
            records += 1
            readings += len(getattr(uplink, "readings", ()))
    findings.write_text("\n".join([done.reported(), *sorted(asked)]) + "\n")
    said = {
        "records": records,
        "readings": readings,
        "findings": len(done.findings),
        "duplicates": done.tally.duplicates,
        "late": done.tally.late,
        "cpu_us_a_reading": round(1e6 * cpu_s / max(1, readings), 2),
    }
    figures.write_text(json.dumps(said))


def _listen(asked: list[str]) -> None:
    """Notes also what the step asks of due rows (falls, presses of SOS) and of people, which a replay passes over."""
    # Who calls the step has changed: the newer versions have a module for it.
    module: Any = sys.modules.get("services.score.partition", replay)
    step = module.step

    def and_note(*arguments: Any) -> Any:
        effects = step(*arguments)
        asked.extend(json.dumps(_plain(one)) for one in effects if hasattr(one, "due_at"))
        return effects

    module.step = and_note


def _plain(effect: Any) -> list[Any]:
    sample = effect.sample
    place = [sample.at, sample.device_no, sample.epoch, sample.seq, sample.item]
    # What people are asked after a reading is no episode: its kind says what it is.
    which = getattr(effect, "episode", None) or effect.kind
    name = f"{type(effect).__name__} {effect.subject.home_no} {effect.subject.person_no} {which} {place}"
    return [name, effect.due_at, getattr(effect, "received_at", 0), type(effect).__name__, 0, 0, 0]


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
