"""The words about a reading that may be somebody else's."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from schemas.held_readings import HeldState
from schemas.presentation import UNIT_NAMES
from schemas.vitals import DIASTOLIC, SYSTOLIC, WEIGHT
from services.api.held_readings import HeldMeasurement, held_words
from services.api.held_rest import HeldMeasurementOut
from services.score.models.own_band import GUARDED

AT = datetime(2026, 11, 22, 7, 30, tzinfo=UTC)


def _held(**other: Any) -> HeldMeasurement:
    row: dict[str, Any] = {
        "measurement_id": uuid4(), "observed_at": AT, "device_type": "scale", "vitals": [WEIGHT.number],
        "values": [176.8], "meant": [80.2], "reason": "unit", "unit": "[lb_av]", "is_held": True, "state": "open",
        "fits_person_id": None, "fits_name": None, "decided_by": None,
        "is_mine": None, "said_at": None, "decided_at": None,
    }  # fmt: skip
    return HeldMeasurement.of(row | other)


def test_another_unit_is_said_with_what_it_would_be() -> None:
    held = _held()
    assert held.measured == "Weight 176.8 kg"
    assert held.why == "as pounds it would be 80.2 kg, which is usual of this person"
    assert held.stands == "no rule has seen it"


def test_a_room_mate_is_named_only_where_the_doctor_cares_for_them() -> None:
    pressure: dict[str, Any] = {
        "vitals": [SYSTOLIC.number, DIASTOLIC.number], "values": [153.0, 94.0], "meant": [153.0, 94.0],
        "reason": "person", "unit": "", "is_held": False,
    }  # fmt: skip
    named, unnamed = _held(**pressure, fits_name="Karl Sommer", fits_person_id=uuid4()), _held(**pressure)
    assert named.why == "it is usual of Karl Sommer, and not of this person"
    assert unnamed.why == "it is not usual of this person"
    assert named.measured == "Systolic pressure 153 mmHg, Diastolic pressure 94 mmHg"
    assert named.stands == "it was scored at once all the same"


@pytest.mark.parametrize("state", [HeldState.KEPT, HeldState.MOVED, HeldState.DISMISSED])
def test_what_was_decided_is_said(state: HeldState) -> None:
    assert _held(state=state.value).stands.split()[0] == state


def test_every_unit_that_can_be_found_out_has_words() -> None:
    assert {unit.code for one in GUARDED.values() for unit in one.units} == set(UNIT_NAMES)


@pytest.mark.parametrize(
    ("unit", "fits_name", "measurements", "words"),
    [
        ("[lb_av]", None, 5, "Weight is held: fits pounds; 5 measurements that no rule has seen."),
        ("", "Karl Sommer", 1, "Weight is held: fits Karl Sommer; one measurement that no rule has seen."),
        ("", None, 2, "Weight is held: not usual of this person; 2 measurements that no rule has seen."),
    ],
)
def test_what_waits_is_said_with_what_explains_it(
    unit: str, fits_name: str | None, measurements: int, words: str
) -> None:
    assert held_words([WEIGHT.number], measurements, unit, fits_name) == words


def test_programs_get_the_same() -> None:
    said = HeldMeasurementOut.of(_held(fits_person_id=UUID(int=1)))
    assert said.held
    assert [(one.vital, one.value, one.meant) for one in said.readings] == [("weight", 176.8, 80.2)]
    assert (said.state, said.fits_person_id) == (HeldState.OPEN, UUID(int=1))
