"""What a run counts, and the summary it ends with."""

import json
from collections import Counter
from pathlib import Path
from typing import Any, Final

import numpy as np

_SAMPLES: Final = 400_000
"""At most; when they are full every second one goes, and from then on only every second ack is kept, and so on."""


class Tally:
    """Counters of one run. Latency is real milliseconds from the first transmission to the end-to-end ack."""

    def __init__(self) -> None:
        self.transmissions = 0
        self.sent_again = 0
        self.settled = 0
        self.most_sends = 0
        self.commands: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.by_device_type: dict[str, Counter[str]] = {}
        self.rejected: Counter[str] = Counter()
        self.latencies_ms: list[float] = []
        self._one_in = 1

    def published(self, device_type: str, readings: int, events: int) -> None:
        """An uplink was taken into an outbox."""
        row = self.by_device_type.setdefault(device_type, Counter())
        row["uplinks"] += 1
        row["readings"] += readings
        row["events"] += events

    def acked(self, latency_s: float, times_sent: int = 1) -> None:
        """An uplink was settled."""
        self.settled += 1
        self.most_sends = max(self.most_sends, times_sent)
        if self.settled % self._one_in == 0:
            self.latencies_ms.append(1000 * latency_s)
            if len(self.latencies_ms) == _SAMPLES:
                # Every other one is dropped, and from now on half as many are kept: memory stays
                # bounded, and the sample stays even over the whole run.
                self.latencies_ms = self.latencies_ms[1::2]
                self._one_in *= 2

    def latency(self) -> dict[str, float | int | None]:
        """Median and 99th percentile of the acknowledgement."""
        if not self.latencies_ms:
            return {"p50": None, "p99": None, "samples": 0}
        p50, p99 = np.percentile(np.asarray(self.latencies_ms), [50, 99])
        return {"p50": round(float(p50), 1), "p99": round(float(p99), 1), "samples": len(self.latencies_ms)}


def write_summary(path: Path, summary: dict[str, Any]) -> None:
    """Replaces the file in one step."""
    whole = path.with_suffix(path.suffix + ".new")
    whole.write_text(json.dumps(summary, indent=2) + "\n")
    whole.replace(path)
