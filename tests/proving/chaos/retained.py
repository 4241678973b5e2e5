"""What a subscriber that comes now hears from the broker: the retained ack of each device."""

import json
import threading
from typing import Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from deploy.local.stack import Stack
from deploy.reconcile.bookmarks import Settled

_USER: Final = "trace-0"
"""A platform user that no service has: who connects by the name of one that runs puts it out."""
_FILTER: Final = "hb/v1/+/+/ack"
_ENOUGH_S: Final = 3.0
"""Retained messages come at once; after so long a silence there are no more."""


def retained_acks(stack: Stack) -> dict[str, Settled]:
    """The ack of each device that has one."""
    acks: dict[str, Settled] = {}
    heard = threading.Event()

    def on_connect(client: mqtt.Client, *_: Any) -> None:
        client.subscribe(_FILTER, qos=0)

    def on_message(_client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        heard.set()
        ack = json.loads(message.payload)
        acks[message.topic.split("/")[3]] = Settled(epoch=ack["epoch"], upto=ack["upto"])

    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=_USER)
    client.username_pw_set(_USER, stack.platform_secrets[_USER])
    client.on_connect = on_connect
    client.on_message = on_message
    client.connect(stack.mqtt_host, stack.mqtt_port)
    client.loop_start()
    try:
        while heard.wait(_ENOUGH_S):
            heard.clear()
    finally:
        client.disconnect()
        client.loop_stop()
    return acks
