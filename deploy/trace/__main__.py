"""`python -m deploy.trace DEVICE`: follows a device of the demo that runs, or of `make up`, until Ctrl-C."""

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final

import asyncpg
import typer
from rich.console import Console

from deploy.demo.options import RUNNING
from deploy.local.settings import StackSettings
from deploy.local.stack import Stack
from deploy.trace.fates import Fates, Key
from schemas.codec import CodecError, decode_ack, identity_of
from schemas.topics import ACK, UP
from services.runtime.database import load_queries
from services.runtime.mqtt import open_link
from services.runtime.settings import MqttSettings

_LOOK_EVERY_S: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the platform is."""

    dsn: str
    mqtt: MqttSettings


class UnknownDeviceError(LookupError):
    """No device of that name is registered."""


def place_of(stack: str | None) -> Place:
    """The running demo, or the stack of that name."""
    if stack is None:
        running = json.loads(RUNNING.read_text())
        return Place(dsn=running["dsn"], mqtt=MqttSettings(host=running["mqtt_host"], port=running["mqtt_port"]))
    servers = Stack(StackSettings(name=stack))
    broker = {"host": servers.mqtt_host, "port": servers.mqtt_port, "password": servers.platform_password}
    return Place(dsn=servers.dsn, mqtt=MqttSettings.model_validate(broker))


async def follow(place: Place, device: str, console: Console) -> None:
    """Prints a line for each uplink whenever its fate has changed."""
    sql = load_queries("deploy.trace")
    connection = await asyncpg.connect(place.dsn)
    row = await connection.fetchrow("select device_no, shard from devices where device = $1", device)
    if row is None:
        raise UnknownDeviceError(device)
    # Platform time of the present, which on a fast clock the machine does not know.
    since = await connection.fetchval("select max(last_received_at) from device_cursor") or datetime.now(UTC)
    fates, said = Fates(), dict[Key, str]()
    topics = [UP.of(row["shard"], device), ACK.of(row["shard"], device)]
    async with open_link(place.mqtt, client_id="watch-0", filters=topics) as link:
        while True:
            deliveries = await link.take(wait_s=_LOOK_EVERY_S)
            for delivery in deliveries:
                _note(fates, delivery.topic == topics[0], delivery.payload)
            link.acknowledge(deliveries)
            fates.saw_rows(map(dict, await connection.fetch(sql["stored"], row["device_no"], since)))
            fates.saw_rejections(map(dict, await connection.fetch(sql["rejected"], row["device_no"], since)))
            evidence = map(dict, await connection.fetch(sql["findings"], row["device_no"], since))
            fates.saw_findings(one for one in evidence if (one["epoch"], one["seq"]) in fates.by_key)
            for key, fate in fates.by_key.items():
                if said.get(key) != (words := fate.words()):
                    said[key] = words
                    console.print(f"[bold]seq {key[1]}[/] {words}")


def _note(fates: Fates, is_uplink: bool, payload: bytes) -> None:  # noqa: FBT001 - which of two topics
    if is_uplink:
        if identity := identity_of(payload):
            fates.saw_uplink(identity)
        return
    try:
        ack = decode_ack(payload)
    except CodecError:
        return
    fates.saw_ack(ack.epoch, ack.upto, [(one.seq, one.item, one.reason) for one in ack.rejected])


def main(
    device: str,
    stack: Annotated[str | None, typer.Option(help="A stack of `make up` (its name is dev); else the demo.")] = None,
) -> None:
    """Shows what becomes of each uplink of DEVICE."""
    console = Console(highlight=False)
    try:
        asyncio.run(follow(place_of(stack), device, console))
    except KeyboardInterrupt:
        raise typer.Exit from None
    except FileNotFoundError:
        console.print("[red]no demo runs; start one with `make demo`, or name a stack[/]")
        raise typer.Exit(1) from None
    except UnknownDeviceError:
        console.print(f"[red]no device {device} is registered[/]")
        raise typer.Exit(1) from None


if __name__ == "__main__":
    typer.run(main)
