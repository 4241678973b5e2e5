"""What a scenario says of plans is what its register file says."""

from datetime import date, time
from pathlib import Path

from deploy.scenarios.naming import Names
from device_sim.scenario.scenario import read_scenario
from schemas.plan_terms import AsNeeded
from schemas.registry import DosePlan

# It is the next day in UTC, and still the third of March where they live.
FILE = """\
scenario: plans
starts: 2026-03-03T20:30
zone: America/Anchorage
lasts: 1h
people: {ruth: {born: 1941-03-02}, karl: {born: 1938-07-11}}
devices: {pills: {type: pill_dispenser, of: ruth}, box: {type: pill_dispenser, of: karl}}
plans:
  usual: {for: ruth, device: pills, compartment: 3, drug: Levodopa, at: ["08:00"], time_critical: true}
  full: {for: ruth, device: pills, compartment: 4, drug: Methotrexate, strength: 5 mg, count: 3, at: ["08:00"],
    weekdays: [mon], from: 2026-03-01, until: 2026-06-30, listed: true, stock: 30}
  second: {for: ruth, device: pills, compartment: 5, drug: Digitoxin, at: ["08:00"], every_days: 2}
  third: {for: ruth, device: pills, compartment: 6, drug: Torasemide, at: ["08:00"], every_days: 3, from: 2026-03-02}
  pain: {for: karl, device: box, compartment: 0, drug: Paracetamol, as_needed: {least_interval: 6h, most_per_day: 4}}
expect: [{pages: 0}]
"""


def test_the_register_says_of_plans_what_the_scenario_says(tmp_path: Path) -> None:
    file = tmp_path / "plans.yaml"
    file.write_text(FILE)
    names = Names(read_scenario(file))
    (home,) = names.register(names.scenario.household, devices=True, plans=True).homes
    ruth, karl = (person.plans for person in home.people)
    assert {plan.plan_id for plan in ruth} == {names.plan(name) for name in ("usual", "full", "second", "third")}
    by_drug = {plan.drug: plan for plan in (*ruth, *karl)}
    assert by_drug["Levodopa"] == DosePlan(
        plan_id=names.plan("usual"), device=names.device("pills"), compartment=3, drug="Levodopa", at=(time(8),),
        time_critical=True,
    )  # fmt: skip
    assert by_drug["Methotrexate"] == DosePlan(
        plan_id=names.plan("full"), device=names.device("pills"), compartment=4, drug="Methotrexate", strength="5 mg",
        count=3, at=(time(8),), weekdays=("mon",), from_day=date(2026, 3, 1), until_day=date(2026, 6, 30), listed=True,
        stock=30,
    )  # fmt: skip
    assert by_drug["Paracetamol"].as_needed == AsNeeded(least_interval_min=360, most_per_day=4)
    assert by_drug["Paracetamol"].device == names.device("box")


def test_every_so_many_days_are_counted_from_the_day_that_is_named_or_the_homes_day_of_the_start(
    tmp_path: Path,
) -> None:
    file = tmp_path / "plans.yaml"
    file.write_text(FILE)
    names = Names(read_scenario(file))
    (home,) = names.register(names.scenario.household, devices=True, plans=True).homes
    by_drug = {plan.drug: plan for person in home.people for plan in person.plans}
    assert (by_drug["Digitoxin"].anchor, by_drug["Digitoxin"].from_day) == (date(2026, 3, 3), None)
    assert (by_drug["Torasemide"].anchor, by_drug["Torasemide"].from_day) == (None, date(2026, 3, 2))
    assert by_drug["Levodopa"].anchor is None
