"""What a device of a type may send first, as a line for the shell: so that somebody can try it at once."""

import json
from importlib import resources
from secrets import randbelow
from shlex import quote
from typing import Any, Final, NamedTuple

from schemas.devices import DEVICE_TYPE_BY_CODE
from schemas.events import EventKind
from schemas.topics import UP

_EPOCHS: Final = 2**53
_NOW: Final = "__NOW__"
"""Stands where the shell puts the time."""


class Contact(NamedTuple):
    """How a device reaches the broker. Without ``secret`` it asks nobody for one; with ``ca_file`` it speaks TLS."""

    device: str
    shard: int
    host: str
    port: str
    secret: str | None
    ca_file: str | None = None


def try_it(contact: Contact, device_type: str, *, real_time: bool) -> list[str]:
    """Shell lines: a reading, then a press of the SOS button where the type has one.

    On a platform whose clock is not the machine's (not ``real_time``) they say that their own is not set.
    """
    epoch = randbelow(_EPOCHS)
    uplinks = [_uplink(epoch, 0, [_reading(device_type)], [], real_time=real_time)]
    if EventKind.SOS_PRESSED in DEVICE_TYPE_BY_CODE[device_type].events:
        pressed = {"event": EventKind.SOS_PRESSED.value, "at": _NOW}
        uplinks.append(_uplink(epoch, 1, [], [pressed], real_time=real_time))
    return ["NOW=$(date +%s)000", *(_publish(contact, uplink) for uplink in uplinks)]


def clock_word(*, real_time: bool) -> str:
    """What an uplink says of its clock: only the machine's may be compared with a platform's that is the machine's."""
    return "synced" if real_time else "unsynced"


def shell_variables(contact: Contact, *, real_time: bool) -> list[str]:
    """Assignments for ``eval``: what stands in the examples of README and firmware guide."""
    values = {
        "DEVICE": contact.device,
        "SHARD": str(contact.shard),
        "HOST": contact.host,
        "PORT": contact.port,
        "SECRET": contact.secret or "-",
        "CLOCK": clock_word(real_time=real_time),
    }
    return [f"{name}={quote(value)}" for name, value in values.items()]


def _reading(device_type: str) -> dict[str, Any]:
    """The first of the first golden example, on the first slot."""
    examples = resources.files("schemas").joinpath("examples")
    index = json.loads(examples.joinpath("index.json").read_text("utf-8"))
    file = next(row["file"] for row in index["good"] if row["file"].startswith(f"{device_type}/"))
    reading: dict[str, Any] = next(iter(json.loads(examples.joinpath(file).read_text("utf-8"))["readings"]), {})
    return reading | {"at": _NOW}


def _uplink(epoch: int, seq: int, readings: list[Any], events: list[Any], *, real_time: bool) -> str:
    body = {"epoch": epoch, "seq": seq, "sent_at": _NOW, "clock": clock_word(real_time=real_time), "oldest": 0}
    text = json.dumps(body | {"readings": [one for one in readings if "vital" in one], "events": events})
    # The quotes end before the variable and begin again after it.
    return quote(text).replace(f'"{_NOW}"', "'$NOW'")


def _publish(contact: Contact, uplink: str) -> str:
    name = contact.device
    secret = f" -P {quote(contact.secret)}" if contact.secret else ""
    tls = f" --cafile {quote(contact.ca_file)}" if contact.ca_file else ""
    return (
        f"mosquitto_pub -V 5 -h {contact.host} -p {contact.port}{tls} -i {name} -u {name}{secret} -q 1"
        f" -t {UP.of(contact.shard, name)} -m {uplink}"
    )
