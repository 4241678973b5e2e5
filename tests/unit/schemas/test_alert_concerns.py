"""What an alert is about: what its rule says it is, its device, or its rule."""

from dataclasses import replace

import pytest

from schemas.alert_concerns import concern_of
from schemas.alerts import Evidence
from tests.unit.schemas.alert_stories import finding

SEEN = (Evidence(what="last_uplink", value=None, observed_at=0, device_no=7, epoch=0, seq=0, item=0),)


@pytest.mark.parametrize(
    ("rule", "concern", "evidence", "found"),
    [
        ("heart_rate", "heart_rate_fast", SEEN, "heart_rate_fast"),
        ("spo2", "", SEEN, "spo2"),
        ("missed_dose", "missed_dose.5", (), "missed_dose.5"),
        ("silent_device", "", SEEN, "silent_device.7"),
        ("silent_device", "silent_home", SEEN, "silent_home"),
        ("silent_device", "", (), "silent_device"),
        ("low_battery", "low_battery", SEEN, "low_battery.7"),
        ("firmware", "", SEEN, "firmware.7"),
        ("watch_gap", "watch_gap.spo2", SEEN, "watch_gap"),
    ],
)
def test_the_concern_is_finer_than_the_rule(
    rule: str, concern: str, evidence: tuple[Evidence, ...], found: str
) -> None:
    assert concern_of(replace(finding(rule=rule), concern=concern, evidence=evidence)) == found
