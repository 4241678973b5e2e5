"""The snapshot of devices and bindings."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.devices import DEVICE_TYPE_BY_CODE
from services.ingest.registry import build_registry

FOR_EVER = 2**53


def device(device_no: int = 1, *, code: str = "pressure_cuff") -> dict[str, Any]:
    return {"device_no": device_no, "device": f"device-{device_no}", "device_type": code, "home_no": 3, "shard": 9}


def binding(person_no: int, from_ms: int = 0, to_ms: int = FOR_EVER, **changed: int) -> dict[str, Any]:
    row = {"device_no": 1, "slot": 1, "person_no": person_no, "home_no": 3, "from_ms": from_ms, "to_ms": to_ms}
    return row | changed


def test_a_device_is_found_by_name_with_all_that_is_known_of_it() -> None:
    entry = build_registry([device(4, code="scale")], [])["device-4"]
    assert (entry.device_no, entry.home_no, entry.shard) == (4, 3, 9)
    assert entry.type is DEVICE_TYPE_BY_CODE["scale"]


def test_an_unbound_device_has_nobody() -> None:
    assert build_registry([device()], [])["device-1"].person_at(1, 0) is None


def test_a_binding_holds_from_its_first_to_before_its_last_millisecond() -> None:
    entry = build_registry([device()], [binding(1, 100, 200)])["device-1"]
    assert [entry.person_at(1, at) is not None for at in (99, 100, 199, 200)] == [False, True, True, False]


def test_bindings_belong_to_their_own_device_and_slot() -> None:
    registry = build_registry([device(1), device(2)], [binding(1), binding(2, slot=2), binding(3, device_no=2)])
    held = {(name, slot): registry[name].person_at(slot, 50) for name in registry for slot in (1, 2)}
    assert {place: person.person_no for place, person in held.items() if person} == {
        ("device-1", 1): 1,
        ("device-1", 2): 2,
        ("device-2", 1): 3,
    }


def test_the_home_of_a_person_may_be_another_than_the_devices() -> None:
    entry = build_registry([device()], [binding(1, home_no=8)])["device-1"]
    person = entry.person_at(1, 0)
    assert person is not None
    assert (person.home_no, entry.home_no) == (8, 3)


@given(cuts=st.lists(st.integers(min_value=1, max_value=1000), max_size=6, unique=True), at=st.integers(0, 1001))
def test_after_any_chain_of_rebindings_exactly_one_has_the_slot(cuts: list[int], at: int) -> None:
    bounds = [0, *sorted(cuts), FOR_EVER]
    rows = [binding(number, bounds[number], bounds[number + 1]) for number in range(len(bounds) - 1)]
    entry = build_registry([device()], reversed(rows))["device-1"]
    person = entry.person_at(1, at)
    assert person is not None
    assert person.person_no == sum(cut <= at for cut in cuts)


def test_a_type_that_only_a_newer_version_knows_leaves_the_other_devices_alone() -> None:
    registry = build_registry([device(1), device(2, code="tricorder")], [])
    assert set(registry) == {"device-1"}
