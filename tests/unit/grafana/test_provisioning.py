"""Grafana is set up from files: secrets from its environment, nobody may edit, nothing is public."""

import configparser
from pathlib import Path
from typing import Any

import pytest
import yaml

from grafana.query_target import DATA_SOURCE_TYPE, Reader

PROVISIONING = Path("grafana/provisioning")


def loaded(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((PROVISIONING / name / "hearthbeat.yaml").read_text("utf-8"))
    return content


DATA_SOURCES = loaded("datasources")["datasources"]
PROVIDERS = loaded("dashboards")["providers"]


def test_each_reader_has_a_data_source_under_the_name_that_dashboards_use() -> None:
    assert {one["uid"] for one in DATA_SOURCES} == {reader.data_source.uid for reader in Reader}
    assert {one["type"] for one in DATA_SOURCES} == {DATA_SOURCE_TYPE}


@pytest.mark.parametrize("source", DATA_SOURCES, ids=lambda one: one["uid"])
def test_a_data_source_takes_its_login_from_the_environment(source: dict[str, Any]) -> None:
    reader = source["uid"].removeprefix("hearthbeat-").upper()

    assert source["user"] == f"$HB_GRAFANA_{reader}_ROLE"
    assert source["secureJsonData"] == {"password": f"$HB_GRAFANA_{reader}_PASSWORD"}
    assert source["orgId"] == f"$HB_GRAFANA_{reader}_ORG"
    assert "password" not in source["jsonData"]
    assert source["editable"] is False


@pytest.mark.parametrize("source", DATA_SOURCES, ids=lambda one: one["uid"])
def test_a_data_source_opens_fewer_connections_than_its_login_may(source: dict[str, Any]) -> None:
    from grafana.caregivers import MOST_CONNECTIONS  # noqa: PLC0415

    assert source["jsonData"]["maxIdleConns"] <= source["jsonData"]["maxOpenConns"] < MOST_CONNECTIONS


def test_readers_live_in_organisations_of_their_own() -> None:
    """A viewer can send any SQL to every data source of their organisation."""
    assert len({one["orgId"] for one in DATA_SOURCES}) == len(DATA_SOURCES)
    assert len({one["orgId"] for one in PROVIDERS}) == len(PROVIDERS)


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda one: one["name"])
def test_a_provider_shows_its_readers_folder_and_lets_nobody_change_it(provider: dict[str, Any]) -> None:
    reader = Reader(provider["name"])

    assert provider["options"]["path"] == f"$HB_GRAFANA_DASHBOARDS/{reader}"
    assert provider["orgId"] == f"$HB_GRAFANA_{reader.upper()}_ORG"
    assert provider["allowUiUpdates"] is False
    assert provider["disableDeletion"] is True


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [
        ("users", "viewers_can_edit", "false"),
        ("users", "allow_sign_up", "false"),
        ("users", "auto_assign_org", "false"),
        ("users", "editors_can_admin", "false"),
        ("auth.anonymous", "enabled", "false"),
        ("snapshots", "enabled", "false"),
        ("snapshots", "external_enabled", "false"),
        ("public_dashboards", "enabled", "false"),
        ("explore", "enabled", "false"),
        ("security", "cookie_secure", "true"),
    ],
)
def test_grafana_is_set_to_be_strict(section: str, name: str, value: str) -> None:
    settings = configparser.ConfigParser()
    settings.read(PROVISIONING / "grafana.ini")

    assert settings[section][name] == value
