"""A trained model as plain arrays with a JSON card beside them; what does not fit the code is refused. Pure but load.

Two files lie side by side: ``<kind>.npz`` holds the arrays, without pickle, ``<kind>.json`` the card. A model's code
says by its Form what it takes; ``load`` gives what fits that, or raises ArtefactError with the field that does not.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from services.runtime.errors import HearthBeatError
from services.score.models.feature_drift import Spread, SpreadError, checked

Numbers = NDArray[Any]
"""Of any numeric type; never of objects."""
ARRAYS_ENDING: Final = ".npz"
CARD_ENDING: Final = ".json"
_NUMERIC: Final = "biuf"


class ArtefactError(HearthBeatError):
    """A trained model does not fit the code that would use it, or is damaged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a model's code takes: the artefact's kind and version, its features in their order, and its arrays.

    ``shapes``: of each array by its name; None stands for any length. ``version`` rises whenever the same arrays would
    mean something else.
    """

    kind: str
    version: int
    features: tuple[str, ...]
    shapes: Mapping[str, tuple[int | None, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What people have to know of a trained model; the first three are compared with the Form on loading.

    ``people``: those it was fitted on, hashed. ``licences``: of each set of recordings, by its name. ``figures``: by
    group ("all", "60 to 69 years", "women"), numbers by their names; None where there was nothing to count.
    ``limits_of_use``: sentences. ``settings``: what was chosen in fitting, for the reader. ``at_training``: how each
    feature was spread; where there is none of it, nobody can say later whether what comes in is still like that.
    """

    kind: str
    version: int
    features: tuple[str, ...]
    purpose: str
    people: tuple[str, ...]
    licences: Mapping[str, str]
    figures: Mapping[str, Mapping[str, float | None]]
    limits_of_use: tuple[str, ...]
    settings: Mapping[str, float | str] = field(default_factory=lambda: MappingProxyType({}))
    at_training: Mapping[str, Spread] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """``arrays`` by their names, all of them numbers and finite, and the card.

    ``checksum``: SHA-256 of the card as it was read, which holds that of the arrays; "" of one that was not read.
    """

    card: Card
    arrays: Mapping[str, Numbers]
    checksum: str = field(default="", compare=False)

    @property
    def name(self) -> str:
        """Which fit it is, among all of its kind: kind, version and checksum."""
        return f"{self.card.kind} {self.card.version} {self.checksum}"


def load(folder: Path, form: Form) -> Artefact:
    """The artefact of that kind from its two files. Raises ArtefactError, also where a file is missing."""
    path = folder / f"{form.kind}{ARRAYS_ENDING}"
    try:
        arrays = path.read_bytes()
        path = path.with_suffix(CARD_ENDING)
        return from_bytes(arrays, path.read_bytes(), form)
    except OSError as error:
        raise ArtefactError(f"{path} can't be read: {error.strerror or error}") from error


def from_bytes(arrays: bytes, card: bytes, form: Form) -> Artefact:
    """What ``to_bytes`` wrote. Raises ArtefactError, with the field, where it does not fit ``form`` in any way."""
    said = _card(card, sha256(arrays).hexdigest())
    for name, found, expected in (
        ("kind", said.kind, form.kind),
        ("version", said.version, form.version),
        ("features", list(said.features), list(form.features)),
    ):
        if found != expected:
            raise ArtefactError(f"{name} of the card is {found!r}, and the code takes {expected!r}")
    fitting = MappingProxyType(_fitting(_arrays(arrays), form))
    return Artefact(card=said, arrays=fitting, checksum=sha256(card).hexdigest())


def to_bytes(artefact: Artefact) -> tuple[bytes, bytes]:
    """Arrays and card; the same artefact gives the same bytes. Raises ArtefactError where a number is not finite."""
    for name, values in artefact.arrays.items():
        _check_numbers(name, values)
    buffer = BytesIO()
    named: dict[str, Any] = {name: np.asarray(artefact.arrays[name]) for name in sorted(artefact.arrays)}
    np.savez_compressed(buffer, allow_pickle=False, **named)
    arrays = buffer.getvalue()
    card = artefact.card
    plain = {
        "kind": card.kind,
        "version": card.version,
        "arrays_sha256": sha256(arrays).hexdigest(),
        "purpose": card.purpose,
        "features": list(card.features),
        "settings": dict(card.settings),
        "licences": dict(card.licences),
        "limits_of_use": list(card.limits_of_use),
        "figures": {group: dict(numbers) for group, numbers in card.figures.items()},
        "people": list(card.people),
        "at_training": {
            name: {"edges": list(one.edges), "shares": list(one.shares)} for name, one in card.at_training.items()
        },
    }
    try:
        text = json.dumps(plain, indent=1, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        raise ArtefactError("card: a figure or a setting is not finite; None stands for nothing to count") from error
    return arrays, f"{text}\n".encode()


def _card(card: bytes, arrays_sha256: str) -> Card:
    try:
        plain = json.loads(card)
        written_with = plain.pop("arrays_sha256")
        for name in ("features", "people", "limits_of_use"):
            plain[name] = tuple(plain[name])
        # Cards of before 2026-11-30 have none.
        kept = plain.pop("at_training", {})
        spreads = {name: checked(one["edges"], one["shares"]) for name, one in kept.items()}
        said = Card(**plain, at_training=MappingProxyType(spreads))
    except SpreadError as error:
        raise ArtefactError(f"at_training of the card: {error}") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise ArtefactError(f"card: {error}") from error
    except KeyError as error:
        raise ArtefactError(f"card: {error.args[0]} is missing") from error
    if spreads and tuple(spreads) != said.features:
        raise ArtefactError("at_training of the card is not of its features, in their order")
    if written_with != arrays_sha256:
        raise ArtefactError("arrays_sha256 of the card is that of other arrays")
    return said


def _arrays(arrays: bytes) -> dict[str, Numbers]:
    try:
        with np.load(BytesIO(arrays), allow_pickle=False) as found:
            return {name: found[name] for name in found.files}
    except (ValueError, OSError, EOFError, KeyError, BadZipFile) as error:
        raise ArtefactError(f"arrays: {error}") from error


def _fitting(arrays: dict[str, Numbers], form: Form) -> dict[str, Numbers]:
    if arrays.keys() != form.shapes.keys():
        raise ArtefactError(f"arrays are {sorted(arrays)}, and the code takes {sorted(form.shapes)}")
    for name, values in arrays.items():
        wanted = form.shapes[name]
        is_like = len(values.shape) == len(wanted) and all(
            length in {None, found} for found, length in zip(values.shape, wanted, strict=True)
        )
        if not is_like:
            raise ArtefactError(f"array {name} has the shape {values.shape}, and the code takes {wanted}")
        _check_numbers(name, values)
        values.setflags(write=False)
    return arrays


def _check_numbers(name: str, values: Numbers) -> None:
    if values.dtype.kind not in _NUMERIC:
        raise ArtefactError(f"array {name} holds {values.dtype}, and has to hold numbers")
    if not np.isfinite(values).all():
        raise ArtefactError(f"array {name} holds a number that is not finite")
