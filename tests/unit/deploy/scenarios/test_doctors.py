"""What doctors of a story send to the console, and what they wait for."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.scenarios.console import ConsoleRefusedError, DoctorAtConsole
from deploy.scenarios.doctors import do
from deploy.scenarios.naming import Names
from device_sim.scenario.doctors import Act
from device_sim.scenario.scenario import read_scenario

FILE = """\
scenario: at-the-console
zone: Europe/Lisbon
starts: 2026-03-03T23:30
lasts: 3h
people: {ruth: {born: 1941-03-02}, karl: {born: 1938-07-11}}
doctors: {haddad: [ruth, karl]}
devices: {pills: {type: pill_dispenser, of: ruth}, box: {type: pill_dispenser, of: ruth}}
plans:
  evening: {for: ruth, device: pills, compartment: 0, drug: Levodopa, at: ["20:00"]}
"""
PLAN = {
    "version_no": 7, "device": "its-name", "compartment": 0, "drug": "Levodopa", "strength": "100 mg", "count": 1.0,
    "at": ["20:00:00"], "weekdays": None, "every_days": 1, "anchor": None, "from_day": None, "until_day": None,
    "as_needed": None, "time_critical": True, "listed": False, "time_zone": "Europe/Lisbon", "stock": None,
}  # fmt: skip
"""As the console answers."""


class Console:
    """Answers as the console does, and notes what was written: method, path, body, token."""

    def __init__(self, *, alerts: list[dict[str, Any]], plans: list[dict[str, Any]], refuses: bool = False) -> None:
        self.alerts, self.plans, self.refuses = alerts, plans, refuses
        self.written: list[tuple[str, str, Any]] = []
        self.asked: list[str] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if not path.startswith("/api/v1/"):
            return httpx.Response(200, text='<input name="csrf" value="form">')
        path = path.removeprefix("/api/v1/")
        if path == "session":
            return httpx.Response(200, json={"csrf_token": "token"})
        if request.method == "GET":
            self.asked.append(request.url.query.decode())
            wanted = request.url.params.get_list("state")
            alerts = [one for one in self.alerts if not wanted or one["state"] in wanted]
            return httpx.Response(200, json=alerts if path == "alerts" else self.plans)
        assert request.headers["X-CSRF-Token"] == "token"
        self.written.append((request.method, path, json.loads(request.content) if request.content else None))
        return httpx.Response(409, json={"detail": "changed"}) if self.refuses else httpx.Response(204)


class Desk:
    """A scenario with one act, and a console."""

    def __init__(self, folder: Path, words: str, *, refuses: bool = False) -> None:
        file = folder / "acts.yaml"
        story = f"story: [{{at: 1h, doctor: haddad, {words}}}]\n"
        file.write_text(f"{FILE}{story}expect: [{{pages: 0}}]\n")
        self.names = Names(read_scenario(file))
        (act,) = self.names.scenario.story
        assert isinstance(act, Act)
        self.act = act
        ruth, karl = str(self.names.person("ruth")), str(self.names.person("karl"))
        self.console = Console(
            alerts=[
                {"alert_id": number, "rule": rule, "person_id": person, "state": state, "version": 10 + number,
                 "acknowledged_at": None if state == "open" else "2026-03-03T23:40:00Z"}
                for number, rule, person, state in (
                    (1, "fall", ruth, "open"), (2, "fall", ruth, "acknowledged"), (3, "fall", karl, "open"),
                    (4, "sos", ruth, "open"), (5, "fall", ruth, "closed"), (6, "fall", ruth, "open"),
                )
            ],
            plans=[{"plan_id": "other"}, {"plan_id": self.plan_id, **PLAN}],
            refuses=refuses,
        )  # fmt: skip

    @property
    def plan_id(self) -> str:
        return str(self.names.plan("evening"))

    async def done(self) -> str:
        transport = httpx.MockTransport(self.console.answer)
        console = DoctorAtConsole("http://console", "haddad@example.org", transport)
        try:
            return await do(self.act, console, self.names)
        finally:
            await console.close()


ABOUT_ALERTS = {
    "acknowledges: fall, of: ruth, verdict: false, action: called": [
        ("POST", f"alerts/{number}/acknowledge",
         {"version": 10 + number, "note": "", "verdict": "false", "action": "called"}) for number in (1, 6)
    ],
    "finishes: fall, of: ruth, note: well": [("POST", "alerts/2/finish", {"version": 12, "note": "well"})],
    # The newest that somebody took on; of what version is no matter.
    "says_outcome: fall, of: ruth, verdict: real": [("POST", "alerts/2/outcome", {"note": "", "verdict": "real"})],
    'sets_quiet_hours: {from: "22:00", to: "07:00"}': [
        ("PUT", "quiet-hours", {"begins": "22:00", "ends": "07:00", "zone": "Europe/Lisbon"})
    ],
    "sets_quiet_hours: none": [("DELETE", "quiet-hours", None)],
}  # fmt: skip


@pytest.mark.parametrize("words", ABOUT_ALERTS)
async def test_what_is_said_of_alerts(words: str, tmp_path: Path) -> None:
    desk = Desk(tmp_path, words)
    assert await desk.done() == ""
    assert desk.console.written == ABOUT_ALERTS[words]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("acknowledges: spo2, of: ruth", "there was no such open alert"),
        ("finishes: fall, of: karl", "there was no such acknowledged alert"),
        ("says_outcome: sos, of: ruth, note: no", "there was no such alert that somebody took on"),
    ],
)
async def test_what_is_not_there_yet_is_said_and_nothing_written(words: str, said: str, tmp_path: Path) -> None:
    desk = Desk(tmp_path, words)
    assert await desk.done() == said
    assert desk.console.written == []


async def test_a_plan_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    for words in ("edits_plan: evening, count: 2", "resumes_plan: evening", "refills_plan: evening, count: 9"):
        desk = Desk(tmp_path, words)
        desk.console.plans.pop()
        assert await desk.done() == "there was no such plan"
        assert desk.console.written == []


EDITS: dict[str, dict[str, Any]] = {
    'times: ["21:00"], time_critical: false': {"at": ["21:00:00"], "as_needed": None, "time_critical": False},
    "as_needed: {least_interval: 6h}": {
        "as_needed": {"least_interval_min": 360, "most_per_day": None}, "at": [], "time_critical": False,
    },
    "weekdays: [mon, fri], from: 2026-04-01": {"weekdays": ["mon", "fri"], "from_day": "2026-04-01"},
    # 00:30 of the next day, as the home counts.
    "every_days: 3": {"every_days": 3, "anchor": "2026-03-04"},
    "every_days: 3, from: 2026-04-01": {"every_days": 3, "from_day": "2026-04-01"},
    "strength: 50 mg, count: 0.5, until: 2026-05-01": {"strength": "50 mg", "count": 0.5, "until_day": "2026-05-01"},
}  # fmt: skip


@pytest.mark.parametrize("words", EDITS)
async def test_an_edit_sends_the_whole_plan_as_it_was_read_with_what_changes(words: str, tmp_path: Path) -> None:
    desk = Desk(tmp_path, f"edits_plan: evening, {words}, why: so")
    assert await desk.done() == ""
    ((method, path, body),) = desk.console.written
    before = {name: value for name, value in PLAN.items() if name not in {"time_zone", "stock"}}
    assert (method, path) == ("PUT", f"plans/{desk.plan_id}")
    assert body == {**before, **EDITS[words], "reason": "so"}


async def test_an_edit_names_devices_as_the_platform_does(tmp_path: Path) -> None:
    desk = Desk(tmp_path, "edits_plan: evening, device: box")
    await desk.done()
    assert desk.console.written[0][2]["device"] == desk.names.device("box")


async def test_plans_are_paused_resumed_and_filled_up(tmp_path: Path) -> None:
    desk = Desk(tmp_path, "pauses_plan: evening, why: too tired, until: 2h")
    await desk.done()
    path = f"plans/{desk.plan_id}"
    assert desk.console.written == [
        ("POST", f"{path}/pause", {"why": "too tired", "until": "2026-03-04T01:30:00+00:00"})
    ]
    desk = Desk(tmp_path, "resumes_plan: evening")
    await desk.done()
    assert desk.console.written == [("POST", f"{path}/resume", None)]
    desk = Desk(tmp_path, "refills_plan: evening, count: 30")
    desk.console.plans[1]["stock"] = {"stock_no": 4}
    await desk.done()
    assert desk.console.written == [("POST", f"{path}/stock", {"count": 30, "what": "refilled", "seen": 4})]


async def test_what_the_console_refuses_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConsoleRefusedError, match=r"the console answered 409: .*changed"):
        await Desk(tmp_path, "resumes_plan: evening", refuses=True).done()
