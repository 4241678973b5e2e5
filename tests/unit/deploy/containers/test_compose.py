"""The compose file and who is given what: confined, without a secret, each with its own and no setting that is none."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.containers.deployment import USER, Secrets, secret_settings
from deploy.containers.images import IMAGES
from deploy.local.settings import KAFKA_USERS, PLATFORM_USERS
from deploy.platform.services import SERVICES
from schemas.bus_access import BUS_USERS
from schemas.database_access import DATABASE_SERVICES
from tests.repo.chart_settings import PARTS, settings_of
from tests.repo.tree import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
CONTAINERS: dict[str, dict[str, Any]] = COMPOSE["services"]
KNOWN = Secrets(
    broker={name: f"broker {name}" for name in PLATFORM_USERS},
    bus={name: f"bus {name}" for name in KAFKA_USERS},
    database={name: f"database-{name}" for name in DATABASE_SERVICES},
    owner="the-owner",
    cluster="a cluster",
    webhooks="a key",
    second_factors="another key",
)
GIVEN = dict(secret_settings(KNOWN))


@pytest.mark.parametrize("name", CONTAINERS)
def test_every_container_is_confined(name: str) -> None:
    one = CONTAINERS[name]
    assert (one["user"], one["read_only"], one["cap_drop"]) == (f"{USER}:{USER}", True, ["ALL"])
    assert one["security_opt"] == ["no-new-privileges:true"]
    assert "mem_limit" in one
    assert 0 < one["pids_limit"] <= 256
    assert not {"privileged", "cap_add", "network_mode", "devices"} & one.keys()


def test_only_what_devices_and_browsers_need_is_published() -> None:
    assert {name for name, one in CONTAINERS.items() if "ports" in one} == {"mosquitto", "api", "prometheus"}
    # From no other machine, whatever host is named.
    assert CONTAINERS["prometheus"]["ports"] == ["127.0.0.1:${HEARTHBEAT_PROMETHEUS_PORT}:9090"]


@pytest.mark.parametrize("name", [*SERVICES, "access", "prepare", "tools"])
def test_a_part_is_given_its_own_settings_and_no_secret_in_its_environment(name: str) -> None:
    known = settings_of(PARTS[name]) | {"HB_TLS_CA_FILE": False, "HB_TLS_CERTIFICATE_FILE": False, "HB_SECRETS": False}
    visible = CONTAINERS[name]["environment"]
    assert visible.keys() <= known.keys()
    assert not [setting for setting in visible if known[setting]]
    assert GIVEN[name].keys() <= known.keys()
    assert all(known[setting] for setting in GIVEN[name])
    assert not visible.keys() & GIVEN[name].keys()


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_knows_no_secret_of_another(service: str) -> None:
    text = json.dumps(GIVEN[service])
    assert f":database-{service}@" in text
    assert not [name for name in DATABASE_SERVICES if name != service and f"database-{name}" in text]
    assert not [name for name in (*BUS_USERS, "admin", "kafka") if name != service and f'"bus {name}"' in text]
    assert "the-owner" not in text


def test_nothing_but_the_images_of_this_release_is_named() -> None:
    for name, one in CONTAINERS.items():
        assert "HEARTHBEAT_VERSION" in one["image"], name
        assert ":latest" not in one["image"], name


def test_each_image_runs_as_the_user_of_the_chart() -> None:
    values = yaml.safe_load((ROOT / "deploy" / "chart" / "values.yaml").read_text())
    assert values["user"] == USER
    files = list(Path(ROOT / "deploy" / "images").rglob("Dockerfile"))
    assert len(files) == len(IMAGES)
    for file in files:
        assert file.read_text().splitlines().count(f"USER {USER}:{USER}") == 1, file
