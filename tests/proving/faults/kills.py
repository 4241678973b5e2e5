"""Lines 1, 2, 3, 6 and 35: a service is killed, at random and between two steps; or started twice."""

import asyncio
import json
import time
from collections import Counter
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

from deploy.platform.ready import wait_ready
from deploy.platform.services import SERVICES, ServiceProcess
from deploy.reconcile.latency import counter_value, read_metrics
from tests.proving.chaos.schedule import Strike
from tests.proving.chaos.strikes import strike
from tests.proving.faults.homes import living
from tests.proving.faults.line import Figures
from tests.proving.faults.people import alerted, find, settle_in
from tests.proving.faults.plain_device import plain_device
from tests.proving.faults.stream import close_books, streaming
from tests.proving.faults.testbed import OPERATORS, Testbed, expect
from tests.proving.undisturbed import exported, replayed

_DIES_WITHIN_S: Final = 40.0
_AS_IT_WAS: Final = """
select count(*), coalesce(max(r.xmin::text::bigint), 0) as written_last from readings r join devices using (device_no)
where device = $1 and epoch = $2
"""


def struck(testbed: Testbed, target: str, *, times: int, pause_s: tuple[float, float] = (1.0, 4.0)) -> list[float]:
    """Kills a target again and again; the real seconds that each recovery took. Raises NotRecoveredError."""
    took = []
    for _ in range(times):
        one = Strike(target=target, way="kill", pause_s=testbed.chance.uniform(*pause_s), away_s=0.2)
        done = asyncio.run(strike(testbed.platform, one, testbed.clock.now_ms, testbed.chance))
        assert done.recovery_s is not None
        took.append(done.recovery_s)
    return took


def dies_at(testbed: Testbed, service: str, place: str) -> Path:
    """Starts a service that kills itself at a failpoint, and waits until it has; the marker it left."""
    marker = testbed.fresh("marker")
    testbed.restart(service, HB_FAILPOINT=place, HB_FAILPOINT_MARKER=str(marker))
    process = testbed.platform.processes[service]
    testbed.until(lambda: not process.alive, f"{service} dies at {place}", within_s=_DIES_WITHIN_S)
    expect(marker.exists(), f"{service} ended before it came to {place}: {process.tail()}")
    return marker


def ingest_killed(testbed: Testbed) -> Figures:
    """Line 1."""
    with streaming(testbed) as stream:
        took = struck(testbed, "ingest", times=3 if testbed.quick else 8)
    expect(max(took) <= 5, f"a recovery took {max(took):.1f} s")
    return {"kills": len(took), "slowest_recovery_s": round(max(took), 2), **stream.figures}


def store_killed(testbed: Testbed) -> Figures:
    """Line 2."""
    with streaming(testbed) as stream:
        took = struck(testbed, "store", times=2 if testbed.quick else 5)
    with plain_device(testbed, "band") as band:
        store = testbed.platform.processes["store"]
        store.stop()
        band.send(*[band.pulse(seq) for seq in range(50)])
        time.sleep(1)
        deaths, written = 0, (0, 0)
        while written[0] < 50:
            dies_at(testbed, "store", "store_written")
            deaths, written = deaths + 1, tuple(testbed.rows(_AS_IT_WAS, band.name, band.epoch)[0])
        testbed.platform.restart_ended()
        band.settled(49)
        page = read_metrics(testbed.platform.metrics_ports["store"])
        again = counter_value(page, "hb_store_duplicates_total")
        afterwards = tuple(testbed.rows(_AS_IT_WAS, band.name, band.epoch)[0])
        expect(again >= 50, f"only {again:.0f} of 50 uplinks were read again")
        expect(afterwards == written, f"rows were {written}, are {afterwards} after the batch was read again")
    close_books(testbed)
    return {
        "kills": len(took),
        "deaths_between": deaths,
        "read_again": round(again),
        "rows_changed": 0,
        **stream.figures,
    }


def score_killed(testbed: Testbed) -> Figures:
    """Line 3."""
    deaths = 0
    with living(testbed) as life:
        for place in ("score_writing", "score_written") * (1 if testbed.quick else 2):
            dies_at(testbed, "score", place)
            testbed.platform.restart_ended()
            deaths += 1
        took = struck(testbed, "score", times=2)
    wait_ready(testbed.platform)  # score may still be behind store, from which devices hear
    found = exported(testbed.platform, testbed.platform.directory)
    undisturbed = replayed(testbed.platform, found)
    expect(found.read_text() == undisturbed, "the state differs from an undisturbed replay of the log")
    return {"deaths_at_failpoints": deaths, "kills": len(took), **life.figures}


class Doctor:
    """A browser at the console."""

    def __init__(self, testbed: Testbed, email: str) -> None:
        self._url, self._open = testbed.platform.console_url, build_opener(HTTPCookieProcessor(CookieJar()))
        password = "a password of a doctor"
        testbed.platform.command("services.cli", "doctor", "password", email, given=password)
        page = self._ask(self._open, "/sign-in").decode()
        csrf = page.partition('name="csrf" value="')[2].partition('"')[0]
        form = {"email": email, "password": password, "csrf": csrf}
        self._ask(self._open, "/sign-in", urlencode(form).encode())
        self._token = json.loads(self._ask(self._open, "/api/v1/session"))["csrf_token"]

    def acknowledge(self, alert_id: object, version: int) -> int:
        """The status of the answer; 0 where there was none."""
        body = json.dumps({"version": version, "note": "seen"}).encode()
        try:
            self._ask(self._open, f"/api/v1/alerts/{alert_id}/acknowledge", body, json_body=True)
        except HTTPError as error:
            return error.code
        except (URLError, OSError):
            return 0
        return 200

    def _ask(self, opener: OpenerDirector, path: str, body: bytes | None = None, *, json_body: bool = False) -> bytes:
        headers = {"X-CSRF-Token": self._token, "Content-Type": "application/json"} if json_body else {}
        request = Request(f"{self._url}{path}", data=body, headers=headers)  # noqa: S310 - loopback http
        with opener.open(request, timeout=10) as answer:
            found: bytes = answer.read()
            return found


_STATE: Final = "select state, version, acknowledged_at is not null as notified from alerts where alert_id = $1"
_RECORDED: Final = "select count(*) from alert_audit where alert_id = $1 and what = 'acknowledged'"


def api_killed(testbed: Testbed) -> Figures:
    """Line 6."""
    outcomes: dict[str, Any] = {}
    for place, kept in (("api_acknowledging", False), ("api_acknowledged", True)):
        household = settle_in(testbed)
        alert_id = alerted(testbed, household)[0]
        version = testbed.rows(_STATE, alert_id)[0]["version"]
        doctor = Doctor(testbed, household.email)
        marker = testbed.fresh("marker")
        testbed.restart("api", HB_FAILPOINT=place, HB_FAILPOINT_MARKER=str(marker))
        answers_again(testbed)
        answer = doctor.acknowledge(alert_id, version)
        expect(answer == 0, f"{place}: the answer was {answer}")
        expect(marker.exists(), f"the console did not die at {place}")
        now = testbed.rows(_STATE, alert_id)[0]
        expect((now["state"] == "acknowledged") is kept, f"{place}: the alert is {now['state']}")
        expect((testbed.value(_RECORDED, alert_id) == 1) is kept, f"{place}: the trail says otherwise")
        testbed.platform.restart_ended()
        answers_again(testbed)
        again = doctor.acknowledge(alert_id, version)
        expect(again == 200, f"{place}: the repeated request was answered {again}")
        expect(testbed.value(_RECORDED, alert_id) == 1, f"{place}: acknowledged more than once")
        outcomes[place] = "kept" if kept else "not kept, then by the retry"
    close_books(testbed)
    return outcomes


def answers_again(testbed: Testbed, *, within_s: float = 20.0) -> float:
    """Real seconds until the console answers."""
    return testbed.until(lambda: console_answers(testbed), "the console answers", within_s=within_s)


def console_answers(testbed: Testbed, *, within_s: float = 2.0) -> bool:
    """Whether the console can ask the database."""
    try:
        with build_opener().open(f"{testbed.platform.console_url}/healthz", timeout=within_s):
            return True
    except (URLError, OSError):
        return False


def started_twice(testbed: Testbed) -> Figures:
    """Line 35."""
    household = settle_in(testbed, people=20)
    twins = [
        ServiceProcess(f"{name}-twin", [f"services.{name}"], twin_settings(testbed, name), testbed.fresh(f"{name}.log"))
        for name in SERVICES
    ]
    watch = testbed.platform.processes["watch"]
    watch_pid = watch.pid
    before, notified_before = len(testbed.inbox.mails), len(testbed.receiver.of(OPERATORS))
    with streaming(testbed) as stream:
        for twin in twins:
            twin.start()
        try:
            time.sleep(2)
            find(testbed, household)
            for _ in range(20):
                time.sleep(0.5)
                testbed.platform.restart_ended()
            ended = {twin.name: twin.exit_code for twin in twins if not twin.alive}
        finally:
            for twin in twins:
                twin.stop()
        time.sleep(1)
        expect(watch.alive and watch.pid == watch_pid, "the watch at work was ended by the second one")
        testbed.mend()
    testbed.until(lambda: len(testbed.inbox.mails) >= before + 20, "everybody was notified")
    sent = testbed.inbox.mails[before:]
    expect(len(sent) == len({one.key for one in sent}), "a notification was sent twice")
    operators = Counter(call.body for call in testbed.receiver.of(OPERATORS)[notified_before:])
    expect(
        all(times == 1 for times in operators.values()), f"operators were notified twice: {operators.most_common(1)}"
    )
    return {"twins": len(twins), "ended_by_themselves": ended, "notifications": len(sent), **stream.figures}


def twin_settings(testbed: Testbed, service: str) -> dict[str, str]:
    """The very settings of the service that runs."""
    return testbed.platform.environment_of(service) | {"HB_METRICS_PORT": "0"}
