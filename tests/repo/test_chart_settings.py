"""The chart knows the settings of the services as they are today."""

import json

from deploy.prometheus.targets import HERE
from tests.repo.chart_settings import FILE, RULES, document

KNOWN = json.loads(FILE.read_text())


def test_the_chart_lists_the_settings_that_the_services_have() -> None:
    """One was added, renamed or taken away: `python -m tests.repo.chart_settings`, then look at the templates."""
    assert FILE.read_text() == document()


def test_passwords_are_known_as_secret_and_addresses_are_not() -> None:
    assert KNOWN["alert"]["HB_ALERT_SMTP_PASSWORD"]
    assert KNOWN["ingest"]["HB_MQTT_PASSWORDS"]
    assert KNOWN["store"]["HB_DB_DSN"]
    assert not KNOWN["alert"]["HB_ALERT_SMTP_HOST"]


def test_a_part_is_given_no_settings_of_another() -> None:
    assert "HB_SCORE_INSTANCE" not in KNOWN["store"]
    assert "HB_MQTT_HOST" not in KNOWN["store"]
    assert "HB_DB_PASSWORDS" not in KNOWN["api"]


def test_the_chart_has_the_rules_of_prometheus_as_they_are_today() -> None:
    """One was changed: `python -m tests.repo.chart_settings`."""
    own, copied = ({path.name: path.read_text() for path in folder.glob("*")} for folder in (HERE / "rules", RULES))
    assert copied == own
