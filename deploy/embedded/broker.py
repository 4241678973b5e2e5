"""The child process of the MQTT broker: `iotcore` runs rumqttd as a thread of whoever starts it, so it gets its own."""

import contextlib
import logging
import os
import resource
import sys
import threading

from iotcore import IotCoreBroker

OPEN_FILES = 10240


def exit_with_parent() -> None:
    """End as soon as the parent's end of the pipe closes, even if the parent was killed."""
    sys.stdin.buffer.read()
    os._exit(0)


def main() -> None:
    """Serve until killed; the argument is the TOML configuration."""
    logging.basicConfig(level=logging.WARNING)
    # rumqttd reports every packet as an error span.
    logging.getLogger("rumqttd").setLevel(logging.CRITICAL)
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    threading.Thread(target=exit_with_parent, daemon=True).start()
    IotCoreBroker(config_path=sys.argv[1]).run_forever()


if __name__ == "__main__":
    main()
