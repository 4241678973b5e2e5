"""What a Prometheus on the machine of a local stack has to read: the rules here, and the ports of this start."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

HERE: Final = Path(__file__).parent
CONFIGURATION: Final = "prometheus.yaml"
_TEMPLATE: Final = "platform.yaml.in"
_TARGETS: Final = "prometheus-targets.json"


class Target(NamedTuple):
    """A process that shows metrics on a port of this machine; several may be of one service."""

    service: str
    instance: str
    port: int


def write_configuration(directory: Path, targets: Iterable[Target]) -> Path:
    """Writes the configuration and the list of targets into ``directory``; gives the configuration. Raises OSError."""
    listed = [
        {"targets": [f"127.0.0.1:{one.port}"], "labels": {"service": one.service, "instance": one.instance}}
        for one in targets
    ]
    beside = directory / _TARGETS
    beside.write_text(json.dumps(listed, indent=2) + "\n", "utf-8")
    said = (HERE / _TEMPLATE).read_text("utf-8")
    said = said.replace("@RULES@", str(HERE / "rules")).replace("@TARGETS@", str(beside))
    written = directory / CONFIGURATION
    written.write_text(said, "utf-8")
    return written
