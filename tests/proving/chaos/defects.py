"""Ten ways in which a platform of this kind loses things, as changes of our own source; planted in copies only."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.proving.chaos.options import QUIET_S
from tests.proving.chaos.schedule import TARGETS


class StaleDefectError(ValueError):
    """The source that a defect changes is no longer written like that."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A small run of chaos: so many ``kills`` of ``targets`` during ``uplinks``, with or without ``resends``."""

    name: str
    kills: int = 6
    uplinks: int = 1_000
    targets: tuple[str, ...] = TARGETS
    resends: bool = True
    quiet_s: float = QUIET_S

    def plant(self, root: Path) -> None:
        """The product as it is."""

    def caught(self, failures: Sequence[str]) -> list[str]:
        """What a run must not find here: anything."""
        return list(failures)


@dataclass(frozen=True, kw_only=True)
class Defect(Trial):
    """A trial of the product with one thing wrong: ``old`` in ``file`` becomes ``new``.

    It is caught when one of the invariants ``broken`` by it is found to be: red for another reason proves nothing.
    Each is the beginning of what chaos says of it.
    """

    file: str
    old: str
    new: str
    broken: tuple[str, ...]
    kills: int = 2
    quiet_s: float = 10.0

    def plant(self, root: Path) -> None:
        """Changes the copy at ``root``. Raises StaleDefectError."""
        path = root / self.file
        text = path.read_text()
        if text.count(self.old) != 1:
            raise StaleDefectError(f"{self.name}: {self.file} holds its place {text.count(self.old)} times")
        path.write_text(text.replace(self.old, self.new))

    def caught(self, failures: Sequence[str]) -> list[str]:
        """Those of a run's failures that are this defect's doing."""
        return [why for why in failures if f"{why}:".startswith(tuple(f"{one}:" for one in self.broken))]


STORE_REFUSES: Final = "recovery: NotRecoveredError: store did not work again within 60 s of a kill"
"""Its guard finds the log further than the rows, and nothing is written any more."""
CONTROLS: Final = (Trial(name="nothing wrong"), Trial(name="nothing wrong, without resends", resends=False))
DEFECTS: Final = (
    Defect(
        name="PUBACK before the bus has it",
        file="services/ingest/uplinks.py",
        old="            if registry is None or not await self._append(self._records(messages, registry), stop):\n"
        "                return\n"
        "            self.link.acknowledge(messages)\n",
        new="            self.link.acknowledge(messages)\n"
        "            if registry is None or not await self._append(self._records(messages, registry), stop):\n"
        "                return\n",
        broken=("I1 items", "settled"),
        kills=4,
        targets=("ingest",),
        resends=False,
    ),
    Defect(
        name="offset committed before the write",
        file="services/store/path.py",
        old="                written = await self._write(messages, assignment, subscription, stop)\n",
        new="                await subscription.commit({one.partition: one.offset + 1 for one in messages})\n"
        "                written = await self._write(messages, assignment, subscription, stop)\n",
        broken=("I1 items", "settled", STORE_REFUSES),
        kills=4,
        targets=("store",),
        resends=False,
    ),
    Defect(
        name="cursor update left out",
        file="services/store/writer.py",
        old="self._save_progress(connection, batch.touched, ",
        new="self._save_progress(connection, [], ",
        broken=("I1 items", "I4 acks", "settled"),
    ),
    Defect(
        name="delivery error swallowed",
        file="services/alert/sending.py",
        old="Outcome.RETRY: DeliveryState.PENDING",
        new="Outcome.RETRY: DeliveryState.SENT",
        broken=("I2 notifications",),
    ),
    Defect(
        name="stale ack after reconnect",
        file="services/runtime/mqtt.py",
        old="if one.packet_id and one.connection == self._connection]",
        new="if one.packet_id]",
        broken=("link",),
        kills=4,
        targets=("mosquitto",),
    ),
    Defect(
        name="settled record lost for duplicates",
        file="services/store/core.py",
        old="            touched[key] = cursor\n",
        new="            if batch.new and batch.new[-1] is record:\n                touched[key] = cursor\n",
        broken=("settled",),
        kills=4,
        targets=("mosquitto", "ingest"),
    ),
    Defect(
        name="score position not saved",
        file="services/score/checkpoint.py",
        old="        position, dirty = partition.position, partition.dirty\n",
        new="        position, dirty = partition.saved, partition.dirty\n",
        broken=("checkpoint", "score"),
    ),
    Defect(
        name="naive time stamp",
        file="services/store/rows.py",
        old="_PG_EPOCH_MS: Final = 946_684_800_000\n",
        new="_PG_EPOCH_MS: Final = 946_684_800_000 - 3_600_000  # as a clock in Berlin shows it\n",
        broken=("times",),
    ),
    Defect(
        name="rejected dropped",
        file="services/store/writer.py",
        old="            await self._insert_rejected(connection, batch)\n",
        new="",
        broken=("I1 items",),
    ),
    Defect(
        name="retained ack not retained",
        file="services/runtime/mqtt_client.py",
        old="bytes((paho.PUBLISH | 0x01,))",
        new="bytes((paho.PUBLISH,))",
        broken=("I4 acks",),
        resends=False,
    ),
)
