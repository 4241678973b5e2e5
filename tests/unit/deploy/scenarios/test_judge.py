"""The judge: what holds, what does not, and what it says was seen instead."""

from pathlib import Path

import pytest

from deploy.scenarios.evidence import (
    AlertEvent,
    Delivered,
    Evidence,
    Fate,
    OfScenario,
    SaidFinding,
    Snapshot,
    StandingAlert,
)
from deploy.scenarios.judge import Case, judge
from deploy.scenarios.naming import Names
from device_sim.scenario.home import SentItem
from device_sim.scenario.scenario import Scenario, read_scenario
from schemas.reasons import Flag

MINUTE = 60_000
ALLOWED_MS = 5 * MINUTE


def scenario_of(folder: Path, expectation: str) -> Scenario:
    file = folder / "one.yaml"
    file.write_text(
        "scenario: one\nlasts: 1h\npeople: {ruth: {born: 1941-03-02}, karl: {born: 1938-07-11}}\n"
        "doctors: {haddad: [ruth]}\ncaregivers: {anna: [ruth]}\n"
        "devices: {band: {type: wearable_band, of: ruth}, pills: {type: pill_dispenser, of: ruth}}\n"
        'plans: {noon: {for: ruth, device: pills, compartment: 0, drug: Levodopa, at: ["10:30"]}}\n'
        f"expect: [{{{expectation}}}]\n"
    )
    return read_scenario(file)


class Home:
    """What a platform said about the home of a scenario."""

    def __init__(self, scenario: Scenario) -> None:
        self._names, self._start = Names(scenario), scenario.starts_ms
        self.findings: list[SaidFinding] = []
        self.events: list[AlertEvent] = []
        self.delivered: list[Delivered] = []
        self.coverage: dict[tuple[str, str], dict[int, int]] = {}

    def watched(self, first: int, end: int, *, vital: str = "spo2", person: str = "ruth") -> None:
        hours = self.coverage.setdefault((str(self._names.person(person)), vital), {})
        for minute in range(self._start // MINUTE + first, self._start // MINUTE + end):
            hour = minute // 60 * 60 * MINUTE
            hours[hour] = hours.get(hour, 0) | 1 << minute % 60

    def about(self, person: str) -> dict[str, str]:
        return {
            "home_id": str(self._names.home),
            "person_id": str(self._names.person(person)) if person else "",
        }

    def found(
        self,
        at: float,
        level: int,
        *,
        person: str = "ruth",
        rule: str = "spo2",
        ended: str = "",
        retrospective: bool = False,
    ) -> None:
        self.findings.append(
            SaidFinding(
                **self.about(person),
                rule=rule,
                episode=1,
                level=level,
                severity="high",
                observed_at=self.ms(at),
                raised_at=self.ms(at),
                end_reason=ended,
                texts=("Oxygen below 92 %.", "The oxygen is low."),
                retrospective=retrospective,
            )
        )

    def happened(
        self, at: float, what: str, *, severity: str = "high", person: str = "ruth", rule: str = "spo2"
    ) -> None:
        self.events.append(
            AlertEvent(**self.about(person), rule=rule, at=self.ms(at), what=what, severity=severity, state="open")
        )

    def notified(self, at: float, *, person: str = "ruth", rule: str = "spo2", to: str = "haddad") -> None:
        address = self._names.email(to)
        self.delivered.append(
            Delivered(**self.about(person), rule=rule, at=self.ms(at), to=(address,), text="An alert waits.")
        )

    def ms(self, minute: float) -> int:
        return self._start + round(minute * MINUTE)

    @property
    def evidence(self) -> Evidence:
        return Evidence(findings=self.findings, events=self.events, delivered=self.delivered, coverage=self.coverage)


def full_home(scenario: Scenario) -> Home:
    """Oxygen fell at 8, a page went out then and at 23, it was better at 40; Karl pressed SOS at 50.

    It was watched from 10 to 40, and in the hours before and after.
    """
    home = Home(scenario)
    home.found(8, 1)
    home.found(9, 2)
    home.found(40, 0, ended="recovered")
    home.happened(8, "opened", severity="medium")
    home.happened(9, "raised")
    home.happened(40, "ended")
    home.notified(8)
    home.notified(23)
    home.watched(10, 40)
    home.watched(-60, -50)
    home.watched(60, 90)
    home.found(50, 1, person="karl", rule="sos")
    home.happened(50, "opened", person="karl", rule="sos")
    home.happened(20, "opened", person="", rule="firmware", severity="technical")
    return home


def verdict(scenario: Scenario, home: Home, own: OfScenario | None = None) -> list[tuple[str, str]]:
    return judge(
        Case(
            scenario=scenario,
            evidence=home.evidence,
            own=own or OfScenario(),
            allowance_ms=lambda due: 3 * ALLOWED_MS if due else ALLOWED_MS,
        )
    )


HOLD = [
    "alert: spo2, of: ruth",
    "alert: spo2, of: ruth, severity: medium, by: 8m",
    "alert: spo2, of: ruth, severity: high, after: 9m, by: 9m",
    "alert: spo2, of: ruth, severity: high, by: 5m",  # within the allowance
    "alert: firmware, of: home, severity: technical",
    "no_alert: spo2, of: karl",
    "no_alert: any, of: ruth, after: 10m",
    "no_alert: any, of: karl, by: 49m",
    "finding: spo2, of: ruth",
    "finding: spo2, of: ruth, level: 2",
    "finding: spo2, of: ruth, ended: recovered, after: 40m",
    "no_finding: spo2, of: ruth, ended: no_data",
    "no_finding: any, of: karl, by: 49m",
    "pages: 2, rule: spo2, of: ruth",
    "pages: 1, rule: spo2, of: ruth, by: 10m",
    "pages: {most: 2}",
    "pages: 0, to: caregiver",
    'says: "below 92 %", rule: spo2, of: ruth',
    'says: "AN ALERT WAITS", rule: spo2, of: ruth, after: 20m',
    "never_says: back to, rule: spo2, of: ruth",
    "never_says: below 92, rule: spo2, of: ruth, after: 41m",
    "watched: spo2, of: ruth, from: 10m, to: 40m, least: 1",
    "watched: spo2, of: ruth, from: 0m, to: 1h, least: 0.5, most: 0.5",
    "watched: spo2, of: ruth, from: 9m 30s, to: 11m 30s, least: 1",  # the one whole minute in it
    "watched: spo2, of: ruth, from: 40m, to: 1h, most: 0",
    "watched: glucose, of: ruth, from: 0m, to: 1h, most: 0",
]
DO_NOT = {
    "alert: spo2, of: ruth, times: 2": "opened medium at 8m; raised high at 9m; ended high at 40m",
    "alert: spo2, of: ruth, severity: high, after: 10m": "raised high at 9m",
    "alert: spo2, of: ruth, severity: high, by: 3m": "raised high at 9m",  # beyond the allowance
    "alert: glucose_low, of: ruth": "no such alert",
    "no_alert: any, of: karl": "sos opened high at 50m",
    "no_alert: spo2, of: ruth, by: 8m": "opened medium at 8m",
    "finding: spo2, of: ruth, level: 3": "episode 1 level 1 at 8m; episode 1 level 2 at 9m",
    "finding: spo2, of: ruth, ended: no_data": "ended (recovered) at 40m",
    "no_finding: spo2, of: ruth, ended: recovered": "ended (recovered)",
    "no_finding: any, of: karl": "level 1 at 50m",
    "pages: 3, rule: spo2, of: ruth": "2: 8m; 23m",
    "pages: 1, rule: spo2, of: ruth": "2: 8m; 23m",
    "pages: {least: 1}, rule: sos, of: ruth": "0: none at any time",
    "says: better, rule: spo2, of: ruth": "Oxygen below 92 %",
    "says: better, rule: fall, of: ruth": "nothing was said",
    "never_says: LOW, rule: spo2, of: ruth": "“Oxygen below 92 %.” at 8m",
    "watched: spo2, of: ruth, from: 0m, to: 40m, least: 0.8": "0.750: 30 of 40 minutes",
    "watched: spo2, of: ruth, from: 0m, to: 20m, most: 0.4": "0.500: 10 of 20 minutes",
    "watched: heart_rate, of: ruth, from: 0m, to: 1h, least: 0.1": "0.000: 0 of 60 minutes",
    "watched: spo2, of: karl, from: 0m, to: 1h, least: 0.1": "0.000: 0 of 60 minutes",
    "watched: spo2, of: ruth, from: 90s, to: 110s, most: 1": "no whole minute",
}


@pytest.mark.parametrize("expectation", HOLD)
def test_what_is_so_passes(expectation: str, tmp_path: Path) -> None:
    scenario = scenario_of(tmp_path, expectation)
    assert verdict(scenario, full_home(scenario)) == []


@pytest.mark.parametrize("expectation", DO_NOT)
def test_what_is_not_so_fails_and_says_what_was_seen(expectation: str, tmp_path: Path) -> None:
    scenario = scenario_of(tmp_path, expectation)
    ((expected, seen),) = verdict(scenario, full_home(scenario))
    assert expected == expectation.replace('"', "")
    assert DO_NOT[expectation] in seen


def test_what_was_said_of_another_home_counts_for_nothing(tmp_path: Path) -> None:
    here = scenario_of(tmp_path, "no_alert: any, of: ruth")
    (tmp_path / "elsewhere").mkdir()
    file = tmp_path / "elsewhere" / "two.yaml"
    file.write_text(here.file.read_text().replace("scenario: one", "scenario: two"))
    assert verdict(here, full_home(read_scenario(file))) == []


@pytest.mark.parametrize(
    ("states", "state", "holds"),
    [((), "none", True), (("open",), "none", False), (("closed", "open"), "open", True), (("open",), "closed", False)],
)
def test_how_an_alert_stood_at_a_moment(states: tuple[str, ...], state: str, holds: bool, tmp_path: Path) -> None:  # noqa: FBT001
    scenario = scenario_of(tmp_path, f"state: {state}, rule: spo2, of: ruth, at: 30m")
    about = Home(scenario).about("ruth")
    alerts = tuple(StandingAlert(**about, rule="spo2", state=one) for one in states)
    own = OfScenario(snapshots={30 * MINUTE: Snapshot(alerts=alerts, doses={})})
    assert (verdict(scenario, Home(scenario), own) == []) is holds


@pytest.mark.parametrize(
    ("ledger", "state", "seen"),
    [("reminded", "pending", None), ("taken", "taken", None), ("missed", "taken", "missed"), ("", "none", None)],
)
def test_what_the_ledger_says_of_a_dose(ledger: str, state: str, seen: str | None, tmp_path: Path) -> None:
    scenario = scenario_of(tmp_path, f"dose: noon, due: 2026-03-03T10:30, is: {state}")
    due = scenario.starts_ms + 30 * MINUTE
    doses = {(str(Names(scenario).plan("noon")), due): ledger} if ledger else {}
    own = OfScenario(snapshots={scenario.lasts_ms: Snapshot(alerts=(), doses=doses)})
    assert [said for _, said in verdict(scenario, Home(scenario), own)] == ([] if seen is None else [seen])


@pytest.mark.parametrize(
    ("fate", "said", "holds"),
    [
        (Fate(flags=0, reason=""), "stored", True),
        (Fate(flags=int(Flag.MOVING), reason=""), "flagged:moving", True),
        (Fate(flags=0, reason=""), "flagged:moving", False),
        (Fate(flags=None, reason="too_old"), "rejected:too_old", True),
        (Fate(flags=None, reason="too_old"), "stored", False),
        (Fate(flags=None, reason=""), "stored", False),
    ],
)
def test_what_became_of_a_reading(fate: Fate, said: str, holds: bool, tmp_path: Path) -> None:  # noqa: FBT001
    scenario = scenario_of(tmp_path, f"reading: spo2, device: band, measured: 5m, is: {said}")
    item = SentItem(device="band", vital="spo2", measured=5 * MINUTE, epoch=1, seq=0, item=0)
    assert (verdict(scenario, Home(scenario), OfScenario(fates={item: fate})) == []) is holds


def test_an_act_that_could_not_be_done_fails_the_scenario(tmp_path: Path) -> None:
    scenario = scenario_of(tmp_path, "no_alert: any, of: ruth")
    undone = ("doctor: haddad, acknowledges: spo2, of: ruth", "there was no such open alert")
    assert verdict(scenario, Home(scenario), OfScenario(undone=[undone])) == [undone]


def test_a_look_back_that_becomes_news_is_one_finding_and_a_finding_said_twice_is_two(tmp_path: Path) -> None:
    once = scenario_of(tmp_path, "finding: glucose_low, of: ruth, level: 2")
    home = Home(once)
    home.found(8, 2, rule="glucose_low", retrospective=True)
    assert verdict(once, home) == []
    home.found(8, 2, rule="glucose_low")
    assert verdict(once, home) == []
    home.found(9, 2, rule="glucose_low")
    assert len(verdict(once, home)) == 1
