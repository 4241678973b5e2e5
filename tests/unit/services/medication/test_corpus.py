"""Every dose plan of the bad-input corpus is refused when it is registered, or due when the index says."""

import json
from datetime import date, datetime
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from schemas.registry import DosePlan, Home
from services.medication.planning import Plan, plan_doses
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
    plan = Plan(
        plan_id=registered_plan.plan_id,
        person_no=1,
        home_no=1,
        device_no=1,
        compartment=registered_plan.compartment,
        at_times=registered_plan.at,
        time_critical=False,
        zone=zone,
        valid_from=datetime.fromisoformat(sent["from"]),
        valid_to=datetime.fromisoformat(sent["to"]) if "to" in sent else None,
    )
    doses = plan_doses(plan, date.fromisoformat(sent["first"]), date.fromisoformat(sent["last"]))
    return [dose.due_at for dose in doses]


@pytest.mark.parametrize("case", played_by("plan"), ids=lambda case: case.id)
def test_a_plan_is_refused_or_due_when_it_should_be(case: Case) -> None:
    if case.fate.get("refused"):
        with pytest.raises(ValidationError):
            registered(case.sent)
    elif "doses" in case.fate:
        assert len(set(due(case.sent))) == case.fate["doses"]
    else:
        assert due(case.sent) == [datetime.fromisoformat(one) for one in case.fate["due"]]
