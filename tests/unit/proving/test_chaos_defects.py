"""Each defect still has its place in the source: a selftest that plants nothing would prove nothing."""

import ast
from pathlib import Path

import pytest

from tests.proving.chaos.defects import DEFECTS, STORE_REFUSES, Defect, StaleDefectError
from tests.proving.chaos.recovery import TOO_LONG_S, NotRecoveredError

CHECKOUT = Path(__file__).resolve().parents[3]


def copy_of(defect: Defect, root: Path) -> Path:
    path = root / defect.file
    path.parent.mkdir(parents=True)
    path.write_text((CHECKOUT / defect.file).read_text())
    return path


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_defect_can_be_planted_and_is_python(defect: Defect, tmp_path: Path) -> None:
    path = copy_of(defect, tmp_path)
    defect.plant(tmp_path)
    assert path.read_text() != (CHECKOUT / defect.file).read_text()
    ast.parse(path.read_text())


def test_there_are_ten_of_different_names() -> None:
    assert len({defect.name for defect in DEFECTS}) == 10


def test_a_defect_whose_place_is_gone_is_refused(tmp_path: Path) -> None:
    path = copy_of(DEFECTS[0], tmp_path)
    path.write_text("")
    with pytest.raises(StaleDefectError, match="0 times"):
        DEFECTS[0].plant(tmp_path)


def test_only_what_a_defect_breaks_is_its_catch() -> None:
    defect = DEFECTS[0]
    beside = ["recovery: store took 5100 ms", "I2 alerts: ['missed: sos sos-1']"]
    assert defect.caught([*beside, "I1 items: ['lost: device band-1 epoch 1 seq 2']"]) == [
        "I1 items: ['lost: device band-1 epoch 1 seq 2']"
    ]
    assert defect.caught(beside) == []


def test_what_a_defect_breaks_is_what_a_run_calls_it() -> None:
    named = "".join(
        (CHECKOUT / "tests" / "proving" / "chaos" / name).read_text() for name in ("report.py", "verdict.py")
    )
    for defect in DEFECTS:
        for name in set(defect.broken) - {STORE_REFUSES}:
            assert f'"{name}"' in named or f'f"{name}:' in named, name


def test_a_store_that_refuses_is_named_as_the_run_names_it() -> None:
    last_words = f"{NotRecoveredError.__name__}: store did not work again within {TOO_LONG_S:.0f} s of a kill"
    assert f"recovery: {last_words}" == STORE_REFUSES
    assert DEFECTS[1].caught([STORE_REFUSES, "recovery: ['store took 5100 ms']"]) == [STORE_REFUSES]
