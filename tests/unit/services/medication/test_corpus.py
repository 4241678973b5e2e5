"""Every dose plan of the bad-input corpus is refused when it is registered, or due when the index says."""

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from schemas.registry import DosePlan, Home
from services.medication.planning import Plan, plan_doses
from services.medication.recurrence import Recurrence, instants_on
from tests.proving.fuzz.corpus import Case, made_of, played_by

ID = str(UUID(int=1))


def registered(sent: dict[str, Any]) -> tuple[str, DosePlan]:
    """The zone and the plan as a register file brings them. Raises ValidationError."""
    zone = made_of(sent["zone"]).decode()
    home = Home.model_validate_json(json.dumps({"home_id": ID, "label": "home", "time_zone": zone}))
    plan = DosePlan.model_validate_json(
        f'{{"plan_id":"{ID}","device":"pills-1","drug":"Metformin",'
        f'"compartment":{sent["compartment"]},"at":{sent["at"]}}}'
    )
    return home.time_zone, plan


def due(sent: dict[str, Any]) -> list[datetime]:
    zone, registered_plan = registered(sent)
    content = registered_plan.content(device=registered_plan.device, compartment=registered_plan.compartment, zone=zone)
    plan = Plan(
        version_no=1,
        plan_id=registered_plan.plan_id,
        person_no=1,
        home_no=1,
        device_no=1,
        compartment=content.compartment,
        drug=content.drug,
        recurrence=Recurrence(zone=content.zone, at_times=content.at_times),
        valid_from=datetime.fromisoformat(sent["from"]),
        valid_to=datetime.fromisoformat(sent["to"]) if "to" in sent else None,
    )
    first, last = date.fromisoformat(sent["first"]), date.fromisoformat(sent["last"])
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    # The local days from the first to the last, whatever the zone has left out of them.
    since, until = (datetime.combine(day, time(), UTC) for day in (first, last))
    doses = plan_doses(plan, since - timedelta(days=3), until + timedelta(days=3))
    moments = {moment for day in days for moment in instants_on(plan.recurrence, day)}
    return [dose.due_at for dose in doses if dose.due_at in moments]


@pytest.mark.parametrize("case", played_by("plan"), ids=lambda case: case.id)
def test_a_plan_is_refused_or_due_when_it_should_be(case: Case) -> None:
    if case.fate.get("refused"):
        with pytest.raises(ValidationError):
            registered(case.sent)
    elif "doses" in case.fate:
        assert len(set(due(case.sent))) == case.fate["doses"]
    else:
        assert due(case.sent) == [datetime.fromisoformat(one) for one in case.fate["due"]]
