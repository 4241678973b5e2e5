"""A trained model's files: what comes back is what was written, and what does not fit is refused by name."""

import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.score.models.artefact import Artefact, ArtefactError, Card, Form, from_bytes, load, to_bytes
from tests.proving.training.artefact_files import hashed, write

FORM = Form(
    kind="slope", version=2, features=("level", "change"), shapes={"weights": (2,), "bias": (), "quantiles": (None,)}
)


def artefact(**changes: Any) -> Artefact:
    card = Card(
        kind="slope",
        version=2,
        features=("level", "change"),
        purpose="A line.",
        people=hashed("made up", ["b", "a"]),
        licences={"made up": "CC0"},
        figures={"all": {"sensitivity": 0.5, "lead_min": None}},
        limits_of_use=("For tests.",),
        settings={"ridge": 1.0},
    )
    arrays = {"weights": np.array([1.0, 0.5]), "bias": np.array(0.25), "quantiles": np.arange(7)}
    return Artefact(card=replace(card, **changes), arrays=arrays)


def rewritten(change: Callable[[dict[str, Any]], Any]) -> tuple[bytes, bytes]:
    arrays, card = to_bytes(artefact())
    plain = json.loads(card)
    change(plain)
    return arrays, json.dumps(plain).encode()


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    size = write(tmp_path / "made", artefact())
    found = load(tmp_path / "made", FORM)
    assert found.card == artefact().card
    assert found.arrays.keys() == artefact().arrays.keys()
    for name, values in artefact().arrays.items():
        np.testing.assert_array_equal(found.arrays[name], values)
    assert size == sum(path.stat().st_size for path in (tmp_path / "made").iterdir())


def test_the_same_artefact_gives_the_same_bytes() -> None:
    assert to_bytes(artefact()) == to_bytes(artefact())


def test_what_was_loaded_can_not_be_changed() -> None:
    found = from_bytes(*to_bytes(artefact()), FORM)
    with pytest.raises(ValueError, match="read-only"):
        found.arrays["weights"][0] = 9


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "curve"}, "kind"),
        ({"version": 3}, "version"),
        ({"features": ("change", "level")}, "features"),
        ({"features": ("level",)}, "features"),
    ],
)
def test_another_kind_version_or_order_of_features_is_refused(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(ArtefactError, match=f"{field} of the card"):
        from_bytes(*to_bytes(artefact(**changes)), FORM)


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        ({"weights": (3,), "bias": (), "quantiles": (None,)}, r"array weights has the shape \(2,\)"),
        ({"weights": (None, None), "bias": (), "quantiles": (None,)}, "array weights has the shape"),
        ({"weights": (2,), "bias": ()}, "quantiles"),
        ({"weights": (2,), "bias": (), "quantiles": (None,), "more": ()}, "more"),
    ],
)
def test_other_arrays_than_the_code_takes_are_refused(shapes: dict[str, tuple[int | None, ...]], words: str) -> None:
    with pytest.raises(ArtefactError, match=words):
        from_bytes(*to_bytes(artefact()), replace(FORM, shapes=shapes))


@pytest.mark.parametrize("bad", [np.array([1.0, np.nan]), np.array([np.inf, 0.0]), np.array(["a", "b"])])
def test_what_is_no_finite_number_is_neither_written_nor_read(bad: Any) -> None:
    made = artefact()
    broken = Artefact(card=made.card, arrays={**made.arrays, "weights": bad})
    with pytest.raises(ArtefactError, match="array weights"):
        to_bytes(broken)
    buffer, named = BytesIO(), dict[str, Any](broken.arrays)
    np.savez(buffer, **named)
    with pytest.raises(ArtefactError, match=r"arrays_sha256|array weights"):
        from_bytes(buffer.getvalue(), _card_for(buffer.getvalue()), FORM)


def _card_for(arrays: bytes) -> bytes:
    from hashlib import sha256  # noqa: PLC0415 - only to forge a card

    return rewritten(lambda plain: plain.update(arrays_sha256=sha256(arrays).hexdigest()))[1]


def test_a_pickled_object_is_never_read() -> None:
    buffer = BytesIO()
    np.savez(buffer, weights=np.array([{"a": 1}], dtype=object), bias=np.array(0.0), quantiles=np.arange(7))
    with pytest.raises(ArtefactError, match="arrays: "):
        from_bytes(buffer.getvalue(), _card_for(buffer.getvalue()), FORM)
    pickled = pickle.dumps({"weights": 1})
    with pytest.raises(ArtefactError, match="arrays: "):
        from_bytes(pickled, _card_for(pickled), FORM)


def test_the_card_of_other_arrays_is_refused() -> None:
    other = artefact()
    arrays, _ = to_bytes(Artefact(card=other.card, arrays={**other.arrays, "bias": np.array(9.0)}))
    with pytest.raises(ArtefactError, match="arrays_sha256"):
        from_bytes(arrays, to_bytes(artefact())[1], FORM)


@pytest.mark.parametrize("missing", ["kind", "features", "people", "arrays_sha256", "licences", "limits_of_use"])
def test_a_card_without_one_of_its_fields_is_refused(missing: str) -> None:
    with pytest.raises(ArtefactError, match=missing):
        from_bytes(*rewritten(lambda plain: plain.pop(missing)), FORM)


def test_a_figure_that_is_not_finite_is_not_written() -> None:
    with pytest.raises(ArtefactError, match="figure"):
        to_bytes(artefact(figures={"all": {"sensitivity": float("nan")}}))


def test_a_missing_file_is_said_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"slope\.npz can't be read"):
        load(tmp_path, FORM)
    write(tmp_path, artefact())
    (tmp_path / "slope.json").unlink()
    with pytest.raises(ArtefactError, match=r"slope\.json can't be read"):
        load(tmp_path, FORM)


@given(st.data())
def test_damage_anywhere_is_refused_and_never_crashes(data: st.DataObject) -> None:
    arrays, card = to_bytes(artefact())
    is_card = data.draw(st.booleans())
    hurt = card if is_card else arrays
    place = data.draw(st.integers(0, len(hurt) - 1))
    cut = hurt[:place] + data.draw(st.binary(max_size=4))
    if is_card and cut.strip() == card.strip():
        return
    with pytest.raises(ArtefactError):
        from_bytes(*((arrays, cut) if is_card else (cut, card)), FORM)


def test_people_are_hashed_with_the_name_of_their_recording() -> None:
    assert hashed("one", ["a", "b"]) == hashed("one", ["b", "a"])
    assert not {*hashed("one", ["a", "b"])} & {*hashed("two", ["a", "b"])}
    assert all(len(one) == 16 and one != "a" for one in hashed("one", ["a"]))
