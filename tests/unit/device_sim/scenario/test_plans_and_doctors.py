"""What a file says of plans, and of what doctors do, comes out as it was meant."""

from datetime import date, time
from pathlib import Path

import pytest

from device_sim.scenario.doctors import Act, EditsPlan, SaysOutcome, SetsQuietHours
from device_sim.scenario.plans import PlanOfStory
from device_sim.scenario.scenario import Scenario, read_scenario
from schemas.plan_terms import AsNeeded

HEAD = """\
scenario: plans
lasts: 2h
people: {ruth: {born: 1941-03-02}}
doctors: {haddad: [ruth]}
devices: {pills: {type: pill_dispenser, of: ruth}}
plans:
  one: {for: ruth, device: pills, compartment: 3, drug: Levodopa, at: ["20:00", "08:00"]}
"""


def read(folder: Path, plans: str = "", story: str = "") -> Scenario:
    file = folder / "plans.yaml"
    lines = f"  {plans}\n" if plans else ""
    file.write_text(f"{HEAD}{lines}story: [{story}]\nexpect: [{{pages: 0}}]\n")
    return read_scenario(file)


def act_of(folder: Path, words: str) -> Act:
    (entry,) = read(folder, story=f"{{at: 5m, doctor: haddad, {words}}}").story
    assert isinstance(entry, Act)
    assert (entry.doctor, entry.at) == ("haddad", 300_000)
    return entry


def test_what_is_left_out_of_a_plan_is_usual(tmp_path: Path) -> None:
    plan = read(tmp_path).household.plans["one"]
    assert plan == PlanOfStory(
        person="ruth", device="pills", compartment=3, drug="Levodopa", at=(time(20), time(8)), count=1, every_days=1
    )


def test_a_plan_says_all_that_a_register_can(tmp_path: Path) -> None:
    said = (
        "two: {for: ruth, device: pills, compartment: 0, drug: Methotrexate, strength: 2.5, count: 0.5,"
        ' at: ["08:00:30"], weekdays: [wed, mon], from: 2026-03-01, until: 2026-03-31, listed: true, stock: 0}'
    )
    plan = read(tmp_path, said).household.plans["two"]
    assert (plan.strength, plan.count, plan.at) == ("2.5", 0.5, (time(8, 0, 30),))
    assert (plan.weekdays, plan.every_days) == (("mon", "wed"), 1)
    assert (plan.first, plan.last) == (date(2026, 3, 1), date(2026, 3, 31))
    assert (plan.listed, plan.stock, plan.time_critical) == (True, 0, False)


def test_what_is_taken_as_needed_has_no_times(tmp_path: Path) -> None:
    said = "two: {for: ruth, device: pills, compartment: 0, drug: Paracetamol, as_needed: {least_interval: 90m}}"
    plan = read(tmp_path, said).household.plans["two"]
    assert (plan.at, plan.as_needed) == ((), AsNeeded(least_interval_min=90))


@pytest.mark.parametrize(
    ("words", "changes"),
    [
        ('times: ["09:00"]', {"at": (time(9),), "as_needed": None}),
        ("compartment: 5, drug: Levodopa retard", {"compartment": 5, "drug": "Levodopa retard"}),
        ("weekdays: [sun]", {"weekdays": ("sun",), "every_days": 1}),
        ("every_days: 1", {"every_days": 1, "weekdays": None}),
        ("until: 2026-03-31", {"last": date(2026, 3, 31)}),
        (
            "as_needed: {least_interval: 6h, most_per_day: 2}",
            {
                "as_needed": AsNeeded(least_interval_min=360, most_per_day=2),
                "at": (),
                "weekdays": None,
                "every_days": 1,
                "time_critical": False,
            },
        ),
    ],
)
def test_an_edit_changes_what_it_names_and_what_that_excludes(
    words: str, changes: dict[str, object], tmp_path: Path
) -> None:
    act = act_of(tmp_path, f"edits_plan: one, {words}, why: so")
    assert isinstance(act, EditsPlan)
    assert (act.plan, dict(act.changes), act.why) == ("one", changes, "so")


def test_a_verdict_of_false_is_no_answer_to_yes_or_no(tmp_path: Path) -> None:
    act = act_of(tmp_path, "says_outcome: fall, verdict: false, action: handled already")
    assert isinstance(act, SaysOutcome)
    assert (act.rule, act.of, dict(act.said)) == ("fall", "ruth", {"verdict": "false", "action": "handled_already"})
    assert act.words == "doctor: haddad, says_outcome: fall, of: ruth"


@pytest.mark.parametrize(("said", "hours"), [('{from: "22:00", to: "07:30"}', (time(22), time(7, 30))), ("none", None)])
def test_quiet_hours_are_set_and_ended(said: str, hours: object, tmp_path: Path) -> None:
    act = act_of(tmp_path, f"sets_quiet_hours: {said}")
    assert isinstance(act, SetsQuietHours)
    assert act.hours == hours


def test_a_doctor_may_edit_a_plan_that_the_register_brings_later(tmp_path: Path) -> None:
    later = '{for: ruth, device: pills, compartment: 1, drug: Apixaban, at: ["18:00"]}'
    scenario = read(
        tmp_path,
        story=(
            "{at: 40m, doctor: haddad, edits_plan: two, count: 2}, "
            f"{{at: 30m, register: {{plans: {{two: {later}}}}}}}"
        ),
    )
    assert sorted(scenario.everybody.plans) == ["one", "two"]
    assert sorted(scenario.household.plans) == ["one"]
