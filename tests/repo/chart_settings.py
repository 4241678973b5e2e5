"""`python -m tests.repo.chart_settings` writes which settings each part of the chart may have, and which are secret.

The chart refuses any other name when it is rendered (`deploy/chart/files/settings.json`). Prometheus' rules are copied
beside them, since a chart can read only what lies in its own folder.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any, Final, get_args

from pydantic import SecretStr
from pydantic_settings import BaseSettings

from deploy.local.settings import CHECKOUT
from deploy.prometheus.targets import HERE
from services.alert.channels import CHANNELS
from services.alert.settings import AlertSettings
from services.api.audit_anchors import AuditSettings
from services.api.settings import ApiSettings
from services.ingest.settings import IngestSettings
from services.medication.settings import MedicationSettings
from services.runtime.settings import (
    BrokerSettings,
    BusSettings,
    ClockSettings,
    DatabaseLogins,
    DatabaseSettings,
    MqttSettings,
)
from services.runtime.tls import TlsSettings
from services.score.settings import ScoreSettings
from services.store.settings import StoreSettings
from services.watch.settings import WatchSettings

FILE: Final = CHECKOUT / "deploy" / "chart" / "files" / "settings.json"
RULES: Final = FILE.parent / "rules"

_CHANNELS: Final[tuple[type[BaseSettings], ...]] = tuple(one.settings for one in CHANNELS)
PARTS: Final[dict[str, tuple[type[BaseSettings], ...]]] = {
    "ingest": (IngestSettings,),
    "store": (StoreSettings,),
    "score": (ScoreSettings,),
    "medication": (MedicationSettings,),
    "alert": (AlertSettings, *_CHANNELS),
    "api": (ApiSettings,),
    "watch": (WatchSettings,),
    "access": (BusSettings,),
    "prepare": (DatabaseSettings, DatabaseLogins, BusSettings),
    "audit": (DatabaseSettings, AuditSettings, ClockSettings),
    "tools": (
        DatabaseSettings,
        DatabaseLogins,
        BusSettings,
        MqttSettings,
        BrokerSettings,
        ClockSettings,
        AuditSettings,
        AlertSettings,
        IngestSettings,
        *_CHANNELS,
    ),
}
"""Which settings the processes of each part read."""
_EVERYWHERE: Final = {"HB_LOG_LEVEL": False}
"""What runs to its end does not read it, and takes no harm."""


def settings_of(kinds: tuple[type[BaseSettings], ...]) -> dict[str, bool]:
    """The names, as the environment has them, and whether each is secret; those of nested settings too."""
    return dict(sorted((_EVERYWHERE | {name: secret for kind in kinds for name, secret in _of(kind)}).items()))


def _of(kind: type[BaseSettings]) -> Iterator[tuple[str, bool]]:
    for name, field in kind.model_fields.items():
        found = _nested(field.annotation)
        if found is not None:
            yield from _of(found)
        elif name != "channels":  # no setting: those that their own settings switch on
            prefix = kind.model_config.get("env_prefix", "")
            yield f"{prefix}{name.upper()}", SecretStr in _parts(field.annotation)


def _nested(annotation: Any) -> type[BaseSettings] | None:
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseSettings) else None


def _parts(annotation: Any) -> set[Any]:
    return {annotation}.union(*(_parts(one) for one in get_args(annotation)))


def document() -> str:
    """The file, as it has to be."""
    return json.dumps({name: settings_of((*kinds, TlsSettings)) for name, kinds in PARTS.items()}, indent=1) + "\n"


def main() -> None:
    """Writes the files, and takes away rules that there are no more."""
    FILE.write_text(document())
    RULES.mkdir(exist_ok=True)
    own = {path.name: path.read_text("utf-8") for path in sorted((HERE / "rules").glob("*.yaml"))}
    for old in RULES.glob("*"):
        if old.name not in own:
            old.unlink()
    for name, text in own.items():
        (RULES / name).write_text(text, "utf-8")
    for path in (FILE, *sorted(RULES.glob("*"))):
        sys.stdout.write(f"{path.relative_to(CHECKOUT)}\n")


if __name__ == "__main__":
    main()
