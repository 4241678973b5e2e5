"""A newcomer's first quarter of an hour: what the README says about a first device, on both sets of servers."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from deploy.local.apt import install
from deploy.local.settings import StackSettings
from deploy.local.stack import Stack
from deploy.platform.platform import FOLLOWER
from deploy.platform.services import SERVICES
from deploy.running.find import DEMO, find
from schemas.database_access import role_of
from schemas.metrics import METRICS
from schemas.topics import BUS_TOPICS
from tests.integration.console_world import PASSWORD, browsing
from tests.integration.prometheus_rules import rules, selectors_of

ROOT = Path(__file__).resolve().parents[2]
DOCTOR = "you@example.org"
STARTED_S = 90.0
pytestmark = [pytest.mark.full_stack, pytest.mark.slow, pytest.mark.timeout(300)]


def readme_lines() -> str:
    """The shell lines of "Your first device"."""
    section = (ROOT / "README.md").read_text().partition("## Your first device")[2].partition("\n## ")[0]
    blocks = re.findall(r"```bash\n(.*?)```", section, re.DOTALL)
    assert len(blocks) == 2
    return "\n".join(blocks)


def clean_environment(at: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HB_")}
    return kept | {"HB_AT": at, "PYTHONPATH": str(ROOT)}


def hearthbeat(at: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / ".venv/bin/hearthbeat", *arguments],
        cwd=ROOT, env=clean_environment(at), capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def mosquitto_pub() -> None:
    install({"mosquitto_pub": "mosquitto-clients"})


@contextmanager
def stack_of_make_up() -> Iterator[tuple[str, str]]:
    """A stack with every service, as `make up` starts it; its name, and what the command printed."""
    name = f"test-door-{os.getpid()}"
    up = [sys.executable, "-m", "deploy.platform", "up", "--name", name]
    environment = clean_environment(name)
    try:
        printed = subprocess.run(up, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
        yield name, printed
    finally:
        subprocess.run([sys.executable, "-m", "deploy.platform", "down", "--name", name], cwd=ROOT, check=True)
        Stack(StackSettings(name=name)).erase()


@contextmanager
def running_demo() -> Iterator[tuple[str, str]]:
    """A demo that runs, as `make demo` starts it; fails unless it ends well."""
    command = [sys.executable, "-m", "deploy.demo", "--homes", "2"]
    demo = subprocess.Popen(
        command, cwd=ROOT, env=clean_environment(DEMO), stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert demo.stdout is not None
    printed = ""
    try:
        deadline = time.monotonic() + STARTED_S
        while "hearthbeat --help" not in printed:
            assert time.monotonic() < deadline, printed
            printed += demo.stdout.readline()
        yield DEMO, printed
    finally:
        demo.send_signal(signal.SIGINT)
        said, _ = demo.communicate(timeout=150)
    assert demo.returncode == 0, said


@pytest.mark.parametrize("platform", [stack_of_make_up, running_demo], ids=["make up", "make demo"])
def test_what_the_readme_says_leads_from_nothing_to_an_acknowledged_alert(platform: Any) -> None:
    with platform() as (at, printed):
        assert ".venv/bin/hearthbeat device add" in printed
        began = time.monotonic()
        script = "set -euo pipefail\n" + readme_lines()
        done = subprocess.run(
            ["/bin/bash", "-c", script], cwd=ROOT, env=clean_environment(at), input=f"{PASSWORD}\n",
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        ack = json.loads(done.stdout.splitlines()[-1])
        assert (ack["upto"], ack["rejected"]) == (1, [])

        console = find(at, {})["HB_ALERT_BASE_URL"]
        state = asyncio.run(acknowledge_sos(console))
        assert state == "acknowledged"
        assert time.monotonic() - began < 300

        person = asyncio.run(persons_of(console))[0]["person_id"]
        why = hearthbeat(at, "why", person, "--json")
        assert why.returncode == 0, why.stderr
        assert "acknowledged" in {one["cause"] for one in json.loads(why.stdout)["causes"]}
        assert hearthbeat(at, "trace", "anna-band", "--for-s", "1").returncode == 0
        status = json.loads(hearthbeat(at, "status", "--json").stdout)
        assert status["behind_s"] < 10
        if at != DEMO:
            assert_prometheus_finds_what_its_rules_read(at)
        assert asyncio.run(signed_in_beside_their_roles(find(at, {})["HB_DB_DSN"])) == []


def assert_prometheus_finds_what_its_rules_read(name: str) -> None:
    """Each metric of a rule is on the real pages, of its kind; and watch has looked at what only it can see."""
    directory = StackSettings(name=name).run_directory / "services"
    targets = json.loads((directory / "prometheus-targets.json").read_text())
    pages = {one["labels"]["service"]: httpx.get(f"http://{one['targets'][0]}/metrics").text for one in targets}
    assert set(pages) == {*SERVICES, FOLLOWER}
    rows = {one.name: one.kind for one in METRICS}
    read = {one.metric.removesuffix("_bucket") for rule in rules() for one in selectors_of(rule["expr"])} - {"up"}
    for service, page in pages.items():
        shown = dict(re.findall(r"^# TYPE (\w+) (\w+)$", page, re.MULTILINE))
        assert {metric: shown.get(metric) for metric in read} == {metric: rows[metric] for metric in read}, service
    samples = [one for family in text_string_to_metric_families(pages["watch"]) for one in family.samples]
    series = {(one.name, *one.labels.values()): one.value for one in samples}
    assert series["hb_watch_leading_state",] == 1
    assert series["hb_watch_incident_state", "database_away"] == 0
    assert series["hb_watch_watermark_age_seconds",] < 60
    assert 0 < series["hb_watch_disk_free_ratio", "stack"] < 1
    assert ("hb_watch_newest_backup_timestamp_seconds", "local") in series
    groups = {one.labels["group"] for one in samples if one.name == "hb_watch_group_lag_records"}
    assert groups == {group for topic in BUS_TOPICS for group in topic.groups}


async def signed_in_beside_their_roles(dsn: str) -> list[tuple[str, str]]:
    """Services at the database as anybody but their own role; there are services at all."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(
            "select distinct application_name, usename::text from pg_stat_activity where application_name like 'hb-%'"
        )
    finally:
        await connection.close()
    # What comes after the service's name says which of its connections it is.
    services = [(str(name).split("-")[1], str(login)) for name, login in rows]
    assert {service for service, _ in services} >= {"store", "score", "alert", "api"}
    return [(service, login) for service, login in services if login != role_of(service)]


async def persons_of(console: str) -> list[dict[str, Any]]:
    async with browsing(console, DOCTOR) as client:
        found: list[dict[str, Any]] = (await client.get("/api/v1/people")).json()
        return found


async def acknowledge_sos(console: str) -> str:
    """As the doctor, once the alert is there; the state that it has then."""
    async with browsing(console, DOCTOR) as client:
        alert = await open_sos(client)
        token = (await client.get("/api/v1/session")).json()["csrf_token"]
        body = {"note": "I call her.", "version": alert["version"]}
        headers = {"X-CSRF-Token": token}
        answer = await client.post(f"/api/v1/alerts/{alert['alert_id']}/acknowledge", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["state"])


async def open_sos(client: httpx.AsyncClient) -> dict[str, Any]:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        alerts: list[dict[str, Any]] = (await client.get("/api/v1/alerts")).json()
        if found := [alert for alert in alerts if alert["rule"] == "sos"]:
            return found[0]
        await asyncio.sleep(0.2)
    raise AssertionError("no alert about the SOS")


def test_where_no_such_platform_runs_the_command_says_how_to_start_something() -> None:
    done = hearthbeat("no-such-stack", "status")
    assert done.returncode == 2
    assert "There is no stack no-such-stack: start one with make up or make demo" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
