"""Another fit of the shipped forecast, for the proof: it expects a low sooner; and when it is tried and promoted."""

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from schemas.alerts import Variant
from schemas.rule_versions import VersionChange
from services.runtime.clock import to_datetime
from services.runtime.database import Connection
from services.score.learned import Catalogue
from services.score.models import glucose_forecast
from services.score.models.artefact import ARRAYS_ENDING, CARD_ENDING, load, to_bytes
from services.score.settings import SHIPPED

RULE = "glucose_forecast"
_SOONER = 0.8
_HOUR_MS = 3_600_000


def other_fit(folder: Path) -> Path:
    """The folder, with it."""
    folder.mkdir(exist_ok=True)
    shipped = load(SHIPPED, glucose_forecast.FORM)
    threshold = np.asarray(shipped.arrays["threshold"] - _SOONER)
    arrays = MappingProxyType({**shipped.arrays, "threshold": threshold})
    for ending, content in zip((ARRAYS_ENDING, CARD_ENDING), to_bytes(replace(shipped, arrays=arrays)), strict=True):
        (folder / f"{glucose_forecast.FORM.kind}{ending}").write_bytes(content)
    return folder


async def chosen(connection: Connection, catalogue: Catalogue, start_ms: int, hours: int) -> None:
    """It is tried after a quarter of the time, live after half of it, and rolled back after three quarters."""
    shipped = next(rule.artefact for rule in catalogue.shipped.book.rules if rule.name == RULE)
    (other,) = [name for name, rule in catalogue.models.items() if rule.name == RULE and name != shipped]
    doctor_no = await connection.fetchval(
        "insert into doctors (email, display_name) values ('doctor@example.org', 'A Doctor') returning doctor_no"
    )
    rows = [
        (Variant.LIVE, shipped, VersionChange.SHIPPED, 0.0), (Variant.SHADOW, other, VersionChange.TRIED, 0.25),
        (Variant.LIVE, other, VersionChange.PROMOTED, 0.5), (Variant.SHADOW, "", VersionChange.ENDED, 0.5),
        (Variant.LIVE, shipped, VersionChange.ROLLED_BACK, 0.75), (Variant.SHADOW, other, VersionChange.TRIED, 0.75),
    ]  # fmt: skip
    for variant, artefact, change, share in rows:
        await connection.execute(
            "insert into rule_versions (rule, variant, artefact, change, valid_from, written_at, doctor_no, author,"
            " reason) values ($1, $2, $3, $4, $5, $5, $6, 'A Doctor', 'the proof')",
            RULE, variant, artefact, change, to_datetime(start_ms + round(share * hours * _HOUR_MS)), doctor_no,
        )  # fmt: skip
