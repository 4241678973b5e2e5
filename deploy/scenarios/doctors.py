"""What a doctor of a story does, as requests to the console; what has to be there first is waited for by the caller."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from deploy.scenarios.console import DoctorAtConsole
from deploy.scenarios.naming import Names
from device_sim.scenario.doctors import (
    Acknowledges,
    Act,
    EditsPlan,
    Finishes,
    PausesPlan,
    RefillsPlan,
    ResumesPlan,
    SaysOutcome,
    SetsQuietHours,
)
from schemas.plan_terms import AsNeeded
from services.runtime.clock import to_datetime

_MOST: Final = 200
Missing = str
"""What was not there; "" where it is done."""


async def do(act: Act, console: DoctorAtConsole, names: Names) -> Missing:
    """Does it. Raises ConsoleRefusedError where the console would not."""
    return await _DOERS[type(act)](act, console, names)


async def _alerts(console: DoctorAtConsole, names: Names, rule: str, of: str, *states: str) -> list[dict[str, Any]]:
    """Those about a person, newest first."""
    wanted = "".join(f"&state={state}" for state in states)
    listed = await console.read(f"alerts?limit={_MOST}{wanted}")
    person = str(names.person(of))
    return [one for one in listed if one["rule"] == rule and one["person_id"] == person]


async def _acknowledge(act: Acknowledges, console: DoctorAtConsole, names: Names) -> Missing:
    alerts = await _alerts(console, names, act.rule, act.of, "open")
    for alert in alerts:
        await _say(console, alert, "acknowledge", act.said)
    return "" if alerts else "there was no such open alert"


async def _say_outcome(act: SaysOutcome, console: DoctorAtConsole, names: Names) -> Missing:
    alerts = await _alerts(console, names, act.rule, act.of)
    taken_on = [one for one in alerts if one["acknowledged_at"]]
    if not taken_on:
        return "there was no such alert that somebody took on"
    await _say(console, taken_on[0], "outcome", act.said)
    return ""


async def _finish(act: Finishes, console: DoctorAtConsole, names: Names) -> Missing:
    alerts = await _alerts(console, names, act.rule, act.of, "acknowledged")
    for alert in alerts:
        await _say(console, alert, "finish", act.said)
    return "" if alerts else "there was no such acknowledged alert"


async def _say(console: DoctorAtConsole, alert: Mapping[str, Any], what: str, said: Mapping[str, str]) -> None:
    # What came of an alert may be said whatever has become of it meanwhile.
    seen = {} if what == "outcome" else {"version": alert["version"]}
    await console.write("POST", f"alerts/{alert['alert_id']}/{what}", {**seen, "note": "", **said})


async def _set_quiet_hours(act: SetsQuietHours, console: DoctorAtConsole, names: Names) -> Missing:
    if act.hours is None:
        await console.write("DELETE", "quiet-hours")
    else:
        begins, ends = (f"{one:%H:%M}" for one in act.hours)
        await console.write("PUT", "quiet-hours", {"begins": begins, "ends": ends, "zone": names.scenario.zone})
    return ""


async def _plan(console: DoctorAtConsole, names: Names, name: str) -> dict[str, Any] | None:
    """A plan as it is in force now; None where the console knows none of that name, or it is in nobody's care."""
    person = names.person(names.scenario.everybody.plans[name].person)
    listed = await console.read(f"people/{person}/plans")
    return next((one for one in listed if one["plan_id"] == str(names.plan(name))), None)


_NO_PLAN: Final = "there was no such plan"


async def _edit_plan(act: EditsPlan, console: DoctorAtConsole, names: Names) -> Missing:
    plan = await _plan(console, names, act.plan)
    if plan is None:
        return _NO_PLAN
    changes = dict(act.changes)
    if "every_days" in changes:
        changes["anchor"] = names.anchor(changes["every_days"], changes.get("first") or plan["from_day"], act.at)
    body = {name: plan[name] for name in _CONTENT} | {
        _SENT_AS.get(name, name): _as_sent(name, value, names) for name, value in changes.items()
    }
    body |= {"version_no": plan["version_no"], "reason": act.why}
    await console.write("PUT", f"plans/{plan['plan_id']}", body)
    return ""


def _as_sent(name: str, value: Any, names: Names) -> Any:
    if name == "device":
        return names.device(value)
    if name == "at":
        return [f"{one:%H:%M:%S}" for one in value]
    if isinstance(value, AsNeeded):
        return value.model_dump()
    if isinstance(value, date):
        return value.isoformat()
    return value


async def _pause_plan(act: PausesPlan, console: DoctorAtConsole, names: Names) -> Missing:
    plan = await _plan(console, names, act.plan)
    if plan is None:
        return _NO_PLAN
    until = None if act.until is None else to_datetime(names.scenario.starts_ms + act.until).isoformat()
    await console.write("POST", f"plans/{plan['plan_id']}/pause", {"why": act.why, "until": until})
    return ""


async def _resume_plan(act: ResumesPlan, console: DoctorAtConsole, names: Names) -> Missing:
    plan = await _plan(console, names, act.plan)
    if plan is None:
        return _NO_PLAN
    await console.write("POST", f"plans/{plan['plan_id']}/resume")
    return ""


async def _refill_plan(act: RefillsPlan, console: DoctorAtConsole, names: Names) -> Missing:
    plan = await _plan(console, names, act.plan)
    if plan is None:
        return _NO_PLAN
    # So that what is sent again after a lost answer is counted once.
    seen = plan["stock"]["stock_no"] if plan["stock"] else 0
    body = {"count": act.count, "what": "refilled", "seen": seen}
    await console.write("POST", f"plans/{plan['plan_id']}/stock", body)
    return ""


_SENT_AS: Final[Mapping[str, str]] = MappingProxyType({"first": "from_day", "last": "until_day"})
_CONTENT: Final = (
    *("device", "compartment", "drug", "strength", "count", "at", "weekdays", "every_days", "anchor", "from_day"),
    *("until_day", "as_needed", "time_critical", "listed"),
)
"""What a version of a plan consists of, as the console calls it."""
_DOERS: Final[Mapping[type[Act], Callable[[Any, DoctorAtConsole, Names], Awaitable[Missing]]]] = MappingProxyType(
    {
        Acknowledges: _acknowledge,
        SaysOutcome: _say_outcome,
        Finishes: _finish,
        SetsQuietHours: _set_quiet_hours,
        EditsPlan: _edit_plan,
        PausesPlan: _pause_plan,
        ResumesPlan: _resume_plan,
        RefillsPlan: _refill_plan,
    }
)
