"""A scenario file that is wrong is refused with its file, line and field, and nothing else happens."""

from pathlib import Path

import pytest

from device_sim.scenario.document import LARGEST_BYTES, ScenarioError
from device_sim.scenario.scenario import read_scenario, read_scenarios

WHOLE = """\
scenario: an-example
why: It shows one thing.
starts: 2026-03-03T10:00
lasts: 2h
people:
  ruth: {born: 1941-03-02, conditions: [copd], spo2_target: 88-92}
  karl: {born: 1938-07-11}
doctors:
  haddad: [ruth]
devices:
  band: {type: wearable_band, of: ruth}
  meter: {type: glucose_meter, of: ruth}
  cuff: {type: pressure_cuff, of: {1: ruth, 2: karl}}
  pills: {type: pill_dispenser, of: ruth, heartbeat: 10m}
plans:
  evening: {for: ruth, device: pills, compartment: 0, drug: Levodopa 100 mg, at: ["20:00"]}
  weekly: {for: ruth, device: pills, compartment: 1, drug: Methotrexate, count: 3, at: ["08:00"], stock: 30,
    weekdays: [mon], from: 2026-03-01, until: 2026-06-30}
  pain: {for: ruth, device: pills, compartment: 2, drug: Paracetamol, as_needed: {least_interval: 6h, most_per_day: 4}}
story:
  - {from: 0m, to: 1h, every: 1m, device: band, heart_rate: [72, 90], activity: resting}
  - {at: 5m, device: meter, glucose: 35, unit: mg/dL}
  - {at: 6m, device: cuff, slot: 2, systolic: 120, diastolic: 80}
  - {at: 7m, device: pills, event: cup_lifted, compartment: 0}
  - {at: 9m, doctor: haddad, acknowledges: glucose_low, note: called her}
  - {offline: band, from: 20m, to: 30m, keeps: true}
  - {score: down, from: 40m, to: 50m}
  - {at: 11m, doctor: haddad, says_outcome: glucose_low, verdict: false, action: handled already}
  - {at: 12m, doctor: haddad, finishes: glucose_low, note: she is well}
  - {at: 13m, doctor: haddad, sets_quiet_hours: {from: "22:00", to: "07:00"}}
  - {at: 14m, doctor: haddad, edits_plan: evening, times: ["21:00"], every_days: 2, why: later}
  - {at: 15m, doctor: haddad, pauses_plan: pain, why: too tired, until: 1h}
  - {at: 16m, doctor: haddad, resumes_plan: weekly}
  - {at: 17m, doctor: haddad, refills_plan: evening, count: 30}
expect:
  - {alert: glucose_low, of: ruth, severity: high, by: 6m}
  - {pages: {least: 1, most: 3}, rule: glucose_low, of: ruth}
  - {dose: evening, due: 2026-03-03T20:00, is: pending}
"""
# What stands in the file, what stands there instead, and the field that the error names. The wrong
# line is marked, unless it is the first.
WRONG = {
    "no YAML": ("of: {1: ruth, 2: karl}}", "of: {1: ruth, 2: karl}}}#!", ""),
    "a tab": ("  karl: {born", "\tkarl: #!{born", ""),
    "an anchor": ("why: It shows one thing.", "why: &it It shows #!", ""),
    "a tag": ("why: It shows one thing.", "why: !python/name:os.system x #!", "why"),
    "a field that nobody knows": ("lasts: 2h", "lasts: 2h\nsince: 3h #!", "since"),
    "a name twice": ("  karl: {born", "  ruth: {born: 1940-01-01} #!\n  karl: {born", "people.ruth"),
    "no length": ("lasts: 2h\n", "", ""),
    "a length of nothing": ("lasts: 2h", "lasts: 0m #!", "lasts"),
    "a length without unit": ("lasts: 2h", "lasts: 120 #!", "lasts"),
    "units in the wrong order": ("lasts: 2h", "lasts: 5m 2h #!", "lasts"),
    "a name in capitals": ("scenario: an-example", "scenario: An example #!", "scenario"),
    "no moment of the calendar": ("2026-03-03T10:00", "2026-02-30T10:00 #!", "starts"),
    "no such zone": ("lasts: 2h", "lasts: 2h\nzone: Europe/Atlantis #!", "zone"),
    "a day that is none": ("born: 1938-07-11}", "born: 1938-13-11} #!", "people.karl.born"),
    "a condition that nobody knows": ("conditions: [copd]", "conditions: [gout] #!", "people.ruth.conditions[1]"),
    "a person that is not there": ("haddad: [ruth]", "haddad: [anna] #!", "doctors.haddad[1]"),
    "a device type that is none": ("type: wearable_band", "type: smart_spoon #!", "devices.band.type"),
    "a slot that the device has not": ("{1: ruth, 2: karl}", "{1: ruth, 3: karl} #!", "devices.cuff.of.3"),
    "a plan without times": ('at: ["20:00"]', "at: [] #!", "plans.evening.at"),
    "a time of day that is none": ('at: ["20:00"]', 'at: ["25:00"] #!', "plans.evening.at[1]"),
    "neither times nor as needed": ('Levodopa 100 mg, at: ["20:00"]', "Levodopa 100 mg #!", "plans.evening"),
    "times and as needed": ("most_per_day: 4}", 'most_per_day: 4}, at: ["20:00"] #!', "plans.pain"),
    "as needed at once": ("least_interval: 6h", "least_interval: 0m #!", "plans.pain.as_needed.least_interval"),
    "as needed, with seconds": ("least_interval: 6h", "least_interval: 90s #!", "plans.pain.as_needed.least_interval"),
    "as needed however soon": ("least_interval: 6h, ", "#!", "plans.pain.as_needed"),
    "as needed on Mondays": ("most_per_day: 4}", "most_per_day: 4}, weekdays: [mon] #!", "plans.pain.weekdays"),
    "as needed at a critical time": (
        "most_per_day: 4}",
        "most_per_day: 4}, time_critical: true #!",
        "plans.pain.time_critical",
    ),
    "a dose of nothing": ("count: 3", "count: 0 #!", "plans.weekly.count"),
    "no weekday": ("weekdays: [mon]", "weekdays: [] #!", "plans.weekly.weekdays"),
    "a weekday that is none": ("weekdays: [mon]", "weekdays: [moon] #!", "plans.weekly.weekdays[1]"),
    "a weekday twice": ("weekdays: [mon]", "weekdays: [mon, mon] #!", "plans.weekly.weekdays"),
    "weekdays and every so many days": (
        "weekdays: [mon]",
        "weekdays: [mon], every_days: 2 #!",
        "plans.weekly.every_days",
    ),
    "the last day before the first": ("until: 2026-06-30", "until: 2026-02-28 #!", "plans.weekly.until"),
    "less stock than none": ("stock: 30", "stock: -1 #!", "plans.weekly.stock"),
    "a device that is not there": ("device: meter, glucose", "device: scale, glucose #!", "story[2].device"),
    "a vital of another device": ("device: meter, glucose: 35", "device: meter, spo2: 95 #!", "story[2].spo2"),
    "a value that would be rejected": ("glucose: 35", "glucose: 3500 #!", "story[2].glucose"),
    "a unit left out": ("glucose: 35, unit: mg/dL", "glucose: 35 #!", "story[2].glucose"),
    "a unit of something else": ("unit: mg/dL", "unit: furlong #!", "story[2].unit"),
    "a value that is text": ("glucose: 35", 'glucose: "35" #!', "story[2].glucose"),
    "a line of three points": ("[72, 90]", "[72, 80, 90] #!", "story[1].heart_rate"),
    "a cycle of nothing": ("[72, 90]", "{cycle: []} #!", "story[1].heart_rate.cycle"),
    "an activity that is none": ("activity: resting", "activity: dancing #!", "story[1].activity"),
    "an end before the beginning": ("to: 1h,", "to: -1h, #!", "story[1].to"),
    "no distance": ("every: 1m, ", "#!", "story[1]"),
    "two times": ("at: 5m, device: meter", "at: 5m, every: 1m, device: meter #!", "story[2].every"),
    "no slot": ("slot: 2, ", "#!", "story[3]"),
    "a detail that is missing": ("event: cup_lifted, compartment: 0", "event: cup_lifted #!", "story[4].event"),
    "an event of another device": ("event: cup_lifted", "event: fall_suspected #!", "story[4].event"),
    "two things at once": ("glucose: 35", 'glucose: 35, raw: "x" #!', "story[2]"),
    "sent twice": ("glucose: 35", "glucose: 35, sent: 6m, sent_after: 2m #!", "story[2].sent_after"),
    "after the end": ("at: 5m, device: meter", "at: 5h, device: meter #!", "story[2]"),
    "a verb that there is not": ("acknowledges: glucose_low", "forgets: glucose_low #!", "story[5].forgets"),
    "two verbs": ("finishes: glucose_low", "finishes: glucose_low, resumes_plan: weekly #!", "story[9].resumes_plan"),
    "a verb of nobody": ("doctor: haddad, finishes: glucose_low", "doctor: haddad #!", "story[9].note"),
    "a carer who does nothing here": (
        "doctor: haddad, finishes",
        "doctor: haddad, person: ruth, finishes #!",
        "story[9].person",
    ),
    "an outcome of nothing": ("verdict: false, action: handled already", "of: ruth #!", "story[8]"),
    "a verdict that is none": ("verdict: false", "verdict: perhaps #!", "story[8].verdict"),
    "an action that is none": ("action: handled already", "action: prayed #!", "story[8].action"),
    "a doctor who is not there": ("doctor: haddad, finishes", "doctor: anna, finishes #!", "story[9].doctor"),
    "something before the start": ("at: 12m, doctor", "at: -12m, doctor #!", "story[9].at"),
    "a time of day for quiet": ('from: "22:00"', 'from: "26:00" #!', "story[10].sets_quiet_hours.from"),
    "quiet all day": ('to: "07:00"', 'to: "22:00" #!', "story[10].sets_quiet_hours.to"),
    "quiet from when": ('{from: "22:00", to: "07:00"}', "loud #!", "story[10].sets_quiet_hours"),
    "an edit of a plan that is not there": ("edits_plan: evening", "edits_plan: noon #!", "story[11].edits_plan"),
    "an edit of nothing": ('times: ["21:00"], every_days: 2, ', "#!", "story[11]"),
    "an edit of a person": ("every_days: 2", "for: karl #!", "story[11].for"),
    "an edit to no times": ('times: ["21:00"]', "times: [] #!", "story[11].times"),
    "an edit to both": (
        "every_days: 2",
        "as_needed: {least_interval: 6h} #!",
        "story[11].times",
    ),
    "an edit to a device that is not there": ("every_days: 2", "device: box #!", "story[11].device"),
    "a pause without a reason": ("why: too tired, ", "#!", "story[12]"),
    "a pause that is over": ("until: 1h", "until: 10m #!", "story[12].until"),
    "a refill of nothing": ("count: 30}", "count: 0} #!", "story[14].count"),
    "a part that is not one": ("score: down", "weather: down #!", "story[7]"),
    "a part that is not down": ("score: down", "score: up #!", "story[7].score"),
    "a rule that is none": ("{alert: glucose_low", "{alert: boredom #!", "expect[1].alert"),
    "an expectation on somebody else": ("of: ruth, severity", "of: anna, severity #!", "expect[1].of"),
    "a severity that is none": ("severity: high", "severity: huge #!", "expect[1].severity"),
    "a window that ends first": ("by: 6m", "after: 7m, by: 6m #!", "expect[1].by"),
    "more than most": ("{least: 1, most: 3}", "{least: 4, most: 3} #!", "expect[2].pages.most"),
    "a plan that is not there": ("{dose: evening", "{dose: morning #!", "expect[3].dose"),
    "a dose state that is none": ("is: pending", "is: eaten #!", "expect[3].is"),
    "an expectation of nothing": ("{alert: glucose_low, of", "{of #!", "expect[1]"),
}


def written(folder: Path, text: str) -> Path:
    file = folder / "example.yaml"
    file.write_text(text.replace("#!", ""))
    return file


def test_the_example_is_right(tmp_path: Path) -> None:
    scenario = read_scenario(written(tmp_path, WHOLE))
    assert (scenario.name, scenario.lasts_ms, len(scenario.story), len(scenario.expect)) == (
        "an-example",
        7_200_000,
        14,
        3,
    )
    assert scenario.stops_parts


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_refused_where_it_stands(what: str, tmp_path: Path) -> None:
    right, wrong, field = WRONG[what]
    assert right in WHOLE
    text = WHOLE.replace(right, wrong, 1)
    line = next((number for number, one in enumerate(text.splitlines(), start=1) if "#!" in one), 1)
    file = written(tmp_path, text)

    with pytest.raises(ScenarioError) as refused:
        read_scenario(file)

    assert (refused.value.line, refused.value.field) == (line, field)
    assert str(refused.value).startswith(f"{file}:{line}: {field}")


def test_a_scenario_that_expects_nothing_is_refused(tmp_path: Path) -> None:
    text = WHOLE[: WHOLE.index("expect:")] + "expect: []\n"
    with pytest.raises(ScenarioError, match="expects nothing") as refused:
        read_scenario(written(tmp_path, text))
    assert refused.value.line == text.count("\n")


def test_a_name_stands_for_one_scenario_of_a_run(tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    first, second = written(tmp_path, WHOLE), written(tmp_path / "again", WHOLE)
    with pytest.raises(ScenarioError, match="also the name of") as refused:
        read_scenarios([tmp_path])
    assert {str(refused.value.file), refused.value.message.rpartition(" ")[2]} == {str(first), str(second)}


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b"[" * 5000, b"x" * (LARGEST_BYTES + 1), b"- a\n- b\n", b"a: \x00\n", b"--- 1\n--- 2\n"],
    ids=["empty", "no text", "deep", "huge", "a list", "a letter of no text", "two documents"],
)
def test_what_is_no_scenario_at_all_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "other.yaml"
    file.write_bytes(content)
    with pytest.raises(ScenarioError, match=r"other\.yaml:\d+: "):
        read_scenario(file)


def test_a_folder_without_scenarios_and_a_file_that_is_not_there_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing.yaml"):
        with pytest.raises(ScenarioError):
            read_scenarios([path])
