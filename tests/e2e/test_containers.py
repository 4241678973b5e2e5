"""A clinic in containers: from images to an alert that a doctor acknowledges over HTTPS, confined and encrypted."""

import asyncio
import os
import shlex
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.containers.clinic import Clinic
from deploy.containers.deployment import USER
from deploy.containers.engine import Engine, NoEngineError
from deploy.local.errors import UnsupportedMachineError
from deploy.platform.services import SERVICES
from tests.e2e.container_world import (
    POSTGRESQL,
    clinic_in_containers,
    containers,
    engine_of_a_test,
    hearthbeat,
    listeners,
    postgresql_by_plaintext,
    publish,
    speaks_tls,
)
from tests.integration.console_world import PASSWORD, token_in
from tests.integration.prometheus_rules import rules

DOCTOR = "you@example.org"
LASTING = {
    "mosquitto", "kafka", "postgresql", "ingest", "store", "score", "medication", "alert", "api", "watch", "tools",
    "prometheus", "backup",
}  # fmt: skip
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]  # images are built in it


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """Fails where none can run, unless ALLOW_NO_DOCKER=1 says that this is meant."""
    with ExitStack() as stack:
        try:
            found = stack.enter_context(engine_of_a_test())
        except (NoEngineError, UnsupportedMachineError) as error:
            if os.environ.get("ALLOW_NO_DOCKER") == "1":
                pytest.skip(str(error))
            raise
        yield found


@pytest.fixture(scope="module")
def clinic(engine: Engine) -> Iterator[Clinic]:
    with clinic_in_containers(engine) as running:
        yield running


@asynccontextmanager
async def signed_in(clinic: Clinic) -> AsyncIterator[httpx.AsyncClient]:
    """A doctor's browser, which trusts the clinic's CA and nobody else."""
    context = ssl.create_default_context(cafile=clinic.deployment.ca_file)
    async with httpx.AsyncClient(base_url=clinic.console, verify=context) as client:
        page = await client.get("/sign-in")
        form = {"csrf": token_in(page.text), "email": DOCTOR, "password": PASSWORD, "next": "/"}
        assert (await client.post("/sign-in", data=form)).status_code == 303
        yield client


async def sos_alert(client: httpx.AsyncClient) -> dict[str, Any]:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        alerts: list[dict[str, Any]] = (await client.get("/api/v1/alerts")).json()
        if found := [alert for alert in alerts if alert["rule"] == "sos"]:
            return found[0]
        await asyncio.sleep(0.2)
    raise AssertionError("no alert about the SOS")


def uplink(seq: int) -> dict[str, Any]:
    now = time.time_ns() // 1_000_000
    events = [{"event": "sos_pressed", "at": now}]
    return {"epoch": 7, "seq": seq, "sent_at": now, "clock": "synced", "oldest": 0, "readings": [], "events": events}


async def acknowledged(clinic: Clinic) -> dict[str, Any]:
    """The alert about the SOS, once the doctor has acknowledged it."""
    async with signed_in(clinic) as client:
        alert = await sos_alert(client)
        token = (await client.get("/api/v1/session")).json()["csrf_token"]
        answer = await client.post(
            f"/api/v1/alerts/{alert['alert_id']}/acknowledge",
            json={"note": "I call her.", "version": alert["version"]},
            headers={"X-CSRF-Token": token},
        )
        assert answer.status_code == 200, answer.text
        assert answer.json()["state"] == "acknowledged"
        return await sos_alert(client)


async def as_it_is_now(clinic: Clinic) -> dict[str, Any]:
    async with signed_in(clinic) as client:
        return await sos_alert(client)


def test_a_press_of_the_button_reaches_the_doctor_by_tls_and_outlives_a_restart(clinic: Clinic) -> None:
    home = hearthbeat(clinic, "home", "add", "Rose Cottage", "--time-zone", "Europe/London")
    hearthbeat(clinic, "doctor", "add", DOCTOR, "--name", "Dr. You", given=f"{PASSWORD}\n")
    person = hearthbeat(
        clinic, "person", "add", "Anna Berg", "--home", home, "--born", "1941-05-03", "--doctor", DOCTOR
    )
    band = hearthbeat(
        clinic, "device", "add", "anna-band", "--type", "wearable_band", "--home", home, "--person", person, "--shell"
    )
    device = dict(shlex.split(line)[0].split("=", 1) for line in band.splitlines() if "=" in line)
    assert not publish(clinic, device, uplink(0), secret="another device's")
    assert publish(clinic, device, uplink(0))
    before = asyncio.run(acknowledged(clinic))

    clinic.down()
    clinic.up()

    after = asyncio.run(as_it_is_now(clinic))
    assert (after["alert_id"], after["state"]) == (before["alert_id"], "acknowledged")
    assert publish(clinic, device, uplink(1))


def test_a_backup_brings_back_what_was_there_when_it_was_made(clinic: Clinic) -> None:
    deadline = time.monotonic() + 120
    # The first of each day comes by itself.
    while not list(clinic.backups.glob("*.tar.gz")):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    made = clinic.back_up()
    assert made.stat().st_mode & 0o077 == 0
    hearthbeat(clinic, "home", "add", "Later Cottage", "--time-zone", "Europe/London")
    assert "Later Cottage" in homes(clinic)
    before = asyncio.run(as_it_is_now(clinic))

    said = clinic.restore(made)

    assert "generation" in said
    assert homes(clinic) == {"Rose Cottage"}
    after = asyncio.run(as_it_is_now(clinic))
    assert (after["alert_id"], after["state"]) == (before["alert_id"], before["state"])


def homes(clinic: Clinic) -> set[str]:
    """Names of the homes that the database knows."""
    asked = "select label from homes"
    said = clinic.ask(
        "exec", "--no-TTY", "backup", "psql", "--tuples-only", "--no-align", "-d", "hearthbeat", "-c", asked
    )
    return set(said.split("\n")) - {""}


def test_nobody_is_root_or_may_write_or_do_more_than_its_work(clinic: Clinic) -> None:
    found = containers(clinic)
    assert {one["Config"]["Labels"]["com.docker.compose.service"] for one in found} >= {*LASTING, "access", "prepare"}
    for one in found:
        name, host = one["Name"], one["HostConfig"]
        assert one["Config"]["User"] == f"{USER}:{USER}", name
        assert host["ReadonlyRootfs"] is True, name
        assert (host["CapDrop"], host["CapAdd"], host["Privileged"]) == (["ALL"], None, False), name
        assert "no-new-privileges:true" in host["SecurityOpt"], name
        assert host["Memory"] > 0 < host["PidsLimit"], name
        # In its environment, which everybody sees who may ask the engine, there is no secret.
        assert not [line for line in one["Config"]["Env"] if line.startswith(("HB_DB_", "HB_MQTT_PASS", "HB_BUS_PASS"))]
        if one["State"]["Running"]:
            facts = dict(
                line.split(":", 1) for line in Path(f"/proc/{one['State']['Pid']}/status").read_text().splitlines()
            )
            assert facts["Uid"].split() == [str(USER)] * 4, name
            assert int(facts["CapEff"], 16) == int(facts["CapPrm"], 16) == int(facts["CapBnd"], 16) == 0, name
            assert facts["NoNewPrivs"].strip() == "1", name


def test_no_container_listens_without_tls(clinic: Clinic) -> None:
    running = [one for one in containers(clinic) if one["State"]["Running"]]
    found = [listener for one in running for listener in listeners(one)]
    assert {listener.port for listener in found} == {8883, 8884, 9093, 9094, POSTGRESQL, 8443, 9464, 9090}
    assert [one for one in found if not speaks_tls(one, clinic.deployment.ca_file)] == []
    database = next(one for one in found if one.port == POSTGRESQL)
    assert b"no encryption" in postgresql_by_plaintext(database)


def test_the_database_is_away_from_where_devices_and_browsers_come_in(clinic: Clinic) -> None:
    networks = {
        one["Config"]["Labels"]["com.docker.compose.service"]: {
            name.removeprefix(f"{clinic.deployment.project}_") for name in one["NetworkSettings"]["Networks"]
        }
        for one in containers(clinic)
    }
    assert (networks["postgresql"], networks["kafka"]) == ({"database"}, {"bus"})
    assert networks["mosquitto"] == {"edge", "broker"}
    inside = [f"{clinic.deployment.project}_{name}" for name in ("database", "bus", "broker", "watched")]
    assert set(clinic.engine.ask("network", "inspect", "--format", "{{.Internal}}", *inside).split()) == {"true"}
    published = {
        (binding["HostIp"], service["Config"]["Labels"]["com.docker.compose.service"])
        for service in containers(clinic)
        for bindings in (service["HostConfig"]["PortBindings"] or {}).values()
        for binding in bindings
    }
    assert published == {("127.0.0.1", "mosquitto"), ("127.0.0.1", "api"), ("127.0.0.1", "prometheus")}


def test_prometheus_reads_every_service_by_tls_and_evaluates_every_rule(clinic: Clinic) -> None:
    context = ssl.create_default_context(cafile=clinic.deployment.ca_file)
    address = f"https://localhost:{clinic.deployment.reach.prometheus_port}/api/v1"
    deadline = time.monotonic() + 120
    with httpx.Client(verify=context, timeout=30) as client:

        def states() -> dict[str, str]:
            found = client.get(f"{address}/targets").json()["data"]["activeTargets"]
            return {one["labels"]["service"]: one["health"] for one in found}

        def evaluated() -> dict[str, str]:
            groups = client.get(f"{address}/rules").json()["data"]["groups"]
            return {one["name"]: one["health"] for group in groups for one in group["rules"]}

        while set(states().values()) != {"up"} or set(evaluated().values()) != {"ok"}:
            assert time.monotonic() < deadline, (states(), evaluated())
            time.sleep(0.5)
        assert set(states()) == set(SERVICES)
        assert sorted(evaluated()) == sorted(rule["alert"] for rule in rules())


def test_what_the_images_hold_has_no_compiler_and_nothing_of_the_machine_that_built_them(clinic: Clinic) -> None:
    look = "command -v gcc cc make pip; cat /etc/apt/sources.list* /etc/apt/sources.list.d/* /run/secrets/* 2>&1; id -u"
    said = clinic.ask("exec", "--no-TTY", "tools", "sh", "-c", look)
    lines = [
        line for line in said.splitlines() if line and "deb.debian.org" not in line and not line.startswith("cat:")
    ]
    assert lines == [str(USER)]
