"""Devices that publish while a line does its worst, and what must hold of everything they published."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from deploy.platform.services import ServiceProcess
from deploy.reconcile import bookmarks, escalations
from deploy.reconcile.accounts import compare, read_oracle
from tests.proving.chaos.retained import retained_acks
from tests.proving.faults.line import Figures
from tests.proving.faults.testbed import Testbed, expect

NEVER_S: Final = 100_000.0
_AS_LONG_AS_IT_TAKES_S: Final = 3600
_DRAIN_S: Final = 90.0
_FIRST_S: Final = 20.0
_ACKNOWLEDGED_S: Final = 3.0
"""By then each device has heard an ack: the first one names a generation that is new to it, and is answered by a
resend of all that is under way."""
_CONFLICTS: Final = "select coalesce(sum(conflicts), 0) from key_conflicts"
_READINGS: Final = "select count(*) from readings"


class Stream:
    """Bands that publish at a steady rate until `stop`; then they drain."""

    def __init__(self, testbed: Testbed, process: ServiceProcess, oracle: Path, summary: Path) -> None:
        self._ground, self._process, self._oracle, self._summary = testbed, process, oracle, summary
        self.uplinks: dict[str, int] = {}
        self.report: dict[str, Any] = {}
        self.drained_in_s = 0.0

    @property
    def figures(self) -> Figures:
        """What a line reports of it."""
        return {"uplinks": self.uplinks["published"], "sent_again": self.uplinks["sent_again"], "lost": 0}

    def check(self) -> None:
        """Raises CriterionError where it has ended by itself."""
        expect(self._process.alive, f"the simulator ended with {self._process.exit_code}:\n{self._process.tail()}")

    def stop(self) -> None:
        """No new uplinks; waits until all are acknowledged end to end, or for a minute and a half."""
        began = time.monotonic()
        self._process.ask_to_stop()
        self._process.wait(_DRAIN_S + 20)
        self.drained_in_s = time.monotonic() - began
        expect(not self._process.exit_code, f"the simulator ended with {self._process.exit_code}")
        self._ground.oracle.update(read_oracle(self._oracle))
        self.report = json.loads(self._summary.read_text())
        self.uplinks = self.report["uplinks"]

    def kill(self) -> None:
        """Whatever it was doing."""
        self._process.kill()


@contextmanager
def streaming(
    testbed: Testbed,
    *,
    uplinks_per_s: int = 100,
    resends: bool = True,
    all_bands: bool = False,
    port: int = 0,
    drain_s: float = _DRAIN_S,
) -> Iterator[Stream]:
    """Publishes inside the block, stops and drains at its end, and closes the books."""
    oracle, summary = testbed.fresh("oracle"), testbed.fresh("summary")
    register = testbed.fleet.path("register.json" if all_bands else "few.json")
    process = testbed.fleet.simulator(
        "load", "--uplinks-per-s", str(uplinks_per_s), "--seconds", str(_AS_LONG_AS_IT_TAKES_S), "--memory-outbox",
        "--register", str(register), "--oracle", str(oracle), "--summary", str(summary),
        "--port", str(port or testbed.stack.mqtt_port),
        drain_s=drain_s, resend_after_s=5.0 if resends else NEVER_S,
    )  # fmt: skip
    stored = testbed.value(_READINGS)
    process.start()
    stream = Stream(testbed, process, oracle, summary)
    try:
        testbed.until(lambda: testbed.value(_READINGS) > stored, "the first reading is stored", within_s=_FIRST_S)
        time.sleep(_ACKNOWLEDGED_S)
        yield stream
        stream.stop()
    finally:
        if process.alive:
            process.kill()
    close_books(testbed, stream)


def close_books(testbed: Testbed, stream: Stream | None = None) -> Figures:
    """I1, I3 (nobody notified of what was taken on), I4 and I5 over all of its life. Raises CriterionError."""
    accounts = asyncio.run(compare(testbed.dsn, testbed.oracle))
    expect(accounts.balanced, f"I1: {accounts.lost} lost, {accounts.twice} twice, {accounts.examples[:3]}")
    conflicts = testbed.value(_CONFLICTS)
    expect(not conflicts, f"I1: {conflicts} readings came past the cursors a second time")
    if stream is not None:
        open_ends = stream.uplinks["published"] - stream.uplinks["acked_end_to_end"]
        expect(not open_ends, f"{open_ends} of {stream.uplinks['published']} uplinks were never acknowledged")
    found = asyncio.run(bookmarks.load(testbed.dsn, start=datetime.fromtimestamp(0, UTC), end=datetime.now(UTC)))
    ahead = bookmarks.wrongly_acknowledged(found.settled, retained_acks(testbed.stack), all_kept=False)
    expect(not ahead, f"I4: {ahead[:3]}")
    notified = escalations.Escalations()
    steps, states, changes = asyncio.run(escalations.load(testbed.dsn))
    escalations.judge_answers(notified, steps, states, changes)
    escalations.judge_audit(notified, states, changes)
    expect(notified.hold, f"I3, I5: {notified.examples[:3]}")
    return {"uplinks": stream.uplinks["published"], "again": stream.uplinks["sent_again"]} if stream else {}
